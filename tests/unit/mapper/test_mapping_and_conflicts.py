"""What conflicts say, and what a newer mapping makes of them: another policy settles those that are open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.mapper.domain.reasons import by_rule
from services.mapper.domain.revision import follow
from services.mapper.domain.status import describe
from shared.domain.ids import PairId, Side
from shared.domain.link import Held, Overwritten
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy, ValuePair, next_revision
from shared.messages.status import Cause
from tests.unit.mapper.harness import START, TITLE, World
from tests.unit.mapper.test_types import BUG, TYPE
from tests.unit.mapper.test_types import _world as typed_world

LEVEL = PairId("level")


def revised(world: World, **changes: Any) -> None:
    """Save another revision."""
    world.integration = next_revision(world.integration, world.integration.model_copy(update=changes))


def decided(world: World) -> None:
    follow(world.link, world.ctx)
    world.settle()


def words(world: World) -> str:
    (problem,) = describe(world.link, world.ctx).problems
    assert problem.cause is Cause.CONFLICT
    return problem.message


def levels() -> World:
    """Return two sides that agree on a level."""
    world = World()
    pair = FieldPair(
        id=LEVEL,
        kind=FieldKind.OPTION,
        jira="customfield_1",
        craft="importance",
        values=(ValuePair(jira="1", craft="11"), ValuePair(jira="2", craft="12")),
        jira_name="Level",
    )
    revised(world, pairs=(*world.integration.pairs, pair))
    for side, value in ((Side.JIRA, "1"), (Side.CRAFT, "11")):
        world.link.side(side).pair(LEVEL).seen = Held(value, START, None)
    decided(world)
    assert not world.link.open_conflicts
    return world


def in_conflict(policy: Policy = Policy.ASK) -> World:
    """Return two sides that a person changed each."""
    world = World()
    revised(world, policy=policy)
    for side, value in ((Side.CRAFT, "c"), (Side.JIRA, "j")):
        world.tick()
        world.edit(side, value)
    for event in world.seen:
        world.deliver(event)
    world.settle()
    assert world.link.open_conflicts
    return world


def test_a_conflict_that_two_people_made_says_that_both_sides_were_changed() -> None:
    assert (
        words(in_conflict()) == "summary was changed on both sides to different values: Jira holds j, Craft.io holds c."
    )


def test_a_pair_that_was_never_agreed_on_says_so() -> None:
    world = levels()
    world.link.open_conflicts.clear()
    for side in Side:
        world.link.side(side).pair(LEVEL).base = None
    world.link.craft.pair(LEVEL).seen = Held("12", START, None)
    decided(world)
    assert "have not agreed on one since they were joined" in words(world)


def test_the_values_in_conflict_are_told_by_name_where_names_are_known() -> None:
    world = levels()
    for side, value in ((Side.JIRA, "2"), (Side.CRAFT, "13")):
        world.link.side(side).pair(LEVEL).seen = Held(value, START, None)
    decided(world)
    parents = replace(world.ctx.parents, names={(Side.JIRA, LEVEL): {"2": "High"}})
    (problem,) = describe(world.link, replace(world.ctx, parents=parents)).problems
    assert 'Jira holds "High", Craft.io holds 13' in problem.message


def test_a_type_without_counterpart_is_not_shown_as_a_conflict() -> None:
    world = typed_world()
    for side in Side:
        world.link.side(side).pair(TYPE).base = None
    world.link.jira.pair(TYPE).seen = Held(BUG, START, None)
    world.settle()
    assert [each.cause for each in describe(world.link, world.ctx).problems] == [Cause.TYPE_NOT_MAPPED]
    assert not world.link.open_conflicts


@pytest.mark.parametrize(("policy", "winner"), [(Policy.JIRA, "j"), (Policy.CRAFT, "c"), (Policy.LATEST, "j")])
def test_an_open_conflict_is_settled_by_the_policy_that_was_saved_since(policy: Policy, winner: str) -> None:
    world = in_conflict()
    revised(world, policy=policy)
    decided(world)
    assert world.holds == {Side.JIRA: winner, Side.CRAFT: winner}
    assert not world.link.open_conflicts
    assert {"j", "c"} <= world.kept
    assert world.link.new_conflicts[-1].resolved_by == by_rule(policy)


def test_a_conflict_whose_policy_did_not_change_stays_open() -> None:
    world = in_conflict()
    revised(world, name="another name")
    decided(world)
    assert world.link.open_conflicts


def test_a_policy_that_leaves_it_to_people_settles_nothing() -> None:
    world = in_conflict()
    world.link.open_conflicts[TITLE] = replace(world.link.open_conflicts[TITLE], policy=Policy.LATEST)
    decided(world)
    assert world.link.open_conflicts


def test_a_pair_that_is_carried_one_way_now_is_settled_by_its_direction() -> None:
    world = in_conflict()
    pairs = tuple(pair.model_copy(update={"direction": Direction.TO_CRAFT}) for pair in world.integration.pairs)
    revised(world, pairs=pairs, policy=Policy.CRAFT)
    decided(world)
    assert world.holds == {Side.JIRA: "j", Side.CRAFT: "j"}


@pytest.mark.parametrize(("policy", "restored"), [(Policy.JIRA, True), (Policy.CRAFT, False), (Policy.LATEST, None)])
def test_a_value_that_is_kept_on_record_only_is_restored_or_goes_to_the_history(
    policy: Policy, restored: bool | None
) -> None:
    world = World()
    world.link.jira.pair(TITLE).overwritten = Overwritten("lost")
    world.decide()
    assert world.link.open_conflicts[TITLE].kept is Side.JIRA
    revised(world, policy=policy)
    decided(world)
    assert bool(world.link.open_conflicts) is (restored is None)
    assert (world.holds[Side.JIRA] == "lost") is bool(restored)
    assert "lost" in world.kept
