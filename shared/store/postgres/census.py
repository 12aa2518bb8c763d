"""The census on Postgres (ADR 0035). Called by the reconciler through `shared.store.census`.

Nothing here reads as many rows as there are items: states are summed up from what triggers noted (migration 0016), the
rest is found by indexes of what waits, and counted up to `MOST_COUNTED`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.domain.ids import ConnectionId, IntegrationId, Side
from shared.messages.status import Cause, DisplayState
from shared.store.census import MOST_COUNTED, Census, ItemCount, Waiting
from shared.store.postgres.core import Core

if TYPE_CHECKING:
    import asyncpg

_LEASE: Final = "census"

LEAD: Final = """
INSERT INTO leases AS l (name, owner, until) VALUES ($1, $2, now() + $3)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE l.owner = excluded.owner OR l.until <= now()
RETURNING owner
"""

SUM_UP: Final = """
WITH taken AS (
    DELETE FROM item_count_notes WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM item_count_notes LIMIT 100000 FOR UPDATE SKIP LOCKED))
    RETURNING integration_id, state, cause, items
), summed AS (
    SELECT integration_id, state, cause, sum(items) AS items FROM taken GROUP BY integration_id, state, cause
)
INSERT INTO item_counts AS c (integration_id, state, cause, items)
SELECT integration_id, state, cause, items FROM summed WHERE items <> 0
ON CONFLICT (integration_id, state, cause) DO UPDATE SET items = c.items + excluded.items
"""

ITEMS: Final = """
SELECT c.integration_id, c.state, c.cause, c.items, (
    SELECT min(s.behind_since) FROM link_status s
    WHERE s.integration_id = c.integration_id AND s.state = c.state AND s.cause = c.cause
        AND s.behind_since IS NOT NULL) AS oldest
FROM item_counts c WHERE c.items > 0 ORDER BY c.integration_id, c.state, c.cause
"""

OPERATIONS: Final = f"""
SELECT target AS name, count(*) AS n, min(created_at) AS oldest
FROM (SELECT target, created_at FROM operations WHERE open ORDER BY created_at LIMIT {MOST_COUNTED}) o GROUP BY target
"""

PUT_OFF: Final = f"""
SELECT l.integration_id AS name, count(*) AS n, min(s.behind_since) AS oldest
FROM (SELECT id, integration_id FROM links WHERE not_before IS NOT NULL LIMIT {MOST_COUNTED}) l
LEFT JOIN link_status s ON s.link_id = l.id GROUP BY l.integration_id
"""

PARKED: Final = f"""
SELECT connection_id AS name, count(*) AS n, min(since) AS oldest
FROM (SELECT connection_id, since FROM parked LIMIT {MOST_COUNTED}) p GROUP BY connection_id
"""


def _dirty(side: Side) -> str:
    return f"""
SELECT c.id AS name, count(*) AS n, min(d.since) AS oldest FROM connections c CROSS JOIN LATERAL (
    SELECT {side}_dirty_since AS since FROM links WHERE {side}_connection = c.id AND {side}_dirty_since IS NOT NULL
    ORDER BY {side}_dirty_since LIMIT {MOST_COUNTED}) d GROUP BY c.id"""


FRESH_READS: Final = f"{_dirty(Side.JIRA)} UNION ALL {_dirty(Side.CRAFT)}"

CONFLICTS: Final = f"""
SELECT integration_id AS name, sum(conflicts_open) AS n
FROM (SELECT integration_id, conflicts_open FROM links WHERE conflicts_open > 0 LIMIT {MOST_COUNTED}) l
GROUP BY integration_id
"""

STRAYS: Final = (
    f"SELECT side AS name, count(*) AS n FROM (SELECT side FROM strays LIMIT {MOST_COUNTED}) s GROUP BY side"
)

DRY_RUNS: Final = "SELECT state AS name, count(*) AS n FROM dry_runs GROUP BY state"


class CensusDesk(Core):
    """Implements `CensusStore`; see there for each method's contract."""

    async def lead(self, owner: str, lease: timedelta) -> bool:
        """Take or keep the lead."""
        return bool(await self.fetch(LEAD, _LEASE, owner, lease))

    async def resign(self, owner: str) -> None:
        """Give the lead back."""
        await self.fetch("DELETE FROM leases WHERE name = $1 AND owner = $2", _LEASE, owner)

    async def census(self) -> Census:
        """Return all figures."""
        await self.fetch(SUM_UP)
        strays = await self.fetch(STRAYS)
        return Census(
            items=[_item(row) for row in await self.fetch(ITEMS)],
            open_operations={Side(name): found for name, found in _waiting(await self.fetch(OPERATIONS))},
            put_off={IntegrationId(name): found for name, found in _waiting(await self.fetch(PUT_OFF))},
            parked={ConnectionId(name): found for name, found in _waiting(await self.fetch(PARKED))},
            fresh_reads={ConnectionId(name): found for name, found in _waiting(await self.fetch(FRESH_READS))},
            conflicts={IntegrationId(row["name"]): row["n"] for row in await self.fetch(CONFLICTS)},
            strays={Side(row["name"]): row["n"] for row in strays},
            dry_runs={row["name"]: row["n"] for row in await self.fetch(DRY_RUNS)},
        )


def _item(row: asyncpg.Record) -> ItemCount:
    return ItemCount(
        IntegrationId(row["integration_id"]),
        DisplayState(row["state"]),
        Cause(row["cause"]),
        row["items"],
        row["oldest"],
    )


def _waiting(rows: Iterable[Any]) -> Iterable[tuple[str, Waiting]]:
    return ((row["name"], Waiting(row["n"], row["oldest"])) for row in rows)
