"""Putting on record what a write of ours replaced, and conflicts, so that no person's value is ever silently gone
(P11).
"""

from __future__ import annotations

from datetime import datetime

from services.mapper.domain import reasons
from services.mapper.domain.blocked import block_hash
from services.mapper.domain.context import Context, is_users
from shared.domain.ids import PairId, Side
from shared.domain.kinds import SETS
from shared.domain.link import Agreed, ConflictNote, Held, HistoryNote, Json, Link, LinkState, Operation, Overwritten
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy
from shared.fields import same
from shared.fields.sets import edited, put_right

_APART = frozenset({LinkState.UNSYNCED, LinkState.EXCLUDED, LinkState.ABSENT, LinkState.GONE})


def keep_replaced(link: Link, side: Side, pair: FieldPair, old: Held | None, op: Operation, ctx: Context) -> None:
    """Keep what a write was found to have replaced, if it was a person's edit that the write did not know of."""
    if old is None:
        return
    if pair.kind in SETS:
        wanted = put_right(old.value, op.pairs[pair.id])
        if wanted is not None:
            overwrite(link, side, pair, Overwritten(wanted), ctx)
    elif old.against == op.id:
        remember(link, side, pair.id, old.value, reasons.REPLACED_MEANWHILE, ctx.now)
    elif is_users(link.side(side).pair(pair.id), pair, old, op.pairs[pair.id].expect, expecting=True):
        overwrite(link, side, pair, Overwritten.of(old), ctx)


def overwrite(link: Link, side: Side, pair: FieldPair, lost: Overwritten, ctx: Context) -> None:
    """Record a person's value that a write of ours replaced; an older pending one goes to history.

    Where nothing is written any more, because the items are kept apart or one is gone, history is all that is left.
    """
    if link.state in _APART:
        remember(link, side, pair.id, lost.value, reasons.REPLACED_WHILE_APART, ctx.now)
        return
    if pair.kind is FieldKind.LINKS:
        return  # each is added and removed on its own: none of a person's is replaced
    record = link.side(side).pair(pair.id)
    pending = record.overwritten
    if pending is not None and same(pair.kind, pending.value, lost.value):
        edited = pending.edited if pending.edited and pending.edited.exact else lost.edited or pending.edited
        record.overwritten = Overwritten(pending.value, late=pending.late or lost.late, edited=edited)
        return
    if pending is not None:
        remember(link, side, pair.id, pending.value, reasons.REPLACED_BY_EDIT, ctx.now)
    record.overwritten = lost


def agree_on(link: Link, op: Operation, pair: FieldPair, shown: Json) -> None:
    """Say that both sides agree on what an operation wrote, now that its target shows it."""
    source = link.side(op.target.other).pair(pair.id)
    source.base = Agreed(op.pairs[pair.id].source, op.revision)
    target = link.side(op.target).pair(pair.id)
    before = target.base.value if target.base is not None else None
    target.base = Agreed(edited(before, op.pairs[pair.id]) if pair.kind in SETS else shown, op.revision)
    if source.blocked is not None and source.blocked.value_hash == block_hash(op.pairs[pair.id].source, op.revision):
        source.blocked = None


def keep_beside(link: Link, side: Side, pair: FieldPair, value: Json, why: str, ctx: Context) -> None:
    """Keep a value of which nobody can tell whether a write of ours replaced it or a person did: never restored, but on
    record, and under `ask` a person is asked.
    """
    remember(link, side, pair.id, value, why, ctx.now)
    asks = ctx.integration.policy_of(pair) is Policy.ASK and pair.direction is Direction.BOTH
    if asks and pair.kind not in SETS and pair.id not in link.open_conflicts and link.state not in _APART:
        open_conflict(link, ctx, pair, side, value)


def remember(link: Link, side: Side, pair: PairId, value: Json, why: str, now: datetime) -> None:
    """Add a line to the link's history."""
    link.new_history.append(HistoryNote(pair=pair, side=side, value=value, why=why, at=now))


def open_conflict(link: Link, ctx: Context, pair: FieldPair, side: Side, kept: Json) -> None:
    """Put a conflict on record between a value that is no longer shown on `side` and what the other side holds."""
    other = link.side(side.other).pair(pair.id).seen
    values = {side: kept, side.other: other.value if other else None}
    note = ConflictNote(
        pair.id, values[Side.JIRA], values[Side.CRAFT], ctx.integration.policy_of(pair), None, ctx.now, kept=side
    )
    link.open_conflicts[pair.id] = note
    link.new_conflicts.append(note)
