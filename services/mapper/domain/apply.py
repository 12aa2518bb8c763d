"""Carrying out a decision on the link: the only place that opens operations."""

from __future__ import annotations

from services.mapper.domain.context import Context
from services.mapper.domain.decide import apply_bases
from services.mapper.domain.lag import take
from services.mapper.domain.plan import Decision
from services.mapper.domain.settling import looped, trip, unsettled
from shared.domain.ids import PairId, Side, operation_id
from shared.domain.link import ConflictNote, Link, LinkState, Operation, OperationKind, PairWrite, Result


def apply(link: Link, decision: Decision, ctx: Context) -> Operation | None:
    """Change the link as decided and return the operation that was opened, if any."""
    revision = ctx.integration.revision
    link.revision_seen = revision
    if link.not_before is not None and link.not_before <= ctx.now:
        link.not_before = None
    if decision.unread:
        # nothing of it comes true before these are read: it is decided again then
        for side in decision.unread:
            link.side(side).have_read(ctx.now)
        return None
    waits = _let_settle(link, decision, ctx)
    if waits or ((loop := looped(link, decision, ctx)) and trip(link, loop, ctx)):
        return None
    for (side, pair_id), lost in decision.overwritten.items():
        link.side(side).pair(pair_id).overwritten = lost
    for (side, pair_id), blocked in decision.blocked.items():
        link.side(side).pair(pair_id).blocked = blocked
    for pair_id, why in decision.settled.items():
        settle_conflict(link, pair_id, why, ctx)
    for pair_id, (jira, craft) in decision.bases.items():
        apply_bases(link, pair_id, jira, craft, revision)
    link.new_history += decision.history
    for note in decision.conflicts:
        _record(link, note)
    for pair_id, came_true in decision.with_write.items():
        if not _on_record(link, decision, pair_id):
            link.new_conflicts += came_true.conflicts
            link.new_history += came_true.history
    if link.state is LinkState.ACTIVE and link.op_id is None:
        link.waits_for = decision.waits_for
    if decision.target is None:
        return None
    op = open_operation(link, decision.kind, decision.target, decision.pairs, ctx)
    op.noted = frozenset(pair_id for pair_id, true in decision.with_write.items() if true.conflicts or true.history)
    return op


def open_operation(
    link: Link,
    kind: OperationKind,
    target: Side,
    pairs: dict[PairId, PairWrite],
    ctx: Context,
    type_id: str | None = None,
) -> Operation:
    """Open the link's next operation. There must be none."""
    if link.op_id is not None:
        msg = f"link {link.id} already has {link.op_id} in flight"
        raise ValueError(msg)
    op = Operation(
        id=operation_id(link.id, link.next_seq),
        link_id=link.id,
        seq=link.next_seq,
        kind=kind,
        target=target,
        pairs=dict(pairs),
        revision=ctx.integration.revision,
        created_at=ctx.now,
        type_id=type_id,
        accepted_at=take(link, kind, target, pairs),
    )
    link.next_seq += 1
    link.op_id = op.id
    link.operations.append(op)
    return op


def settle_conflict(link: Link, pair_id: PairId, by: str, ctx: Context) -> None:
    """End an open conflict and put on record who or what settled it."""
    note = link.open_conflicts.pop(pair_id, None)
    if note is not None:
        settled = ConflictNote(pair_id, note.jira_value, note.craft_value, note.policy, by, ctx.now, note.kept)
        link.new_conflicts.append(settled)


def _on_record(link: Link, decision: Decision, pair_id: PairId) -> bool:
    """Tell whether the same write was opened before, and put off: what it settles stands on record already."""
    last = next((op for op in reversed(link.operations) if op.target is decision.target), None)
    if last is None or last.result not in (Result.DEFERRED, Result.MOVED) or last.landed:
        return False
    same_write = last.kind is decision.kind and last.pairs.get(pair_id) == decision.pairs[pair_id]
    return same_write and pair_id in last.noted


def _record(link: Link, note: ConflictNote) -> None:
    standing = link.open_conflicts.get(note.pair)
    if note.resolved_by is None:
        if standing is not None and (standing.jira_value, standing.craft_value) == (note.jira_value, note.craft_value):
            return
        link.open_conflicts[note.pair] = note
    link.new_conflicts.append(note)


def _let_settle(link: Link, decision: Decision, ctx: Context) -> bool:
    """Leave out of a decided write what was written a moment ago. True if all of it waits: then it is decided anew."""
    waiting = unsettled(link, decision, ctx.now)
    if not waiting:
        return False
    decision.pairs = {pair_id: write for pair_id, write in decision.pairs.items() if pair_id not in waiting}
    decision.with_write = {pair_id: true for pair_id, true in decision.with_write.items() if pair_id not in waiting}
    if decision.pairs:
        return False
    link.not_before = min(waiting.values())
    return True
