"""What writers may do, on Postgres, one statement each. Called by writers through `shared.store.port.ClaimStore`.

Leases begin and end by the database's clock: those of the processes that compare them may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.ids import ConnectionId, EntityId, LinkId, OperationId, Side
from shared.domain.link import OperationKind
from shared.store.port import Claim
from shared.store.postgres.core import Core
from shared.store.postgres.rows import OPERATION_COLUMNS, operation_of

CLAIMABLE = """
o.open AND l.id = o.link_id AND l.op_id = o.id AND i.id = l.integration_id
AND l.state = CASE o.kind WHEN 'create' THEN 'creating' ELSE 'active' END
"""
"""What makes operation `o` of link `l` with integration `i` claimable, but for its lease."""

CLAIM = f"""
UPDATE operations o SET attempts = o.attempts + 1, lease_until = now() + $3::interval, owner = $2
FROM links l, integrations i
WHERE o.id = $1 AND (o.lease_until IS NULL OR o.lease_until <= now()) AND {CLAIMABLE}
RETURNING {", ".join(f"o.{name}" for name in (*OPERATION_COLUMNS, "body"))},
    l.jira_connection, l.jira_id, l.craft_connection, l.craft_id, l.jira_mark, l.craft_mark,
    i.id AS integration_id, i.revision AS integration_revision, i.body AS integration_body
"""

TWINS = """
SELECT other.id
FROM operations o JOIN links l ON l.id = o.link_id, operations other JOIN links m ON m.id = other.link_id
WHERE o.id = $1 AND other.open AND other.kind = 'create' AND other.target = o.target
    AND other.values_hash = o.values_hash AND other.type_id IS NOT DISTINCT FROM o.type_id
    AND (other.created_at, other.id) < (o.created_at, o.id)
    AND CASE o.target WHEN 'jira' THEN l.jira_connection = m.jira_connection
        ELSE l.craft_connection = m.craft_connection END
ORDER BY other.created_at, other.id
"""


class Claims(Core):
    """Implements `ClaimStore`; see there for each method's contract."""

    async def claim(self, op_id: OperationId, owner: str, lease: timedelta) -> Claim | None:
        """Take the lease of an open operation."""
        row = await self.fetchrow(CLAIM, op_id, owner, lease)
        if row is None:
            return None
        op = operation_of(row)
        return Claim(
            operation=op,
            link_id=op.link_id,
            integration=self.integration_of(
                row["integration_id"], row["integration_revision"], row["integration_body"]
            ),
            connection_id=row[f"{op.target}_connection"],
            entity_id=None if op.kind is OperationKind.CREATE else row[f"{op.target}_id"],
            source_entity_id=row[f"{op.target.other}_id"],
            ticket=row[f"{op.target}_mark"],
            late_possible=op.attempts > 1,
        )

    async def still_owner(self, op_id: OperationId, owner: str) -> bool:
        """Tell whether the lease is still the caller's."""
        return (
            await self.fetchrow("SELECT 1 FROM operations WHERE id = $1 AND open AND owner = $2", op_id, owner)
            is not None
        )

    async def start_post(self, op_id: OperationId, owner: str, at: datetime) -> bool:
        """Commit `post_started_at`."""
        query = "UPDATE operations SET post_started_at = $3 WHERE id = $1 AND open AND owner = $2 RETURNING id"
        return await self.fetchrow(query, op_id, owner, at) is not None

    async def store_result(self, op_id: OperationId, entity_id: EntityId) -> None:
        """Commit `result_id`; the first one stays."""
        await self.fetch("UPDATE operations SET result_id = $2 WHERE id = $1 AND result_id IS NULL", op_id, entity_id)

    async def release(self, op_id: OperationId, owner: str, after: timedelta | None = None) -> None:
        """Give the lease back, at once or after a time."""
        query = (
            "UPDATE operations SET lease_until = now() + $3::interval, owner = NULL"
            " WHERE id = $1 AND open AND owner = $2"
        )
        await self.fetch(query, op_id, owner, after)

    async def entity_linked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> LinkId | None:
        """Return the link that an entity is in."""
        query = f"SELECT id FROM links WHERE {side}_connection = $1 AND {side}_id = $2"
        row = await self.fetchrow(query, connection_id, entity_id)
        return LinkId(row["id"]) if row else None

    async def open_twins(self, op_id: OperationId) -> Sequence[OperationId]:
        """Return older open creates of the same."""
        return [OperationId(row["id"]) for row in await self.fetch(TWINS, op_id)]
