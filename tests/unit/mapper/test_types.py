"""Laws of converting an item's type: the counterpart follows the type mapping, or the item says why it cannot."""

from __future__ import annotations

from services.mapper.domain.apply import apply
from services.mapper.domain.create import begin_create, created
from services.mapper.domain.decide import decide
from services.mapper.domain.observation import Observation
from services.mapper.domain.order import observe
from services.mapper.domain.status import describe
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Agreed, Held, Json, LinkState, Operation
from shared.domain.mapping import FieldKind, FieldPair, Integration, Policy, TypePair
from shared.messages.status import Cause
from tests.unit.mapper.harness import START, TITLE, US, World, title_integration

TYPE = PairId("type")
EPIC, STORY, TASK, BUG = "10000", "10001", "10002", "10003"


def _integration(policy: Policy = Policy.ASK) -> Integration:
    before = title_integration(policy)
    pair = FieldPair(id=TYPE, kind=FieldKind.TYPE, jira="issuetype", craft="type", since=1)
    types = (("10000", "Epic"), (STORY, "feature"), (TASK, "feature"))
    mapped = tuple(TypePair(jira=jira, craft=craft) for jira, craft in types)
    return Integration.model_validate({**dict(before), "pairs": (*before.pairs, pair), "types": mapped})


def _world() -> World:
    world = World(_integration())
    for side, value in ((Side.JIRA, STORY), (Side.CRAFT, "feature")):
        record = world.link.side(side).pair(TYPE)
        record.seen, record.base = Held(value, START, None), Agreed(value, 1)
    return world


def _convert(world: World, side: Side, **values: Json) -> Operation | None:
    world.tick()
    return world.deliver(Observation(side, {PairId(name): value for name, value in values.items()}, world.now))


def _causes(world: World) -> list[Cause]:
    return [problem.cause for problem in describe(world.link, world.ctx).problems]


def test_an_item_that_is_converted_in_craft_takes_its_issue_along() -> None:
    world = _world()
    op = _convert(world, Side.CRAFT, type="epic")
    assert op is not None
    assert (op.target, op.pairs[TYPE].value, op.pairs[TYPE].expect) == (Side.JIRA, EPIC, STORY)


def test_an_issue_that_is_converted_in_jira_says_what_to_do_in_craft_and_its_other_fields_go_on() -> None:
    world = _world()
    op = _convert(world, Side.JIRA, type=EPIC, title="1")
    assert op is not None
    assert list(op.pairs) == [TITLE]
    problem = next(each for each in describe(world.link, world.ctx).problems if each.pair == TYPE)
    assert problem.cause is Cause.TYPE_NOT_CONVERTIBLE
    assert "Convert the item in Craft.io to epic" in problem.message + problem.next_step


def test_once_both_are_converted_they_agree() -> None:
    world = _world()
    assert _convert(world, Side.JIRA, type=EPIC) is None
    assert _convert(world, Side.CRAFT, type="epic") is None
    assert _causes(world) == []
    assert not world.link.open_conflicts


def test_an_issue_that_becomes_another_type_of_the_same_counterpart_needs_nothing() -> None:
    world = _world()
    assert _convert(world, Side.JIRA, type=TASK) is None
    assert _causes(world) == []


def test_an_item_that_is_converted_to_an_unmapped_type_stays_linked_and_says_so() -> None:
    world = _world()
    assert _convert(world, Side.JIRA, type=BUG) is None
    assert world.link.state is LinkState.ACTIVE
    assert _causes(world) == [Cause.TYPE_NOT_MAPPED]


def test_what_craft_calls_a_type_in_other_case_is_the_same_type() -> None:
    world = _world()
    op = _convert(world, Side.JIRA, type=EPIC, title="0")
    assert op is None
    assert world.integration.pair(TYPE) is not None
    assert {each.craft for each in world.integration.pairs[1].value_map} == {"epic", "feature"}


def test_the_type_of_a_new_counterpart_is_agreed_on_from_the_start() -> None:
    world = _world()
    link = world.link
    link.origin, link.jira_id, link.state = Side.CRAFT, None, LinkState.CREATING
    link.labels["craft_type"] = "feature"
    link.jira.pairs.clear()
    for record in link.craft.pairs.values():
        record.base = None
    op = begin_create(link, world.ctx)
    assert op is not None
    assert (op.type_id, TYPE in op.pairs) == (STORY, False)
    created(link, op, EntityId("1"), world.ctx)
    first = {TITLE: "0", TYPE: STORY}
    observe(link, Observation(Side.JIRA, first, world.now, account=US, ticket=0, fresh=True), world.ctx)
    assert apply(link, decide(link, world.ctx), world.ctx) is None
    assert _causes(world) == []
    assert not link.open_conflicts
