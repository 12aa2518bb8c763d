"""What a vendor refused: how much of an integration, and trying all of it again at once."""

from __future__ import annotations

import structlog

from services.console.domain.problems import not_found
from services.console.domain.views import RefusedView
from services.console.ports import Ports
from shared.domain.ids import IntegrationId

log = structlog.get_logger(__name__)


class RefusedItemsDesk:
    """What is tried again by itself, and sooner at an admin's word: when what it was refused for is mended."""

    def __init__(self, ports: Ports, by: str) -> None:
        self._desk = ports.reader
        self._config = ports.config
        self._clock = ports.clock
        self._by = by

    async def show(self, integration_id: IntegrationId) -> RefusedView:
        """Return how much was refused. Raises a 404."""
        if all(each.id != integration_id for each in await self._config.integrations()):
            raise not_found(f"There is no integration {integration_id}.", "GET /api/v1/integrations lists them.")
        return RefusedView.of(await self._desk.refused(integration_id))

    async def retry(self, integration_id: IntegrationId) -> RefusedView:
        """Have all of it tried again now, as fast as the vendors let us. Raises a 404."""
        shown = await self.show(integration_id)
        await self._desk.retry_refused(integration_id, self._by, self._clock.now())
        log.info("refused_retried", integration=integration_id, items=shown.count)
        return shown
