"""How work is found by state, on Postgres. Called by the reconciler through `shared.store.port.WorkStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.ids import ConnectionId, EntityId, LinkId, Side
from shared.domain.link import Json
from shared.messages.status import Cause
from shared.store.codec import dumps, loads
from shared.store.port import LEDGER_AGE, LEDGER_LENGTH, DirtySide, DueLink, OpenOperation, ParkedEvent, Pruned
from shared.store.postgres.claims import CLAIMABLE
from shared.store.postgres.core import Core
from shared.store.postgres.rows import OPERATION_COLUMNS, operation_of

# Numbered before the bodies are fetched: an import may have very many of them open.
STALE = f"""
WITH stale AS (
    SELECT o.id, l.integration_id, row_number() OVER (
        PARTITION BY CASE o.target WHEN 'jira' THEN l.jira_connection ELSE l.craft_connection END
        ORDER BY o.created_at, o.id) AS place
    FROM operations o, links l, integrations i
    WHERE {CLAIMABLE} AND CASE WHEN o.lease_until IS NULL THEN o.created_at <= $1 ELSE o.lease_until <= now() END
)
SELECT {", ".join(f"o.{name}" for name in (*OPERATION_COLUMNS, "body"))}, stale.integration_id
FROM stale JOIN operations o USING (id) WHERE stale.place <= $2 ORDER BY o.created_at, o.id
"""


def _dirty(side: Side) -> str:
    return f"""(
        SELECT id, integration_id, '{side}' AS side, {side}_connection AS connection_id, {side}_id AS entity_id,
            {side}_mark AS ticket, {side}_dirty_since AS dirty_since
        FROM links WHERE {side}_dirty_since IS NOT NULL AND {side}_id IS NOT NULL
            AND ($2::text IS NULL OR {side}_connection = $2)
        ORDER BY {side}_dirty_since, id LIMIT $1)"""


DIRTY = f"""
SELECT * FROM ({_dirty(Side.JIRA)} UNION ALL {_dirty(Side.CRAFT)}) d
ORDER BY dirty_since, id COLLATE "C", side COLLATE "C" LIMIT $1
"""


def _behind(name: str, states: str, current: str) -> str:
    """Return the recursive query of the revisions that links in `states` were decided by, per integration, up to the
    first that is not behind: each step is one look into an index, whatever the number of links.
    """
    kept = f"l.state {states} AND l.not_before IS NULL"
    return f"""{name} (integration_id, current, seen) AS (
    SELECT i.id, i.{current}, (SELECT min(l.revision_seen) FROM links l WHERE l.integration_id = i.id AND {kept})
    FROM integrations i
    UNION ALL
    SELECT b.integration_id, b.current, (SELECT min(l.revision_seen) FROM links l
        WHERE l.integration_id = b.integration_id AND l.revision_seen > b.seen AND {kept})
    FROM {name} b WHERE b.seen < b.current
)"""


def _longest_unseen(name: str, states: str) -> str:
    """Return the links of each revision that is behind, as many as are wanted at most, by the same index."""
    return f"""SELECT l.id, l.looked FROM {name} b CROSS JOIN LATERAL (
        SELECT id, coalesce(looked_at, created_at) AS looked FROM links
        WHERE integration_id = b.integration_id AND revision_seen = b.seen AND state {states} AND not_before IS NULL
        ORDER BY coalesce(looked_at, created_at), id LIMIT $3) l
    WHERE b.seen < b.current"""


_REFUSED, _LIVE, _HELD = "= 'excluded'", "IN ('active', 'creating')", "= 'held'"


def _let_go(origin: Side) -> str:
    """Return the links that were held back, and are to be carried over by now."""
    return f"""SELECT l.id, l.looked FROM integrations i CROSS JOIN LATERAL (
        SELECT id, coalesce(looked_at, created_at) AS looked FROM links
        WHERE integration_id = i.id AND state = 'held' AND origin = '{origin}'
            AND held_since <= i.let_go_to_{origin.other} ORDER BY held_since LIMIT $3) l"""


# Each reason has an index of its own, and none is asked for more than is wanted: what this reads does not grow with the
# number of links, nor with how many are due. A link that is locked just now is being looked at already. `looked_at` is
# nobody else's: the mapper's save leaves it alone, so that one round cannot starve what comes after its limit.
DUE = f"""
WITH RECURSIVE {_behind("refused", _REFUSED, "revision")},
{_behind("live", _LIVE, "agreed_revision")},
{_behind("held", _HELD, "agreed_revision")},
let_go AS MATERIALIZED ({_let_go(Side.CRAFT)} UNION ALL {_let_go(Side.JIRA)}),
asked_again AS MATERIALIZED (
    SELECT l.id, l.looked FROM integrations i CROSS JOIN LATERAL (
        SELECT id, coalesce(looked_at, created_at) AS looked FROM links
        WHERE integration_id = i.id AND retry_at IS NOT NULL AND state IN ('active', 'excluded')
            AND coalesce(looked_at, created_at) < i.retry_asked_at
        ORDER BY coalesce(looked_at, created_at), id LIMIT $3) l
),
due AS (
    SELECT id, coalesce(looked_at, created_at) AS looked FROM links WHERE not_before <= $1
    UNION SELECT id, coalesce(looked_at, created_at) FROM links
        WHERE retry_at <= $1 AND state IN ('active', 'excluded')
    UNION (SELECT id, coalesce(looked_at, created_at) FROM links
        WHERE (state = 'waiting' OR (state = 'active' AND waits_for IS NOT NULL))
            AND coalesce(looked_at, created_at) <= $2
        ORDER BY coalesce(looked_at, created_at), id LIMIT $3)
    UNION SELECT l.id, l.looked FROM integrations i CROSS JOIN LATERAL (
            SELECT id, coalesce(looked_at, created_at) AS looked FROM links
            WHERE integration_id = i.id AND state = 'paused' AND reason = '{Cause.CONNECTION_PAUSED.value}'
            ORDER BY coalesce(looked_at, created_at), id LIMIT $3) l
        WHERE NOT EXISTS (SELECT FROM connections c
            WHERE c.id IN (i.jira_connection, i.craft_connection) AND c.paused_reason IS NOT NULL)
    UNION SELECT id, looked FROM asked_again
    UNION {_longest_unseen("refused", _REFUSED)}
    UNION {_longest_unseen("live", _LIVE)}
    UNION {_longest_unseen("held", _HELD)}
    UNION SELECT id, looked FROM let_go
), chosen AS (
    SELECT l.id, coalesce(l.looked_at, l.created_at) AS looked FROM links l
    WHERE l.id = ANY (ARRAY(SELECT id FROM due ORDER BY looked, id LIMIT $3))
    ORDER BY looked, l.id FOR UPDATE SKIP LOCKED
), touched AS (
    UPDATE links SET looked_at = $1 FROM chosen WHERE links.id = chosen.id
    RETURNING links.id, links.integration_id, links.not_before, chosen.looked
)
SELECT t.id, coalesce(i.revision, 0) AS revision, t.not_before,
    EXISTS (SELECT FROM let_go WHERE let_go.id = t.id) AS carry,
    EXISTS (SELECT FROM asked_again WHERE asked_again.id = t.id) AS retry
FROM touched t LEFT JOIN integrations i ON i.id = t.integration_id
ORDER BY t.looked, t.id
"""

# Only what is older than the last ones of its link is looked at, by the index on (link_id, seq).
PRUNE = f"""
WITH looked_at AS (
    SELECT id, next_seq FROM links WHERE id > $1 ORDER BY id LIMIT $2
), pruned AS (
    DELETE FROM operations o USING looked_at l
    WHERE o.link_id = l.id AND o.seq < l.next_seq - {LEDGER_LENGTH} AND NOT o.open
        AND coalesce(o.done_at, o.created_at) <= $3
    RETURNING o.id
)
SELECT (SELECT count(*) FROM pruned) AS operations, (SELECT max(id) FROM looked_at) AS last
"""


class Work(Core):
    """Implements `WorkStore`; see there for each method's contract."""

    async def stale_operations(self, now: datetime, unclaimed_for: timedelta, limit: int) -> Sequence[OpenOperation]:
        """Return open operations whose command has to be produced again."""
        rows = await self.fetch(STALE, now - unclaimed_for, limit)
        return [OpenOperation(operation_of(row), row["integration_id"]) for row in rows]

    async def dirty_sides(self, limit: int, connection_id: ConnectionId | None = None) -> Sequence[DirtySide]:
        """Return dirty sides, oldest first; of one connection, if it is named."""
        return [
            DirtySide(
                link_id=row["id"],
                integration_id=row["integration_id"],
                side=Side(row["side"]),
                connection_id=row["connection_id"],
                entity_id=row["entity_id"],
                ticket=row["ticket"],
                dirty_since=row["dirty_since"],
            )
            for row in await self.fetch(DIRTY, limit, connection_id)
        ]

    async def due_links(self, now: datetime, waiting_for: timedelta, limit: int) -> Sequence[DueLink]:
        """Return links to decide again, those not looked at for longest first."""
        rows = await self.fetch(DUE, now, now - waiting_for, limit)
        return [
            DueLink(LinkId(row["id"]), row["revision"], row["not_before"], row["carry"], row["retry"]) for row in rows
        ]

    async def due_parked(
        self, now: datetime, limit: int, connection_id: ConnectionId | None = None
    ) -> Sequence[ParkedEvent]:
        """Return parked events whose time has come."""
        rows = await self.fetch(
            "SELECT side, connection_id, entity_id, event FROM parked WHERE until <= $1"
            " AND ($3::text IS NULL OR connection_id = $3) ORDER BY until, side, connection_id, entity_id LIMIT $2",
            now,
            limit,
            connection_id,
        )
        return [ParkedEvent(Side(row["side"]), row["connection_id"], row["entity_id"], row["event"]) for row in rows]

    async def cursor(self, name: str) -> Json | None:
        """Return a stored cursor."""
        row = await self.fetchrow("SELECT value FROM cursors WHERE name = $1", name)
        return loads(row["value"]) if row else None

    async def store_cursor(self, name: str, value: Json) -> None:
        """Store a cursor."""
        await self.fetch(
            "INSERT INTO cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            dumps(value),
        )

    async def linked_entities(
        self, side: Side, connection_id: ConnectionId, after: str, limit: int, *, held: bool = False
    ) -> Sequence[tuple[LinkId, EntityId]]:
        """Return linked entities of a connection in id order."""
        rows = await self.fetch(
            f"SELECT id, {side}_id AS entity_id FROM links"
            f" WHERE {side}_connection = $1 AND {side}_id > $2 AND state <> 'gone' AND ($4 OR state <> 'held')"
            f" ORDER BY {side}_id LIMIT $3",
            connection_id,
            after,
            limit,
            held,
        )
        return [(LinkId(row["id"]), EntityId(row["entity_id"])) for row in rows]

    async def absent_entities(
        self, side: Side, connection_id: ConnectionId, after: str, limit: int
    ) -> Sequence[tuple[LinkId, EntityId]]:
        """Return entities that are not there for us for now."""
        rows = await self.fetch(
            f"SELECT id, {side}_id AS entity_id FROM links WHERE state = 'absent' AND {side}_connection = $1"
            f" AND {side}_id > $2 AND body -> '{side}' ->> 'absent' IS NOT NULL ORDER BY {side}_id LIMIT $3",
            connection_id,
            after,
            limit,
        )
        return [(LinkId(row["id"]), EntityId(row["entity_id"])) for row in rows]

    async def prune_ledgers(self, now: datetime, after: str, limit: int) -> Pruned:
        """Delete what no ledger needs any more."""
        row = (await self.fetch(PRUNE, after, limit, now - LEDGER_AGE))[0]
        return Pruned(row["operations"], LinkId(row["last"]) if row["last"] else None)
