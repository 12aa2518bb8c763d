"""Many edits are few writes, no number of them stops an item, and a loop is stopped for a while, with words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.mapper.domain.order import observe
from services.mapper.domain.settling import PAUSES, resume
from services.mapper.domain.status import describe
from shared.domain.ids import Side
from shared.domain.link import LinkState, OperationKind
from shared.domain.mapping import Policy
from shared.messages.status import Cause, DisplayState
from tests.unit.mapper.harness import US, World, title_integration

BOTH = pytest.mark.parametrize("source", list(Side))


def work(world: World) -> None:
    """Let the clock and the writer have their turn."""
    if world.link.not_before is not None and world.link.not_before <= world.now:
        resume(world.link, world.now)
        world.decide()
    op = world.link.open_operation
    if op is not None:
        world.perform(op)
    for side in Side:
        if world.link.side(side).dirty:
            world.fresh_read(side)


def type_on(world: World, source: Side, edits: int, seconds: float) -> None:
    """Let a person set the title again and again, and everybody else do their part meanwhile."""
    for number in range(edits):
        world.deliver(world.edit(source, f"title {number}"))
        work(world)
        world.tick(seconds / edits)
        work(world)


@BOTH
def test_twenty_edits_in_two_seconds_are_three_writes_at_most(source: Side) -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    type_on(world, source, edits=20, seconds=2)
    world.settle()
    assert world.holds == {Side.JIRA: "title 19", Side.CRAFT: "title 19"}
    assert world.writes <= 3


@BOTH
@pytest.mark.parametrize(("edits", "seconds"), [(34, 14), (200, 300), (60, 30)])
def test_no_number_of_a_persons_edits_stops_an_item(source: Side, edits: int, seconds: float) -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    for number in range(edits):
        world.deliver(world.edit(source, f"distinct {number}"))
        work(world)
        world.tick(seconds / edits)
        work(world)
        assert world.link.state is LinkState.ACTIVE
    world.settle()
    assert world.holds[source.other] == world.holds[source]


def test_the_first_edit_waits_for_nothing_and_says_of_the_next_that_it_is_coming() -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.perform(op)
    world.tick(0.2)
    assert world.deliver(world.edit(Side.JIRA, "2")) is None
    status = describe(world.link, world.ctx)
    assert (status.state, status.cause) == (DisplayState.PENDING, Cause.RETRY_LATER)
    assert "a moment" in status.message
    world.settle()
    assert world.holds[Side.CRAFT] == "2"


def _loop(world: World, rounds: int) -> bool:
    """Let an automation on each side add to whatever Tandem has just written there; False once Tandem stopped."""
    world.deliver(world.edit(Side.JIRA, "begin"))
    for number in range(rounds):
        for _ in range(3):
            world.tick(0.7)
            op = world.link.open_operation
            if op is not None:
                world.perform(op)
                world.tick(0.3)
                world.deliver(world.edit(op.target, f"{world.holds[op.target]}!{number}"))
            else:
                work(world)
        if world.link.state is LinkState.PAUSED:
            return False
    return True


def test_a_loop_is_stopped_in_words_and_ends_by_itself_after_growing_pauses() -> None:
    world = World(title_integration(Policy.LATEST))
    world.tick()
    waits: list[timedelta] = []
    for _ in range(len(PAUSES) + 1):
        assert not _loop(world, 200)
        status = describe(world.link, world.ctx)
        assert (status.state, status.cause) == (DisplayState.PAUSED, Cause.BREAKER)
        assert "goes on by itself at" in status.message
        assert "retry" in (status.next_step or "")
        assert world.link.not_before is not None
        waits.append(world.link.not_before - world.link.tripped[-1])
        before = world.writes
        world.tick(30)
        work(world)
        assert world.writes == before
        world.now = world.link.not_before
        work(world)
        assert world.link.state is LinkState.ACTIVE
    assert waits == [*PAUSES, PAUSES[-1]]


def test_a_value_that_is_put_back_over_and_over_is_a_loop_too() -> None:
    world = World(title_integration(Policy.CRAFT))
    world.tick()
    for _ in range(100):
        world.deliver(world.edit(Side.JIRA, "set"))
        work(world)
        world.tick(1.1)
        world.deliver(world.edit(Side.CRAFT, "back"))
        work(world)
        world.tick(1.1)
        work(world)
        if world.link.state is LinkState.PAUSED:
            break
    assert world.link.reason == Cause.BREAKER


def test_a_restore_does_not_wait() -> None:
    world = World(title_integration(Policy.CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    op.attempts = 2
    world.perform(op)
    world.tick(2)
    world.deliver(world.edit(Side.JIRA, "2"))
    work(world)
    world.tick(0.1)
    observe(world.link, world._set(Side.CRAFT, "1", US, op), world.ctx)
    restore = world.decide()
    assert restore is not None
    assert restore.kind is OperationKind.RESTORE
