"""What people may ask for in which situation of a link: one table, each cell a step or a refusal in words. Pure.

The console asks it before it takes a request, and answers a refusal with 409; the mapper asks it again when it handles
the request, since the link may have moved on meanwhile, and then answers the request itself (`shared.store.requests`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from shared.domain.ids import Side
from shared.domain.link import Absence, Link, LinkState


class RequestKind(StrEnum):
    """What is asked for. DECIDE is a clock's "look again": it changes nothing by itself."""

    DECIDE = "decide"
    RESYNC = "resync"
    UNSYNC = "unsync"
    LINK = "link"
    RESOLVE = "resolve"
    RETRY = "retry"
    CARRY = "carry"
    """Have the counterpart created although its direction is manual. A push or pull means the same, and brings along
    what the item shows."""


class Situation(StrEnum):
    """A link's state, told apart where that matters to what may be asked for."""

    HELD_MANUAL = "held_manual"
    HELD_OFF = "held_off"
    WAITING = "waiting"
    CREATING = "creating"
    SENDING = "sending"
    """Creating, and the create may be under way: it ends by itself."""
    ASK = "ask"
    ACTIVE = "active"
    PAUSED = "paused"
    APART = "apart"
    """Unsynced, with both items."""
    ALONE = "alone"
    """Unsynced, with one item."""
    EXCLUDED = "excluded"
    NOT_TAKEN = "not_taken"
    """Excluded, because no rule of an integration names the item."""
    ABSENT = "absent"
    LEFT = "left"
    """Gone: one item was deleted, the other one is left."""
    DELETED = "deleted"
    """Gone: nothing is left of it."""
    MOVED_ON = "moved_on"
    """Nothing but deleted items is here any more: the others are in other links."""


class Step(StrEnum):
    """What a granted request does."""

    LOOK = "look"
    """Decide again by what is known."""
    READ = "read"
    """Read the items afresh, then decide."""
    COMPARE = "compare"
    """Read both afresh and compare them without what was agreed on."""
    KEEP_APART = "keep_apart"
    CREATE = "create"
    """Have the counterpart created."""
    BEGIN_ANEW = "begin_anew"
    """Have a counterpart created for the item that is left, in a link of its own."""
    JOIN = "join"
    """The item may be joined with another one."""
    SETTLE = "settle"
    TRY_AGAIN = "try_again"
    """Forget refusals and pauses."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, for people; `code` for programs."""

    code: str
    message: str
    next_step: str


Cell = Step | Refused

_NO_COUNTERPART = "The item has no counterpart yet, so there is nothing to compare."
_KEPT_APART = "The two items are kept apart on request."
_CREATING = "The counterpart is being created just now."
_DELETED = "The items of this link were deleted, so there is nothing left to keep in step."
_MOVED_ON = "This link is over: what was in it goes on in another one."
_ABSENT = "One of the two items cannot be seen or changed by Tandem's account just now."
_PAUSED = "The two items are linked with each other already."


def _no_conflict(message: str, next_step: str) -> Refused:
    return Refused("no_conflict", message, next_step)


_NOTHING_TO_SETTLE = _no_conflict("There is no conflict to settle: the item has no counterpart.", "Load it again.")
_NOT_HELD_BACK = Refused("already_linked", _PAUSED, "Unsync the link first, then link the item with another one.")
_PUSH_IT = Refused(
    "held_back", "The item is held back: new items of its direction are created on request.", "Push or pull the item."
)
_OFF = Refused(
    "direction_off",
    "The integration has this direction switched off, so that nothing is created on the other side.",
    "Have an admin switch the direction to manual or automatic.",
)
_STAYS_AWAY = Refused("absent", _ABSENT, "It goes on by itself once it can be seen again; retry looks at once.")
_OVER = Refused("moved_on", _MOVED_ON, "Look at the link that its item is in now.")
_NOTHING_LEFT = Refused("deleted", _DELETED, "If an item was restored, press retry.")
_CHOOSE = Refused(
    "ask",
    "An item of Tandem's making may be the counterpart already, which only a person can tell.",
    "Link the right one, or press retry to have a new one created.",
)
_BEING_CREATED = Refused("being_created", _CREATING, "Wait until it is there, then ask again.")
_RESYNC_IT = Refused("unsynced", _KEPT_APART, "Resync the link first.")


def _row(  # one per kind of request: what is forgotten does not run
    *, resync: Cell, unsync: Cell, link: Cell, resolve: Cell, retry: Cell, carry: Cell
) -> Mapping[RequestKind, Cell]:
    cells = {
        RequestKind.DECIDE: Step.LOOK,
        RequestKind.RESYNC: resync,
        RequestKind.UNSYNC: unsync,
        RequestKind.LINK: link,
        RequestKind.RESOLVE: resolve,
        RequestKind.RETRY: retry,
        RequestKind.CARRY: carry,
    }
    return MappingProxyType(cells)


TABLE: Final[Mapping[Situation, Mapping[RequestKind, Cell]]] = MappingProxyType(
    {
        Situation.HELD_MANUAL: _row(
            resync=Refused("no_counterpart", _NO_COUNTERPART, "Push or pull the item to have it created."),
            unsync=Step.KEEP_APART,
            link=Step.JOIN,
            resolve=_NOTHING_TO_SETTLE,
            retry=_PUSH_IT,
            carry=Step.CREATE,
        ),
        Situation.HELD_OFF: _row(
            resync=_OFF, unsync=Step.KEEP_APART, link=Step.JOIN, resolve=_NOTHING_TO_SETTLE, retry=_OFF, carry=_OFF
        ),
        Situation.WAITING: _row(
            resync=Refused(
                "no_counterpart", _NO_COUNTERPART, "It waits for the item above it: push, pull or link that one first."
            ),
            unsync=Step.KEEP_APART,
            link=Step.JOIN,
            resolve=_NOTHING_TO_SETTLE,
            retry=Step.READ,
            carry=Step.CREATE,
        ),
        Situation.CREATING: _row(
            resync=Refused("no_counterpart", _NO_COUNTERPART, "Wait until its counterpart is there."),
            unsync=Step.KEEP_APART,
            link=Refused("being_created", _CREATING, "Wait until it is there, or unsync the link first."),
            resolve=_NOTHING_TO_SETTLE,
            retry=Step.TRY_AGAIN,
            carry=Step.CREATE,
        ),
        Situation.SENDING: _row(
            resync=_BEING_CREATED,
            unsync=_BEING_CREATED,
            link=_BEING_CREATED,
            resolve=_NOTHING_TO_SETTLE,
            retry=Step.TRY_AGAIN,
            carry=Step.LOOK,
        ),
        Situation.ASK: _row(
            resync=_CHOOSE,
            unsync=Step.KEEP_APART,
            link=Step.JOIN,
            resolve=_NOTHING_TO_SETTLE,
            retry=Step.CREATE,
            carry=_CHOOSE,
        ),
        Situation.ACTIVE: _row(
            resync=Step.COMPARE,
            unsync=Step.KEEP_APART,
            link=_NOT_HELD_BACK,
            resolve=Step.SETTLE,
            retry=Step.TRY_AGAIN,
            carry=Step.LOOK,
        ),
        Situation.PAUSED: _row(
            resync=Step.COMPARE,
            unsync=Step.KEEP_APART,
            link=_NOT_HELD_BACK,
            resolve=Step.SETTLE,
            retry=Step.TRY_AGAIN,
            carry=Step.LOOK,
        ),
        Situation.APART: _row(
            resync=Step.COMPARE,
            unsync=Refused("unsynced", "The two items are kept apart already.", "Resync joins them again."),
            link=Step.JOIN,
            resolve=_no_conflict(_KEPT_APART, "Resync the link first: what differs is compared then."),
            retry=_RESYNC_IT,
            carry=_RESYNC_IT,
        ),
        Situation.ALONE: _row(
            resync=Step.CREATE,
            unsync=Refused("unsynced", "The item is left alone already.", "Resync has a counterpart created."),
            link=Step.JOIN,
            resolve=_NOTHING_TO_SETTLE,
            retry=Refused("unsynced", "The item is left alone on request.", "Resync has a counterpart created."),
            carry=Step.CREATE,
        ),
        Situation.EXCLUDED: _row(
            resync=Step.CREATE,
            unsync=Step.KEEP_APART,
            link=Step.JOIN,
            resolve=_NOTHING_TO_SETTLE,
            retry=Step.CREATE,
            carry=Step.CREATE,
        ),
        Situation.NOT_TAKEN: _row(
            resync=Step.READ,
            unsync=Step.KEEP_APART,
            link=Step.JOIN,
            resolve=_NOTHING_TO_SETTLE,
            retry=Step.READ,
            carry=Refused(
                "no_integration",
                "No rule of an integration names this item, so it is not known where it belongs.",
                "Push or pull it for the integration that you want.",
            ),
        ),
        Situation.ABSENT: _row(
            resync=_STAYS_AWAY,
            unsync=Step.KEEP_APART,
            link=Refused("absent", _ABSENT, "If it is not to come back, unsync the link first, then link the other."),
            resolve=_no_conflict(_ABSENT, "It goes on by itself once it can be seen again; settle it then."),
            retry=Step.READ,
            carry=_STAYS_AWAY,
        ),
        Situation.LEFT: _row(
            resync=Step.READ,
            unsync=Step.KEEP_APART,
            link=Step.JOIN,
            resolve=_no_conflict("One of the two items was deleted.", "Push the one that is left, or link it anew."),
            retry=Step.READ,
            carry=Step.BEGIN_ANEW,
        ),
        Situation.DELETED: _row(
            resync=Step.READ,
            unsync=_NOTHING_LEFT,
            link=_NOTHING_LEFT,
            resolve=_no_conflict(_DELETED, "If an item was restored, press retry."),
            retry=Step.READ,
            carry=_NOTHING_LEFT,
        ),
        Situation.MOVED_ON: _row(
            resync=_OVER,
            unsync=_OVER,
            link=_OVER,
            resolve=_OVER,
            retry=_OVER,
            carry=_OVER,
        ),
    }
)


def judge(link: Link, kind: RequestKind) -> Cell:
    """Return what a request on a link does now, or why it is refused."""
    return TABLE[situation_of(link)][kind]


def situation_of(link: Link) -> Situation:  # one per state
    """Return in which row of the table a link is."""
    match link.state:
        case LinkState.HELD:
            return Situation.HELD_OFF if link.reason == DIRECTION_OFF else Situation.HELD_MANUAL
        case LinkState.WAITING:
            return Situation.WAITING
        case LinkState.CREATING:
            return _creating(link)
        case LinkState.ASK:
            return Situation.ASK
        case LinkState.ACTIVE:
            return Situation.ACTIVE
        case LinkState.PAUSED:
            return Situation.PAUSED if all(link.entity_id(side) for side in Side) else _creating(link)
        case LinkState.UNSYNCED:
            return Situation.APART if all(link.entity_id(side) for side in Side) else Situation.ALONE
        case LinkState.EXCLUDED:
            return Situation.NOT_TAKEN if link.reason == NO_INTEGRATION else Situation.EXCLUDED
        case LinkState.ABSENT:
            return Situation.ABSENT
        case LinkState.GONE:
            if any(is_left(link, side) for side in Side):
                return Situation.LEFT
            return Situation.MOVED_ON if link.successors else Situation.DELETED
        case _:
            assert_never(link.state)


def _creating(link: Link) -> Situation:
    op = link.open_operation
    return Situation.SENDING if op is not None and op.attempts else Situation.CREATING


DIRECTION_OFF: Final = "direction_off"
"""The reason (`shared.messages.status.Cause`) of what is held because its direction is off."""


NO_INTEGRATION: Final = "no_integration"
"""The reason of what no rule of an integration names."""


def is_left(link: Link, side: Side) -> bool:
    """Tell whether a link has an item on a side that was not deleted, as far as is known."""
    absent = link.side(side).absent
    return link.entity_id(side) is not None and (absent is None or absent.how is not Absence.DELETED)
