"""What a person's request changes in a link. Decides nothing: the same transaction decides afterwards."""

from __future__ import annotations

from typing import assert_never

from services.mapper.domain.apply import settle_conflict
from services.mapper.domain.context import Context
from services.mapper.domain.create import NOT_CREATED
from services.mapper.domain.record import remember
from shared.domain.ids import Side
from shared.domain.link import Agreed, Link, LinkState, Overwritten
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause

def carry_out(link: Link, request: SyncRequest, ctx: Context) -> None:
    """Change the link as a request on an existing link asks. Repeating a request changes nothing more."""
    match request.kind:
        case RequestKind.DECIDE | RequestKind.LINK:
            return
        case RequestKind.RETRY:
            _retry(link)
        case RequestKind.UNSYNC:
            if link.state in (LinkState.ACTIVE, LinkState.PAUSED, LinkState.GONE, LinkState.EXCLUDED):
                link.state, link.reason, link.reason_text = LinkState.UNSYNCED, Cause.UNSYNCED, None
        case RequestKind.RESYNC:
            resync(link, ctx)
        case RequestKind.RESOLVE:
            _resolve(link, request, ctx)
        case _:
            assert_never(request.kind)


def resync(link: Link, ctx: Context) -> None:
    """Read both sides afresh and compare them without any base (PROTOCOL F6)."""
    if link.jira_id is None or link.craft_id is None or link.state in (LinkState.CREATING, LinkState.WAITING):
        return
    link.state, link.reason, link.reason_text, link.not_before = LinkState.ACTIVE, None, None, None
    for side in Side:
        state = link.side(side)
        state.dirty_since = state.dirty_since or ctx.now
        for record in state.pairs.values():
            record.base = record.blocked = record.overwritten = None


def _retry(link: Link) -> None:
    link.not_before = None
    for side in Side:
        for record in link.side(side).pairs.values():
            record.blocked = None
    if link.state is LinkState.PAUSED and link.reason == Cause.BREAKER:
        link.state, link.reason, link.reason_text, link.recent_writes = LinkState.ACTIVE, None, None, []
    if link.state is LinkState.EXCLUDED and link.reason in NOT_CREATED:
        link.state, link.reason, link.reason_text = LinkState.CREATING, None, None


def _resolve(link: Link, request: SyncRequest, ctx: Context) -> None:
    """The loser's value becomes agreed, so that only the winner counts as changed; a kept value is put back."""
    note = link.open_conflicts.get(request.pair) if request.pair is not None else None
    pair = ctx.integration.pair(request.pair) if request.pair is not None else None
    if note is None or pair is None or request.winner is None:
        return
    loser = request.winner.other
    winner_record, loser_record = link.side(request.winner).pair(pair.id), link.side(loser).pair(pair.id)
    if note.kept is not None:
        value = note.jira_value if note.kept is Side.JIRA else note.craft_value
        if note.kept is request.winner:
            winner_record.overwritten = Overwritten(value, late=True)
        else:
            remember(link, note.kept, pair, value, f"{request.requested_by} chose {request.winner.vendor}", ctx.now)
    elif loser_record.seen is not None:
        remember(link, loser, pair, loser_record.seen.value, f"{request.requested_by} chose {request.winner.vendor}", ctx.now)
        loser_record.base = Agreed(loser_record.seen.value, ctx.integration.revision)
        winner_record.base = None
    settle_conflict(link, pair.id, request.requested_by, ctx)
