"""Items that wait to be carried over on request, on Postgres. Called by the console through `shared.store.held`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.domain.ids import IntegrationId, Side
from shared.store.held import HeldItems
from shared.store.postgres.core import Core
from shared.store.postgres.errors import translated

# Answered by the index of what is held alone.
HELD: Final = """
SELECT origin, reason, count(*) AS n, min(held_since) AS oldest FROM links
WHERE integration_id = $1 AND state = 'held' GROUP BY origin, reason ORDER BY origin, reason
"""
_LET_GO: Final = "INSERT INTO audit (at, by, subject, revision, let_go) VALUES ($1, $2, $3, $4, $5)"


class Held(Core):
    """Implements `HeldDesk`; see there for each method's contract."""

    async def held(self, integration_id: IntegrationId) -> Sequence[HeldItems]:
        """Return what waits, by direction and cause."""
        return [
            HeldItems(Side(row["origin"]).other, row["reason"], row["n"], row["oldest"])
            for row in await self.fetch(HELD, integration_id)
        ]

    async def let_go(self, integration_id: IntegrationId, target: Side, by: str, at: datetime) -> bool:
        """Have all that is held until now carried over."""
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    revision = await session.fetchval(
                        f"UPDATE integrations SET let_go_to_{target} = greatest(let_go_to_{target}, $2) WHERE id = $1"
                        " RETURNING revision",
                        integration_id,
                        at,
                    )
                    if revision is not None:
                        await session.execute(_LET_GO, at, by, f"integration:{integration_id}", revision, target.value)
        return revision is not None
