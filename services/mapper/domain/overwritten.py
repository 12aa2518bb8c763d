"""Step 1 of `decide`: undo late effects; restore, or put on record, what a write of ours replaced. Pure."""

from __future__ import annotations

from dataclasses import replace

from services.mapper.domain import reasons
from services.mapper.domain.blocked import block_hash
from services.mapper.domain.context import base_of, changed, is_base, is_ours
from services.mapper.domain.plan import Plan
from services.mapper.domain.voices import later, side_of
from shared.domain.ids import Side
from shared.domain.kinds import SETS
from shared.domain.link import BY_USER, Held, Overwritten, PairWrite
from shared.domain.mapping import Direction, FieldPair, Policy
from shared.fields import equivalent, same


def overwritten(plan: Plan, pair: FieldPair, side: Side) -> None:
    """Step 1: undo late effects; restore, or put on record, what a write of ours replaced."""
    link, ctx, decision = plan.link, plan.ctx, plan.decision
    record = link.side(side).pair(pair.id)
    cur = record.seen
    if cur is None:
        return
    if pair.kind in SETS:
        _of_set(plan, pair, side, cur)
        return
    lost = _with_late(plan, pair, side, cur)
    if lost is None:
        return
    other = link.side(side.other).pair(pair.id).seen
    key = (side, pair.id)
    if same(pair.kind, lost.value, cur.value):
        decision.overwritten[key] = None
        return
    newer = not cur.late and not is_base(record, pair, cur.value) and not _ours(plan, pair, side, cur)
    standing = pair.id in link.open_conflicts or pair.id in plan.notes
    if newer or (standing and not (cur.late and lost.late)):  # a late effect is undone under a conflict as well
        plan.remember(pair, side, lost.value, reasons.REPLACED_UNDER_CONFLICT)
        decision.overwritten[key] = None
        return
    if not lost.late:
        winner = _claimant(ctx.integration.policy_of(pair), side, lost, other)
        if winner is None and pair.direction is Direction.BOTH:
            note = plan.note(pair, {side: lost.value, side.other: other.value if other else None}, None, kept=side)
            decision.conflicts.append(note)
            plan.notes[pair.id] = note
            decision.overwritten[key] = None
            plan.held_back.add(pair.id)
            return
        if winner is side.other or not pair.direction.carries_to(side.other):
            plan.remember(pair, side, lost.value, reasons.wins(side.other))
            decision.overwritten[key] = None
            return
    elif not is_base(record, pair, cur.value):
        plan.replaces(pair, side, cur.value, reasons.ARRIVED_LATE)
    jira, craft = (lost, other) if side is Side.JIRA else (other, lost)
    if other is not None and jira and craft and not equivalent(pair, jira.value, craft.value, ctx.parents):
        plan.replaces(pair, side.other, other.value, reasons.REPLACED_BY_RESTORE)
    if plan.refused(side, pair, block_hash(cur.value, ctx.integration.revision)):
        if not changed(link.side(side.other).pair(pair.id), pair):
            plan.held_back.add(pair.id)
        return
    plan.restores[side][pair.id] = PairWrite(value=lost.value, expect=cur.value, source=lost.value)
    plan.held_back.add(pair.id)


def _ours(plan: Plan, pair: FieldPair, side: Side, cur: Held) -> bool:
    """Tell whether what is shown is what we wrote, unless Jira's changelog says that a person set it."""
    persons = cur.by == BY_USER and cur.entry is not None
    return not persons and is_ours(plan.link, side, pair, cur.value)


def _of_set(plan: Plan, pair: FieldPair, side: Side, cur: Held) -> None:
    """Put right what a write of ours took from a set, or brought back into it. An element takes no other's place, so
    there is nothing to choose, whatever the policy and the direction.
    """
    record, key = plan.link.side(side).pair(pair.id), (side, pair.id)
    lost = record.overwritten
    if lost is None:
        return
    if same(pair.kind, lost.value, cur.value):
        plan.decision.overwritten[key] = None
    elif not cur.late and not _ours(plan, pair, side, cur):
        plan.remember(pair, side, lost.value, reasons.REPLACED_THEN_EDITED)
        plan.decision.overwritten[key] = None
    elif not plan.refused(side, pair, block_hash(cur.value, plan.ctx.integration.revision)):
        plan.restores[side][pair.id] = PairWrite(value=lost.value, expect=cur.value, source=lost.value)
        plan.held_back.add(pair.id)


def _claimant(policy: Policy, side: Side, lost: Overwritten, other: Held | None) -> Side | None:
    """Return whose value is to stand: `side`, of which one was lost, the other side, or None if a person has to say."""
    if policy is not Policy.LATEST:
        return side_of(policy)
    if other is None:
        return side
    if lost.edited is None:
        return None
    if later(lost.edited, other.edited):
        return side
    return side.other if later(other.edited, lost.edited) else None


def _with_late(plan: Plan, pair: FieldPair, side: Side, cur: Held) -> Overwritten | None:
    """Return what to restore: a pending overwritten value, or the base if what is shown is a late effect of ours."""
    record = plan.link.side(side).pair(pair.id)
    lost = record.overwritten
    if not cur.late or is_base(record, pair, cur.value) or (lost is not None and lost.late):
        return lost
    base = base_of(record, pair)
    if base is None:
        return lost
    policy = plan.ctx.integration.policy_of(pair)
    if lost is not None and side_of(policy) is side:
        lost = replace(lost, late=True)
    else:
        if lost is not None:
            plan.remember(pair, side, lost.value, reasons.BEHIND_WHAT_ARRIVED_LATE)
            if policy is Policy.ASK and pair.id not in plan.link.open_conflicts:
                other = plan.link.side(side.other).pair(pair.id).seen
                values = {side: lost.value, side.other: other.value if other else None}
                plan.decision.conflicts.append(plan.note(pair, values, None, kept=side))
        lost = Overwritten(base.value, late=True)
    plan.decision.overwritten[(side, pair.id)] = lost
    return lost
