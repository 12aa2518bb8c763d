"""What counts as a change: a side that shows what both agreed on has not changed, whatever the mapping means since; an
empty side where nothing was ever agreed has said nothing; what a create left out waits, and loses to no default.
"""

from __future__ import annotations

import pytest

from services.mapper.domain.apply import apply
from services.mapper.domain.create import begin_create, created, refused
from services.mapper.domain.decide import decide
from services.mapper.domain.observation import Observation
from services.mapper.domain.order import observe
from services.mapper.domain.requests import carry_out
from services.mapper.domain.status import describe
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Agreed, Held, Json, LinkState, Operation
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy, ValuePair, next_revision
from shared.messages.change import ChangelogEntry, ChangelogItem
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause, DisplayState
from tests.unit.mapper.harness import ADA, START, TITLE, World, title_integration

POLICIES = pytest.mark.parametrize("policy", list(Policy))
SIDES = pytest.mark.parametrize("side", list(Side))


def option(*values: tuple[str | None, str | None], direction: Direction = Direction.BOTH) -> FieldPair:
    """Return a pair of options with this value map."""
    table = tuple(ValuePair(jira=j, craft=c) for j, c in values)
    return FieldPair(
        id=TITLE, kind=FieldKind.OPTION, jira="summary", craft="title", values=table, since=1, direction=direction
    )


def world_of(pair: FieldPair, jira: Json, craft: Json, policy: Policy = Policy.ASK, *, agreed: bool = True) -> World:
    """Return two sides that hold this and agree on it, or were joined just now."""
    world = World(title_integration(policy).model_copy(update={"pairs": (pair,)}))
    for side, value in ((Side.JIRA, jira), (Side.CRAFT, craft)):
        world.holds[side] = value
        record = world.link.side(side).pair(TITLE)
        record.seen, record.base = Held(value, START, None), Agreed(value, 1) if agreed else None
    return world


def remap(world: World, pair: FieldPair) -> None:
    """Save another mapping of the pair."""
    world.integration = next_revision(world.integration, world.integration.model_copy(update={"pairs": (pair,)}))


def both(world: World) -> tuple[Json, Json]:
    """Return what Jira and Craft.io hold, given that nobody is asked anything."""
    assert not world.link.open_conflicts
    return world.holds[Side.JIRA], world.holds[Side.CRAFT]


def ask_for(world: World, kind: RequestKind, **more: Side | PairId) -> None:
    """Have a person ask for something."""
    request = SyncRequest(
        request_id="r",
        kind=kind,
        requested_by="ada",
        requested_at=world.now,
        link_id=world.link.id,
        **more,  # type: ignore[arg-type]  # the pair and the winner
    )
    carry_out(world.link, request, world.ctx)


@POLICIES
def test_a_value_that_gets_its_counterpart_is_carried_over(policy: Policy) -> None:
    world = world_of(option(("high", "1")), "high", "1", policy)
    world.tick()
    world.deliver(world.edit(Side.JIRA, "low"))
    world.settle()
    assert [each.cause for each in describe(world.link, world.ctx).problems] == [Cause.VALUE_NOT_MAPPED]
    remap(world, option(("high", "1"), ("low", "3")))
    world.settle()
    assert both(world) == ("low", "3")
    assert describe(world.link, world.ctx).state is DisplayState.IN_SYNC


@POLICIES
def test_a_value_that_gets_another_counterpart_takes_the_other_side_along(policy: Policy) -> None:
    world = world_of(option(("high", "1")), "high", "1", policy)
    remap(world, option(("high", "2")))
    world.settle()
    assert both(world) == ("high", "2")
    assert [(note.side, note.value) for note in world.link.new_history] == [(Side.CRAFT, "1")]


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (Policy.ASK, ("high", "2")),
        (Policy.LATEST, ("high", "2")),
        (Policy.JIRA, ("high", "2")),
        (Policy.CRAFT, ("low", "1")),
    ],
)
def test_where_both_values_mean_something_else_the_policy_says_whose_stays(
    policy: Policy, wanted: tuple[str, str]
) -> None:
    world = world_of(option(("high", "1"), ("low", "2")), "high", "1", policy)
    remap(world, option(("high", "2"), ("low", "1")))
    world.settle()
    assert both(world) == wanted


@pytest.mark.parametrize("direction", [Direction.TO_CRAFT, Direction.TO_JIRA])
def test_a_field_that_is_carried_one_way_follows_its_source(direction: Direction) -> None:
    world = world_of(option(("high", "1"), ("low", "2"), direction=direction), "high", "1")
    remap(world, option(("high", "2"), ("low", "1"), direction=direction))
    world.settle()
    assert both(world) == (("high", "2") if direction is Direction.TO_CRAFT else ("low", "1"))


def test_a_value_whose_counterpart_is_taken_away_stays_and_says_so() -> None:
    world = world_of(option(("high", "1"), ("low", "2")), "high", "1")
    remap(world, option(("low", "2")))
    world.settle()
    assert both(world) == ("high", "1")
    assert describe(world.link, world.ctx).problems[0].cause is Cause.VALUE_NOT_MAPPED


@SIDES
def test_what_one_side_changed_while_the_mapping_changed_is_carried(side: Side) -> None:
    first = option(("high", "1"), ("low", "2"), ("mid", "3"))
    world = world_of(first, "high", "1")
    event = world.edit(side, "low" if side is Side.JIRA else "2")
    remap(world, option(("high", "1"), ("low", "2"), ("mid", "4")))
    world.tick()
    world.deliver(event)
    world.settle()
    assert both(world) == ("low", "2")


def test_what_both_sides_changed_is_still_a_conflict_after_the_mapping_changed() -> None:
    world = world_of(option(("high", "1"), ("low", "2"), ("mid", "3")), "high", "1")
    world.tick()
    events = [world.edit(Side.JIRA, "low"), world.edit(Side.CRAFT, "3")]
    remap(world, option(("high", "1"), ("low", "2"), ("mid", "3"), ("new", "5")))
    for event in events:
        observe(world.link, event, world.ctx)
    world.decide()
    assert set(world.link.open_conflicts) == {TITLE}


def test_an_edit_on_the_side_that_follows_stays_until_what_leads_means_something_else() -> None:
    world = world_of(option(("high", "1"), ("low", "2"), direction=Direction.TO_CRAFT), "high", "1")
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "2"))
    remap(world, option(("high", "1"), ("low", "2"), ("mid", "3"), direction=Direction.TO_CRAFT))
    world.settle()
    assert both(world) == ("high", "2")
    remap(world, option(("high", "4"), ("low", "2"), ("mid", "3"), direction=Direction.TO_CRAFT))
    world.settle()
    assert both(world) == ("high", "4")
    assert "2" in world.kept


@pytest.mark.parametrize(("jira", "craft"), [("ada", None), (None, {"id": "7", "team": ""})])
def test_a_person_who_gets_into_the_table_takes_the_empty_place(jira: Json, craft: Json) -> None:
    def people(*values: tuple[str | None, str | None]) -> FieldPair:
        table = tuple(ValuePair(jira=j, craft=c) for j, c in values)
        return FieldPair(id=TITLE, kind=FieldKind.USER, jira="assignee", craft="assignee", values=table, since=1)

    world = world_of(people(("zoe", "9")), jira, craft)
    remap(world, people(("zoe", "9"), ("ada", "7")))
    op = world.decide()
    assert op is not None
    assert not world.link.open_conflicts
    written = op.pairs[TITLE].value
    assert written == ({"id": "7", "team": ""} if jira else "ada")


def test_another_type_mapping_converts_nothing_that_exists_but_the_item_says_so() -> None:
    pair = FieldPair(id=TITLE, kind=FieldKind.TYPE, jira="issuetype", craft="type", since=1)
    world = world_of(pair, "10001", "feature")
    changed = [each.model_copy(update={"craft": "story"}) for each in world.integration.types]
    draft = world.integration.model_copy(update={"types": tuple(changed), "pairs": (pair,)})
    world.integration = next_revision(world.integration, type(draft).model_validate(draft.model_dump()))
    assert world.decide() is None
    assert both(world) == ("10001", "feature")
    (problem,) = describe(world.link, world.ctx).problems
    assert (problem.cause, "converts nothing" in problem.message) == (Cause.TYPE_NOT_CONVERTIBLE, True)


@POLICIES
@SIDES
def test_an_empty_side_of_two_that_are_joined_has_said_nothing(policy: Policy, side: Side) -> None:
    held = {side: "words", side.other: None}
    world = world_of(title_integration().pairs[0], held[Side.JIRA], held[Side.CRAFT], policy, agreed=False)
    world.settle()
    assert both(world) == ("words", "words")
    assert not world.link.new_conflicts


def test_an_empty_side_that_leads_has_said_nothing_either() -> None:
    pair = title_integration(direction=Direction.TO_CRAFT).pairs[0]
    world = world_of(pair, None, "words", agreed=False)
    world.settle()
    assert both(world) == (None, "words")


def test_two_that_are_joined_with_different_values_are_a_conflict() -> None:
    world = world_of(title_integration().pairs[0], "one", "other", agreed=False)
    world.settle()
    assert set(world.link.open_conflicts) == {TITLE}


def test_a_person_who_chooses_the_empty_side_of_a_conflict_empties_the_other() -> None:
    world = world_of(title_integration().pairs[0], "words", "other")
    world.tick()
    events = [world.edit(Side.JIRA, None), world.edit(Side.CRAFT, "new words")]
    for event in events:
        observe(world.link, event, world.ctx)
    world.decide()
    assert set(world.link.open_conflicts) == {TITLE}
    ask_for(world, RequestKind.RESOLVE, pair=TITLE, winner=Side.JIRA)
    world.settle()
    assert both(world) == (None, None)
    assert "new words" in world.kept


@SIDES
def test_a_resync_carries_what_one_side_alone_changed(side: Side) -> None:
    world = World()
    ask_for(world, RequestKind.UNSYNC)
    world.tick()
    world.deliver(world.edit(side, "new"))
    ask_for(world, RequestKind.RESYNC)
    world.settle()
    assert both(world) == ("new", "new")


def test_a_resync_asks_where_both_sides_changed() -> None:
    world = World()
    ask_for(world, RequestKind.UNSYNC)
    for side in Side:
        world.tick()
        world.deliver(world.edit(side, side.vendor))
    ask_for(world, RequestKind.RESYNC)
    world.settle()
    assert set(world.link.open_conflicts) == {TITLE}


LEVEL = PairId("level")
LONG = "x" * 40_000


def born(policy: Policy, craft: Json, why: str | None) -> tuple[World, Operation]:
    """Return an item of Craft.io whose create leaves out one field: refused by Jira in these words, or not mapped."""
    level = FieldPair(
        id=LEVEL,
        kind=FieldKind.STRING if why else FieldKind.OPTION,
        jira="customfield_1",
        craft="custom:1",
        values=() if why else (ValuePair(jira="Low", craft="low"),),
        since=1,
    )
    world = World(title_integration(policy))
    world.integration = world.integration.model_copy(update={"pairs": (*world.integration.pairs, level)})
    link = world.link
    link.origin, link.state, link.jira_id = Side.CRAFT, LinkState.CREATING, None
    link.jira.pairs.clear()
    link.labels["craft_type"] = "feature"
    link.craft.pair(TITLE).base = None
    link.craft.pair(LEVEL).seen = Held(craft, START, None)
    op = begin_create(link, world.ctx)
    assert op is not None
    if why is not None:
        refused(link, op, {LEVEL: why}, None, world.ctx)
        op = begin_create(link, world.ctx)
        assert op is not None
    assert LEVEL not in op.pairs
    return world, op


def shown(world: World, op: Operation, jira: Json, entries: tuple[ChangelogEntry, ...] = ()) -> None:
    """Let the create be done, and the new issue be read."""
    link = world.link
    created(link, op, EntityId("1"), world.ctx)
    values = {TITLE: op.pairs[TITLE].value, LEVEL: jira}
    read = Observation(
        Side.JIRA, values, world.now, ticket=link.jira.mark, fresh=True, changelog=entries, whole_changelog=True
    )
    observe(link, read, world.ctx)


@POLICIES
@pytest.mark.parametrize("default", [None, "Medium"])
@pytest.mark.parametrize("why", ["The text is too long for Jira's Level.", None])
def test_what_a_create_could_not_carry_waits_with_the_reason_and_loses_to_no_default(
    policy: Policy, default: Json, why: str | None
) -> None:
    world, op = born(policy, LONG, why)
    shown(world, op, default)
    assert apply(world.link, decide(world.link, world.ctx), world.ctx) is None
    (problem,) = describe(world.link, world.ctx).problems
    assert problem.cause is (Cause.REJECTED if why else Cause.VALUE_NOT_MAPPED)
    assert (why or "is not mapped") in problem.message
    assert world.link.craft.pair(LEVEL).blocked is not None


def test_what_a_create_could_not_carry_is_written_once_it_can_be() -> None:
    world, op = born(Policy.JIRA, LONG, "too long")
    shown(world, op, "Medium")
    assert world.decide() is None
    world.tick()
    observe(world.link, Observation(Side.CRAFT, {LEVEL: "short"}, world.now), world.ctx)
    write = world.decide()
    assert write is not None
    assert (write.target, write.pairs[LEVEL].value, write.pairs[LEVEL].expect) == (Side.JIRA, "short", "Medium")


def test_what_a_person_set_in_the_new_item_is_an_edit_and_no_default() -> None:
    world, op = born(Policy.ASK, LONG, "too long")
    item = ChangelogItem(field="customfield_1", old=None, old_label="Medium", new=None, new_label="High")
    entry = ChangelogEntry(id="9", at=world.now, by=ADA, op=None, items=(item,))
    shown(world, op, "High", (entry,))
    world.decide()
    assert set(world.link.open_conflicts) == {LEVEL}
