"""What is provisioned, in memory. Called by the console through `shared.store.provisioning.ProvisioningDesk`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.store.memory.tables import Core
from shared.store.provisioning import ProvisionedFile


class Provisioning(Core):
    """Implements `ProvisioningDesk`; see there for each method's contract."""

    async def provision_as(self, owner: str, for_s: float) -> bool:
        """Tell whether this replica provisions."""
        await self.call("provision_as")
        now, held = self.clock.now(), self.tables.provisioner
        if held is not None and held[0] != owner and held[1] > now:
            return False
        self.tables.provisioner = (owner, now + timedelta(seconds=for_s))
        return True

    async def provisioned(self) -> Sequence[ProvisionedFile]:
        """Return all files."""
        await self.call("provisioned")
        return [each for _, each in sorted(self.tables.provisioned.items())]

    async def save_provisioned(self, file: ProvisionedFile) -> None:
        """Keep a file."""
        await self.call("save_provisioned")
        self.tables.provisioned[file.file] = file

    async def forget_provisioned(self, name: str) -> None:
        """Forget a file."""
        await self.call("forget_provisioned")
        self.tables.provisioned.pop(name, None)
