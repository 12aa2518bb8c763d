"""What a person's request changes in a link, by the table of `shared.domain.requests`. Decides nothing: the same
transaction decides afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.mapper.domain import reasons
from services.mapper.domain.apply import settle_conflict
from services.mapper.domain.blocked import forget_refusals
from services.mapper.domain.context import Context
from services.mapper.domain.record import overwrite, remember
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import (
    Agreed,
    ConflictNote,
    HistoryNote,
    Link,
    LinkState,
    Overwritten,
    Result,
    SideState,
)
from shared.domain.mapping import Direction, FieldPair, Integration
from shared.domain.requests import Cell, Refused, RequestKind, Step, is_left, judge
from shared.messages.request import SyncRequest
from shared.messages.status import Cause

NO_CONFLICT: Final = Refused(
    "no_conflict", "That field has no conflict to settle (any more).", "Load the item again and look at its fields."
)

OTHER_VALUES: Final = Refused(
    "other_values",
    "The values of that field have changed since you chose between them.",
    "Load the item again and choose once more.",
)


def carry_out(link: Link, request: SyncRequest, ctx: Context) -> Cell:
    """Change the link as a request on it asks and return the step that was taken, or why it was not.

    JOIN and BEGIN_ANEW are the caller's: they need another link. Repeating a request changes nothing more.
    """
    cell = judge(link, request.kind)
    match cell:
        case Step.READ:
            _read(link, ctx)
        case Step.COMPARE:
            resync(link, ctx)
        case Step.KEEP_APART:
            _keep_apart(link, ctx)
        case Step.CREATE:
            if link.origin.other in link.successors:
                return Step.BEGIN_ANEW  # what was written to the one must not be taken for something about the next
            create_now(link, ctx, read_first=request.kind is RequestKind.RESYNC)
        case Step.TRY_AGAIN:
            _try_again(link, ctx)
        case Step.SETTLE:
            return _resolve(link, request, ctx)
        case Step.LOOK | Step.JOIN | Step.BEGIN_ANEW | Refused():
            pass
    return cell


def resync(link: Link, ctx: Context) -> None:
    """Read both sides afresh and compare them with what they last agreed on; what one side alone changed is carried.

    A field that is carried one way is compared without it, so that its source is written again.
    """
    down = link.state is LinkState.PAUSED and link.reason == Cause.CONNECTION_PAUSED
    if link.state is not LinkState.ACTIVE:  # there it ends by its outcome
        give_up(link, ctx)
    if not down:  # it waits for its connection all the same, and is read once that works
        link.enter(LinkState.ACTIVE)
    link.not_before = None
    for side in Side:
        # also where it was unsure before: who reads may have put that off for long
        state = link.side(side)
        state.doubt(ctx.now)
        state.dirty_since = ctx.now
        _put_on_record(link, side, reasons.REPLACED_AND_COMPARED, ctx)
        for record in state.pairs.values():
            record.blocked = None
        for pair in ctx.integration.pairs:
            if pair.direction is not Direction.BOTH:
                state.pair(pair.id).base = None


def _put_on_record(link: Link, side: Side, why: str, ctx: Context) -> None:
    """Move what waits to be restored to the history: it will not be restored any more (P11)."""
    for pair_id, record in link.side(side).pairs.items():
        if record.overwritten is not None:
            link.new_history.append(HistoryNote(pair_id, side, record.overwritten.value, why, ctx.now))
            record.overwritten = None


def give_up(link: Link, ctx: Context) -> None:
    """End the open operation of a link that is kept apart or gone: nobody may claim it any more.

    A request that is under way may still take effect; what it does is then an observation, or an entity to be joined.
    """
    op = link.open_operation
    if op is not None:
        op.open, op.result, op.done_at, link.op_id = False, Result.MOVED, ctx.now, None
        op.unclear = op.attempts > 0
    for side in Side:
        _put_on_record(link, side, reasons.REPLACED_AND_KEPT_APART, ctx)


def create_now(link: Link, ctx: Context, *, read_first: bool = False) -> None:
    """Have the counterpart created, whatever kept it from that; `read_first`: the item may not be there any more."""
    link.asked, link.not_before = True, None
    forget_refusals(link)
    if read_first:
        link.side(link.origin).doubt(ctx.now)
    if link.state is not LinkState.WAITING and link.op_id is None:
        link.enter(LinkState.CREATING)


def adopt(link: Link, side: Side, entity_id: EntityId, ctx: Context) -> None:
    """Join an item that a person named to a link that has none on that side; nothing is agreed on (PROTOCOL F6)."""
    link.place(side, entity_id)
    link.waits_for = None
    link.enter(LinkState.UNSYNCED)
    for known in Side:
        for record in link.side(known).pairs.values():
            record.base = None  # whatever was agreed on was with another item
    resync(link, ctx)


def rehome(link: Link, integration: Integration) -> None:
    """Make a link that has no counterpart another integration's: nothing of it has been carried yet."""
    link.integration_id, link.revision_seen = integration.id, 0
    link.jira_connection, link.craft_connection = integration.jira_connection, integration.craft_connection
    link.jira, link.craft = SideState(mark=link.jira.mark + 1), SideState(mark=link.craft.mark + 1)


def is_single(link: Link) -> bool:
    """Tell whether a link has never had a counterpart, so that it may take any one."""
    return link.entity_id(link.origin.other) is None and not link.successors and link.op_id is None


def follows_by_itself(link: Link) -> bool:
    """Tell whether a link may become another integration's without a word of a person's: nobody asked for it where it
    is, and nothing that a create of before may still make would be in the wrong place.
    """
    return is_single(link) and not link.asked and not any(op.unclear for op in link.operations)


def let_go(link: Link, side: Side, successor: LinkId, ctx: Context) -> None:
    """Let the item of a side go on in another link. What is left here is kept for ever (PROTOCOL F20): a deleted item's
    row, so that nothing late is ever created from it, or an item that is alone now.
    """
    give_up(link, ctx)
    for pair_id in list(link.open_conflicts):
        settle_conflict(link, pair_id, reasons.WENT_ON_ELSEWHERE, ctx)
    link.successors[side] = successor
    link.place(side, None)
    names = ("jira_key", "jira_url") if side is Side.JIRA else ("craft_short_id", "craft_url")
    for name in names:  # it is found under them where it is now
        link.labels.pop(name, None)
    link.waits_for = link.not_before = None
    if is_left(link, side.other):
        link.origin = side.other
        words = f"Its counterpart in {side.vendor} was linked with another item."
        link.enter(LinkState.UNSYNCED, Cause.UNSYNCED, words)
    else:
        link.enter(LinkState.GONE, Cause.MOVED_ON, f"Its item in {side.vendor} goes on in another link.")


def _read(link: Link, ctx: Context) -> None:
    for side in Side:
        if link.entity_id(side) is not None:
            link.side(side).doubt(ctx.now)


def _keep_apart(link: Link, ctx: Context) -> None:
    link.waits_for = link.not_before = None
    link.enter(LinkState.UNSYNCED, Cause.UNSYNCED)
    give_up(link, ctx)


def _try_again(link: Link, ctx: Context) -> None:
    link.not_before = None
    for side in Side:
        state = link.side(side)
        if any(state.pair(pair.id).seen is None for pair in ctx.integration.pairs):
            state.read_whole = False  # what was not visible may be by now
    forget_refusals(link)
    if link.state is LinkState.PAUSED and link.reason == Cause.BREAKER:
        link.recent_writes, link.tripped = [], []
        link.enter(LinkState.ACTIVE)


def _resolve(link: Link, request: SyncRequest, ctx: Context) -> Cell:
    note = link.open_conflicts.get(request.pair) if request.pair is not None else None
    pair = ctx.integration.pair(request.pair) if request.pair is not None else None
    if note is None or pair is None or request.winner is None:
        return NO_CONFLICT
    if request.conflict_at not in (None, note.at):
        return OTHER_VALUES  # made on other values, it is no answer to these: the conflict stands
    settle(link, pair, note, request.winner, request.requested_by, ctx)
    return Step.SETTLE


def settle(link: Link, pair: FieldPair, note: ConflictNote, winner: Side, by: str, ctx: Context) -> None:
    """End an open conflict: the loser's value becomes agreed, so that only the winner counts as changed; a kept value
    is put back. `by` is the person or the policy that chose.
    """
    loser, why = winner.other, reasons.chosen(by, winner)
    winner_record, loser_record = link.side(winner).pair(pair.id), link.side(loser).pair(pair.id)
    if note.kept is not None:
        value = note.jira_value if note.kept is Side.JIRA else note.craft_value
        if note.kept is winner:
            overwrite(link, winner, pair, Overwritten(value, late=True), ctx)
        else:
            remember(link, note.kept, pair.id, value, why, ctx.now)
    elif loser_record.seen is not None:
        remember(link, loser, pair.id, loser_record.seen.value, why, ctx.now)
        loser_record.base = Agreed(loser_record.seen.value, ctx.integration.revision)
        winner_record.base = None
        if winner_record.seen is not None:  # whoever set it, it was chosen now
            winner_record.seen = replace(winner_record.seen, perhaps=None)
    settle_conflict(link, pair.id, by, ctx)
