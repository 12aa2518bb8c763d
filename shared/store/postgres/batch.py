"""The mapper's transaction of several inputs, on Postgres. Called through `shared.store.port.BatchTransaction`."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from shared.domain.ids import ConnectionId, EntityId, LinkId, Side
from shared.store.port import EntityKey, Name
from shared.store.postgres.links import PostgresTransaction
from shared.store.postgres.rows import LINK_COLUMNS

PATIENCE_MS = 100
"""How long a statement waits for a lock at most: well below the time after which Postgres looks for deadlocks."""

# SKIP LOCKED waits for nobody, in whatever order the rows come. What is named and not free comes back without its row.
FORESEE = f"""
WITH named AS (
    SELECT id FROM links WHERE id = ANY($1::text[])
    UNION SELECT l.id FROM unnest($2::text[], $3::text[]) AS x(connection_id, entity_id)
        JOIN links l ON l.jira_connection = x.connection_id AND l.jira_id = x.entity_id
    UNION SELECT l.id FROM unnest($4::text[], $5::text[]) AS x(connection_id, entity_id)
        JOIN links l ON l.craft_connection = x.connection_id AND l.craft_id = x.entity_id
), free AS (
    SELECT {", ".join((*LINK_COLUMNS, "body"))} FROM links WHERE id IN (SELECT id FROM named) FOR UPDATE SKIP LOCKED
)
SELECT l.id AS named_id, l.jira_connection AS named_jira_connection, l.jira_id AS named_jira_id,
    l.craft_connection AS named_craft_connection, l.craft_id AS named_craft_id, free.*
FROM named JOIN links l ON l.id = named.id LEFT JOIN free ON free.id = l.id
"""


class PostgresBatch(PostgresTransaction):
    """One transaction of several inputs on one connection."""

    BEGIN = f"BEGIN; SET LOCAL lock_timeout = {PATIENCE_MS}"

    async def foresee(self, names: Collection[Name]) -> AbstractSet[Name]:
        """Lock and load what is free."""
        entities: set[EntityKey] = {name for name in names if isinstance(name, tuple)}
        columns = {side: _columns(side, entities) for side in Side}
        ids = [name for name in names if isinstance(name, str)]
        rows = await self._fetch(FORESEE, ids, *columns[Side.JIRA], *columns[Side.CRAFT])
        await self._take([row for row in rows if row["id"] is not None])
        known: set[Name] = set()
        held: set[Name] = set()
        for row in rows:
            found: set[Name] = {(side, row[f"named_{side}_connection"], row[f"named_{side}_id"]) for side in Side}
            found.add(LinkId(row["named_id"]))
            known |= found
            if row["id"] is None:
                held |= found
        self._absent |= entities - known
        return held.intersection(names)


def _columns(side: Side, entities: Collection[EntityKey]) -> tuple[list[ConnectionId], list[EntityId]]:
    of_side = sorted(key for key in entities if key[0] is side)
    return [connection_id for _, connection_id, _ in of_side], [entity_id for _, _, entity_id in of_side]
