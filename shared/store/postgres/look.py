"""A transaction that only looks, on Postgres. Called by the mapper through `shared.store.dry_runs.LookingStore`.

It is READ ONLY for the database too, which refuses whatever would change or lock a row.
"""

from __future__ import annotations

from shared.domain.ids import IntegrationId
from shared.domain.mapping import Integration
from shared.store.looking import OnlyLooks
from shared.store.postgres.links import PostgresTransaction


class PostgresLook(OnlyLooks, PostgresTransaction):
    """One transaction on one connection, without locks; see `LookingStore.look`."""

    BEGIN = "BEGIN READ ONLY"
    HELD = STILL = ""

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision, without holding up who saves the next one."""
        rows = await self._fetch("SELECT revision, body FROM integrations WHERE id = $1", integration_id)
        return self._core.integration_of(integration_id, rows[0]["revision"], rows[0]["body"]) if rows else None
