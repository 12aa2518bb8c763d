"""What a person's request changes in a link. Decides nothing: the same transaction decides afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from services.mapper.domain.apply import settle_conflict
from services.mapper.domain.blocked import forget_refusals
from services.mapper.domain.context import Context
from services.mapper.domain.create import NOT_CREATED
from services.mapper.domain.record import overwrite, remember
from shared.domain.ids import EntityId, Side
from shared.domain.link import Agreed, ConflictNote, HistoryNote, Link, LinkState, Overwritten, Result
from shared.domain.mapping import FieldPair
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause


def carry_out(link: Link, request: SyncRequest, ctx: Context) -> None:
    """Change the link as a request on an existing link asks. Repeating a request changes nothing more."""
    match request.kind:
        case RequestKind.DECIDE | RequestKind.LINK:
            return
        case RequestKind.RETRY:
            _retry(link, ctx)
        case RequestKind.UNSYNC:
            if link.state in (LinkState.ACTIVE, LinkState.PAUSED, LinkState.GONE, LinkState.EXCLUDED):
                link.state, link.reason, link.reason_text = LinkState.UNSYNCED, Cause.UNSYNCED, None
                give_up(link, ctx)
        case RequestKind.RESYNC:
            resync(link, ctx)
        case RequestKind.RESOLVE:
            _resolve(link, request, ctx)
        case _:
            assert_never(request.kind)


def resync(link: Link, ctx: Context) -> None:
    """Read both sides afresh and compare them without any base (PROTOCOL F6)."""
    if link.state in (LinkState.CREATING, LinkState.WAITING, LinkState.ASK):
        return
    if link.state is not LinkState.ACTIVE:  # there it ends by its outcome
        give_up(link, ctx)
    if link.jira_id is None or link.craft_id is None:
        _create_anew(link, ctx)
        return
    link.state, link.reason, link.reason_text, link.not_before = LinkState.ACTIVE, None, None, None
    for side in Side:
        state = link.side(side)
        state.doubt(ctx.now)
        state.dirty_since = ctx.now  # also where it was unsure before: who reads may have put that off for long
        _put_on_record(link, side, "replaced by our write, then the items were compared anew", ctx)
        for record in state.pairs.values():
            record.base = record.blocked = None


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
        _put_on_record(link, side, "replaced by our write, then the items were kept apart", ctx)


def _create_anew(link: Link, ctx: Context) -> None:
    """Take up the create again; the item is read first, since it may still be deleted."""
    link.side(link.origin).doubt(ctx.now)
    link.state, link.reason, link.reason_text, link.not_before = LinkState.CREATING, None, None, None


def adopt(link: Link, side: Side, entity_id: EntityId, ctx: Context) -> None:
    """Join an item that a person named to a link that has none on that side; nothing is agreed on (PROTOCOL F6)."""
    if side is Side.JIRA:
        link.jira_id = entity_id
    else:
        link.craft_id = entity_id
    link.state, link.waits_for = LinkState.UNSYNCED, None
    resync(link, ctx)


def _retry(link: Link, ctx: Context) -> None:
    link.not_before = None
    for side in Side:
        state = link.side(side)
        if any(state.pair(pair.id).seen is None for pair in ctx.integration.pairs):
            state.read_whole = False  # what was not visible may be by now
    forget_refusals(link)
    if link.state is LinkState.PAUSED and link.reason == Cause.BREAKER:
        link.state, link.reason, link.reason_text, link.recent_writes, link.tripped = (
            LinkState.ACTIVE,
            None,
            None,
            [],
            [],
        )
    if link.state is LinkState.ASK or (link.state is LinkState.EXCLUDED and link.reason in NOT_CREATED):
        link.state, link.reason, link.reason_text = LinkState.CREATING, None, None


def _resolve(link: Link, request: SyncRequest, ctx: Context) -> None:
    note = link.open_conflicts.get(request.pair) if request.pair is not None else None
    pair = ctx.integration.pair(request.pair) if request.pair is not None else None
    if note is None or pair is None or request.winner is None:
        return
    # made on other values, it is no answer to these: the conflict stands, as its status says
    if request.conflict_at in (None, note.at):
        settle(link, pair, note, request.winner, request.requested_by, ctx)


def settle(link: Link, pair: FieldPair, note: ConflictNote, winner: Side, by: str, ctx: Context) -> None:
    """End an open conflict: the loser's value becomes agreed, so that only the winner counts as changed; a kept value
    is put back. `by` is the person or the policy that chose.
    """
    loser, why = winner.other, f"{by} chose {winner.vendor}"
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
