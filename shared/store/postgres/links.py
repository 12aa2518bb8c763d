"""The mapper's transaction on Postgres. Called through `shared.store.port.LinkTransaction`; see there for each
method's contract.

Loading a link takes two round trips (the row first, so that the ledger is read after the wait for its lock), saving
it takes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import asyncpg

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import Link, Operation
from shared.domain.mapping import Connection, Integration
from shared.messages.status import SyncStatus
from shared.store.port import LEDGER_AGE, LEDGER_LENGTH, Contended, InvariantBroken, StoreUnavailable
from shared.store.postgres.core import CONNECTION_COLUMNS, Core, connection_of
from shared.store.postgres.errors import translated
from shared.store.postgres.rows import (
    LINK_COLUMNS,
    OPERATION_COLUMNS,
    SEARCHED,
    conflicts_doc,
    history_doc,
    link_of,
    link_values,
    operation_of,
    operation_row,
    operations_doc,
)

if TYPE_CHECKING:
    from shared.store.postgres.core import Session

ALL = (*LINK_COLUMNS, *SEARCHED, "body")
_N = len(ALL)
_VALUES = ", ".join(f"${n}" for n in range(1, _N + 1))
_SET = ", ".join(f"{name} = ${n}" for n, name in enumerate(ALL, 1) if name != "id")
_OPERATION = ", ".join((*OPERATION_COLUMNS, "values_hash", "body"))

# What a writer owns is never taken back: kept as it is while the operation is open, never less once it is closed.
_NOTES = f"""
stored_operations AS (
    INSERT INTO operations AS o ({_OPERATION})
    SELECT {", ".join(f"x.{name}" for name in (*OPERATION_COLUMNS, "values_hash"))}, x.body::json
    FROM json_to_recordset(${_N + 1}::json) AS x(
        id text, link_id text, seq integer, kind text, target text, type_id text, revision integer, open boolean,
        result text, attempts integer, lease_until timestamptz, owner text, post_started_at timestamptz, result_id text,
        created_at timestamptz, done_at timestamptz, values_hash text, body text), touched
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
    SELECT touched.id, x.body::json FROM json_to_recordset(${_N + 2}::json) AS x(body text), touched
), stored_history AS (
    INSERT INTO history (link_id, pair, side, value, why, at)
    SELECT touched.id, x.pair, x.side, x.value::json, x.why, x.at
    FROM json_to_recordset(${_N + 3}::json) AS x(pair text, side text, value text, why text, at timestamptz), touched
)
SELECT id FROM touched
"""
INSERT = f"""
WITH touched AS (
    INSERT INTO links ({", ".join(ALL)}) VALUES ({_VALUES}) ON CONFLICT DO NOTHING RETURNING id
), {_NOTES}
"""
UPDATE = f"WITH touched AS (UPDATE links SET {_SET} WHERE id = $1 RETURNING id), {_NOTES}"
LOAD = f"SELECT {', '.join((*LINK_COLUMNS, 'body'))} FROM links"
LEDGER = f"""
SELECT {_OPERATION} FROM operations
WHERE link_id = $1 AND (seq >= $2 OR open OR coalesce(done_at, created_at) > $3) ORDER BY seq
"""


class PostgresTransaction:
    """One transaction on one connection."""

    BEGIN = "BEGIN"

    def __init__(self, core: Core) -> None:
        self._core = core
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._failed: Exception | None = None
        self._locked: dict[LinkId, Link] = {}
        self._shared: dict[LinkId, Link] = {}
        self._stored: dict[OperationId, Mapping[str, Any] | asyncpg.Record] = {}
        """Operations as the database has them, as far as this transaction knows."""

    async def __aenter__(self) -> Self:
        session = await self._stack.enter_async_context(self._core.session())
        try:
            with translated():
                await session.execute(self.BEGIN)
        except BaseException:
            await self._stack.aclose()
            raise
        self._session = session
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self._session = self._open(), None
        async with self._stack:
            failed = error or self._failed
            if failed is None:
                with translated():
                    tag = await session.execute("COMMIT")
                if tag != "COMMIT":
                    raise InvariantBroken("a statement of this transaction failed, and the failure was swallowed")
                return
            # A lost connection cannot roll back, and need not: the server does when it notices.
            with suppress(StoreUnavailable), translated():
                await session.execute("ROLLBACK")
            if error is None:
                raise failed

    async def lock_link(self, link_id: LinkId) -> Link | None:
        """Lock and load a link with its ledger."""
        if link_id in self._locked:
            return self._locked[link_id]
        return await self._load(f"{LOAD} WHERE id = $1 FOR UPDATE", self._locked, link_id)

    async def lock_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Lock and load the link of an entity."""
        where = f"WHERE {side}_connection = $1 AND {side}_id = $2"
        return await self._load(f"{LOAD} {where} FOR UPDATE", self._locked, connection_id, entity_id)

    async def share_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Load a parent and hold it still."""
        where = f"WHERE {side}_connection = $1 AND {side}_id = $2"
        return await self._load(f"{LOAD} {where} FOR SHARE", self._shared, connection_id, entity_id)

    async def _load(self, query: str, known: dict[LinkId, Link], *args: str) -> Link | None:
        rows = await self._fetch(query, *args)
        if not rows:
            return None
        link_id = LinkId(rows[0]["id"])
        if link_id in self._locked:
            return self._locked[link_id]
        if link_id not in known:
            link = link_of(rows[0])
            since = self._core.clock.now() - LEDGER_AGE
            ledger = await self._fetch(LEDGER, link_id, link.next_seq - LEDGER_LENGTH, since)
            link.operations = [operation_of(row) for row in ledger]
            self._stored.update({row["id"]: row for row in ledger})
            known[link_id] = link
        return known[link_id]

    async def insert(self, link: Link) -> bool:
        """Insert a new link, unless one of its entities is in a link already."""
        if not await self._store(INSERT, link):
            return False
        self._locked[link.id] = link
        return True

    async def save(self, link: Link) -> None:
        """Save a locked link."""
        if self._locked.get(link.id) is not link:
            raise self._fail(InvariantBroken(f"link {link.id} is saved, but was not locked by this transaction"))
        if not await self._store(UPDATE, link):
            raise self._fail(InvariantBroken(f"link {link.id} is not there to be saved"))

    async def _store(self, query: str, link: Link) -> bool:
        changed = {op.id: operation_row(op) for op in link.operations if self._differs(op)}
        notes = conflicts_doc(link.new_conflicts), history_doc(link.new_history)
        if not await self._fetch(query, *link_values(link), operations_doc(list(changed.values())), *notes):
            return False
        self._stored.update(changed)
        link.new_conflicts.clear()
        link.new_history.clear()
        return True

    def _differs(self, op: Operation) -> bool:
        stored = self._stored.get(op.id)
        return stored is None or operation_of(stored) != op

    async def waiting_children(
        self, connection_id: ConnectionId, parent_id: EntityId, origin: Side
    ) -> Sequence[LinkId]:
        """Return who waits for an entity."""
        rows = await self._fetch(
            f"SELECT id FROM links WHERE waits_for = $1 AND {origin}_connection = $2"
            " AND (state = 'active' OR (state = 'waiting' AND origin = $3)) ORDER BY id",
            parent_id,
            connection_id,
            origin,
        )
        return [LinkId(row["id"]) for row in rows]

    async def open_creates(self, target: Side, connection_id: ConnectionId) -> Sequence[Operation]:
        """Return open creates towards a connection."""
        columns = ", ".join(f"o.{name}" for name in (*OPERATION_COLUMNS, "body"))
        rows = await self._fetch(
            f"SELECT {columns} FROM operations o JOIN links l ON l.id = o.link_id"
            f" WHERE o.open AND o.kind = 'create' AND o.target = $1 AND l.{target}_connection = $2"
            " ORDER BY o.created_at, o.id",
            target,
            connection_id,
        )
        return [operation_of(row) for row in rows]

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision and hold it still."""
        rows = await self._fetch("SELECT revision, body FROM share_integration($1)", integration_id)
        return self._core.integration_of(integration_id, rows[0]["revision"], rows[0]["body"]) if rows else None

    async def integrations_of(self, connection_id: ConnectionId) -> Sequence[Integration]:
        """Return the current revisions of a connection's integrations."""
        rows = await self._fetch(
            "SELECT id, revision, body FROM integrations WHERE $1 IN (jira_connection, craft_connection) ORDER BY id",
            connection_id,
        )
        return [self._core.integration_of(row["id"], row["revision"], row["body"]) for row in rows]

    async def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return the current revision of a connection."""
        rows = await self._fetch(f"SELECT {CONNECTION_COLUMNS} FROM connections WHERE id = $1", connection_id)
        return connection_of(rows[0]) if rows else None

    async def after_commit_status(self, status: SyncStatus) -> None:
        """Store the latest status of a link."""
        await self._fetch(
            "INSERT INTO link_status (link_id, integration_id, state, body) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (link_id) DO UPDATE SET integration_id = excluded.integration_id, state = excluded.state,"
            " body = excluded.body",
            status.link_id,
            status.integration_id,
            status.state,
            status.model_dump_json(),
        )

    async def park(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Remember an event until a time."""
        await self._fetch(
            "INSERT INTO parked (side, connection_id, entity_id, event, until, since) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (side, connection_id, entity_id)"
            " DO UPDATE SET event = excluded.event, until = excluded.until",
            side,
            connection_id,
            entity_id,
            event,
            until,
            self._core.clock.now(),
        )

    async def parked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> datetime | None:
        """Return since when an entity has been parked."""
        rows = await self._fetch(
            "SELECT since FROM parked WHERE side = $1 AND connection_id = $2 AND entity_id = $3",
            side,
            connection_id,
            entity_id,
        )
        since: datetime | None = rows[0]["since"] if rows else None
        return since

    async def unpark(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Forget a parked event."""
        await self._fetch(
            "DELETE FROM parked WHERE side = $1 AND connection_id = $2 AND entity_id = $3",
            side,
            connection_id,
            entity_id,
        )

    async def flag_stray(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, link_id: LinkId | None, reason: str
    ) -> None:
        """Record a possible duplicate; the first reason stays."""
        await self._fetch(
            "INSERT INTO strays (side, connection_id, entity_id, link_id, reason) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            side,
            connection_id,
            entity_id,
            link_id,
            reason,
        )

    async def _fetch(self, query: str, *args: Any) -> Sequence[asyncpg.Record]:
        if self._failed is not None:
            raise self._failed
        session = self._open()
        try:
            with translated():
                return await session.fetch(query, *args)
        except (StoreUnavailable, Contended, InvariantBroken, asyncpg.PostgresError) as error:
            raise self._fail(error) from error.__cause__

    def _fail(self, error: Exception) -> Exception:
        """Remember that this transaction can only be rolled back, so that it never ends as if it had been committed."""
        self._failed = error
        return error

    def _open(self) -> Session:
        if self._session is None:
            raise InvariantBroken("the transaction is over")
        return self._session
