"""A late effect of ours is undone; it settles nothing (PROTOCOL F11, W3)."""

from __future__ import annotations

import pytest

from services.mapper.domain.observation import Observation
from services.mapper.domain.outcome import end_operation
from shared.domain.ids import Side
from shared.domain.link import Operation, Result
from shared.domain.mapping import Policy
from shared.messages.write import WriteOutcome
from tests.unit.mapper.harness import TITLE, US, World, title_integration


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
