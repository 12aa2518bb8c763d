"""`decide`: seen against base, per pair -> at most one operation. Pure: the link is not changed; `apply` carries it
out.

PROTOCOL section 1, "decide": first what writes of ours overwrote, then each pair's two sides against their bases.
"""

from __future__ import annotations

from services.mapper.domain import reasons
from services.mapper.domain.belonging import barred
from services.mapper.domain.blocked import block_hash
from services.mapper.domain.context import Context, base_of, changed, is_oversize, stands
from services.mapper.domain.links import carry
from services.mapper.domain.overwritten import overwritten
from services.mapper.domain.people import in_whose_place
from services.mapper.domain.plan import Consequences, Decision, Plan
from services.mapper.domain.sets import merge
from services.mapper.domain.voices import is_empty, reread, source_of, speaks, winner_by
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import IN_STEPS, SETS
from shared.domain.link import (
    Agreed,
    Blocked,
    ConflictNote,
    Held,
    Json,
    Link,
    LinkState,
    OperationKind,
    PairSide,
    PairWrite,
)
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.fields import Translated, Untranslatable, equivalent, same, translate, writable
from shared.messages.status import Cause

_TYPES_APART = (
    "By the type mapping as it is now, the issue and the item are of types that do not belong together. A mapping "
    "alone converts nothing; all other fields go on being synced. Convert one of the two, or map their "
    "types to each other."
)

_ORDER = (Side.CRAFT, Side.JIRA)
"""Craft first: its window for silent overwrites is the one to keep short."""


def decide(link: Link, ctx: Context) -> Decision:
    """Return what follows from the link's present knowledge. Idempotent: applied twice without new input, the second
    is empty.
    """
    decision = Decision()
    if link.op_id is not None or link.state is not LinkState.ACTIVE or link.jira.dirty or link.craft.dirty:
        return decision
    if link.not_before is not None and ctx.now < link.not_before:
        return decision
    plan = Plan(link, ctx, decision)
    told = [pair for pair in ctx.integration.pairs if not is_oversize(link, pair)]
    for pair_id in link.open_conflicts:
        if ctx.integration.pair(pair_id) is None:
            decision.settled[pair_id] = reasons.NOT_MAPPED
    for pair in told:
        for side in _ORDER if pair.kind is not FieldKind.LINKS else ():  # a link replaces nothing
            overwritten(plan, pair, side)
    for pair in told:
        if pair.id not in plan.held_back:
            _compare(plan, pair)
    _choose(plan)
    return decision


def _choose(plan: Plan) -> None:
    """Open one operation: restores before writes, Craft before Jira."""
    decision = plan.decision
    for kind, by_side in ((OperationKind.RESTORE, plan.restores), (OperationKind.WRITE, plan.writes)):
        for side in _ORDER:
            if by_side[side]:
                pairs = _at_once(plan, side, by_side[side])
                decision.kind, decision.target, decision.pairs = kind, side, pairs
                for pair_id in decision.pairs:
                    notes = [plan.notes[pair_id]] if pair_id in plan.notes else []
                    decision.with_write[pair_id] = Consequences(notes, plan.replaced.get(pair_id, []))
                return


def _at_once(plan: Plan, side: Side, pairs: dict[PairId, PairWrite]) -> dict[PairId, PairWrite]:
    """Return what goes into one operation: Jira's status and its links take requests of their own and go last."""
    if side is Side.CRAFT:
        return pairs
    kinds = {pair.id: pair.kind for pair in plan.ctx.integration.pairs}
    alone = [pair_id for pair_id in pairs if kinds[pair_id] in IN_STEPS]
    rest = {pair_id: write for pair_id, write in pairs.items() if pair_id not in alone}
    return rest or {alone[0]: pairs[alone[0]]}


def _compare(plan: Plan, pair: FieldPair) -> None:
    """Step 2: each side of a pair against its base."""
    link, ctx, decision = plan.link, plan.ctx, plan.decision
    records = {side: link.side(side).pair(pair.id) for side in Side}
    for side in Side:
        if records[side].seen is None and not link.side(side).read_whole:
            decision.unread.add(side)
    jira, craft = records[Side.JIRA].seen, records[Side.CRAFT].seen
    if jira is None or craft is None:
        return
    if pair.kind is FieldKind.LINKS:
        _link(plan, pair, jira, craft)
        return
    if pair.kind in SETS:
        _set(plan, pair, {Side.JIRA: jira, Side.CRAFT: craft})
        return
    moved = {side: speaks(records, side, pair, ctx) for side in Side}
    stood = all(stands(records[side], pair) for side in Side)
    for side in Side:
        _forget_block(plan, pair, side, moved=moved[side] or not stood)
    if any(_late(records[side], pair) for side in Side) and equivalent(pair, jira.value, craft.value, ctx.parents):
        return  # what a late effect of ours made equal is agreed on by nobody: it settles neither conflict nor base
    standing = link.open_conflicts.get(pair.id)
    if standing is not None and not _conflict_over(plan, pair, standing, jira, craft, moved):
        return
    if stood and not moved[Side.JIRA] and not moved[Side.CRAFT]:
        return
    if equivalent(pair, jira.value, craft.value, ctx.parents):
        decision.bases[pair.id] = (jira.value, craft.value)
        for side in Side:
            if records[side].blocked is not None and not plan.keeps_block(side, pair):
                decision.blocked[(side, pair.id)] = None
        return
    source = _winner(plan, pair, jira, craft, moved)
    if source is not None:
        held, expected = (jira, craft) if source is Side.JIRA else (craft, jira)
        _write(plan, pair, source, held, expected)


def _late(record: PairSide, pair: FieldPair) -> bool:
    """Tell whether a side shows a late effect of ours instead of what was agreed on (PROTOCOL F11)."""
    late = record.seen is not None and record.seen.late
    return late and base_of(record, pair) is not None and changed(record, pair)


def _set(plan: Plan, pair: FieldPair, held: dict[Side, Held]) -> None:
    """Steps 2 and 3 for sets, of which each side may hold elements of its own."""
    step, decision = merge(plan.link, pair, held, plan.ctx), plan.decision
    standing = plan.link.open_conflicts.get(pair.id)
    if standing is not None:  # of a time before sets were merged
        if standing.kept is not None:
            value = standing.jira_value if standing.kept is Side.JIRA else standing.craft_value
            plan.remember(pair, standing.kept, value, reasons.MERGED)
        decision.settled[pair.id] = reasons.MERGED_ONE_BY_ONE
    if step.agreed is not None:
        decision.bases[pair.id] = step.agreed
    for target, write in step.writes.items():
        plan.writes[target][pair.id] = write
    for side, blocked in step.blocked.items():
        if blocked != plan.link.side(side).pair(pair.id).blocked and not plan.keeps_block(side, pair):
            decision.blocked[(side, pair.id)] = blocked


def _link(plan: Plan, pair: FieldPair, jira: Held, craft: Held) -> None:
    """Steps 2 and 3 for links, of which both sides may hold more than the other."""
    step, decision = carry(plan.link, pair, jira, craft, plan.ctx), plan.decision
    if step.agreed is not None:
        decision.bases[pair.id] = step.agreed
    if step.write is not None:
        plan.writes[Side.JIRA][pair.id] = step.write
    if step.blocked != plan.link.craft.pair(pair.id).blocked:
        decision.blocked[(Side.CRAFT, pair.id)] = step.blocked
    decision.waits_for = decision.waits_for or step.waits_for


def _forget_block(plan: Plan, pair: FieldPair, side: Side, *, moved: bool) -> None:
    """What was refused is no problem any more once the value is another one, or agreed on."""
    record = plan.link.side(side).pair(pair.id)
    if record.blocked is None or record.seen is None or plan.keeps_block(side, pair):
        return
    if not moved or record.blocked.value_hash != block_hash(record.seen.value, plan.ctx.integration.revision):
        plan.decision.blocked[(side, pair.id)] = None


def _conflict_over(
    plan: Plan, pair: FieldPair, standing: ConflictNote, jira: Held, craft: Held, moved: dict[Side, bool]
) -> bool:
    """Tell whether an open conflict ended by itself: both became equal, or a person edited over the kept value."""
    if standing.kept is None:
        if equivalent(pair, jira.value, craft.value, plan.ctx.parents):
            plan.decision.settled[pair.id] = reasons.BOTH_SHOW_THE_SAME
            return True
        if pair.direction is not Direction.BOTH:
            plan.decision.settled[pair.id] = reasons.CARRIED_ONE_WAY
            return True
        if (standing.jira_value, standing.craft_value) != (jira.value, craft.value):
            values = {Side.JIRA: jira.value, Side.CRAFT: craft.value}
            plan.decision.conflicts.append(plan.note(pair, values, None))
        return False
    if moved[Side.JIRA] or moved[Side.CRAFT]:
        value = standing.jira_value if standing.kept is Side.JIRA else standing.craft_value
        plan.remember(pair, standing.kept, value, reasons.REPLACED_IN_CONFLICT)
        plan.decision.settled[pair.id] = reasons.LATER_EDIT
        return True
    return False


def _winner(plan: Plan, pair: FieldPair, jira: Held, craft: Held, moved: dict[Side, bool]) -> Side | None:
    """Return the side whose value is to be written to the other, None for neither."""
    leader = source_of(pair)
    if not any(moved.values()) or (leader is not None and not moved[leader] and _means_otherwise(plan, pair)):
        return _reread(plan, pair, jira, craft)
    if pair.direction is not Direction.BOTH:
        return _leading(plan, pair, jira, craft, moved)
    if not moved[Side.CRAFT]:
        return Side.JIRA
    unsure = _perhaps_ours(plan.link, pair, jira, craft)
    if not moved[Side.JIRA] and not unsure:
        return Side.CRAFT
    policy = plan.ctx.integration.policy_of(pair)
    winner = winner_by(policy, jira, craft) if moved[Side.JIRA] else None
    if unsure and winner is Side.CRAFT:
        winner = None
    values = {Side.JIRA: jira.value, Side.CRAFT: craft.value}
    if winner is None and (unmapped := _of_unmapped_type(plan, pair, values)) is not None:
        return unmapped  # the write will say so: there is nothing to choose between
    if winner is None:
        plan.decision.conflicts.append(plan.note(pair, values, None))
        return None
    plan.notes[pair.id] = plan.note(pair, values, reasons.by_rule(policy))
    return winner


def _means_otherwise(plan: Plan, pair: FieldPair) -> bool:
    """Tell whether what both agreed on stands for different things by now."""
    bases = {side: base_of(plan.link.side(side).pair(pair.id), pair) for side in Side}
    jira, craft = bases[Side.JIRA], bases[Side.CRAFT]
    if jira is None or craft is None or all(stands(plan.link.side(side).pair(pair.id), pair) for side in Side):
        return False
    return not equivalent(pair, jira.value, craft.value, plan.ctx.parents)


def _reread(plan: Plan, pair: FieldPair, jira: Held, craft: Held) -> Side | None:
    """Return the side that is carried over because the pair has another meaning; what it replaces is on record."""
    if pair.kind is FieldKind.TYPE:
        side = source_of(pair) or Side.JIRA
        digest = block_hash((jira if side is Side.JIRA else craft).value, plan.ctx.integration.revision)
        blocked = Blocked(digest, Cause.TYPE_NOT_CONVERTIBLE, _TYPES_APART, pair.called(side))
        plan.decision.blocked[(side, pair.id)] = blocked
        return None
    source = reread(pair, {Side.JIRA: jira, Side.CRAFT: craft}, plan.ctx)
    if source is not None:
        lost = craft if source is Side.JIRA else jira
        if not is_empty(pair, source.other, lost.value, plan.ctx):
            plan.replaces(pair, source.other, lost.value, reasons.MEANS_OTHERWISE)
    return source


def _leading(plan: Plan, pair: FieldPair, jira: Held, craft: Held, moved: dict[Side, bool]) -> Side | None:
    """Return the side that leads a pair which is carried one way, if it has anything to say."""
    source = source_of(pair)
    if source is None or not moved[source]:
        return None
    lost = craft if source is Side.JIRA else jira
    record = plan.link.side(source.other).pair(pair.id)
    emptied = base_of(record, pair) is not None or any(value not in (None, []) for value in record.recent)
    if changed(record, pair) and (lost.value not in (None, []) or emptied):
        plan.replaces(pair, source.other, lost.value, reasons.leads(source))
    return source


def _perhaps_ours(link: Link, pair: FieldPair, jira: Held, craft: Held) -> bool:
    """Tell whether what Craft.io shows may be an old value of Jira's, written late and kept otherwise (PROTOCOL W3).

    While Jira still shows that value, it does no harm to carry back what Craft.io made of it.
    """
    op = next((each for each in link.operations if each.id == craft.perhaps), None)
    write = op.pairs.get(pair.id) if op is not None else None
    return write is not None and not same(pair.kind, write.source, jira.value)


def _of_unmapped_type(plan: Plan, pair: FieldPair, values: dict[Side, Json]) -> Side | None:
    """Return the side whose item is of a type that has no counterpart."""
    if pair.kind is not FieldKind.TYPE:
        return None
    over = {side: translate(pair, side, value, plan.ctx.parents) for side, value in values.items()}
    return next((side for side in Side if isinstance(over[side], Untranslatable)), None)


def _write(plan: Plan, pair: FieldPair, source: Side, held: Held, expected: Held) -> None:
    """Step 3: plan the write of one pair, unless its direction, its value or an earlier refusal forbids it."""
    link, ctx, decision = plan.link, plan.ctx, plan.decision
    target = source.other
    record = link.side(source).pair(pair.id)
    if not pair.direction.carries_to(target):
        return
    digest = block_hash(held.value, ctx.integration.revision)
    if plan.refused(source, pair, digest):
        return
    over = translate(pair, source, held.value, ctx.parents, onto=expected.value)
    if isinstance(over, Translated):
        over = writable(pair, source, over)
    if isinstance(over, Translated) and pair.kind is FieldKind.USER:
        over = in_whose_place(pair, source, over, expected.value, ctx)
    if isinstance(over, Translated) and pair.kind is FieldKind.PARENT:
        over = barred(link, source, held.value, over.value, ctx) or over
    if isinstance(over, Untranslatable):
        decision.blocked[(source, pair.id)] = Blocked(
            digest, over.cause, over.message, pair.called(source), next_step=over.next_step
        )
        if pair.kind is FieldKind.PARENT and held.value is not None:
            decision.waits_for = EntityId(str(held.value))
        return
    if record.blocked is not None:
        decision.blocked[(source, pair.id)] = None
    if over.note is not None:
        plan.replaces(pair, source, held.value, over.note)
    plan.writes[target][pair.id] = PairWrite(value=over.value, expect=expected.value, source=held.value)


def apply_bases(link: Link, pair_id: PairId, jira: Json, craft: Json, revision: int) -> None:
    """Say that both sides agree on a pair."""
    link.jira.pair(pair_id).base = Agreed(jira, revision)
    link.craft.pair(pair_id).base = Agreed(craft, revision)
