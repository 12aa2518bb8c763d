"""SyncStatus: what people see of one link. For display only; nothing is decided from it (PROTOCOL F10)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from shared.domain.ids import EntityId, IntegrationId, LinkId, PairId
from shared.messages.base import Message, Part


class DisplayState(StrEnum):
    """The states that a product manager sees."""

    IN_SYNC = "in_sync"
    PENDING = "pending"
    """An operation is under way or a fresh read is needed; it goes on by itself."""
    HELD = "held"
    """Waits to be carried over on request: its direction is manual or off."""
    WAITING = "waiting"
    """For its parent, or until a time."""
    BLOCKED = "blocked"
    """At least one field cannot be carried; the others are."""
    CONFLICT = "conflict"
    ASK = "ask"
    PAUSED = "paused"
    UNSYNCED = "unsynced"
    EXCLUDED = "excluded"
    ABSENT = "absent"
    """One of the items cannot be seen or changed for now; it goes on by itself."""
    GONE = "gone"


class Cause(StrEnum):
    """Machine-readable causes; the runbook has a paragraph for each."""

    OK = "ok"
    OPERATION_OPEN = "operation_open"
    FRESH_READ = "fresh_read"
    PARENT_NOT_LINKED = "parent_not_linked"
    DEPENDENCY_NOT_LINKED = "dependency_not_linked"
    TYPE_NOT_MAPPED = "type_not_mapped"
    TYPE_NOT_CONVERTIBLE = "type_not_convertible"
    VALUE_NOT_MAPPED = "value_not_mapped"
    TRANSFORM_FAILED = "transform_failed"
    FIELD_NOT_VISIBLE = "field_not_visible"
    REJECTED = "rejected"
    RETRY_LATER = "retry_later"
    CONFLICT = "conflict"
    MAYBE_DUPLICATE = "maybe_duplicate"
    DUPLICATE = "duplicate"
    BREAKER = "breaker"
    CONNECTION_PAUSED = "connection_paused"
    DIRECTION_MANUAL = "direction_manual"
    DIRECTION_OFF = "direction_off"
    DELETED = "deleted"
    HIDDEN = "hidden"
    ARCHIVED = "archived"
    MOVED_ON = "moved_on"
    UNSYNCED = "unsynced"
    NO_INTEGRATION = "no_integration"
    NOT_COMPARED = "not_compared"


class NoteKind(StrEnum):
    """Why a field is not known to agree, where nothing is wrong with it."""

    ONE_WAY = "one_way"
    """It is carried one way, and was changed on the side that follows."""
    ONCE = "once"
    """It was filled in at the start and is not kept in step."""
    STAND_IN = "stand_in"
    """A person is not found on the other side: somebody else, or nobody, stands there."""
    NOT_VISIBLE = "not_visible"
    """A side does not show the field, and the other one holds nothing."""
    KEPT_OTHERWISE = "kept_otherwise"
    """A side keeps what was carried to it in a form of its own."""
    NOT_COMPARED = "not_compared"
    """It differs, and nobody has looked at that yet: such an item is not in sync."""


class Note(Part):
    """What is beside "in sync": a field that both sides are not known to agree on, though nothing is wrong."""

    kind: NoteKind
    message: str
    next_step: str | None = None
    pair: PairId
    field: str
    jira_value: Any = None
    craft_value: Any = None


class Problem(Part):
    """One thing that keeps the item from being in sync: what, where, and what to do."""

    cause: Cause
    message: str
    next_step: str
    pair: PairId | None = None
    field: str | None = None
    jira_value: Any = None
    craft_value: Any = None


class SyncStatus(Message):
    """The state of one link. `problems` is empty when it is in sync; the first one is the one to show. `notes`
    are no problems: they name the mapped fields on which both sides are not known to agree.
    """

    TYPE: ClassVar[str] = "tandem.status.v1"

    link_id: LinkId
    integration_id: IntegrationId
    state: DisplayState
    cause: Cause
    message: str
    next_step: str | None = None
    field: str | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()
    attempt: int = 0
    next_retry: datetime | None = None
    revision: int
    jira_id: EntityId | None = None
    craft_id: EntityId | None = None
    labels: dict[str, str] = {}
    accepted_at: datetime | None = None
    """When the last change that was carried over was accepted: its webhook, or the feed that showed it."""
    written_at: datetime | None = None
    """When it was written on the other side."""
    lag_s: float | None = None
    """The seconds in between."""
    at: datetime

    def key(self) -> str:
        """Return the link id."""
        return self.link_id
