"""What is committed, and the base of the stores in memory. Committed records are replaced, never changed in place.

Called by the other modules of `shared.store.memory`. One `Tables` outlives the processes of a simulation, as a
database does.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.arrivals import Arrivals
from shared.domain.binding import Binding
from shared.domain.clock import Clock
from shared.domain.dry_run import DryRun, DryRunId, DryRunItem, ValueName
from shared.domain.ids import ConnectionId, IntegrationId, LinkId, OperationId, PairId, Side
from shared.domain.link import ConflictNote, HistoryNote, Json, Link, Operation, OperationKind
from shared.domain.mapping import Connection, ConnectionSecrets, Integration
from shared.domain.person import Person, distinct, merged, worth_saving
from shared.messages.status import SyncStatus
from shared.store.census import NOT_BEHIND
from shared.store.memory.copies import copy_link, copy_operation
from shared.store.memory.locks import Holder, Locks
from shared.store.port import LEDGER_AGE, LEDGER_LENGTH, EntityKey
from shared.store.provisioning import ProvisionedFile
from shared.store.requests import Asked

OnCall = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked event; `since` is when the entity was parked first."""

    event: bytes
    until: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Audited:
    """Who saved what; `restored_from`: the older revision whose body was saved again."""

    at: datetime
    by: str
    subject: str
    revision: int
    restored_from: int | None = None
    evaluated: bool = False
    refused: str | None = None
    let_go: Side | None = None
    retried: bool = False


@dataclass(slots=True)
class Tables:
    """Everything that is committed."""

    links: dict[LinkId, Link] = field(default_factory=dict)
    entities: dict[EntityKey, LinkId] = field(default_factory=dict)
    ledger: dict[LinkId, list[OperationId]] = field(default_factory=dict)
    operations: dict[OperationId, Operation] = field(default_factory=dict)
    open_operations: dict[OperationId, None] = field(default_factory=dict)
    conflicts: dict[LinkId, list[ConflictNote]] = field(default_factory=dict)
    history: dict[LinkId, list[HistoryNote]] = field(default_factory=dict)
    statuses: dict[LinkId, SyncStatus] = field(default_factory=dict)
    behind_since: dict[LinkId, datetime] = field(default_factory=dict)
    """Since when an item has been out of sync, of those that are."""
    lead: tuple[str, datetime] | None = None
    """Who takes the census, and until when."""
    looked_at: dict[LinkId, datetime] = field(default_factory=dict)
    parked: dict[EntityKey, Parked] = field(default_factory=dict)
    strays: dict[EntityKey, dict[str, Json]] = field(default_factory=dict)
    integrations: dict[IntegrationId, list[Integration]] = field(default_factory=dict)
    """All revisions; the last one is current."""
    connections: dict[ConnectionId, list[Connection]] = field(default_factory=dict)
    secrets: dict[ConnectionId, tuple[Binding, ConnectionSecrets]] = field(default_factory=dict)
    audit: list[Audited] = field(default_factory=list)
    cursors: dict[str, Json] = field(default_factory=dict)
    agreed: dict[IntegrationId, int] = field(default_factory=dict)
    """The revision until which links that nobody touches are decided again."""
    people: dict[tuple[ConnectionId, str], Person] = field(default_factory=dict)
    provisioned: dict[str, ProvisionedFile] = field(default_factory=dict)
    provisioner: tuple[str, datetime] | None = None
    """Who provisions, and until when."""
    retry_asked: dict[IntegrationId, datetime] = field(default_factory=dict)
    """Until when what was refused is to be tried again at once."""
    let_go: dict[tuple[IntegrationId, Side], datetime] = field(default_factory=dict)
    """Until when what was held towards a side is to be carried over."""
    requests: dict[str, Asked] = field(default_factory=dict)
    dry_runs: dict[DryRunId, DryRun] = field(default_factory=dict)
    dry_run_items: dict[DryRunId, dict[int, DryRunItem]] = field(default_factory=dict)
    arrivals: dict[ConnectionId, Arrivals] = field(default_factory=dict)
    dry_run_asked: dict[tuple[DryRunId, int], datetime] = field(default_factory=dict)
    dry_run_names: dict[DryRunId, dict[tuple[str, Side, PairId], ValueName]] = field(default_factory=dict)

    def put_link(self, link: Link) -> None:
        """Commit a link (a copy that nobody else holds) and its place in the index of entities."""
        old = self.links.get(link.id)
        for side in Side:
            before = old.entity_id(side) if old is not None else None
            after = link.entity_id(side)
            if old is not None and before is not None and before != after:
                key = (side, old.connection(side), before)
                if self.entities.get(key) == link.id:
                    del self.entities[key]
            if after is not None:
                self.entities[side, link.connection(side), after] = link.id
        self.links[link.id] = link

    def put_status(self, status: SyncStatus) -> None:
        """Commit the latest status of a link."""
        self.statuses[status.link_id] = status
        if status.state in NOT_BEHIND:
            self.behind_since.pop(status.link_id, None)
        else:
            self.behind_since.setdefault(status.link_id, status.at)

    def put_operation(self, op: Operation) -> None:
        """Commit an operation (a copy that nobody else holds); an open one keeps what its writer has committed."""
        old = self.operations.get(op.id)
        if old is not None:
            keep_writers_columns(old, op)
        self.operations[op.id] = op
        if old is None:  # in its place: an old one may have been pruned while somebody held it
            insort(self.ledger.setdefault(op.link_id, []), op.id, key=lambda op_id: self.operations[op_id].seq)
        if op.open:
            self.open_operations[op.id] = None
        else:
            self.open_operations.pop(op.id, None)

    def put_request(self, asked: Asked) -> None:
        """Commit a request, or its first answer."""
        known = self.requests.get(asked.id)
        link_id = asked.answer.link_id if asked.answer is not None else None
        if known is not None and (known.answer is not None or asked.answer is None):
            return
        link_id = link_id or asked.link_id or (known.link_id if known is not None else None)
        answer = replace(asked.answer, link_id=link_id) if asked.answer is not None else None
        self.requests[asked.id] = replace(known or asked, link_id=link_id, answer=answer)

    def put_person(self, person: Person) -> None:
        """Commit what was seen of somebody, if it is worth it."""
        key = (person.connection_id, person.account_id)
        if worth_saving(self.people.get(key), person):
            self.people[key] = merged(self.people.get(key), person)

    def people_of(
        self,
        connection_id: ConnectionId,
        accounts: Sequence[str],
        emails: Sequence[str],
        shown: Sequence[Person] = (),
    ) -> list[Person]:
        """Return people of a connection by account id or e-mail address, in id order, with `shown` as if stored."""
        return [
            person
            for person in distinct([*self.people.values(), *shown])
            if person.connection_id == connection_id and (person.account_id in accounts or person.email in emails)
        ]

    def load(self, link: Link, now: datetime) -> Link:
        """Return a copy of a link with its ledger."""
        fresh = copy_link(link)
        ids = self.ledger.get(link.id, [])
        recent = ids[-LEDGER_LENGTH:]
        for op_id in reversed(ids[:-LEDGER_LENGTH]):
            if not _is_recent(self.operations[op_id], now - LEDGER_AGE):
                break
            recent.insert(0, op_id)
        fresh.operations = [copy_operation(self.operations[op_id]) for op_id in recent]
        return fresh

    def prune_ledger(self, link_id: LinkId, now: datetime) -> int:
        """Delete the operations of a link that `load` would leave out; return how many."""
        ids = self.ledger.get(link_id, [])
        older = ids[:-LEDGER_LENGTH]
        old = {op_id for op_id in older if not _is_recent(self.operations[op_id], now - LEDGER_AGE)}
        for op_id in old:
            del self.operations[op_id]
        if old:
            self.ledger[link_id] = [op_id for op_id in ids if op_id not in old]
        return len(old)

    def current_integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision of an integration."""
        revisions = self.integrations.get(integration_id)
        return revisions[-1] if revisions else None

    def current_connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return the current revision of a connection."""
        revisions = self.connections.get(connection_id)
        return revisions[-1] if revisions else None


def keep_writers_columns(old: Operation, new: Operation) -> None:
    """Keep what a writer committed meanwhile: all of it while the operation is open, never less once it is closed."""
    if new.open:
        new.attempts, new.lease_until, new.owner = old.attempts, old.lease_until, old.owner
        new.post_started_at, new.result_id = old.post_started_at, old.result_id
        return
    new.attempts = max(old.attempts, new.attempts)
    new.post_started_at = old.post_started_at or new.post_started_at
    new.result_id = old.result_id or new.result_id


def claimable(op: Operation, link: Link) -> bool:
    """Tell whether an operation may be claimed once its lease is over (`ClaimStore.claim`)."""
    wanted = "creating" if op.kind is OperationKind.CREATE else "active"
    return op.open and link.op_id == op.id and link.state.value == wanted


class Core:
    """What all stores in memory share: the tables, the locks, the clock and the hook."""

    def __init__(self, clock: Clock, on_call: OnCall | None) -> None:
        self.tables = Tables()
        self.locks = Locks()
        self.clock = clock
        self.on_call = on_call

    async def call(self, name: str) -> None:
        """Let the simulation act: `name` is an operation that begins, or `{name}:commit` and `{name}:committed`."""
        if self.on_call is not None:
            await self.on_call(name)

    async def autocommit(self, name: str, *keys: object) -> Holder:
        """Begin an operation that is a transaction of its own, with its rows locked; end it by `done`."""
        await self.call(name)
        holder = Holder()
        try:
            for key in keys:
                await self.locks.acquire(holder, key)
            await self.call(f"{name}:commit")
        except BaseException:
            self.locks.release_all(holder)
            raise
        return holder

    async def done(self, name: str, holder: Holder) -> None:
        """End an operation whose effect is in the tables."""
        self.locks.release_all(holder)
        await self.call(f"{name}:committed")


def _is_recent(op: Operation, since: datetime) -> bool:
    return op.open or (op.done_at or op.created_at) > since
