"""What is provisioned, for people: how far each file is, and having one saved again."""

from __future__ import annotations

import structlog

from services.console.domain.problems import not_found
from services.console.domain.provisioning import ProvisioningView
from services.console.ports import Ports

log = structlog.get_logger(__name__)


class ProvisionedDesk:
    """Shows what the replica that provisions has stored."""

    def __init__(self, ports: Ports) -> None:
        self._desk = ports.reader

    async def show(self) -> ProvisioningView:
        """Return all files."""
        return ProvisioningView.of(await self._desk.provisioned())

    async def again(self, name: str) -> ProvisioningView:
        """Have a file saved within seconds as if it were new. Raises a 404."""
        found = next((each for each in await self._desk.provisioned() if each.file == name), None)
        if found is None:
            raise not_found(f"No file {name} is provisioned from.", "GET /api/v1/provisioning lists them.")
        await self._desk.save_provisioned(found.model_copy(update={"digest": ""}))
        log.info("provisioning_asked_again", file=name)
        return await self.show()
