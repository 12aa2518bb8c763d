"""What a rehearsal foresees, in words for people: per field now, would be or why not; per item its outlooks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.mapper.domain.context import Context
from shared.domain.dry_run import FieldForecast, ItemForecast, Outlook, SideForecast, Verdict
from shared.domain.ids import PairId, Side
from shared.domain.kinds import IN_STEPS, SETS
from shared.domain.link import (
    Agreed,
    ConflictNote,
    Held,
    HistoryNote,
    Json,
    Link,
    LinkState,
    Operation,
    OperationKind,
    Result,
)
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.fields import Untranslatable, equivalent, same, translate
from shared.fields.sets import edited
from shared.messages.status import Cause, DisplayState, Problem, SyncStatus

_AFTER_CREATE = "Set right after the issue was created: a new issue begins where its workflow begins, without links."
_RESTORED = "An edit that a write of Tandem's replaced is brought back."


@dataclass(slots=True)
class Foreseen:
    """What came of playing one item to its end."""

    link: Link
    ctx: Context
    status: SyncStatus
    now: Mapping[Side, Mapping[PairId, Json]]
    """What each side shows, by pair; a pair that is missing was not shown."""
    writes: Sequence[Operation] = ()
    """Writes and restores, in order."""
    create: Operation | None = None
    on_request: bool = False
    new: bool = False
    """True: there is no link yet."""
    waits: str | None = None
    """Why it waits for its parent; all else is foreseen as if the parent were linked."""
    conflicts: Sequence[ConflictNote] = ()
    history: Sequence[HistoryNote] = ()
    written: dict[PairId, dict[Side, Json]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Collect what would be written where; the last write of a pair counts."""
        for op in (*self.writes, *((self.create,) if self.create else ())):
            for pair_id, write in op.pairs.items():
                self.written.setdefault(pair_id, {})[op.target] = write.value


def as_if_done(link: Link, op: Operation, ctx: Context) -> None:
    """Take the open write of a link for done, as its writer's outcome would; nobody came in between."""
    op.open, op.result, op.done_at, link.op_id = False, Result.APPLIED, ctx.now, None
    op.read_at = op.write_at = ctx.now
    for pair in ctx.integration.pairs:
        write = op.pairs.get(pair.id)
        if write is None:
            continue
        target, source = link.side(op.target).pair(pair.id), link.side(op.target.other).pair(pair.id)
        pending = target.overwritten
        put_back = op.kind is OperationKind.RESTORE
        target.seen = Held(write.value, ctx.now, None if put_back else op.id)
        if not put_back:
            before = target.base.value if target.base is not None else None
            agreed = edited(before, write) if pair.kind in SETS else write.value
            source.base, target.base = Agreed(write.source, op.revision), Agreed(agreed, op.revision)
        if pending is not None and same(pair.kind, pending.value, write.value if put_back else write.expect):
            target.overwritten = None


def forecast(foreseen: Foreseen) -> ItemForecast:
    """Return what would become of an item that is (or would be) in a link of the draft."""
    link, status = foreseen.link, foreseen.status
    outlooks = tuple(dict.fromkeys(_outlooks(foreseen)))
    moving = status.state in (DisplayState.PENDING, DisplayState.IN_SYNC)
    why, next_step = (None, None) if moving else (status.message or None, status.next_step)
    if outlooks == (Outlook.LEFT_ALONE,) and moving:
        why = status.message
    if Outlook.CREATE_ON_REQUEST in outlooks:
        why, next_step = f"Items are created in {link.origin.other.vendor} on request only.", "Press sync on the item."
    if foreseen.waits is not None:
        why, next_step = foreseen.waits, None
    return ItemForecast(
        outlooks=outlooks,
        why=why,
        next_step=next_step,
        link_id=None if foreseen.new else link.id,
        jira_id=link.jira_id,
        craft_id=link.craft_id,
        labels=dict(link.labels),
        type_id=foreseen.create.type_id if foreseen.create else None,
        fields=tuple(_field(foreseen, pair) for pair in foreseen.ctx.integration.pairs),
        compared_with=foreseen.ctx.integration.revision - 1,
        at=foreseen.ctx.now,
    )


def _outlooks(foreseen: Foreseen) -> Iterator[Outlook]:
    if foreseen.waits is not None:
        yield Outlook.WAITING
    if foreseen.create is not None:
        yield Outlook.CREATE_ON_REQUEST if foreseen.on_request else Outlook.CREATE
    for op in foreseen.writes:
        yield Outlook.WRITE_JIRA if op.target is Side.JIRA else Outlook.WRITE_CRAFT
    match foreseen.link.state:
        case LinkState.WAITING:
            yield Outlook.WAITING
        case LinkState.EXCLUDED | LinkState.HELD:
            yield Outlook.EXCLUDED
        case LinkState.ACTIVE | LinkState.CREATING:
            yield from _of_problems(foreseen)
        case LinkState.ASK | LinkState.PAUSED | LinkState.UNSYNCED | LinkState.ABSENT | LinkState.GONE:
            yield Outlook.LEFT_ALONE


def _of_problems(foreseen: Foreseen) -> Iterator[Outlook]:
    link, problems = foreseen.link, foreseen.status.problems
    for problem in problems:
        match problem.cause:
            case Cause.CONFLICT:
                yield Outlook.CONFLICT
            case Cause.PARENT_NOT_LINKED | Cause.DEPENDENCY_NOT_LINKED:
                yield Outlook.WAITING
            case _:
                yield Outlook.BLOCKED
    if not problems and foreseen.create is None and not foreseen.writes:
        settled = link.state is LinkState.ACTIVE and link.op_id is None
        yield Outlook.IN_SYNC if settled and foreseen.status.state is DisplayState.IN_SYNC else Outlook.LEFT_ALONE


def _field(foreseen: Foreseen, pair: FieldPair) -> FieldForecast:
    written = dict(foreseen.written.get(pair.id, {}))
    verdict, why, next_step = _verdict(foreseen, pair, written)

    def side(which: Side) -> SideForecast:
        shown = foreseen.now.get(which, {})
        now, changes = shown.get(pair.id), which in written
        return SideForecast(
            now=now, seen=pair.id in shown, would_be=written[which] if changes else now, changes=changes
        )

    return FieldForecast(
        pair=pair.id,
        jira_field=pair.jira,
        craft_field=pair.craft,
        verdict=verdict,
        jira=side(Side.JIRA),
        craft=side(Side.CRAFT),
        why=why,
        next_step=next_step,
    )


def _verdict(foreseen: Foreseen, pair: FieldPair, written: dict[Side, Json]) -> tuple[Verdict, str | None, str | None]:
    problem = _problem(foreseen.status.problems, pair)
    if written:
        return Verdict.WRITE, _why_written(foreseen, pair), None
    if problem is not None:
        verdict = Verdict.CONFLICT if problem.cause is Cause.CONFLICT else Verdict.BLOCKED
        return verdict, problem.message, problem.next_step
    if foreseen.create is not None:
        if pair.kind is FieldKind.TYPE:
            return Verdict.SAME, None, None  # a create brings its type along (`type_id`), agreed from the start
        return _not_created_with(foreseen, pair, foreseen.create.target, written)
    jira, craft = (foreseen.now.get(side, {}) for side in Side)
    if pair.id in jira and pair.id in craft:
        if equivalent(pair, jira[pair.id], craft[pair.id], foreseen.ctx.parents):
            return Verdict.SAME, None, None
        return Verdict.LEFT, _why_left(foreseen, pair), None
    if foreseen.link.state is not LinkState.ACTIVE:
        return Verdict.LEFT, foreseen.status.message, foreseen.status.next_step
    hidden = " and ".join(side.vendor for side in Side if pair.id not in foreseen.now.get(side, {}))
    return Verdict.LEFT, f"{hidden} does not show this field here, and there is nothing to carry.", None


def _problem(problems: Iterable[Problem], pair: FieldPair) -> Problem | None:
    return next((problem for problem in problems if problem.pair == pair.id), None)


def _why_written(foreseen: Foreseen, pair: FieldPair) -> str | None:
    """Return what people have to know of a write: who won, or what comes back."""
    if any(op.kind is OperationKind.RESTORE and pair.id in op.pairs for op in foreseen.writes):
        return _RESTORED
    settled = next((n for n in foreseen.conflicts if n.pair == pair.id and n.resolved_by is not None), None)
    if settled is not None:
        return f"The two sides hold different values; settled by {settled.resolved_by}. Both stay on record."
    replaced = next((note for note in foreseen.history if note.pair == pair.id), None)
    return f"What {replaced.side.vendor} holds is replaced and stays on record: {replaced.why}." if replaced else None


def _why_left(foreseen: Foreseen, pair: FieldPair) -> str:
    if foreseen.link.state is not LinkState.ACTIVE:
        return foreseen.status.message
    match pair.direction:
        case Direction.ONCE:
            return "The two differ: this field is carried once, when an item is created, and then left alone."
        case Direction.TO_JIRA | Direction.TO_CRAFT:
            target = Side.JIRA if pair.direction is Direction.TO_JIRA else Side.CRAFT
            return (
                f"The two differ, but this field is carried to {target.vendor} only, and {target.other.vendor} "
                "holds what was carried last."
            )
        case Direction.BOTH:
            return "The two differ as they did when both sides last agreed; neither has changed since."


def _not_created_with(
    foreseen: Foreseen, pair: FieldPair, target: Side, written: dict[Side, Json]
) -> tuple[Verdict, str | None, str | None]:
    """Say why a pair is not part of a create; a status that follows by transitions is noted as written."""
    source = target.other
    if pair.direction is not Direction.ONCE and not pair.direction.carries_to(target):
        return Verdict.LEFT, f"This field is carried to {source.vendor} only.", None
    shown = foreseen.now.get(source, {})
    if pair.id not in shown:
        return Verdict.LEFT, f"{source.vendor} does not show this field here, so it is left empty.", None
    if pair.kind in IN_STEPS and target is Side.JIRA and pair.direction.carries_to(target):
        over = translate(pair, source, shown[pair.id], foreseen.ctx.parents)
        if isinstance(over, Untranslatable):
            return Verdict.BLOCKED, over.message, over.next_step
        written[target] = over.value
        return Verdict.WRITE, _AFTER_CREATE, None
    return Verdict.LEFT, f"It is empty in {source.vendor}, so there is nothing to carry.", None
