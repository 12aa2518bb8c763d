"""What a vendor refused, on Postgres. Called by the console through `shared.store.refused`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.domain.ids import IntegrationId
from shared.store.postgres.core import Core
from shared.store.postgres.errors import translated
from shared.store.refused import RefusedItems

# Answered by the index of what was refused alone.
REFUSED: Final = """
SELECT count(*) AS n, min(retry_at) AS next_at FROM links
WHERE integration_id = $1 AND retry_at IS NOT NULL AND state IN ('active', 'excluded')
"""
_ASK: Final = """
UPDATE integrations SET retry_asked_at = greatest(retry_asked_at, $2) WHERE id = $1 RETURNING revision
"""
_ASKED: Final = "INSERT INTO audit (at, by, subject, revision, retried) VALUES ($1, $2, $3, $4, true)"


class Refused(Core):
    """Implements `RefusedDesk`; see there for each method's contract."""

    async def refused(self, integration_id: IntegrationId) -> RefusedItems:
        """Return what was refused."""
        row = (await self.fetch(REFUSED, integration_id))[0]
        return RefusedItems(row["n"], row["next_at"])

    async def retry_refused(self, integration_id: IntegrationId, by: str, at: datetime) -> bool:
        """Have all tried again that was refused until now."""
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    revision = await session.fetchval(_ASK, integration_id, at)
                    if revision is not None:
                        await session.execute(_ASKED, at, by, f"integration:{integration_id}", revision)
        return revision is not None
