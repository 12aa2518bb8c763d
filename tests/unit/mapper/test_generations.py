"""A read is the last word on its side only if nothing newer or undecidable was heard since it began (order rule 1).

People put values back, do two things in one second, and are told of twice: none of that may let a read pass that had
begun before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mapper.domain.observation import Observation
from shared.domain.ids import Side
from shared.domain.link import Operation, Result
from shared.domain.mapping import Policy
from tests.unit.mapper.harness import TITLE, Look, World, title_integration


def _landed(policy: Policy, target: Side = Side.CRAFT) -> tuple[World, Operation, Callable[[], None]]:
    """Return a world in which a write has landed and was read back, and what its outcome is handled by, later."""
    world = World(title_integration(policy))
    world.tick()
    op = world.deliver(world.edit(target.other, "1"))
    assert op is not None
    op.attempts = 1
    claimed, read_at = world.link.side(target).mark, world.now
    world.tick()
    write_at = world.land(op)
    look = world.look(target)

    def report() -> None:
        world.report(op, Result.APPLIED, ticket=claimed, read_at=read_at, write_at=write_at, look=look)

    return world, op, report


def _alike(world: World) -> bool:
    """Tell whether both sides show the same, without reading them afresh, or a person is asked."""
    world.settle()
    return world.holds[Side.JIRA] == world.holds[Side.CRAFT] or bool(world.link.open_conflicts)


@pytest.mark.parametrize("policy", list(Policy))
def test_a_value_put_back_after_a_write_is_not_hidden_by_the_answer_to_the_write(policy: Policy) -> None:
    world, _, report = _landed(policy)
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "0"))  # equals what is seen: nothing is accepted
    report()
    assert _alike(world)
    assert world.holds[Side.JIRA] == "0"  # a person's last word


@pytest.mark.parametrize("policy", list(Policy))
def test_a_value_put_back_in_the_second_in_which_it_was_seen_is_not_hidden_either(policy: Policy) -> None:
    world = World(title_integration(policy))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.at[Side.CRAFT] = world.now
    world.deliver(Observation(Side.CRAFT, {TITLE: "0"}, world.now))
    op.attempts, claimed = 1, world.link.craft.mark
    write_at = world.land(op)  # a coarse clock: all of this within one second
    look = world.look(Side.CRAFT)
    world.deliver(world.edit(Side.CRAFT, "0"))
    world.report(op, Result.APPLIED, ticket=claimed, read_at=world.now, write_at=write_at, look=look)
    assert _alike(world)


def test_a_tie_while_a_read_is_under_way_voids_the_read() -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "1"))
    world.settle()
    world.link.craft.dirty_since = world.now
    look = world.look(Side.CRAFT)
    tied = replace(world.edit(Side.CRAFT, "2"), at=look.at)  # bears the time of what is seen
    world.at[Side.CRAFT] = look.at
    world.deliver(tied)
    world.fresh_read(Side.CRAFT, look)
    assert world.link.craft.dirty
    assert _alike(world)
    assert world.holds[Side.JIRA] == "2"


def test_an_observation_without_a_time_voids_a_read_under_way() -> None:
    world = World(title_integration(Policy.ASK))
    world.link.jira.dirty_since = world.now
    look = world.look(Side.JIRA)
    world.tick()
    world.edit(Side.JIRA, "1")
    world.deliver(Observation(Side.JIRA, {TITLE: "1"}, None))
    world.fresh_read(Side.JIRA, look)
    assert world.link.jira.dirty
    assert _alike(world)
    assert world.holds[Side.CRAFT] == "1"


def test_what_is_certainly_older_voids_nothing() -> None:
    world = World(title_integration(Policy.ASK))
    world.tick(5)
    world.deliver(world.edit(Side.CRAFT, "1"))
    world.settle()
    before = world.link.craft.mark
    world.deliver(Observation(Side.CRAFT, {TITLE: "0"}, world.at[Side.CRAFT].replace(year=2025)))
    assert world.link.craft.mark == before


@dataclass
class Staged:
    """A world in which reads and writes have parts, between which others do something."""

    world: World
    claimed: tuple[Operation, int, datetime, str] | None = None
    landed: tuple[Result, datetime | None, Look] | None = None
    look: Look | None = None
    told: int = 0

    def claim(self) -> None:
        op = self.world.link.open_operation
        if op is not None and self.claimed is None:
            op.attempts += 1
            shown = self.world.holds[op.target]
            self.claimed = (op, self.world.link.side(op.target).mark, self.world.now, str(shown))

    def land(self) -> None:
        if self.claimed is None or self.landed is not None:
            return
        op, _, _, shown = self.claimed
        write = op.pairs[TITLE]
        if shown == write.value or shown != write.expect:
            result, at = (Result.ALREADY if shown == write.value else Result.MOVED), None
        else:
            result, at = Result.APPLIED, self.world.land(op)
        self.landed = (result, at, self.world.look(op.target))

    def report(self) -> None:
        if self.claimed is None or self.landed is None:
            return
        (op, ticket, read_at, _), (result, at, look) = self.claimed, self.landed
        self.claimed = self.landed = None
        self.world.report(op, result, ticket=ticket, read_at=read_at, write_at=at, look=look)

    def handle(self) -> None:
        if self.look is not None:
            self.world.fresh_read(self.look.side, self.look)
            self.look = None

    def hear(self) -> None:
        """Hear of the next event, in order: late perhaps, but not lost."""
        if self.told < len(self.world.seen):
            self.told += 1
            self.world.deliver(self.world.seen[self.told - 1])

    def end(self) -> None:
        self.claim()
        self.land()
        self.report()
        self.handle()
        while self.told < len(self.world.seen):
            self.hear()
        self.world.settle(60)
        while self.told < len(self.world.seen):
            self.hear()
        self.world.settle(60)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.sampled_from(list(Side)), st.integers(0, 2)),
        st.tuples(st.sampled_from(["hear", "hear", "claim", "land", "report", "handle", "tick"]), st.none(), st.none()),
        st.tuples(st.just("look"), st.sampled_from(list(Side)), st.none()),
    ),
    max_size=24,
)


@pytest.mark.parametrize("policy", list(Policy))
@given(steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_people_who_put_values_back_leave_both_sides_alike(
    policy: Policy, steps: list[tuple[str, Side | None, int | None]]
) -> None:
    """Without a read of both sides afresh at the end: what was heard has to be enough."""
    staged = Staged(World(title_integration(policy)))
    world = staged.world
    world.tick()
    for what, side, number in steps:
        if what == "edit" and side is not None:
            if world.holds[side] != str(number):
                world.edit(side, str(number))
        elif what == "look" and side is not None:
            staged.look = staged.look or world.look(side)
        elif what == "tick":
            world.tick()
        else:
            getattr(staged, what)()
    staged.end()
    assert world.holds[Side.JIRA] == world.holds[Side.CRAFT] or world.link.open_conflicts
