"""What is provisioned, on Postgres. Called by the console through `shared.store.provisioning.ProvisioningDesk`.

Who provisions is a lease by the database's clock: a replica that dies is followed by another when it has run out.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.store.postgres.core import Core
from shared.store.provisioning import ProvisionedFile

HOLD = """
INSERT INTO provisioner AS p (one, owner, until) VALUES (true, $1, now() + make_interval(secs => $2))
ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE p.owner = excluded.owner OR p.until <= now()
RETURNING owner
"""


class Provisioning(Core):
    """Implements `ProvisioningDesk`; see there for each method's contract."""

    async def provision_as(self, owner: str, for_s: float) -> bool:
        """Tell whether this replica provisions."""
        return await self.fetchrow(HOLD, owner, for_s) is not None

    async def provisioned(self) -> Sequence[ProvisionedFile]:
        """Return all files."""
        rows = await self.fetch('SELECT body FROM provisioned_files ORDER BY file COLLATE "C"')
        return [ProvisionedFile.model_validate_json(row["body"]) for row in rows]

    async def save_provisioned(self, file: ProvisionedFile) -> None:
        """Keep a file."""
        await self.fetch(
            "INSERT INTO provisioned_files (file, body) VALUES ($1, $2)"
            " ON CONFLICT (file) DO UPDATE SET body = excluded.body",
            file.file,
            file.model_dump_json(),
        )

    async def forget_provisioned(self, name: str) -> None:
        """Forget a file."""
        await self.fetch("DELETE FROM provisioned_files WHERE file = $1", name)
