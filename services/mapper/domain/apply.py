"""Carrying out a decision on the link: the only place that opens operations."""

from __future__ import annotations

from datetime import timedelta

from services.mapper.domain.context import Context
from services.mapper.domain.decide import apply_bases
from services.mapper.domain.plan import Decision
from shared.domain.ids import PairId, Side, operation_id
from shared.domain.link import ConflictNote, Link, LinkState, Operation, OperationKind, PairWrite, Result
from shared.messages.status import Cause

BREAKER_WINDOW = timedelta(minutes=1)
BREAKER_WRITES = 30
"""Operations of one link within a minute that park it (DESIGN 4.5)."""


def apply(link: Link, decision: Decision, ctx: Context) -> Operation | None:
    """Change the link as decided and return the operation that was opened, if any."""
    revision = ctx.integration.revision
    link.revision_seen = revision
    if link.not_before is not None and link.not_before <= ctx.now:
        link.not_before = None
    if decision.unread:
        # nothing of it comes true before these are read: it is decided again then
        for side in decision.unread:
            link.side(side).dirty_since = link.side(side).dirty_since or ctx.now
        return None
    if decision.target is not None and _breaks(link, ctx):
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
    )
    link.next_seq += 1
    link.op_id = op.id
    link.operations.append(op)
    link.recent_writes = [at for at in link.recent_writes if at > ctx.now - BREAKER_WINDOW] + [ctx.now]
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


def _breaks(link: Link, ctx: Context) -> bool:
    recent = [at for at in link.recent_writes if at > ctx.now - BREAKER_WINDOW]
    if len(recent) < BREAKER_WRITES:
        return False
    link.state, link.reason = LinkState.PAUSED, Cause.BREAKER
    link.reason_text = (
        f"Tandem wrote to this item {len(recent)} times within a minute; something keeps changing it. "
        "Find the automation or second integration that edits it, then press retry."
    )
    return True
