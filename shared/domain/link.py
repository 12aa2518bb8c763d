"""The records of PROTOCOL: what is known about one pair of items. One `Link` is loaded, changed and saved per
transaction.

Written by the mapper alone, but for three facts of an open operation that its writer owns (lease, `post_started_at`,
`result_id`). Nothing here reads a clock or does I/O. Times called "vendor time" come from the vendor's own answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, PairId, Side

Json = Any
"""A JSON value: what a field holds in its own side's normal form (see `shared.fields`)."""

BY_USER = "user"
"""`Held.by` of a value that a person (or another program) put there; otherwise an operation id, or None if unknown."""


PUT_OFF = "put_off"
"""The key in `Link.troubles` of why nothing is decided before `not_before`."""

_REQUESTS_KNOWN = 20
"""How many requests of people's a link remembers; what the log tells again is far younger."""


class LinkState(StrEnum):
    """PROTOCOL section 1, "Link states"."""

    HELD = "held"
    """In scope, and not created on the other side because its direction is manual or off (`held_since`)."""
    WAITING = "waiting"
    CREATING = "creating"
    ASK = "ask"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSYNCED = "unsynced"
    EXCLUDED = "excluded"
    ABSENT = "absent"
    """One of the items cannot be seen or written for now (`SideState.absent`); it goes on by itself."""
    GONE = "gone"
    """One of the items was deleted, or both are in other links (`Link.successors`)."""


class Absence(StrEnum):
    """Why an item cannot be kept in step. Whichever it is, what a read shows again is there again."""

    DELETED = "deleted"
    HIDDEN = "hidden"
    """Not shown to our account; where nothing told of a deletion, that cannot be told from one."""
    ARCHIVED = "archived"
    """Shown, but not to be changed."""


@dataclass(frozen=True, slots=True)
class Absent:
    """An item that a read did not find, or found put away. `since` is our clock at the first such read."""

    how: Absence
    since: datetime


class OperationKind(StrEnum):
    """What an operation does to its target."""

    CREATE = "create"
    WRITE = "write"
    RESTORE = "restore"


class Result(StrEnum):
    """How an operation ended. "Unknown" is not among them (PROTOCOL F12)."""

    APPLIED = "applied"
    ALREADY = "already"
    MOVED = "moved"
    REJECTED = "rejected"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Span:
    """When a person set a value, in vendor time: after `after` (None: not known), `until` at the latest."""

    after: datetime | None
    until: datetime
    exact: bool = False
    """True when it was at `until` itself (Jira's changelog)."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a side was last seen to hold: `at` is vendor time; the value appeared after `after` (None: not known).

    When a write of ours put it there says nothing about when a person set what it carries (PROTOCOL F17): then `after`
    is not known, or it is that of the edit which was restored.
    """

    value: Json
    at: datetime
    by: str | None
    after: datetime | None = None
    exact: bool = False
    """True when `changed_at` was the very moment of the change (Jira's changelog), not just a time at which it was
    seen.
    """
    changed_at: datetime | None = None
    """Vendor time at which the value was first seen (or, if exact, set); `at` moves on while the value stays."""
    late: bool = False
    """True for a late effect of a write of ours (PROTOCOL F11): to be undone, never spread."""
    entry: str | None = None
    """The newest entry of Jira's changelog that set it, as far as was seen."""
    against: OperationId | None = None
    """The operation that was under way and expected this very value when a person brought it back: an edit all the
    same.
    """
    perhaps: OperationId | None = None
    """The operation of unknown fate whose effect this may be, as its target keeps what it wrote (PROTOCOL F18, W3)."""

    @property
    def edited(self) -> Span:
        """Return when a person set it."""
        return Span(None if self.exact else self.after, self.changed_at or self.at, self.exact)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The value of a side on which both sides last agreed. A missing `Agreed` is PROTOCOL's UNKNOWN."""

    value: Json
    revision: int


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A person's value that a write of ours replaced and that is not settled yet."""

    value: Json
    late: bool = False
    edited: Span | None = None
    """When the person set it, if anything is known: what is restored is as old as the edit, not as the restore."""

    @classmethod
    def of(cls, held: Held, *, late: bool = False) -> Overwritten:
        """Return what a side held until a write of ours replaced it."""
        return cls(held.value, late, held.edited)


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why this value of the source is not written to the other side until it, the revision or a person says
    otherwise.
    """

    value_hash: str
    code: str
    message: str
    field: str | None = None
    again_at: datetime | None = None
    """When it is tried again by itself: what a vendor refused may be allowed later. None: only when something here
    changes.
    """
    next_step: str | None = None
    """What to do about it, where that is known better than by the code."""


@dataclass(frozen=True, slots=True)
class Refused:
    """How often a vendor refused the same in a row: the more often, the longer until it is tried again."""

    what: str
    """A hash of what was refused."""
    times: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something does not come to its end just now. For words only: nothing is decided by it."""

    words: str
    since: datetime
    """When it was first told of since the last success."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """The target showed `shows` after we wrote `wrote` (PROTOCOL F18). The second time, it is accepted."""

    wrote: Json
    shows: Json
    times: int = 1


@dataclass(frozen=True, slots=True)
class Oversize:
    """A side's value that was too large to be told, or nested too deep (`size` None): what it is, nobody here knows."""

    at: datetime | None
    """Vendor time of the state."""
    size: int | None
    """Bytes."""


@dataclass(slots=True)
class PairSide:
    """One mapped pair on one side. `base` None is UNKNOWN; `seen` None means never seen (not: empty)."""

    seen: Held | None = None
    base: Agreed | None = None
    overwritten: Overwritten | None = None
    blocked: Blocked | None = None
    refused: Refused | None = None
    """What the other side's vendor refused last of this one's values; outlives its block."""
    norm: Normalised | None = None
    recent: list[Json] = field(default_factory=list)
    """The last values seen here, newest last: tells a value that was never seen from an old one that comes again."""
    takes_first: bool = False
    """True where the first value seen is agreed on, unless a person set it: the status in which a new issue begins."""
    heard_at: datetime | None = None
    """When the change that this side shows was accepted (our clock), until it is carried over, or waits for a person.
    """
    oversize: Oversize | None = None
    """Set while this side holds more than can be carried: then `seen` is what it held before, and the pair rests."""
    names: dict[str, str] = field(default_factory=dict)
    """What people call the ids that were shown here last. For words only: nothing is decided by it."""
    more: dict[str, Json] = field(default_factory=dict)
    """What a newer release has stored beside it: kept as it came."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several values that a side showed at the same vendor time (PROTOCOL F13)."""

    value: Json
    by: str | None


@dataclass(slots=True)
class SideState:
    """What is known of one side. `mark` is its generation: it rises with all that was heard which is not older than
    what is seen, or of which nobody can tell; a read begun under an earlier one is no longer the last word.
    """

    mark: int = 0
    dirty_since: datetime | None = None
    read_whole: bool = False
    """True once a fresh read was accepted: fields still unseen then are not visible to our account."""
    labelled_at: datetime | None = None
    """Vendor time of the newest snapshot whose type is in the link's labels."""
    candidates: dict[PairId, list[Candidate]] = field(default_factory=dict)
    changelog_cursor: str | None = None
    absent: Absent | None = None
    """Set while the item is not there for us, as a read of its own has told."""
    told_deleted: bool = False
    """True once an event has told of its deletion: then a read that does not find it means just that."""
    pairs: dict[PairId, PairSide] = field(default_factory=dict)
    more: dict[str, Json] = field(default_factory=dict)
    """What a newer release has stored beside it: kept as it came."""

    def pair(self, pair_id: PairId) -> PairSide:
        """Return the record of a pair, made empty if there is none yet."""
        return self.pairs.setdefault(pair_id, PairSide())

    @property
    def dirty(self) -> bool:
        """Tell whether only a fresh read can say what this side holds."""
        return self.dirty_since is not None

    def have_read(self, now: datetime) -> None:
        """Have this side read afresh, because it was not read yet."""
        self.dirty_since = self.dirty_since or now

    def doubt(self, now: datetime) -> None:
        """Have this side read afresh, because of something that was heard of it. A read that is under way may not have
        seen that: it counts no more.
        """
        self.mark += 1
        self.have_read(now)

    def is_current(self, ticket: int | None) -> bool:
        """Tell whether nothing newer or undecidable has been heard since a read began under this ticket."""
        return ticket is not None and ticket == self.mark


@dataclass(frozen=True, slots=True)
class PairWrite:
    """What an operation writes for one pair: `expect` is what the target must still show, `source` what it was
    derived from.
    """

    value: Json
    expect: Json
    source: Json


@dataclass(slots=True)
class Operation:
    """One create or write. Open until an outcome; leases and attempts belong to the writer. Times: `read_at`,
    `write_at` vendor.
    """

    id: OperationId
    link_id: LinkId
    seq: int
    kind: OperationKind
    target: Side
    pairs: dict[PairId, PairWrite]
    revision: int
    created_at: datetime
    type_id: str | None = None
    """Creates only: the target's type (Jira issue type id, Craft type)."""
    open: bool = True
    result: Result | None = None
    attempts: int = 0
    lease_until: datetime | None = None
    owner: str | None = None
    post_started_at: datetime | None = None
    result_id: EntityId | None = None
    read_at: datetime | None = None
    write_at: datetime | None = None
    shown: dict[PairId, Json] = field(default_factory=dict)
    landed: bool = False
    noted: frozenset[PairId] = frozenset()
    """Pairs of which it came on record what the write settles or replaces."""
    unmet: frozenset[PairId] = frozenset()
    """Pairs of which the answer was good and the target showed the old value afterwards: they did not happen."""
    unclear: bool = False
    """True once it has ended, if a request of it may still take effect: one got no answer, or it was given up (W3)."""
    accepted_at: datetime | None = None
    """When the first of the changes that it carries was accepted (our clock); None: it carries none that waited for
    nobody.
    """
    done_at: datetime | None = None
    more: dict[str, Json] = field(default_factory=dict)
    """What a newer release has stored beside it: kept as it came."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The last change that was carried over, and how long it took. Our clock. For people only."""

    target: Side
    accepted_at: datetime
    written_at: datetime

    @property
    def lag_s(self) -> float:
        """Return the seconds in between."""
        return max(0.0, (self.written_at - self.accepted_at).total_seconds())


@dataclass(frozen=True, slots=True)
class ConflictNote:
    """A conflict on record: both values, the policy that applied, and who or what settled it (None: open).

    `kept` names the side whose value is no longer shown anywhere but here (a write of ours replaced it); None: both
    are shown.
    """

    pair: PairId
    jira_value: Json
    craft_value: Json
    policy: str
    resolved_by: str | None
    at: datetime
    kept: Side | None = None


@dataclass(frozen=True, slots=True)
class HistoryNote:
    """A value that is no longer shown, and why. Append only."""

    pair: PairId
    side: Side
    value: Json
    why: str
    at: datetime


@dataclass(slots=True)
class Link:
    """One Craft item and one Jira issue that are (or are about to be, or were) the same thing. Never deleted."""

    id: LinkId
    integration_id: IntegrationId
    jira_connection: ConnectionId
    craft_connection: ConnectionId
    origin: Side
    """The side whose item existed first; creates go to the other one."""
    state: LinkState
    created_at: datetime
    jira_id: EntityId | None = None
    craft_id: EntityId | None = None
    reason: str | None = None
    """Why the state is what it is: a code of `shared.messages.status.Cause`; with `reason_text` for people."""
    reason_text: str | None = None
    op_id: OperationId | None = None
    next_seq: int = 1
    not_before: datetime | None = None
    refused: Refused | None = None
    """What a vendor refused last when it was to be created."""
    again_at: datetime | None = None
    """State excluded: when a refused create is tried again by itself."""
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """By what they are about: an operation's id, a side that cannot be read, or `PUT_OFF`."""
    waits_for: EntityId | None = None
    """State waiting: the parent entity on the origin side that has to be linked first."""
    revision_seen: int = 0
    """The integration revision that decided last."""
    recent_writes: list[datetime] = field(default_factory=list)
    """Times of the latest writes that looked like rounds of a loop, for the breaker."""
    tripped: list[datetime] = field(default_factory=list)
    """When the breaker stopped the link lately: its pauses grow."""
    used_requests: list[str] = field(default_factory=list)
    """Ids of the last requests of people's that were carried out or refused: told again, they change nothing more."""
    carried: Carried | None = None
    labels: dict[str, str] = field(default_factory=dict)
    """For people: jira_key, jira_type, craft_short_id, craft_type, title."""
    asked: bool = False
    """True once somebody asked for the counterpart: a manual direction does not hold it back any more."""
    held_since: datetime | None = None
    """State held, and only there: since when (our clock)."""
    successors: dict[Side, LinkId] = field(default_factory=dict)
    """By side, the link in which the item that was here goes on. A row never gets another item on such a side: what was
    written to the one must not be taken for something about the other.
    """
    predecessors: list[LinkId] = field(default_factory=list)
    """The links that its items come from."""
    jira: SideState = field(default_factory=SideState)
    craft: SideState = field(default_factory=SideState)
    open_conflicts: dict[PairId, ConflictNote] = field(default_factory=dict)
    more: dict[str, Json] = field(default_factory=dict)
    """What a newer release has stored beside it: kept as it came."""
    # not stored in the row: loaded from and saved to tables of their own
    operations: list[Operation] = field(default_factory=list)
    """The ledger as loaded (newest last): the open operation and the last 20 or 24 h, whichever is more."""
    new_conflicts: list[ConflictNote] = field(default_factory=list)
    new_history: list[HistoryNote] = field(default_factory=list)

    def use_up(self, request_id: str) -> bool:
        """Note that a request is being handled. False if it was before: the log may tell of it twice."""
        if request_id in self.used_requests:
            return False
        self.used_requests = [*self.used_requests, request_id][-_REQUESTS_KNOWN:]
        return True

    def side(self, side: Side) -> SideState:
        """Return the state of one side."""
        return self.jira if side is Side.JIRA else self.craft

    def entity_id(self, side: Side) -> EntityId | None:
        """Return the vendor's id on one side, None while it does not exist."""
        return self.jira_id if side is Side.JIRA else self.craft_id

    def connection(self, side: Side) -> ConnectionId:
        """Return the connection of one side."""
        return self.jira_connection if side is Side.JIRA else self.craft_connection

    def enter(self, state: LinkState, reason: str | None = None, words: str | None = None) -> None:
        """Move to a state, with why for programs and for people. Use `hold` for HELD."""
        self.state, self.reason, self.reason_text, self.held_since = state, reason, words, None

    def hold(self, reason: str, words: str, now: datetime) -> None:
        """Move to state held, where it stays in line since it came there."""
        since = self.held_since or now
        self.enter(LinkState.HELD, reason, words)
        self.held_since = since

    def place(self, side: Side, entity_id: EntityId | None) -> None:
        """Set the entity of a side that has none; None takes it away, with all that is known of it."""
        if side is Side.JIRA:
            self.jira_id = entity_id
        else:
            self.craft_id = entity_id
        if entity_id is not None:
            return
        if side is Side.JIRA:
            self.jira = SideState()
        else:
            self.craft = SideState()

    @property
    def retry_at(self) -> datetime | None:
        """Return when the first of all that was refused is tried again by itself."""
        blocked = (record.blocked for side in Side for record in self.side(side).pairs.values())
        times = [self.again_at, *(each.again_at for each in blocked if each is not None)]
        return min((at for at in times if at is not None), default=None)

    @property
    def open_operation(self) -> Operation | None:
        """Return the operation in flight, if any."""
        return next((op for op in self.operations if op.id == self.op_id), None) if self.op_id else None
