"""Planted bugs of the mapper's core: what is observed, and what is decided."""

# ruff: noqa: ARG001, ARG005 - what is planted has the signature of what it replaces

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.mapper.domain import absence, decide, links, observation, order, outcome, requests, sets, voices
from services.mapper.domain import record as on_record
from services.mapper.domain.context import Context
from services.mapper.domain.observation import Observation
from services.mapper.domain.voices import speaks
from services.mapper.handlers import changes
from services.mapper.handlers import requests as request_handlers
from shared.domain.ids import Side
from shared.domain.link import Agreed, Held, Link, Operation
from shared.fields import same
from shared.fields.sets import merge_sets
from shared.messages.change import ChangeEvent, ChangeKind
from shared.messages.write import WriteOutcome
from tests.simulation.planting import Bug, Replacement

Planted = list[Replacement]


def _f3() -> Planted:
    """An outcome says what was written, without the vendor's time."""
    original = outcome._close

    def close(link: Link, op: Operation, ended: WriteOutcome, ctx: Context) -> Observation | None:
        original(link, op, ended, ctx)
        op.write_at = None
        return None

    def landed(link: Link, op: Operation, ended: WriteOutcome, observed: Any, ctx: Context) -> None:
        outcome._move_bases(link, op, ctx)
        for pair in ctx.integration.pairs:
            if pair.id in op.pairs:
                record = link.side(op.target).pair(pair.id)
                at = record.seen.at if record.seen is not None else ctx.now
                record.seen = Held(op.pairs[pair.id].value, at, op.id)

    return [
        (outcome, "_close", close),
        (outcome, "_landed", landed),
        (order, "late_effect", lambda *args: None),
        (order, "cannot_tell", lambda *args: False),
    ]


def _f4ii() -> Planted:
    def walk(link: Link, seen: Observation, *_: Any) -> None:
        if seen.whole_changelog and seen.changelog:
            link.jira.changelog_cursor = seen.changelog[-1].id

    return [(order, "walk", walk)]


def _f4iii() -> Planted:
    """What a landing write of ours replaced although it had been seen is not noticed."""

    def nobody(*args: Any, **named: Any) -> bool:
        return False

    return [(order, "is_users", nobody), (on_record, "is_users", nobody)]


def _f4_set() -> Planted:
    """A set is written as its source shows it, whatever else its target holds."""
    original = merge_sets

    def whole(walk: Any, shown: Any, *more: Any) -> Any:
        found = original(walk, shown, *more)
        ways = {}
        for side, way in found.ways.items():
            images = frozenset().union(*(walk.images(side, each) for each in shown[side]))
            theirs = shown[side.other]
            moved = bool(way.add or way.remove)
            ways[side] = replace(way, add=images - theirs, remove=theirs - images) if moved else way
        return replace(found, ways=ways)

    return [(sets, "merge_sets", whole)]


def _f5() -> Planted:
    """The read-back becomes the base, also that of an attempt that found its write already changed again."""
    original = outcome._moved

    def move_bases(link: Link, op: Operation, ctx: Context) -> None:
        for pair in ctx.integration.pairs:
            write = op.pairs.get(pair.id)
            if write is not None:
                shown = op.shown.get(pair.id, write.value)
                link.side(op.target.other).pair(pair.id).base = Agreed(write.source, op.revision)
                link.side(op.target).pair(pair.id).base = Agreed(shown, op.revision)

    def moved(link: Link, op: Operation, ended: WriteOutcome, seen: Observation | None, ctx: Context) -> None:
        shown = dict(op.shown)
        original(link, op, ended, seen, ctx)
        if op.landed:
            op.shown = shown
            move_bases(link, op, ctx)

    return [(outcome, "_move_bases", move_bases), (outcome, "_moved", moved)]


def _f6() -> Planted:
    """What each side shows counts as agreed when items are joined or compared anew."""
    original = requests.resync

    def resync(link: Link, ctx: Context) -> None:
        original(link, ctx)

    def says(records: Any, side: Side, pair: Any, ctx: Context) -> bool:
        return records[side].base is not None and speaks(records, side, pair, ctx)

    nobody = (decide, "reread", lambda *args: None)
    return [(requests, "resync", resync), (request_handlers, "resync", resync), (decide, "speaks", says), nobody]


def f11() -> Planted:
    """Nothing is known for a late effect of ours."""
    return [
        (order, "late_effect", lambda *args: None),
        (order, "perhaps_effect", lambda *args: None),
        (order, "cannot_tell", lambda *args: False),
    ]


def _f13_drop() -> Planted:
    return [(order, "_tie", lambda *args: None)]


def _f13_accept() -> Planted:
    def accept(link: Link, seen: Observation, ctx: Context, pair: Any, record: Any, actor: Any) -> None:
        assert seen.at is not None
        order._accept(link, seen, ctx, pair, seen.at, actor, None)
        link.side(seen.side).mark += 1

    return [(order, "_tie", accept)]


def _f14_time() -> Planted:
    """One time for the whole item: what is not newer than anything seen of it is old."""
    original = order.observe

    def observe(link: Link, seen: Observation, ctx: Context, closing: Operation | None = None) -> order.Observed:
        state = link.side(seen.side)
        times = [record.seen.at for record in state.pairs.values() if record.seen is not None]
        if seen.at is not None and times and seen.at <= max(times) and seen.ticket is None:
            return order.Observed(fresh=False, accepted={})
        return original(link, seen, ctx, closing)

    return [(changes, "observe", observe), (outcome, "observe", observe)]


def _f14_null() -> Planted:
    """A field that a snapshot does not show is taken for empty."""
    original = observation.values_of

    def values_of(side: Side, integration: Any, snapshot: Any) -> Any:
        return {**{pair.id: None for pair in integration.pairs}, **original(side, integration, snapshot)}

    return [(observation, "values_of", values_of)]


def _f15() -> Planted:
    original = order._older

    def older(link: Link, seen: Observation, ctx: Context, pair: Any, record: Any, at: datetime) -> None:
        state = link.side(seen.side)
        before = state.dirty_since
        original(link, seen, ctx, pair, record, at)
        state.dirty_since = before

    return [(order, "_older", older)]


def _f16() -> Planted:
    """What was agreed on stands for the same, whatever the pair means since."""

    def stands(record: Any, pair: Any) -> bool:
        return True

    return [(module, "stands", stands) for module in (decide, links, sets)]


def _f17() -> Planted:
    """The item's time is taken for the time at which its field changed."""

    def latest(jira: Held, craft: Held) -> Side:
        return Side.JIRA if jira.at > craft.at else Side.CRAFT

    return [(voices, "latest", latest)]


def _f18() -> Planted:
    """What was written is agreed on, however often the target shows something else."""

    def move_bases(link: Link, op: Operation, ctx: Context) -> None:
        for pair in ctx.integration.pairs:
            write = op.pairs.get(pair.id)
            if write is not None:
                link.side(op.target.other).pair(pair.id).base = Agreed(write.source, op.revision)
                link.side(op.target).pair(pair.id).base = Agreed(write.value, op.revision)
                pending = link.side(op.target).pair(pair.id).overwritten
                if pending is not None and same(pair.kind, pending.value, write.expect):
                    link.side(op.target).pair(pair.id).overwritten = None

    return [(outcome, "_move_bases", move_bases)]


def _f19() -> Planted:
    return [(outcome, "_rejected", lambda link, op, ended, ctx: None)]


def _generation() -> Planted:
    """A read counts although something was heard since it began, unless that changed what is seen."""
    original = order._observe_pair

    def observe_pair(
        link: Link, seen: Observation, ctx: Context, pair: Any, result: Any, closing: Operation | None
    ) -> bool:
        original(link, seen, ctx, pair, result, closing)
        return pair.id in result.accepted

    return [(order, "_observe_pair", observe_pair)]


def _told_deleted() -> Planted:
    """A deletion is believed as it is told."""
    original = absence.counts

    def counts(link: Link, event: ChangeEvent) -> bool:
        return event.kind is ChangeKind.DELETED or original(link, event)

    return [(absence, "counts", counts)]


def _f5_answer() -> Planted:
    """A good answer to a write is believed, whatever its target shows afterwards."""
    return [(outcome, "unmet", lambda *args: ())]


CORE_BUGS: dict[str, Bug] = {
    "F13generation": Bug("a read counts although something was heard since it began", _generation),
    "F20told": Bug("a deletion is believed as it is told", _told_deleted),
    "F3": Bug("an outcome carries no time, so that late echoes look new", _f3),
    "F4ii": Bug("nobody reads in Jira's changelog what a write replaced", _f4ii),
    "F4iii": Bug("a value that was seen and then replaced by a landing write is not noticed", _f4iii),
    "F4set": Bug("a set is written whole, whatever else its target holds", _f4_set),
    "F5": Bug("the read-back becomes the base", _f5),
    "F5answer": Bug("a good answer to a write is believed, whatever its target shows afterwards", _f5_answer),
    "F6": Bug("an unknown base counts as unchanged", _f6),
    "F13drop": Bug("another value at an equal time is dropped", _f13_drop),
    "F13accept": Bug("another value at an equal time is accepted", _f13_accept),
    "F14time": Bug("one time for the whole item", _f14_time),
    "F14null": Bug("an absent field counts as empty", _f14_null),
    "F15": Bug("a full compare that disagrees changes nothing", _f15),
    "F16": Bug("bases outlive the meaning of their pair", _f16),
    "F17": Bug("`latest` compares the times of items", _f17),
    "F18": Bug("what a normalising target shows is never accepted", _f18),
    "F19": Bug("what was refused is not remembered", _f19),
}
