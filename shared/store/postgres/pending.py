"""What a transaction of the mapper has saved and not yet sent: all of it goes to Postgres in one statement.

Used by `shared.store.postgres.links`. A record is turned into its row when it is saved, so that what changes in it
afterwards is not stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.ids import ConnectionId, EntityId, LinkId, OperationId, Side
from shared.domain.link import Link
from shared.messages.status import SyncStatus
from shared.store.codec import dumps
from shared.store.port import LABELS, EntityKey, label_key
from shared.store.postgres.rows import (
    LINK_COLUMNS,
    LINK_TYPES,
    OPERATION_COLUMNS,
    SEARCHED,
    conflicts_rows,
    history_rows,
    link_row,
)

_LINK = (*LINK_COLUMNS, *SEARCHED)
_GIVEN = ", ".join(f"{name} {kind}" for name, kind in LINK_TYPES.items())
_SET = ", ".join(f"{name} = g.{name}" for name in _LINK if name != "id")
_OPERATION = ", ".join((*OPERATION_COLUMNS, "values_hash"))

# All parts see the database as it was before: what must not meet is kept apart by `fresh` and by one row per key. What
# a writer owns is never taken back: kept as it is while the operation is open, never less once it is closed. Closed
# operations go first, since a link has at most one open one at any moment.
WRITE = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS x(fresh boolean, {_GIVEN}, body text)
), inserted AS (
    INSERT INTO links ({", ".join(_LINK)}, body)
    SELECT {", ".join(_LINK)}, body::json FROM given WHERE fresh ORDER BY id
    ON CONFLICT DO NOTHING RETURNING id
), updated AS (
    UPDATE links SET {_SET}, body = g.body::json FROM given g WHERE links.id = g.id AND NOT g.fresh RETURNING links.id
), touched AS (
    SELECT id FROM inserted UNION ALL SELECT id FROM updated
), stored_operations AS (
    INSERT INTO operations AS o ({_OPERATION}, body)
    SELECT {", ".join(f"x.{name}" for name in (*OPERATION_COLUMNS, "values_hash"))}, x.body::json
    FROM json_to_recordset($2::json) AS x(
        id text, link_id text, seq integer, kind text, target text, type_id text, revision integer, open boolean,
        result text, attempts integer, lease_until timestamptz, owner text, post_started_at timestamptz, result_id text,
        created_at timestamptz, done_at timestamptz, values_hash text, body text)
    JOIN touched ON touched.id = x.link_id ORDER BY x.open, x.id
    ON CONFLICT (id) DO UPDATE SET
        type_id = excluded.type_id, open = excluded.open, result = excluded.result, done_at = excluded.done_at,
        body = excluded.body, values_hash = excluded.values_hash,
        attempts = CASE WHEN excluded.open THEN o.attempts ELSE greatest(o.attempts, excluded.attempts) END,
        lease_until = CASE WHEN excluded.open THEN o.lease_until ELSE excluded.lease_until END,
        owner = CASE WHEN excluded.open THEN o.owner ELSE excluded.owner END,
        post_started_at = CASE WHEN excluded.open THEN o.post_started_at
            ELSE coalesce(o.post_started_at, excluded.post_started_at) END,
        result_id = CASE WHEN excluded.open THEN o.result_id ELSE coalesce(o.result_id, excluded.result_id) END
), stored_conflicts AS (
    INSERT INTO conflicts (link_id, body)
    SELECT touched.id, x.body::json FROM json_to_recordset($3::json) AS x(n integer, link_id text, body text)
    JOIN touched ON touched.id = x.link_id ORDER BY x.n
), stored_history AS (
    INSERT INTO history (link_id, pair, side, value, why, at)
    SELECT touched.id, x.pair, x.side, x.value::json, x.why, x.at
    FROM json_to_recordset($4::json)
        AS x(n integer, link_id text, pair text, side text, value text, why text, at timestamptz)
    JOIN touched ON touched.id = x.link_id ORDER BY x.n
), stored_statuses AS (
    INSERT INTO link_status (link_id, integration_id, state, body, jira_key, craft_short_id)
    SELECT x.link_id, x.integration_id, x.state, x.body::json, x.jira_key, x.craft_short_id
    FROM json_to_recordset($5::json)
        AS x(link_id text, integration_id text, state text, body text, jira_key text, craft_short_id text)
    ON CONFLICT (link_id) DO UPDATE SET integration_id = excluded.integration_id, state = excluded.state,
        body = excluded.body, jira_key = excluded.jira_key, craft_short_id = excluded.craft_short_id
), unparked AS (
    DELETE FROM parked p USING unnest($6::text[], $7::text[], $8::text[]) AS x(side, connection_id, entity_id)
    WHERE p.side = x.side AND p.connection_id = x.connection_id AND p.entity_id = x.entity_id
)
SELECT id FROM touched
"""


class Pending:
    """Rows to be written, the newest of each key."""

    def __init__(self) -> None:
        self._links: dict[LinkId, dict[str, Any]] = {}
        self._operations: dict[OperationId, Mapping[str, Any]] = {}
        self._conflicts: list[dict[str, Any]] = []
        self._history: list[dict[str, Any]] = []
        self._statuses: dict[LinkId, dict[str, Any]] = {}
        self._unparked: dict[EntityKey, None] = {}

    def __bool__(self) -> bool:
        return bool(self._links or self._statuses or self._unparked)

    @property
    def link_ids(self) -> set[LinkId]:
        """Return the links that are to be inserted or updated."""
        return set(self._links)

    def put(self, link: Link, operations: Mapping[OperationId, Mapping[str, Any]], *, fresh: bool) -> None:
        """Take a link with its changed operations and new notes; `fresh` inserts it."""
        fresh = fresh or (link.id in self._links and self._links[link.id]["fresh"])
        self._links[link.id] = {"fresh": fresh, **link_row(link)}
        self._operations.update(operations)
        self._conflicts += conflicts_rows(link)
        self._history += history_rows(link)

    def put_status(self, status: SyncStatus) -> None:
        """Take the latest status of a link."""
        self._statuses[status.link_id] = {
            "link_id": status.link_id,
            "integration_id": status.integration_id,
            "state": status.state,
            "body": status.model_dump_json(),
            **{name: label_key(status.labels.get(name)) for name in LABELS.values()},
        }

    def unpark(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Take note that a parked event is to be forgotten."""
        self._unparked[side, connection_id, entity_id] = None

    def args(self) -> Sequence[Any]:
        """Return the parameters of `WRITE`."""
        unparked = [list(column) for column in zip(*self._unparked, strict=True)] or [[], [], []]
        return (
            dumps(list(self._links.values())),
            dumps(list(self._operations.values())),
            dumps([{"n": n, **row} for n, row in enumerate(self._conflicts)]),
            dumps([{"n": n, **row} for n, row in enumerate(self._history)]),
            dumps(list(self._statuses.values())),
            *unparked,
        )
