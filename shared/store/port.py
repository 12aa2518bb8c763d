"""What the services ask of the store. Each service depends on the narrow protocols that it uses, never on an adapter.

Who owns which fact: the mapper writes links, operations (all but three columns), conflicts and history; a writer
writes the lease, `post_started_at` and `result_id` of an operation that it claimed; the reconciler writes its
cursors; the console writes configuration. Every method raises `StoreUnavailable` when the database cannot be reached;
nothing is retried here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.errors import OwnWords
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import ConflictNote, HistoryNote, Json, Link, LinkState, Operation
from shared.domain.mapping import Connection, ConnectionSecrets, Integration
from shared.messages.status import SyncStatus
from shared.store.people import PeopleFinder, PeopleReader, PeopleReports, PeopleWriter
from shared.store.requests import Asked
from shared.store.trail import ConfigKind

LABELS = {Side.JIRA: "jira_key", Side.CRAFT: "craft_short_id"}
"""The labels of a status by which people know an item."""

EntityKey = tuple[Side, ConnectionId, EntityId]
"""One item of a vendor's, as links name it."""
Name = LinkId | EntityKey
"""What an input names before anything is loaded: a link, or an entity that may be in one."""

LEDGER_LENGTH = 20
"""How many operations of a link are kept and loaded at least, if there are so many."""
LEDGER_AGE = timedelta(hours=24)
"""All operations younger than this are kept and loaded, however many."""


def label_key(label: str | None) -> str | None:
    """Return how a label is stored for `find_link_by_label`: in lower case, without what Postgres does not take."""
    return label.replace("\0", "").lower() if label else None


class StoreUnavailable(OwnWords):
    """The database cannot be reached or cut the transaction off. The transaction is rolled back, or its fate is
    unknown.
    """


class Contended(OwnWords):
    """The transaction met another one (deadlock, serialisation, a unique key taken meanwhile). Run the whole input
    again.
    """


class WrittenByNewer(StoreUnavailable):
    """A record holds what a newer release has stored and this one cannot understand: it waits for its upgrade."""


class CredentialsUnreadable(OwnWords):
    """The stored credentials of a connection do not open: no key fits, or they were sealed for something else than the
    connection is now. Says why, for operators; `in_words` is for people.
    """

    @property
    def in_words(self) -> str:
        """Return what is wrong and what to do, for admins."""
        return f"The stored credentials of this connection cannot be opened ({self}): enter them again."


class InvariantBroken(OwnWords):
    """The caller asked for what must never be (two open operations of a link, a save without lock): a bug, not bad
    luck.
    """


class RevisionConflict(OwnWords):
    """Someone else saved a newer revision first. Carries the current one in `.current`."""

    def __init__(self, current: int) -> None:
        super().__init__(f"revision {current} was saved meanwhile; load it and apply your change to it")
        self.current = current


@dataclass(frozen=True, slots=True)
class Claim:
    """What a writer got with its lease: the operation as stored, the link's ids, the marks and the current
    integration.
    """

    operation: Operation
    link_id: LinkId
    integration: Integration
    connection_id: ConnectionId
    """Of the target."""
    entity_id: EntityId | None
    """The target entity; None for a create."""
    source_entity_id: EntityId | None
    ticket: int
    """The target side's mark at the claim."""
    late_possible: bool
    """True when an earlier attempt may still be under way (attempts > 1)."""


class LinkTransaction(PeopleReader, PeopleWriter, Protocol):
    """One mapper transaction. Everything in it is committed together at the end of the `async with`, or not at all."""

    async def lock_link(self, link_id: LinkId) -> Link | None:
        """Lock and load a link with its ledger; None if there is none. Later calls on the same link return the same
        object.
        """
        ...

    async def lock_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Lock and load the link of an entity, whatever its state; None if there is none."""
        ...

    async def share_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Load the link of a parent under FOR SHARE: it cannot change before this transaction ends. Not to be saved.

        Its ledger is loaded only if this transaction has locked it.
        """
        ...

    async def counterparts(
        self, source: Side, connections: Mapping[Side, ConnectionId], entity_ids: Sequence[EntityId]
    ) -> Mapping[EntityId, EntityId]:
        """Return what is linked to these entities of one side on the other side, as of now and without locks.

        Those are left out that are in no link between these two connections, have no counterpart yet, or are gone.
        """
        ...

    async def insert(self, link: Link) -> bool:
        """Insert a new link with its operations. False (and no change) if one of its entities is already in a link.

        Of entities that were foreseen to be in none, one may be found to be in a link only when the transaction ends:
        then that raises `Contended`.
        """
        ...

    async def save(self, link: Link) -> None:
        """Save a locked link: row, changed operations, new conflicts and history (taken off the link).

        What a writer commits of an operation is left alone while it is open, and never made less when it is closed.
        Raises `InvariantBroken` for a link not locked here; and, now or when the transaction ends, `Contended` if an
        entity is in another link, `InvariantBroken` for a second open operation.
        """
        ...

    async def waiting_children(
        self, connection_id: ConnectionId, parent_id: EntityId, origin: Side
    ) -> Sequence[LinkId]:
        """Return links that wait for an entity: in state waiting with that origin side, or active with a parent to
        come.

        The connection is that of `origin`. In the order of their ids, with this transaction's own writes.
        """
        ...

    async def open_creates(self, target: Side, connection_id: ConnectionId) -> Sequence[Operation]:
        """Return open create operations towards a connection, with their pairs (for keyless matching and parking)."""
        ...

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision, locked FOR SHARE so that no newer one can be decided against meanwhile."""
        ...

    async def integrations_of(self, connection_id: ConnectionId) -> Sequence[Integration]:
        """Return the current revisions of all integrations that use a connection."""
        ...

    async def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return the current revision of a connection."""
        ...

    async def after_commit_status(self, status: SyncStatus) -> None:
        """Store the latest status of a link for reading (table `link_status`), in this transaction."""
        ...

    async def park(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Remember an event of an entity without link until a time (PROTOCOL create rule 1). One per entity, the
        newest wins.
        """
        ...

    async def parked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> datetime | None:
        """Return since when an entity has been parked, None if it is not."""
        ...

    async def unpark(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Forget a parked event."""
        ...

    async def flag_stray(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, link_id: LinkId | None, reason: str
    ) -> None:
        """Record an entity of our own making that has no link (a possible duplicate), for people. Idempotent per
        entity.
        """
        ...

    async def unflag_stray(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Forget a possible duplicate, if this entity is one: nobody has to look at it any more."""
        ...

    async def answer(self, asked: Asked) -> None:
        """Store what became of a request, in this transaction; the first answer stays."""
        ...


class BatchTransaction(LinkTransaction, Protocol):
    """One transaction of several inputs, handled one after the other: they share its round trips and its commit.

    It never waits long for a lock that another transaction holds, so that nobody's trouble holds up the other inputs:
    what it cannot have at once raises `Contended`. After that, and after any other failure of the store's, it can only
    be rolled back (ADR 0015).
    """

    async def foresee(self, names: Collection[Name]) -> AbstractSet[Name]:
        """Lock and load the links of these names, as many as are free, in one go; return the names of those that are
        not.

        Waits for nobody. Later calls find what was loaded without a round trip.
        """
        ...


class LinkStore(Protocol):
    """Opens mapper transactions."""

    def transaction(self) -> AbstractAsyncContextManager[LinkTransaction]:
        """Begin a transaction (READ COMMITTED). Leaving by an exception rolls back."""
        ...

    def batch(self) -> AbstractAsyncContextManager[BatchTransaction]:
        """Begin a transaction of several inputs, likewise."""
        ...

    async def healthy(self) -> bool:
        """Tell within a second whether the database answers."""
        ...


class ClaimStore(Protocol):
    """What a writer may do. Each method is one short transaction of its own."""

    async def claim(self, op_id: OperationId, owner: str, lease: timedelta) -> Claim | None:
        """Take the lease of an open operation in one UPDATE; attempts grows by one. Leases run by the store's clock.

        None (do nothing) unless: the operation is open, its link's op_id is it, its lease is over or was never taken,
        and the link is active (write, restore) or creating (create). What an older revision decided is claimed too,
        since only a writer can end it: it does not send it any more (PROTOCOL F16).
        """
        ...

    async def still_owner(self, op_id: OperationId, owner: str) -> bool:
        """Tell whether the operation is still open and leased to `owner`."""
        ...

    async def start_post(self, op_id: OperationId, owner: str, at: datetime) -> bool:
        """Commit `post_started_at` (overwriting an older one); False if `owner` has lost the lease."""
        ...

    async def store_result(self, op_id: OperationId, entity_id: EntityId) -> None:
        """Commit `result_id`, whoever owns the lease now. The first one stays."""
        ...

    async def release(self, op_id: OperationId, owner: str, after: timedelta | None = None) -> None:
        """Give the lease back: claimable again after that time, None: at once. Nothing happens if `owner` has lost it.

        `attempts` stays. The clock of stale operations produces the command again once that time is over.
        """
        ...

    async def entity_linked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> LinkId | None:
        """Return the link that an entity is in, if any (keyless adoption)."""
        ...

    async def open_twins(self, op_id: OperationId) -> Sequence[OperationId]:
        """Return older open creates with the same target connection, type and values as this one (keyless: serial)."""
        ...


@dataclass(frozen=True, slots=True)
class DirtySide:
    """A side that needs a fresh read, with the ticket to read it under."""

    link_id: LinkId
    integration_id: IntegrationId
    side: Side
    connection_id: ConnectionId
    entity_id: EntityId
    ticket: int
    dirty_since: datetime


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An open operation whose command has to be produced (again)."""

    operation: Operation
    integration_id: IntegrationId


@dataclass(frozen=True, slots=True)
class DueLink:
    """A link to decide again. `revision`: the current one of its integration, 0 if that is not known. `not_before`: the
    time that it waited for, if any.
    """

    link_id: LinkId
    revision: int
    not_before: datetime | None = None
    carry: bool = False
    """True for one that was held and let go: it is to be created now."""
    retry: bool = False
    """True for one of which all that was refused is to be tried again now."""


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that waits for creates to settle."""

    side: Side
    connection_id: ConnectionId
    entity_id: EntityId
    event: bytes


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning the ledgers of some links came to."""

    operations: int
    last: LinkId | None
    """The last link that was looked at; None: there was none left."""


class WorkStore(PeopleFinder, Protocol):
    """How the reconciler finds work by state (PROTOCOL, Clocks)."""

    async def stale_operations(self, now: datetime, unclaimed_for: timedelta, limit: int) -> Sequence[OpenOperation]:
        """Return claimable operations never leased for `unclaimed_for`, or whose lease is over, oldest first.

        At most `limit` of each connection that they write to: a slow one with very many hides nobody else's (P7).
        Those that no writer could claim (see `ClaimStore.claim`) are left out, so that they hide nobody behind the
        limit.
        """
        ...

    async def dirty_sides(self, limit: int, connection_id: ConnectionId | None = None) -> Sequence[DirtySide]:
        """Return dirty sides of links whose entity is known, oldest first; of one connection, if it is named.

        Each connection is asked for on its own, so that the many dirty sides of a broken one hide nobody else's (P7).
        """
        ...

    async def due_links(self, now: datetime, waiting_for: timedelta, limit: int) -> Sequence[DueLink]:
        """Return links to decide again, those looked at longest ago first; returning them counts as looking.

        Due is: `not_before` reached; or something refused to be tried again (`Link.retry_at`) and the state active or
        excluded; or waiting for a parent (state waiting, or active with `waits_for`) and not
        looked at for `waiting_for`; or paused for a connection that is well again; or excluded and decided by an older
        revision than the current one, or active or creating and decided by an older one than an admin has agreed to
        (`shared.store.evaluation`), with no `not_before` to come; or held and decided by an older one than an admin
        has agreed to, or held since before its direction was let go (`shared.store.held`); or with
        something refused, and not looked at since all of that was asked to be tried again (`shared.store.refused`).
        """
        ...

    async def due_parked(
        self, now: datetime, limit: int, connection_id: ConnectionId | None = None
    ) -> Sequence[ParkedEvent]:
        """Return parked events whose time has come, oldest first; of one connection, if it is named."""
        ...

    async def cursor(self, name: str) -> Json | None:
        """Return a stored cursor."""
        ...

    async def store_cursor(self, name: str, value: Json) -> None:
        """Store a cursor."""
        ...

    async def linked_entities(
        self, side: Side, connection_id: ConnectionId, after: str, limit: int, *, held: bool = False
    ) -> Sequence[tuple[LinkId, EntityId]]:
        """Return linked entities of a connection with ids after `after`, in bytewise id order; links that are gone
        not, and those that are held only if they are asked for: nothing is carried of them.
        """
        ...

    async def absent_entities(
        self, side: Side, connection_id: ConnectionId, after: str, limit: int
    ) -> Sequence[tuple[LinkId, EntityId]]:
        """Return entities of a connection that are hidden or archived in links of state absent, with ids after `after`,
        in bytewise id order.
        """
        ...

    async def prune_ledgers(self, now: datetime, after: str, limit: int) -> Pruned:
        """Delete what no ledger needs any more of the next `limit` links after `after`, in bytewise id order.

        That is: closed operations that are neither among the last `LEDGER_LENGTH` of their link nor younger than
        `LEDGER_AGE`. What is loaded with a link is never less for it. One short transaction; idempotent.
        """
        ...

    async def prune_requests(self, now: datetime, limit: int) -> int:
        """Forget up to `limit` requests that are too old to be asked about; return how many. Idempotent."""
        ...


class ConfigReader(Protocol):
    """Current configuration, for services that cache it and reload on `config.v1` or every few seconds."""

    async def connections(self) -> Sequence[Connection]:
        """Return the current revision of all connections."""
        ...

    async def secrets(self, connection: Connection) -> ConnectionSecrets | None:
        """Return the credentials of a connection, None if none are stored.

        They open only for the connection as it is given here: same id, kind, origin of the address and account
        (`shared.domain.binding`), so that what is returned can be sent to the address that the caller has in hand and
        to no other, whatever was saved meanwhile. Raises `CredentialsUnreadable` if they do not open.
        """
        ...

    async def integrations(self) -> Sequence[Integration]:
        """Return the current revision of all integrations."""
        ...


class ConfigWriter(Protocol):
    """Saving configuration: immutable revisions with an audit trail."""

    async def save_integration(
        self,
        integration: Integration,
        expected_revision: int,
        by: str,
        at: datetime,
        *,
        restored_from: int | None = None,
        evaluate: bool = True,
    ) -> Integration:
        """Save as revision `expected_revision + 1` (0: new) and return it. Raises `RevisionConflict`.

        `restored_from` is for the audit trail: the revision whose body is saved again. Without `evaluate`, links that
        nobody touches stay as they are until `EvaluationDesk.agree`.
        """
        ...

    async def save_connection(
        self, connection: Connection, secrets: ConnectionSecrets | None, expected_revision: int, by: str, at: datetime
    ) -> Connection:
        """Save a connection; `secrets` None keeps the stored ones, which then open for the binding that they had.

        Raises `RevisionConflict`.
        """
        ...

    async def note_refusal(self, kind: ConfigKind, ident: str, revision: int, what: str, by: str, at: datetime) -> None:
        """Put into the audit trail what somebody tried to save and was refused. `revision` is the one that it was to
        replace; `what` never holds a secret.
        """
        ...

    async def set_connection_paused(self, connection_id: ConnectionId, reason: str | None) -> None:
        """Pause writes of a connection (credentials do not work), or resume them (None). Makes no revision."""
        ...

    async def tell_expiry(self, connection_id: ConnectionId, at: datetime | None) -> None:
        """Note when the credentials of a connection end, as the vendor tells (None: it does not). Makes no revision."""
        ...


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the console shows of a link."""

    link: Link
    status: SyncStatus | None
    conflicts: Sequence[ConflictNote]
    history: Sequence[HistoryNote]


class StatusReader(PeopleReports, Protocol):
    """Reading for people."""

    async def link_view(self, link_id: LinkId) -> LinkView | None:
        """Return one link with its status, operations, conflicts and history."""
        ...

    async def find_link(self, side: Side, entity_id: EntityId) -> LinkId | None:
        """Return the link of an entity on any connection."""
        ...

    async def find_link_by_label(self, side: Side, label: str) -> LinkId | None:
        """Return the link of the item that people know by a name (Jira key, Craft.io short id), upper or lower case.

        As of the link's latest status: a key that the item had before it was moved is not known.
        """
        ...

    async def list_statuses(
        self, *, integration_id: IntegrationId | None, state: str | None, after: str, limit: int
    ) -> Sequence[SyncStatus]:
        """Return latest statuses in link id order after `after`, filtered by display state."""
        ...

    async def count_by_state(self, integration_id: IntegrationId | None) -> dict[LinkState | str, int]:
        """Return how many links are in each display state."""
        ...

    async def strays(self, limit: int) -> Sequence[dict[str, Json]]:
        """Return flagged possible duplicates."""
        ...
