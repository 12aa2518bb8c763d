"""The mapper's transaction in memory: row locks, copies on load, everything committed at once or not at all.

Called by the mapper through `shared.store.port.LinkTransaction`. READ COMMITTED as in Postgres: it sees what others
committed, and its own writes; an insert waits for a concurrent one of the same entity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import ConflictNote, HistoryNote, Json, Link, LinkState, Operation, OperationKind
from shared.domain.mapping import Connection, Integration
from shared.domain.person import Person, distinct
from shared.messages.status import SyncStatus
from shared.store.memory.copies import copy_conflict, copy_history, copy_link, copy_operation
from shared.store.memory.locks import Holder
from shared.store.memory.tables import Core, Parked
from shared.store.port import Contended, EntityKey, InvariantBroken
from shared.store.requests import Asked


class MemoryTransaction:
    """One transaction; see `LinkTransaction` for each method's contract."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tables = core.tables
        self._holder = Holder()
        self._failed: Exception | None = None
        self._locked: dict[LinkId, Link] = {}
        self._shared: dict[LinkId, Link] = {}
        self._links: dict[LinkId, Link] = {}
        self._operations: dict[OperationId, Operation] = {}
        self._conflicts: list[tuple[LinkId, ConflictNote]] = []
        self._history: list[tuple[LinkId, HistoryNote]] = []
        self._statuses: dict[LinkId, SyncStatus] = {}
        self._parked: dict[EntityKey, Parked | None] = {}
        self._strays: dict[EntityKey, dict[str, Json] | None] = {}
        self._people: list[Person] = []
        self._asked: list[Asked] = []

    async def __aenter__(self) -> Self:
        await self._core.call("transaction")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if self._failed is not None:
                    raise self._failed
                await self._core.call("transaction:commit")
                self._commit()
        finally:
            self._core.locks.release_all(self._holder)
        if kind is None:
            await self._core.call("transaction:committed")

    async def lock_link(self, link_id: LinkId) -> Link | None:
        """Lock and load a link."""
        await self._call("lock_link")
        return await self._lock(link_id)

    async def lock_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Lock and load the link of an entity."""
        await self._call("lock_entity")
        link_id = self._link_of((side, connection_id, entity_id))
        if link_id is None:
            return None
        link = await self._lock(link_id)
        # Looked at again after the wait, as Postgres does.
        return link if self._link_of((side, connection_id, entity_id)) == link_id else None

    async def share_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Load a parent and hold it still."""
        await self._call("share_entity")
        link_id = self._link_of((side, connection_id, entity_id))
        if link_id is None:
            return None
        if link_id in self._locked:
            return self._locked[link_id]
        await self._acquire(("link", link_id), exclusive=False)
        if self._link_of((side, connection_id, entity_id)) != link_id:
            return None
        if link_id not in self._shared:
            self._shared[link_id] = self._tables.load(self._tables.links[link_id], self._core.clock.now())
        return self._shared[link_id]

    async def counterparts(
        self, source: Side, connections: Mapping[Side, ConnectionId], entity_ids: Sequence[EntityId]
    ) -> Mapping[EntityId, EntityId]:
        """Return the other ends of links."""
        await self._call("counterparts")
        wanted, found = set(entity_ids), dict[EntityId, EntityId]()
        for link in self._all_links():
            mine, other = link.entity_id(source), link.entity_id(source.other)
            between = all(link.connection(side) == connections[side] for side in Side)
            if mine in wanted and between and mine and other and link.state is not LinkState.GONE:
                found[mine] = other
        return found

    async def insert(self, link: Link) -> bool:
        """Insert a new link, unless one of its entities is in a link already."""
        await self._call("insert")
        for key in self._keys(link):
            await self._acquire(("entity", *key))
            if self._link_of(key) is not None:
                return False
        await self._acquire(("link", link.id))
        if link.id in self._tables.links or link.id in self._links:
            return False
        self._locked[link.id] = link
        await self._stage(link)
        return True

    async def save(self, link: Link) -> None:
        """Save a locked link."""
        await self._call("save")
        if self._locked.get(link.id) is not link:
            raise self._fail(InvariantBroken(f"link {link.id} is saved, but was not locked by this transaction"))
        for key in self._keys(link):
            if self._link_of(key) != link.id:
                await self._acquire(("entity", *key))
                if self._link_of(key) is not None:
                    raise self._fail(Contended(f"{key} is in another link"))
        await self._stage(link)

    async def waiting_children(
        self, connection_id: ConnectionId, parent_id: EntityId, origin: Side
    ) -> Sequence[LinkId]:
        """Return who waits for an entity."""
        await self._call("waiting_children")
        return sorted(
            link.id
            for link in self._all_links()
            if link.waits_for == parent_id
            and link.connection(origin) == connection_id
            and (link.state is LinkState.ACTIVE or (link.state is LinkState.WAITING and link.origin is origin))
        )

    async def open_creates(self, target: Side, connection_id: ConnectionId) -> Sequence[Operation]:
        """Return open creates towards a connection."""
        await self._call("open_creates")
        ids = {**self._tables.open_operations, **dict.fromkeys(self._operations)}
        found = [self._operations.get(op_id) or self._tables.operations[op_id] for op_id in ids]
        return [
            copy_operation(op)
            for op in sorted(found, key=lambda op: (op.created_at, op.id))
            if op.open
            and op.kind is OperationKind.CREATE
            and op.target is target
            and (self._links.get(op.link_id) or self._tables.links[op.link_id]).connection(target) == connection_id
        ]

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision and hold it still."""
        await self._call("integration")
        await self._acquire(("integration", integration_id), exclusive=False)
        return self._tables.current_integration(integration_id)

    async def integrations_of(self, connection_id: ConnectionId) -> Sequence[Integration]:
        """Return the current revisions of a connection's integrations."""
        await self._call("integrations_of")
        current = [self._tables.integrations[i][-1] for i in sorted(self._tables.integrations)]
        return [i for i in current if connection_id in (i.jira_connection, i.craft_connection)]

    async def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return the current revision of a connection."""
        await self._call("connection")
        return self._tables.current_connection(connection_id)

    async def after_commit_status(self, status: SyncStatus) -> None:
        """Store the latest status of a link."""
        await self._call("after_commit_status")
        self._statuses[status.link_id] = status

    async def park(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Remember an event until a time."""
        await self._call("park")
        key = (side, connection_id, entity_id)
        await self._acquire(("parked", *key))
        known = self._parked_event(key)
        self._parked[key] = Parked(event, until, known.since if known else self._core.clock.now())

    async def parked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> datetime | None:
        """Return since when an entity has been parked."""
        await self._call("parked")
        known = self._parked_event((side, connection_id, entity_id))
        return known.since if known else None

    async def unpark(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Forget a parked event."""
        await self._call("unpark")
        key = (side, connection_id, entity_id)
        if self._parked_event(key) is not None:
            await self._acquire(("parked", *key))
            self._parked[key] = None

    async def flag_stray(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, link_id: LinkId | None, reason: str
    ) -> None:
        """Record a possible duplicate; the first reason stays."""
        await self._call("flag_stray")
        self._strays[side, connection_id, entity_id] = {
            "side": side.value,
            "connection_id": connection_id,
            "entity_id": entity_id,
            "link_id": link_id,
            "reason": reason,
        }

    async def unflag_stray(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Forget a possible duplicate."""
        await self._call("unflag_stray")
        self._strays[side, connection_id, entity_id] = None

    async def answer(self, asked: Asked) -> None:
        """Store what became of a request."""
        await self._call("answer")
        self._asked.append(asked)

    async def people(
        self, connection_id: ConnectionId, accounts: Sequence[str] = (), emails: Sequence[str] = ()
    ) -> Sequence[Person]:
        """Return people by account id or e-mail address."""
        await self._call("people")
        return self._tables.people_of(connection_id, accounts, emails, self._people)

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Take over what was seen of people."""
        await self._call("remember_people")
        self._people += people

    async def _call(self, name: str) -> None:
        if self._failed is not None:
            raise self._failed
        await self._core.call(name)

    async def _acquire(self, key: object, *, exclusive: bool = True) -> None:
        try:
            await self._core.locks.acquire(self._holder, key, exclusive=exclusive)
        except Contended as error:
            raise self._fail(error) from None

    def _fail(self, error: Exception) -> Exception:
        """Remember that nothing more can be done in this transaction, as in Postgres."""
        self._failed = error
        return error

    async def _lock(self, link_id: LinkId) -> Link | None:
        if link_id in self._locked:
            return self._locked[link_id]
        if link_id not in self._tables.links:
            return None
        await self._acquire(("link", link_id))
        self._locked[link_id] = self._tables.load(self._tables.links[link_id], self._core.clock.now())
        return self._locked[link_id]

    def _link_of(self, key: EntityKey) -> LinkId | None:
        """Return whose an entity is, own writes first."""
        side, connection_id, entity_id = key
        for link in self._links.values():
            if link.entity_id(side) == entity_id and link.connection(side) == connection_id:
                return link.id
        link_id = self._tables.entities.get(key)
        return None if link_id in self._links else link_id

    def _keys(self, link: Link) -> Iterator[EntityKey]:
        for side in Side:
            entity_id = link.entity_id(side)
            if entity_id is not None:
                yield side, link.connection(side), entity_id

    def _all_links(self) -> Iterator[Link]:
        yield from self._links.values()
        yield from (link for link_id, link in self._tables.links.items() if link_id not in self._links)

    def _parked_event(self, key: EntityKey) -> Parked | None:
        return self._parked[key] if key in self._parked else self._tables.parked.get(key)

    async def _stage(self, link: Link) -> None:
        staged = copy_link(link)
        changed = [op for op in link.operations if self._differs(op)]
        for op in changed:
            await self._acquire(("operation", op.id))
        opened = {op.id for op in link.operations if op.open}
        if len(opened) > 1:
            raise self._fail(
                InvariantBroken(f"link {link.id} would have more than one open operation: {sorted(opened)}")
            )
        self._links[link.id] = staged
        self._operations.update({op.id: copy_operation(op) for op in changed})
        self._conflicts += [(link.id, copy_conflict(note)) for note in link.new_conflicts]
        self._history += [(link.id, copy_history(note)) for note in link.new_history]
        link.new_conflicts.clear()
        link.new_history.clear()

    def _differs(self, op: Operation) -> bool:
        known = self._operations.get(op.id) or self._tables.operations.get(op.id)
        return known != op

    def _commit(self) -> None:
        for link in self._links.values():
            self._tables.put_link(link)
        for op in self._operations.values():
            self._tables.put_operation(op)
        for link_id, conflict in self._conflicts:
            self._tables.conflicts.setdefault(link_id, []).append(conflict)
        for link_id, note in self._history:
            self._tables.history.setdefault(link_id, []).append(note)
        for status in self._statuses.values():
            self._tables.put_status(status)
        for key, event in self._parked.items():
            if event is not None:
                self._tables.parked[key] = event
            else:
                self._tables.parked.pop(key, None)
        for key, stray in self._strays.items():
            if stray is not None:
                self._tables.strays.setdefault(key, stray)
            else:
                self._tables.strays.pop(key, None)
        for asked in self._asked:
            self._tables.put_request(asked)
        for person in distinct(self._people):
            self._tables.put_person(person)
