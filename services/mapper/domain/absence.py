"""An item that is not there for us: deleted, hidden or archived, and what is seen again. Changes the link in place.

Only a read of the item itself counts, begun after all else that was heard of its side: whatever else tells that it is
gone or there again (a webhook, a list, a sweep) may be late, and has it read. So a deletion is never told from a single
"not found", and what was thought to be gone lives again as soon as a read shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.mapper.domain.context import Context
from services.mapper.domain.requests import give_up
from shared.clients.craft import shapes as craft_shapes
from shared.clients.jira import shapes as jira_shapes
from shared.domain.ids import Side
from shared.domain.link import Absence, Absent, Link, LinkState
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.status import Cause

_STAY: Final = frozenset({LinkState.UNSYNCED, LinkState.ASK})
"""What a person decided about, or has to: it is known there that an item is not to be had, no more."""
_CAUSES: Final = {
    Absence.DELETED: Cause.DELETED,
    Absence.HIDDEN: Cause.HIDDEN,
    Absence.ARCHIVED: Cause.ARCHIVED,
}


def not_found(link: Link, event: ChangeEvent, ctx: Context) -> None:
    """Take in that an item was deleted, or not found by a read."""
    state = link.side(event.side)
    if event.kind is ChangeKind.DELETED and event.origin is not Origin.FRESH:
        state.told_deleted = True
    if not counts(link, event):
        known = state.absent is not None and state.absent.how is Absence.DELETED
        if not known:
            state.doubt(ctx.now)
        return
    deleted = event.kind is ChangeKind.DELETED or state.told_deleted
    _put_away(link, event.side, Absence.DELETED if deleted else Absence.HIDDEN, ctx)


def counts(link: Link, event: ChangeEvent) -> bool:
    """Tell whether an event is a read of its item that nothing newer has been heard beside."""
    return event.origin is Origin.FRESH and link.side(event.side).is_current(event.ticket)


def shown(link: Link, event: ChangeEvent, ctx: Context, *, read: bool) -> None:
    """Take in that an item was shown; `read`: by a read that counts."""
    state, archived = link.side(event.side), is_archived(event.side, event.snapshot or {})
    gone = link.state in (LinkState.ABSENT, LinkState.GONE)
    if not read:
        was_archived = state.absent is not None and state.absent.how is Absence.ARCHIVED
        if (state.absent is not None or archived) and not (archived and was_archived):
            state.doubt(ctx.now)
        return
    state.told_deleted = False
    if archived:
        _put_away(link, event.side, Absence.ARCHIVED, ctx)
    elif state.absent is not None or gone:
        state.absent = None
        _come_back(link, ctx)


def is_archived(side: Side, snapshot: Mapping[str, Any]) -> bool:
    """Tell whether an item is shown as archived: there, and not to be changed."""
    return jira_shapes.is_archived(snapshot) if side is Side.JIRA else craft_shapes.is_archived(snapshot)


def _put_away(link: Link, side: Side, how: Absence, ctx: Context) -> None:
    state = link.side(side)
    before = state.absent
    if before is not None and before.how is Absence.DELETED:
        how = Absence.DELETED  # a deleted item is no more hidden than it was
    state.dirty_since = None
    state.mark += 1
    state.absent = Absent(how, before.since if before is not None else ctx.now)
    if link.state in _STAY:
        return
    if link.state not in (LinkState.ABSENT, LinkState.GONE):
        give_up(link, ctx)
    _say(link)


def _come_back(link: Link, ctx: Context) -> None:
    """Go on where an item is there again: what was agreed on stands, so that the edits of both sides are compared."""
    if link.state not in (LinkState.ABSENT, LinkState.GONE):
        return
    if any(link.side(side).absent is not None for side in Side):
        _say(link)
    elif link.successors:
        link.enter(LinkState.UNSYNCED, Cause.UNSYNCED)
    elif link.jira_id is not None and link.craft_id is not None:
        link.enter(LinkState.ACTIVE)
        for side in Side:
            if not link.side(side).read_whole:
                link.side(side).have_read(ctx.now)
    else:
        link.enter(LinkState.CREATING)


def _say(link: Link) -> None:
    """Put the link into the state that its absent items make, in words."""
    absent = {side: away for side in Side if (away := link.side(side).absent) is not None}
    deleted = any(away.how is Absence.DELETED for away in absent.values())
    side, away = min(absent.items(), key=lambda each: (each[1].how is not Absence.DELETED, each[1].since))
    link.not_before = link.waits_for = None
    link.enter(LinkState.GONE if deleted else LinkState.ABSENT, _CAUSES[away.how], _words(link, side, away))


def _words(link: Link, side: Side, away: Absent) -> str:
    match away.how:
        case Absence.DELETED:
            kept = " Tandem keeps the other one and deletes nothing." if link.entity_id(side.other) is not None else ""
            return f"The item was deleted in {side.vendor}.{kept}"
        case Absence.HIDDEN:
            return (
                f"{side.vendor} has not shown this item to Tandem's account since {_day(away.since)}: it was hidden "
                "from the account (by a security level, a lost permission, a move), or deleted unnoticed."
            )
        case Absence.ARCHIVED:
            return f"The item is archived in {side.vendor} (seen so on {_day(away.since)}), where it cannot be changed."


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
