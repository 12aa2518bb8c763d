"""The mapper's transaction on Postgres. Called through `shared.store.port.LinkTransaction`; see there for each
method's contract.

Loading a link takes two round trips (the row first, so that the ledger is read after the wait for its lock). What is
saved is sent in one statement before the commit, or before a read that has to see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import Link, Operation
from shared.domain.mapping import Connection, Integration
from shared.domain.person import Person
from shared.messages.status import SyncStatus
from shared.store.port import LEDGER_AGE, LEDGER_LENGTH, Contended, EntityKey, InvariantBroken
from shared.store.postgres.core import CONNECTION_COLUMNS, Core, connection_of
from shared.store.postgres.pending import WRITE, Pending
from shared.store.postgres.people import FIND, REMEMBER, Acquaintances, people_doc, person_of
from shared.store.postgres.requests import ANSWER, request_row
from shared.store.postgres.rows import LINK_COLUMNS, OPERATION_COLUMNS, link_of, operation_of, operation_row
from shared.store.postgres.transaction import Transaction
from shared.store.requests import Asked

LOAD = f"SELECT {', '.join((*LINK_COLUMNS, 'body'))} FROM links"
LEDGERS = f"""
SELECT {", ".join(f"o.{name}" for name in (*OPERATION_COLUMNS, "body"))}
FROM unnest($1::text[], $2::integer[]) AS w(link_id, first_seq) JOIN operations o ON o.link_id = w.link_id
WHERE o.seq >= w.first_seq OR o.open OR coalesce(o.done_at, o.created_at) > $3 ORDER BY o.link_id, o.seq
"""


class PostgresTransaction(Transaction):
    """One transaction on one connection."""

    HELD, STILL = "FOR UPDATE", "FOR SHARE"
    """How the rows of links are locked that are worked on, and those of parents."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._locked: dict[LinkId, Link] = {}
        self._shared: dict[LinkId, Link] = {}
        self._whose: dict[EntityKey, LinkId] = {}
        """Entities of the links that are held, with this transaction's own writes."""
        self._absent: set[EntityKey] = set()
        """Entities that were in no link when they were foreseen."""
        self._integrations: dict[IntegrationId, Integration] = {}
        self._connections: dict[ConnectionId, Connection] = {}
        self._pending = Pending()
        self._acquaintances = Acquaintances()
        self._stored: dict[OperationId, Mapping[str, Any] | asyncpg.Record] = {}
        """Operations as the database has them, as far as this transaction knows."""

    async def lock_link(self, link_id: LinkId) -> Link | None:
        """Lock and load a link with its ledger."""
        if link_id in self._locked:
            return self._locked[link_id]
        return await self._lock("id = $1", link_id)

    async def lock_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Lock and load the link of an entity."""
        key = (side, connection_id, entity_id)
        if key in self._whose or key in self._absent:
            return self._locked.get(self._whose[key]) if key in self._whose else None
        return await self._lock(f"{side}_connection = $1 AND {side}_id = $2", connection_id, entity_id)

    async def share_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Load a parent and hold it still."""
        key = (side, connection_id, entity_id)
        if key in self._whose:
            return self._locked[self._whose[key]]
        found = next((link for link in self._shared.values() if key in _keys(link)), None)
        if found is not None:
            return found
        where = f"{side}_connection = $1 AND {side}_id = $2"
        rows = await self._fetch(f"{LOAD} WHERE {where} {self.STILL}", connection_id, entity_id)
        if not rows:
            return None
        return self._shared.setdefault(LinkId(rows[0]["id"]), link_of(rows[0]))

    async def counterparts(
        self, source: Side, connections: Mapping[Side, ConnectionId], entity_ids: Sequence[EntityId]
    ) -> Mapping[EntityId, EntityId]:
        """Return the other ends of links."""
        await self._flush()
        target = source.other
        rows = await self._fetch(
            f"SELECT {source}_id AS mine, {target}_id AS other FROM links WHERE {source}_connection = $1"
            f" AND {source}_id = ANY($2) AND {target}_connection = $3 AND {target}_id IS NOT NULL AND state <> 'gone'",
            connections[source],
            list(entity_ids),
            connections[target],
        )
        return {EntityId(row["mine"]): EntityId(row["other"]) for row in rows}

    async def _lock(self, where: str, *args: str) -> Link | None:
        rows = await self._fetch(f"{LOAD} WHERE {where} {self.HELD}", *args)
        await self._take(rows)
        return self._locked[LinkId(rows[0]["id"])] if rows else None

    async def _take(self, rows: Sequence[asyncpg.Record]) -> None:
        """Hold the links of these locked rows, and load their ledgers."""
        links = {link.id: link for link in map(link_of, rows) if link.id not in self._locked}
        if not links:
            return
        first = [link.next_seq - LEDGER_LENGTH for link in links.values()]
        for row in await self._fetch(LEDGERS, list(links), first, self._core.clock.now() - LEDGER_AGE):
            links[LinkId(row["link_id"])].operations.append(operation_of(row))
            self._stored[OperationId(row["id"])] = row
        self._locked.update(links)
        for link in links.values():
            self._index(link)

    async def insert(self, link: Link) -> bool:
        """Insert a new link, unless one of its entities is in a link already."""
        if any(key in self._whose for key in _keys(link)):
            return False
        foreseen = self._absent.issuperset(_keys(link))
        if not foreseen:
            await self._flush()
        self._put(link, fresh=True)
        if not foreseen and await self._write():
            return False
        self._locked[link.id] = link
        self._index(link)
        _forget_notes(link)
        return True

    async def save(self, link: Link) -> None:
        """Save a locked link."""
        if self._locked.get(link.id) is not link:
            raise self._fail(InvariantBroken(f"link {link.id} is saved, but was not locked by this transaction"))
        self._put(link)
        left = [key for key, link_id in self._whose.items() if link_id == link.id and key not in _keys(link)]
        for key in left:
            del self._whose[key]
        self._index(link)
        _forget_notes(link)
        if left:  # whoever asks for what was let go, or inserts it, has to meet what is stored
            await self._flush()

    def _put(self, link: Link, *, fresh: bool = False) -> None:
        changed = {op.id: operation_row(op) for op in link.operations if self._differs(op)}
        self._pending.put(link, changed, fresh=fresh)
        self._stored.update(changed)

    def _index(self, link: Link) -> None:
        self._whose.update(dict.fromkeys(_keys(link), link.id))

    def _differs(self, op: Operation) -> bool:
        stored = self._stored.get(op.id)
        return stored is None or operation_of(stored) != op

    async def waiting_children(
        self, connection_id: ConnectionId, parent_id: EntityId, origin: Side
    ) -> Sequence[LinkId]:
        """Return who waits for an entity."""
        await self._flush()
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
        await self._flush()
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
        if integration_id not in self._integrations:
            rows = await self._fetch("SELECT revision, body FROM share_integration($1)", integration_id)
            if not rows:
                return None
            found = self._core.integration_of(integration_id, rows[0]["revision"], rows[0]["body"])
            self._integrations[integration_id] = found
        return self._integrations[integration_id]

    async def integrations_of(self, connection_id: ConnectionId) -> Sequence[Integration]:
        """Return the current revisions of a connection's integrations."""
        rows = await self._fetch(
            "SELECT id, revision, body FROM integrations WHERE $1 IN (jira_connection, craft_connection) ORDER BY id",
            connection_id,
        )
        return [self._core.integration_of(row["id"], row["revision"], row["body"]) for row in rows]

    async def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return the current revision of a connection."""
        if connection_id not in self._connections:
            rows = await self._fetch(f"SELECT {CONNECTION_COLUMNS} FROM connections WHERE id = $1", connection_id)
            if not rows:
                return None
            self._connections[connection_id] = connection_of(rows[0])
        return self._connections[connection_id]

    async def after_commit_status(self, status: SyncStatus) -> None:
        """Store the latest status of a link."""
        self._pending.put_status(status)

    async def park(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Remember an event until a time."""
        await self._flush()
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
        await self._flush()
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
        self._pending.unpark(side, connection_id, entity_id)

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

    async def unflag_stray(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Forget a possible duplicate."""
        await self._fetch(
            "DELETE FROM strays WHERE side = $1 AND connection_id = $2 AND entity_id = $3",
            side,
            connection_id,
            entity_id,
        )

    async def answer(self, asked: Asked) -> None:
        """Store what became of a request."""
        await self._fetch(ANSWER, *request_row(asked))

    async def people(
        self, connection_id: ConnectionId, accounts: Sequence[str] = (), emails: Sequence[str] = ()
    ) -> Sequence[Person]:
        """Return people by account id or e-mail address."""
        unasked = self._acquaintances.unasked(connection_id, accounts, emails)
        if any(unasked):
            rows = await self._fetch(FIND, connection_id, *unasked)
            self._acquaintances.asked(connection_id, unasked, [person_of(row) for row in rows])
        return self._acquaintances.find(connection_id, accounts, emails)

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Take over what was seen of people, right before the commit."""
        self._acquaintances.show(people)

    async def _before_commit(self) -> None:
        await self._flush()
        if self._acquaintances.shown:
            await self._fetch(REMEMBER, people_doc(self._acquaintances.shown))

    async def _flush(self) -> None:
        """Send what was saved. Raises `Contended` if an entity that was foreseen to be in no link is in one by now."""
        missed = await self._write()
        if missed:
            raise self._fail(Contended(f"another transaction inserted a link of an item of {sorted(missed)} meanwhile"))

    async def _write(self) -> set[LinkId]:
        """Send what was saved; return the links that could not be inserted."""
        if self._failed is not None:
            raise self._failed
        if not self._pending:
            return set()
        pending, self._pending = self._pending, Pending()
        return pending.link_ids - {row["id"] for row in await self._fetch(WRITE, *pending.args())}


def _keys(link: Link) -> Sequence[EntityKey]:
    found = ((side, link.connection(side), link.entity_id(side)) for side in Side)
    return [(side, connection_id, entity_id) for side, connection_id, entity_id in found if entity_id is not None]


def _forget_notes(link: Link) -> None:
    link.new_conflicts.clear()
    link.new_history.clear()
