"""Laws of emptying what Craft.io's API lets nobody empty: the item says so, and nothing else waits for it."""

from __future__ import annotations

import pytest

from services.mapper.domain.observation import Observation
from services.mapper.domain.status import describe
from shared.domain.ids import PairId, Side
from shared.domain.link import Agreed, Held, Json, Operation
from shared.domain.mapping import FieldKind, FieldPair, Integration, Policy
from shared.messages.status import Cause
from tests.unit.mapper.harness import START, TITLE, World, title_integration

POINTS = PairId("points")


def _world(craft: str) -> World:
    before = title_integration(Policy.ASK)
    pair = FieldPair(
        id=POINTS,
        kind=FieldKind.NUMBER,
        jira="points",
        craft=craft,
        jira_name="Story points",
        craft_name="Points",
        since=1,
    )
    world = World(Integration.model_validate({**dict(before), "pairs": (*before.pairs, pair)}))
    for side in Side:
        record = world.link.side(side).pair(POINTS)
        record.seen, record.base = Held(5, START, None), Agreed(5, 1)
    return world


def _shows(world: World, side: Side, **values: Json) -> Operation | None:
    world.tick()
    return world.deliver(Observation(side, {PairId(name): value for name, value in values.items()}, world.now))


@pytest.mark.parametrize("craft", ["storyPoints", "value", "effort", "estimatedHours"])
def test_a_number_emptied_in_jira_is_said_on_the_item_and_its_other_fields_go_on(craft: str) -> None:
    world = _world(craft)
    op = _shows(world, Side.JIRA, points=None, title="1")
    assert op is not None
    assert list(op.pairs) == [TITLE]
    problem = next(each for each in describe(world.link, world.ctx).problems if each.pair == POINTS)
    assert problem.cause is Cause.REJECTED
    assert "Craft.io lets nobody empty its Points" in problem.message
    assert "Empty it in Craft.io" in problem.message + problem.next_step


def test_it_ends_once_the_number_is_empty_on_both_sides_or_there_again() -> None:
    world = _world("storyPoints")
    assert _shows(world, Side.JIRA, points=None) is None
    assert _shows(world, Side.CRAFT, points=None) is None
    assert not describe(world.link, world.ctx).problems
    world = _world("storyPoints")
    assert _shows(world, Side.JIRA, points=None) is None
    op = _shows(world, Side.JIRA, points=8)
    assert op is not None
    assert op.pairs[POINTS].value == 8


def test_numbers_of_custom_fields_and_of_jira_are_emptied() -> None:
    op = _shows(_world("custom:7"), Side.JIRA, points=None)
    assert op is not None
    assert op.pairs[POINTS].value is None
    op = _shows(_world("storyPoints"), Side.CRAFT, points=None)
    assert op is not None
    assert (op.target, op.pairs[POINTS].value) == (Side.JIRA, None)
