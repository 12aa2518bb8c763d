"""A late effect of ours is undone; it settles nothing (PROTOCOL F11, W3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.mapper.domain.observation import Observation
from services.mapper.domain.outcome import end_operation
from services.mapper.domain.requests import carry_out
from services.mapper.domain.status import describe
from shared.domain.ids import Side
from shared.domain.link import Operation, Result
from shared.domain.mapping import Policy
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.write import WriteOutcome
from tests.unit.mapper.harness import ADA, TITLE, US, World, title_integration


def late(world: World, op: Operation) -> Observation:
    """Let an old request of an operation land now, and return what is told of it."""
    return world._set(op.target, op.pairs[TITLE].value, US, op)


def conflict(world: World) -> None:
    """Let people set different values on both sides at once, and both be heard of."""
    world.tick()
    one, other = world.edit(Side.JIRA, "J"), world.edit(Side.CRAFT, "C")
    world.link.not_before = world.now.replace(year=2030)
    world.deliver(one)
    world.link.not_before = None
    world.deliver(other)
    assert world.link.open_conflicts


def repeated_write(world: World, target: Side, value: str) -> Operation:
    """Return a write that took two attempts, of which the first may still land."""
    world.tick()
    op = world.deliver(world.edit(target.other, value))
    assert op is not None
    op.attempts = 1
    world.perform(op)
    return op


@pytest.mark.parametrize("target", list(Side))
def test_a_write_of_which_an_attempt_is_unknown_stays_open_while_its_target_cannot_be_found(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    op = world.deliver(world.edit(target.other, "1"))
    assert op is not None
    world.tick()
    op.attempts = 2
    world.land(op)  # by the first attempt, whose answer was lost
    not_found = WriteOutcome(
        op_id=op.id,
        link_id=world.link.id,
        target=target,
        attempt=2,
        result=Result.MOVED,
        ended_at=world.now,
        status=404,
        message="not found",
    )
    end_operation(world.link, op, not_found, world.ctx)
    assert world.link.open_operation is op
    assert world.link.side(target).dirty
    world.fresh_read(target)
    world.settle()
    assert (world.writes, world.holds) == (1, {Side.JIRA: "1", Side.CRAFT: "1"})


@pytest.mark.parametrize("target", list(Side))
def test_a_conflict_is_not_settled_by_a_late_write_of_ours(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    op = repeated_write(world, target, "J" if target is Side.CRAFT else "C")
    world.tick()
    world.deliver(world.edit(target.other, "back"))
    world.settle()
    conflict(world)
    shown = dict(world.holds)
    world.tick()
    world.deliver(late(world, op))  # both sides show the same now
    assert world.link.open_conflicts
    world.settle()
    assert world.holds == shown
    assert world.link.open_conflicts


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("target", list(Side))
def test_a_late_write_that_equals_an_edit_of_the_other_side_is_no_agreement(target: Side, policy: Policy) -> None:
    world = World(title_integration(policy))
    op = repeated_write(world, target, "1")
    world.tick()
    world.deliver(world.edit(target.other, "2"))
    world.settle()
    world.tick()
    world.link.not_before = world.now.replace(year=2030)
    world.deliver(world.edit(target.other, "1"))
    world.tick()
    world.deliver(late(world, op))
    world.link.not_before = None
    world.decide()
    assert world.link.side(target).pair(TITLE).base is not None
    assert world.link.side(target).pair(TITLE).base.value == "2"  # type: ignore[union-attr]
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}


def given_up(world: World) -> Operation:
    """Return a write to Craft.io whose request is still under way when its link is kept apart."""
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    op.attempts = 1
    _ask_for(world, RequestKind.UNSYNC)
    return op


def moved(world: World) -> Operation:
    """Return a write to Craft.io that found something else there after an attempt without answer; Jira has moved on."""
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    world.edit(Side.CRAFT, "x")
    op.attempts = 2
    world.sent.add(op.id)
    world.report(op, Result.MOVED, ticket=world.link.craft.mark, read_at=world.now)
    for note in list(world.link.open_conflicts):
        _ask_for(world, RequestKind.RESOLVE, pair=note, winner=Side.JIRA)
        world.decide()
    world.settle()
    world.tick()
    world.deliver(world.edit(Side.JIRA, "2"))
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}
    return op


def _ask_for(world: World, kind: RequestKind, **more: Any) -> None:
    request = SyncRequest(
        request_id=str(world.now), kind=kind, requested_by="ada", requested_at=world.now, link_id=world.link.id, **more
    )
    carry_out(world.link, request, world.ctx)


def keeps_otherwise(world: World, op: Operation) -> Observation:
    """Let an old request of an operation land now, on a Craft.io that takes a mark off; return what the feed tells."""
    return replace(world._set(Side.CRAFT, f"{op.pairs[TITLE].value}~", US, op), account=None)


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("made", [given_up, moved])
def test_what_an_unknown_late_effect_may_have_replaced_is_on_record(
    made: Callable[[World], Operation], policy: Policy
) -> None:
    world = World(title_integration(policy))
    op = made(world)
    world.tick()
    world.link.not_before = world.now.replace(year=2030)  # nothing is carried over yet
    world.deliver(world.edit(Side.CRAFT, "a person's"))
    world.tick()
    world.deliver(keeps_otherwise(world, op))
    assert "a person's" in {note.value for note in world.link.new_history}


def test_what_was_replaced_is_on_record_although_what_is_shown_now_had_been_seen_before() -> None:
    world = World(title_integration(Policy.ASK))
    op = given_up(world)
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "a person's"))
    world.tick()
    world.deliver(replace(world._set(Side.CRAFT, "0", US, op), account=US))
    assert "a person's" in {note.value for note in world.link.new_history}


def test_a_conflict_over_what_may_be_a_late_write_says_so() -> None:
    world = World(title_integration(Policy.ASK))
    op = moved(world)
    world.tick()
    world.deliver(keeps_otherwise(world, op))
    world.settle()
    assert describe(world.link, world.ctx).message == (
        "Craft.io did not answer when Tandem wrote summary some minutes ago. What it shows now was set by a person, or "
        "by that write, late: Tandem cannot tell: Jira holds 2, Craft.io holds 1~."
    )


@pytest.mark.parametrize("policy", list(Policy))
def test_an_unknown_late_effect_is_not_spread_over_what_people_set_since(policy: Policy) -> None:
    world = World(title_integration(policy))
    op = moved(world)
    world.tick()
    world.deliver(keeps_otherwise(world, op))
    world.settle()
    assert world.holds[Side.JIRA] == "2"
    assert world.link.open_conflicts[TITLE].craft_value == "1~"
    _ask_for(world, RequestKind.RESOLVE, pair=TITLE, winner=Side.CRAFT)
    world.settle()
    assert world.holds == {Side.JIRA: "1~", Side.CRAFT: "1~"}


@pytest.mark.parametrize("value", ["0", "x"])
def test_what_is_known_to_be_a_persons_is_carried_over_although_a_late_effect_may_come(value: str) -> None:
    world = World(title_integration(Policy.JIRA))
    moved(world)
    world.tick()
    event = world.edit(Side.CRAFT, value)
    world.deliver(event if value == "x" else replace(event, account=ADA))
    world.settle()
    assert world.holds == {Side.JIRA: value, Side.CRAFT: value}
    assert not world.link.open_conflicts


def test_what_comes_after_the_window_of_late_effects_is_a_persons() -> None:
    world = World(title_integration(Policy.JIRA))
    moved(world)
    world.tick(16 * 60)
    world.deliver(world.edit(Side.CRAFT, "later"))
    world.settle()
    assert world.holds == {Side.JIRA: "later", Side.CRAFT: "later"}
