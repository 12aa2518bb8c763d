"""`decide`: seen against base, per pair -> at most one operation. Pure: the link is not changed; `apply` carries it
out.

PROTOCOL section 1, "decide": first what writes of ours overwrote, then each pair's two sides against their bases.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from services.mapper.domain.blocked import block_hash
from services.mapper.domain.context import Context, base_of, changed, is_base, is_ours
from services.mapper.domain.links import carry
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import IN_STEPS
from shared.domain.link import (
    BY_USER,
    Agreed,
    Blocked,
    ConflictNote,
    Held,
    HistoryNote,
    Json,
    Link,
    LinkState,
    OperationKind,
    Overwritten,
    PairSide,
    PairWrite,
    Span,
)
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy
from shared.fields import Translated, Untranslatable, equivalent, same, translate, writable
from shared.messages.status import Cause

REPLACED_BY_RESTORE = "replaced by a restored edit"
"""Why a value is on record that the other side showed when a lost edit was restored."""

_ORDER = (Side.CRAFT, Side.JIRA)
"""Craft first: its window for silent overwrites is the one to keep short."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What comes on record with the write of one pair."""

    conflicts: list[ConflictNote]
    history: list[HistoryNote]


@dataclass(slots=True)
class Decision:
    """What is to be changed in the link, and the operation to open, if any."""

    bases: dict[PairId, tuple[Json, Json]] = field(default_factory=dict)
    """Pairs that agree: their (Jira, Craft) values."""
    overwritten: dict[tuple[Side, PairId], Overwritten | None] = field(default_factory=dict)
    blocked: dict[tuple[Side, PairId], Blocked | None] = field(default_factory=dict)
    history: list[HistoryNote] = field(default_factory=list)
    conflicts: list[ConflictNote] = field(default_factory=list)
    """Notes to put on record; the open ones (resolved_by None) stand until resolved."""
    settled: dict[PairId, str] = field(default_factory=dict)
    """Open conflicts that ended, and by what."""
    unread: set[Side] = field(default_factory=set)
    """Sides of which a mapped field was never seen: to be read whole."""
    waits_for: EntityId | None = None
    kind: OperationKind = OperationKind.WRITE
    target: Side | None = None
    pairs: dict[PairId, PairWrite] = field(default_factory=dict)
    with_write: dict[PairId, Consequences] = field(default_factory=dict)
    """By pair of the operation: what it settles and replaces."""


@dataclass(slots=True)
class _Plan:
    """What was found so far, before one target is chosen."""

    link: Link
    ctx: Context
    decision: Decision
    restores: dict[Side, dict[PairId, PairWrite]] = field(default_factory=lambda: {Side.JIRA: {}, Side.CRAFT: {}})
    writes: dict[Side, dict[PairId, PairWrite]] = field(default_factory=lambda: {Side.JIRA: {}, Side.CRAFT: {}})
    notes: dict[PairId, ConflictNote] = field(default_factory=dict)
    replaced: dict[PairId, list[HistoryNote]] = field(default_factory=dict)
    """History lines that come true only if the pair's write is chosen."""
    held_back: set[PairId] = field(default_factory=set)

    def replaces(self, pair: FieldPair, side: Side, value: Json, why: str) -> None:
        """Note what a planned write will replace."""
        self.replaced.setdefault(pair.id, []).append(HistoryNote(pair.id, side, value, why, self.ctx.now))


def decide(link: Link, ctx: Context) -> Decision:
    """Return what follows from the link's present knowledge. Idempotent: applied twice without new input, the second
    is empty.
    """
    decision = Decision()
    if link.op_id is not None or link.state is not LinkState.ACTIVE or link.jira.dirty or link.craft.dirty:
        return decision
    if link.not_before is not None and ctx.now < link.not_before:
        return decision
    plan = _Plan(link, ctx, decision)
    for pair_id in link.open_conflicts:
        if ctx.integration.pair(pair_id) is None:
            decision.settled[pair_id] = "the fields are no longer mapped"
    for pair in ctx.integration.pairs:
        for side in _ORDER if pair.kind is not FieldKind.LINKS else ():  # a link replaces nothing
            _overwritten(plan, pair, side)
    for pair in ctx.integration.pairs:
        if pair.id not in plan.held_back:
            _compare(plan, pair)
    _choose(plan)
    return decision


def _choose(plan: _Plan) -> None:
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


def _at_once(plan: _Plan, side: Side, pairs: dict[PairId, PairWrite]) -> dict[PairId, PairWrite]:
    """Return what goes into one operation: Jira's status and its links take requests of their own and go last."""
    if side is Side.CRAFT:
        return pairs
    kinds = {pair.id: pair.kind for pair in plan.ctx.integration.pairs}
    alone = [pair_id for pair_id in pairs if kinds[pair_id] in IN_STEPS]
    rest = {pair_id: write for pair_id, write in pairs.items() if pair_id not in alone}
    return rest or {alone[0]: pairs[alone[0]]}


def _overwritten(plan: _Plan, pair: FieldPair, side: Side) -> None:
    """Step 1: undo late effects; restore, or put on record, what a write of ours replaced."""
    link, ctx, decision = plan.link, plan.ctx, plan.decision
    record = link.side(side).pair(pair.id)
    cur = record.seen
    if cur is None:
        return
    lost = _with_late(plan, pair, side, cur)
    if lost is None:
        return
    other = link.side(side.other).pair(pair.id).seen
    key = (side, pair.id)
    if same(pair.kind, lost.value, cur.value):
        decision.overwritten[key] = None
        return
    persons = cur.by == BY_USER and cur.entry is not None  # Jira's changelog says so, whatever we wrote before
    ours = not persons and is_ours(link, side, pair, cur.value)
    newer = not cur.late and not is_base(record, pair, cur.value) and not ours
    stands = pair.id in link.open_conflicts or pair.id in plan.notes
    if newer or (stands and not (cur.late and lost.late)):  # a late effect is undone under a conflict as well
        _remember(
            plan, pair, side, lost.value, "replaced by our write, then by a newer edit or under a standing conflict"
        )
        decision.overwritten[key] = None
        return
    if not lost.late:
        winner = _claimant(ctx.integration.policy_of(pair), side, lost, other)
        if winner is None and pair.direction is Direction.BOTH:
            note = _note(plan, pair, {side: lost.value, side.other: other.value if other else None}, None, kept=side)
            decision.conflicts.append(note)
            plan.notes[pair.id] = note
            decision.overwritten[key] = None
            plan.held_back.add(pair.id)
            return
        if winner is side.other or not _source_allowed(pair, side):
            _remember(plan, pair, side, lost.value, f"{side.other.vendor} wins by policy")
            decision.overwritten[key] = None
            return
    elif not is_base(record, pair, cur.value):
        plan.replaces(pair, side, cur.value, "late effect of our own write, undone")
    jira, craft = (lost, other) if side is Side.JIRA else (other, lost)
    if other is not None and jira and craft and not equivalent(pair, jira.value, craft.value, ctx.parents):
        plan.replaces(pair, side.other, other.value, REPLACED_BY_RESTORE)
    if _refused(record, block_hash(cur.value, ctx.integration.revision)):
        if not changed(link.side(side.other).pair(pair.id), pair):
            plan.held_back.add(pair.id)
        return
    plan.restores[side][pair.id] = PairWrite(value=lost.value, expect=cur.value, source=lost.value)
    plan.held_back.add(pair.id)


def _claimant(policy: Policy, side: Side, lost: Overwritten, other: Held | None) -> Side | None:
    """Return whose value is to stand: `side`, of which one was lost, the other side, or None if a person has to say."""
    if policy is not Policy.LATEST:
        return _side_of(policy)
    if other is None:
        return side
    if lost.edited is None:
        return None
    if _later(lost.edited, other.edited):
        return side
    return side.other if _later(other.edited, lost.edited) else None


def _with_late(plan: _Plan, pair: FieldPair, side: Side, cur: Held) -> Overwritten | None:
    """Return what to restore: a pending overwritten value, or the base if what is shown is a late effect of ours."""
    record = plan.link.side(side).pair(pair.id)
    lost = record.overwritten
    if not cur.late or is_base(record, pair, cur.value) or (lost is not None and lost.late):
        return lost
    base = base_of(record, pair)
    if base is None:
        return lost
    policy = plan.ctx.integration.policy_of(pair)
    if lost is not None and policy is _policy_of(side):
        lost = replace(lost, late=True)
    else:
        if lost is not None:
            _remember(
                plan, pair, side, lost.value, "replaced by our write, whose late effect is undone to the agreed value"
            )
            if policy is Policy.ASK and pair.id not in plan.link.open_conflicts:
                other = plan.link.side(side.other).pair(pair.id).seen
                values = {side: lost.value, side.other: other.value if other else None}
                plan.decision.conflicts.append(_note(plan, pair, values, None, kept=side))
        lost = Overwritten(base.value, late=True)
    plan.decision.overwritten[(side, pair.id)] = lost
    return lost


def _compare(plan: _Plan, pair: FieldPair) -> None:
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
    moved = {side: changed(records[side], pair) for side in Side}
    for side in Side:
        _forget_block(plan, pair, side, moved=moved[side])
    if any(_late(records[side], pair) for side in Side) and equivalent(pair, jira.value, craft.value, ctx.parents):
        return  # what a late effect of ours made equal is agreed on by nobody: it settles neither conflict nor base
    standing = link.open_conflicts.get(pair.id)
    if standing is not None and not _conflict_over(plan, pair, standing, jira, craft, moved):
        return
    if not moved[Side.JIRA] and not moved[Side.CRAFT]:
        return
    if equivalent(pair, jira.value, craft.value, ctx.parents):
        decision.bases[pair.id] = (jira.value, craft.value)
        for side in Side:
            if records[side].blocked is not None:
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


def _link(plan: _Plan, pair: FieldPair, jira: Held, craft: Held) -> None:
    """Steps 2 and 3 for links, of which both sides may hold more than the other."""
    step, decision = carry(plan.link, pair, jira, craft, plan.ctx), plan.decision
    if step.agreed is not None:
        decision.bases[pair.id] = step.agreed
    if step.write is not None:
        plan.writes[Side.JIRA][pair.id] = step.write
    if step.blocked != plan.link.craft.pair(pair.id).blocked:
        decision.blocked[(Side.CRAFT, pair.id)] = step.blocked
    decision.waits_for = decision.waits_for or step.waits_for


def _forget_block(plan: _Plan, pair: FieldPair, side: Side, *, moved: bool) -> None:
    """What was refused is no problem any more once the value is another one, or agreed on."""
    record = plan.link.side(side).pair(pair.id)
    if record.blocked is None or record.seen is None:
        return
    if not moved or record.blocked.value_hash != block_hash(record.seen.value, plan.ctx.integration.revision):
        plan.decision.blocked[(side, pair.id)] = None


def _refused(record: PairSide, digest: str) -> bool:
    """Tell whether the vendor refused this value in this revision (PROTOCOL F19)."""
    return record.blocked is not None and record.blocked.value_hash == digest and record.blocked.code == Cause.REJECTED


def _conflict_over(
    plan: _Plan, pair: FieldPair, standing: ConflictNote, jira: Held, craft: Held, moved: dict[Side, bool]
) -> bool:
    """Tell whether an open conflict ended by itself: both became equal, or a person edited over the kept value."""
    if standing.kept is None:
        if equivalent(pair, jira.value, craft.value, plan.ctx.parents):
            plan.decision.settled[pair.id] = "both sides became equal"
            return True
        if pair.direction is not Direction.BOTH:
            plan.decision.settled[pair.id] = "the field is carried one way now"
            return True
        if (standing.jira_value, standing.craft_value) != (jira.value, craft.value):
            values = {Side.JIRA: jira.value, Side.CRAFT: craft.value}
            plan.decision.conflicts.append(_note(plan, pair, values, None))
        return False
    if moved[Side.JIRA] or moved[Side.CRAFT]:
        value = standing.jira_value if standing.kept is Side.JIRA else standing.craft_value
        _remember(plan, pair, standing.kept, value, "a later edit replaced it while the conflict stood")
        plan.decision.settled[pair.id] = "a later edit"
        return True
    return False


def _winner(plan: _Plan, pair: FieldPair, jira: Held, craft: Held, moved: dict[Side, bool]) -> Side | None:
    """Return the side whose value is to be written to the other, None for neither."""
    decision = plan.decision
    if pair.direction is not Direction.BOTH:
        source = {Direction.TO_CRAFT: Side.JIRA, Direction.TO_JIRA: Side.CRAFT}.get(pair.direction)
        if source is None or not moved[source]:
            return None
        lost = craft if source is Side.JIRA else jira
        record = plan.link.side(source.other).pair(pair.id)
        emptied = base_of(record, pair) is not None or any(value not in (None, []) for value in record.recent)
        if moved[source.other] and (lost.value not in (None, []) or emptied):
            plan.replaces(pair, source.other, lost.value, f"{source.vendor} leads this field")
        return source
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
        decision.conflicts.append(_note(plan, pair, values, None))
        return None
    plan.notes[pair.id] = _note(plan, pair, values, f"policy {policy}")
    return winner


def _perhaps_ours(link: Link, pair: FieldPair, jira: Held, craft: Held) -> bool:
    """Tell whether what Craft.io shows may be an old value of Jira's, written late and kept otherwise (PROTOCOL W3).

    While Jira still shows that value, it does no harm to carry back what Craft.io made of it.
    """
    op = next((each for each in link.operations if each.id == craft.perhaps), None)
    write = op.pairs.get(pair.id) if op is not None else None
    return write is not None and not same(pair.kind, write.source, jira.value)


def _of_unmapped_type(plan: _Plan, pair: FieldPair, values: dict[Side, Json]) -> Side | None:
    """Return the side whose item is of a type that has no counterpart."""
    if pair.kind is not FieldKind.TYPE:
        return None
    over = {side: translate(pair, side, value, plan.ctx.parents) for side, value in values.items()}
    return next((side for side in Side if isinstance(over[side], Untranslatable)), None)


def winner_by(policy: Policy, jira: Held, craft: Held) -> Side | None:
    """Return whose value a policy prefers, None if a person has to say."""
    return _latest(jira, craft) if policy is Policy.LATEST else _side_of(policy)


def _latest(jira: Held, craft: Held) -> Side | None:
    """Return the side that changed last, None if what is known does not tell (PROTOCOL F17)."""
    if _later(jira.edited, craft.edited):
        return Side.JIRA
    return Side.CRAFT if _later(craft.edited, jira.edited) else None


def _later(edited: Span, other: Span) -> bool:
    """Tell whether one edit was certainly made after another."""
    since = edited.until if edited.exact else edited.after
    return since is not None and since > other.until


def _write(plan: _Plan, pair: FieldPair, source: Side, held: Held, expected: Held) -> None:
    """Step 3: plan the write of one pair, unless its direction, its value or an earlier refusal forbids it."""
    link, ctx, decision = plan.link, plan.ctx, plan.decision
    target = source.other
    record = link.side(source).pair(pair.id)
    if not pair.direction.carries_to(target):
        return
    digest = block_hash(held.value, ctx.integration.revision)
    if _refused(record, digest):
        return
    over = translate(pair, source, held.value, ctx.parents, onto=expected.value)
    if isinstance(over, Translated):
        over = writable(pair, source, over)
    if isinstance(over, Untranslatable):
        decision.blocked[(source, pair.id)] = Blocked(
            digest, over.cause, f"{over.message} {over.next_step}", pair.called(source)
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


def _note(
    plan: _Plan, pair: FieldPair, values: dict[Side, Json], resolved_by: str | None, kept: Side | None = None
) -> ConflictNote:
    policy = plan.ctx.integration.policy_of(pair)
    return ConflictNote(pair.id, values[Side.JIRA], values[Side.CRAFT], policy, resolved_by, plan.ctx.now, kept)


def _remember(plan: _Plan, pair: FieldPair, side: Side, value: Json, why: str) -> None:
    plan.decision.history.append(HistoryNote(pair.id, side, value, why, plan.ctx.now))


def _policy_of(side: Side) -> Policy:
    return Policy.JIRA if side is Side.JIRA else Policy.CRAFT


def _side_of(policy: Policy) -> Side | None:
    return {Policy.JIRA: Side.JIRA, Policy.CRAFT: Side.CRAFT}.get(policy)


def _source_allowed(pair: FieldPair, side: Side) -> bool:
    """Tell whether edits of `side` count for a pair at all."""
    return pair.direction.carries_to(side.other)
