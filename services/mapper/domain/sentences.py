"""What people are told when an item is not in step: one table from state and cause to a sentence and a next step (P9).

The words that came with the state (a name, what a vendor said) are the sentence where there are any; what stands here
is said where there are none, so that no state is without a sentence. Pure; used by `status`. Nothing here may hold ids
or words of the protocol: product managers read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.domain.ids import Side
from shared.domain.link import Link, LinkState
from shared.domain.requests import is_left
from shared.messages.status import Cause

BY_ITSELF: Final = "It goes on by itself once the cause is gone."
CREATE_OR_LINK: Final = "Press retry to have it tried again now, or link the item with an existing one."

SENTENCES: Final[Mapping[LinkState, str]] = {
    LinkState.WAITING: "The item waits for another one, which has no counterpart yet.",
    LinkState.CREATING: "The counterpart of the item is being created.",
    LinkState.ASK: "Items that may be the counterpart are there already, and only a person can tell.",
    LinkState.ACTIVE: "Both sides are compared.",
    LinkState.PAUSED: "Syncing of this item is paused.",
    LinkState.HELD: "The item is held back: nobody has asked for it to be carried over yet.",
    LinkState.UNSYNCED: "Kept apart on request.",
    LinkState.EXCLUDED: "The item cannot be carried over as it is.",
    LinkState.ABSENT: "One of the two items cannot be seen by Tandem's account.",
    LinkState.GONE: "One of the two items was deleted.",
}
"""What is said of a state for which no words were kept."""

_PARENT = "If the other item is being synced, this one follows by itself. Otherwise sync the other one first."
_MAP_TYPE = "Ask an admin to add the type to the type mapping of the integration; the item follows by itself."
_NAME_IT = (
    "Give it a value that one of the rules names: then it follows by itself. Or push or pull it for the integration "
    "that you want, or ask an admin to widen a rule."
)
_SWITCH_ON = "Ask an admin to switch the direction to automatic, or to manual and then ask for the item."
_REFUSED = "Change what is named, or press retry once the reason is gone."
_FIND_LOOP = "Find what edits it and stop that; press retry to go on at once."
_ADOPT = "Adopt one of the named items, or have a new one created."
_RESTORE = "Restore it from the archive: it goes on by itself. If it is to stay there, unsync the two."
_SHOW = (
    "Let Tandem's account see it again: then it goes on by itself, with what was changed meanwhile. If it was deleted, "
    "unsync the two; the other one can be linked or created anew then."
)
_JOIN_AGAIN = "Resync to join the two items again, or link one of them with another item."
_ALONE = "Resync to have a counterpart created, or link the item with an existing one."

NEXT_STEPS: Final[Mapping[tuple[LinkState, Cause | None], str]] = {
    (LinkState.WAITING, None): _PARENT,
    (LinkState.ASK, None): _ADOPT,
    (LinkState.PAUSED, None): BY_ITSELF,
    (LinkState.PAUSED, Cause.BREAKER): _FIND_LOOP,
    (LinkState.HELD, Cause.DIRECTION_OFF): _SWITCH_ON,
    (LinkState.UNSYNCED, None): _JOIN_AGAIN,
    (LinkState.EXCLUDED, None): CREATE_OR_LINK,
    (LinkState.EXCLUDED, Cause.TYPE_NOT_MAPPED): _MAP_TYPE,
    (LinkState.EXCLUDED, Cause.DIRECTION_OFF): _SWITCH_ON,
    (LinkState.EXCLUDED, Cause.NO_INTEGRATION): _NAME_IT,
    (LinkState.EXCLUDED, Cause.REJECTED): _REFUSED,
    (LinkState.ABSENT, None): _SHOW,
    (LinkState.ABSENT, Cause.ARCHIVED): _RESTORE,
}
"""By state and cause; None: whatever the cause. What depends on the link besides is in `next_step`."""

OF_FIELDS: Final[Mapping[Cause, str]] = {
    Cause.CONFLICT: "Choose the value that is to stay.",
    Cause.PARENT_NOT_LINKED: "Sync the parent first, or move the item below another one in {vendor}.",
    Cause.DEPENDENCY_NOT_LINKED: "Sync the items that it depends on; the links follow by themselves.",
    Cause.TYPE_NOT_MAPPED: "Convert the item back in {vendor}, or ask an admin to map its type.",
    Cause.TYPE_NOT_CONVERTIBLE: "Convert one of the two items by hand, so that their types fit each other again.",
    Cause.VALUE_NOT_MAPPED: "Choose another value in {vendor}, or ask an admin to map this one; it follows by itself.",
    Cause.TRANSFORM_FAILED: "Change the value in {vendor}, or ask an admin to correct the expression of this field.",
    Cause.FIELD_NOT_VISIBLE: "Put the field on the item's screens, give the account the right to see it, or unmap it.",
}
"""What to do about one field; `{vendor}` is where its value was entered."""
_PUT_BACK = "Set it again in {vendor} by hand (it is in the item's history), or press retry once the reason is gone."
_SHORTEN = "Make it smaller in {vendor}, for example by moving a part into another item; it follows by itself."
_OF_ANY_FIELD = "Change the value in {vendor} or the mapping, or press retry."


def sentence(state: LinkState, words: str | None) -> str:
    """Return what is said of a state: the words that were kept with it, if there are any."""
    return words or SENTENCES[state]


def next_step(link: Link, cause: Cause) -> str:
    """Return what a person can do about a link that is not in step, and does not get there in a moment."""
    known = NEXT_STEPS.get((link.state, cause))
    if known is not None:
        return known
    if link.state is LinkState.HELD:
        return f"{_carry(link.origin)} the item to have it created, or link it with an existing one."
    if link.state is LinkState.GONE:
        return _after_deletion(link)
    if link.state is LinkState.UNSYNCED and (link.jira_id is None or link.craft_id is None):
        return _ALONE
    return NEXT_STEPS.get((link.state, None), BY_ITSELF)


def about_field(cause: Cause, side: Side) -> str:
    """Return what a person can do about a field whose value on a side is not carried over."""
    return OF_FIELDS.get(cause, _OF_ANY_FIELD).format(vendor=side.vendor)


def too_large(field: str, side: Side, size: int | None) -> str:
    """Return what is said of a field that holds more than can be carried; the size is in bytes."""
    what = f"holds {size / (1 << 20):.1f} MB" if size is not None else "is nested too deep"
    return (
        f"{field} {what} in {side.vendor}, which is more than Tandem can carry. It is left as it is on both sides; all "
        "other fields are synced."
    )


def make_smaller(side: Side) -> str:
    """Return what a person can do about that."""
    return _SHORTEN.format(vendor=side.vendor)


def not_put_back(field: str, side: Side, words: str) -> str:
    """Return what is said of an edit that Tandem replaced, and that its vendor would not have put back."""
    return f"Tandem replaced what a person had set for {field} in {side.vendor}, and it cannot be put back: {words}"


def put_back_by_hand(side: Side) -> str:
    """Return what a person can do about that."""
    return _PUT_BACK.format(vendor=side.vendor)


def _after_deletion(link: Link) -> str:
    left = next((side for side in Side if is_left(link, side)), None)
    if left is None and link.successors:
        return "Nothing is to be done here: look at the link that its item is in now."
    restored = "If the deleted item was restored, press retry."
    if left is None:
        return f"Nothing is to be done. {restored}"
    anew = f"{_carry(left)} the {left.vendor} item to have a counterpart created anew, or link it with another item."
    return f"{anew} {restored}"


def _carry(side: Side) -> str:
    return "Push" if side is Side.CRAFT else "Pull"
