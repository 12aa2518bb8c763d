"""Laws of a status that is carried both ways: Jira's side moves by transitions, and may stop half way."""

from __future__ import annotations

from datetime import timedelta

from services.mapper.domain.apply import apply
from services.mapper.domain.create import begin_create, created
from services.mapper.domain.decide import decide
from services.mapper.domain.observation import Observation
from services.mapper.domain.order import observe
from services.mapper.domain.outcome import end_operation
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Agreed, Held, Json, LinkState, Operation, Result
from shared.domain.mapping import FieldKind, FieldPair, Integration, Policy, ValuePair
from shared.messages.change import ChangelogEntry, ChangelogItem
from shared.messages.write import WriteOutcome
from tests.unit.mapper.harness import ADA, START, TITLE, US, World, title_integration

STATUS = PairId("status")
TO_DO, DOING, DONE = "1", "2", "3"
OPEN, ACTIVE, CLOSED = "o", "a", "c"


def _integration(policy: Policy = Policy.ASK) -> Integration:
    before = title_integration(policy)
    values = tuple(ValuePair(jira=j, craft=c) for j, c in ((TO_DO, OPEN), (DOING, ACTIVE), (DONE, CLOSED)))
    status = FieldPair(id=STATUS, kind=FieldKind.STATUS, jira="status", craft="status", values=values, since=1)
    return before.model_copy(update={"pairs": (*before.pairs, status)})


def _world(policy: Policy = Policy.ASK) -> World:
    world = World(_integration(policy))
    for side, value in ((Side.JIRA, TO_DO), (Side.CRAFT, OPEN)):
        record = world.link.side(side).pair(STATUS)
        record.seen, record.base = Held(value, START, None), Agreed(value, 1)
    return world


def _edit_craft(world: World, **values: Json) -> Operation:
    world.tick()
    shown = {PairId(name): value for name, value in values.items()}
    op = world.deliver(Observation(Side.CRAFT, shown, world.now))
    assert op is not None
    return op


def _step(world: World, op: Operation | None, old: str, new: str, number: int) -> ChangelogEntry:
    item = ChangelogItem(field="status", old=old, old_label=None, new=new, new_label=None)
    by = US if op is not None else ADA
    return ChangelogEntry(id=str(number), at=world.now, by=by, op=op.id if op else None, items=(item,))


def _report(world: World, op: Operation, result: Result, status: str, *entries: ChangelogEntry) -> Operation | None:
    outcome = WriteOutcome(
        op_id=op.id,
        link_id=world.link.id,
        target=Side.JIRA,
        attempt=1,
        result=result,
        ended_at=world.now,
        ticket=world.link.jira.mark,
        snapshot={"fields": {"status": {"id": status}}},
        updated=world.now,
        write_at=world.now if result is Result.APPLIED else None,
        changelog=entries,
        errors={STATUS: "no way"} if result is Result.REJECTED else {},
    )
    end_operation(world.link, op, outcome, world.ctx)
    return world.decide()


def test_a_status_goes_to_jira_in_an_operation_of_its_own_after_the_other_fields() -> None:
    world = _world()
    op = _edit_craft(world, title="1", status=ACTIVE)
    assert list(op.pairs) == [TITLE]
    world.perform(op)
    following = world.link.open_operation
    assert following is not None
    assert {pair: write.value for pair, write in following.pairs.items()} == {STATUS: DOING}


def test_the_steps_of_one_write_do_not_count_as_overwritten_edits() -> None:
    world = _world()
    op = _edit_craft(world, status=CLOSED)
    entries = (_step(world, op, TO_DO, DOING, 1), _step(world, op, DOING, DONE, 2))
    assert _report(world, op, Result.APPLIED, DONE, *entries) is None
    record = world.link.jira.pair(STATUS)
    assert record.overwritten is None
    assert record.base == Agreed(DONE, 1)


def _heard_of_step(world: World, old: str, new: str, number: int) -> None:
    """Let the webhook of one transition of ours come in, which names our account but not the operation."""
    world.tick()
    entry = _step(world, None, old, new, number).model_copy(update={"by": US})
    world.deliver(Observation(Side.JIRA, {STATUS: new}, world.now, changelog=(entry,)))


def test_the_webhook_of_a_step_on_the_way_is_nobodys_edit() -> None:
    world = _world()
    op = _edit_craft(world, status=CLOSED)
    _heard_of_step(world, TO_DO, DOING, 1)
    world.tick()
    entries = (_step(world, op, TO_DO, DOING, 1), _step(world, op, DOING, DONE, 2))
    assert _report(world, op, Result.APPLIED, DONE, *entries) is None
    record = world.link.jira.pair(STATUS)
    assert (record.overwritten, record.base) == (None, Agreed(DONE, 1))
    assert not world.link.open_conflicts


def test_a_persons_status_after_the_webhook_of_a_step_is_still_theirs() -> None:
    world = _world()
    op = _edit_craft(world, status=CLOSED)
    _heard_of_step(world, TO_DO, DOING, 1)
    world.tick()
    theirs = _step(world, None, DOING, "9", 2)
    world.deliver(Observation(Side.JIRA, {STATUS: "9"}, world.now, changelog=(theirs,)))
    world.tick()
    entries = (_step(world, op, TO_DO, DOING, 1), theirs, _step(world, op, "9", DONE, 3))
    _report(world, op, Result.APPLIED, DONE, *entries)
    assert [note.jira_value for note in world.link.open_conflicts.values()] == ["9"]


def test_a_persons_status_that_a_step_replaced_is_found_in_the_changelog() -> None:
    world = _world()
    op = _edit_craft(world, status=CLOSED)
    theirs = _step(world, None, DOING, "9", 2)
    entries = (_step(world, op, TO_DO, DOING, 1), theirs, _step(world, op, "9", DONE, 3))
    _report(world, op, Result.APPLIED, DONE, *entries)
    assert [note.jira_value for note in world.link.open_conflicts.values()] == ["9"]


def test_a_write_that_was_refused_half_way_is_not_carried_back() -> None:
    world = _world()
    op = _edit_craft(world, status=CLOSED)
    assert _report(world, op, Result.REJECTED, DOING, _step(world, op, TO_DO, DOING, 1)) is None
    assert not world.link.open_conflicts
    blocked = world.link.craft.pair(STATUS).blocked
    assert blocked is not None
    assert blocked.message == "no way"


def test_a_person_who_moves_on_after_a_refusal_is_carried_over() -> None:
    world = _world(Policy.JIRA)
    op = _edit_craft(world, status=CLOSED)
    _report(world, op, Result.REJECTED, DOING, _step(world, op, TO_DO, DOING, 1))
    world.tick()
    moved = Observation(Side.JIRA, {STATUS: TO_DO}, world.now, changelog=(_step(world, None, DOING, TO_DO, 2),))
    following = world.deliver(moved)
    assert following is not None
    assert (following.target, following.pairs[STATUS].value) == (Side.CRAFT, OPEN)


def test_a_step_half_way_is_no_landing_when_a_person_moved_the_issue_then() -> None:
    world = _world()
    op = _edit_craft(world, status=CLOSED)
    entries = (_step(world, op, TO_DO, DOING, 1), _step(world, None, DOING, TO_DO, 2))
    _report(world, op, Result.MOVED, TO_DO, *entries)
    assert world.link.jira.pair(STATUS).base == Agreed(TO_DO, 1)


def test_a_step_that_lands_after_its_operation_is_undone_not_spread() -> None:
    world = _world(Policy.CRAFT)
    op = _edit_craft(world, status=CLOSED)
    entries = (_step(world, op, TO_DO, DOING, 1), _step(world, op, DOING, DONE, 2))
    _report(world, op, Result.APPLIED, DONE, *entries)
    world.now += timedelta(seconds=30)
    late = Observation(Side.JIRA, {STATUS: DOING}, world.now, changelog=(_step(world, op, DONE, DOING, 3),))
    following = world.deliver(late)
    assert following is not None
    assert (following.target, following.pairs[STATUS].value) == (Side.JIRA, DONE)


def test_a_status_that_a_person_chose_as_well_is_no_landing_while_the_title_of_that_write_stands() -> None:
    world = _world()
    world.tick()
    op = world.deliver(Observation(Side.JIRA, {TITLE: "1", STATUS: DOING}, world.now, account=ADA))
    assert op is not None
    op.attempts = 2  # the first one hangs
    for status in (ACTIVE, CLOSED):
        world.tick()
        world.deliver(Observation(Side.CRAFT, {TITLE: "0", STATUS: status}, world.now))
    outcome = WriteOutcome(
        op_id=op.id,
        link_id=world.link.id,
        target=Side.CRAFT,
        attempt=2,
        result=Result.MOVED,
        ended_at=world.now,
        ticket=world.link.craft.mark,
        snapshot={"title": "0", "status": {"id": CLOSED}},
        updated=world.now,
        read_at=world.now,
    )
    end_operation(world.link, op, outcome, world.ctx)
    again = world.decide()
    assert again is not None
    assert (again.target, {pair: write.value for pair, write in again.pairs.items()}) == (Side.CRAFT, {TITLE: "1"})
    assert STATUS in world.link.open_conflicts


def _new_issue(*entries: ChangelogEntry, heard: ChangelogEntry | None = None) -> World:
    """Let a Craft item be created in Jira and the issue be read for the first time, after an event heard of it."""
    world = _world()
    link = world.link
    link.origin, link.jira_id, link.state = Side.CRAFT, None, LinkState.CREATING
    link.labels["craft_type"] = "feature"
    link.jira.pairs.clear()
    link.craft.pair(STATUS).seen = Held(CLOSED, START, None)
    op = begin_create(link, world.ctx)
    assert op is not None
    assert STATUS not in op.pairs
    created(link, op, EntityId("1"), world.ctx)
    if heard is not None:
        event = Observation(Side.JIRA, {TITLE: "0", STATUS: TO_DO}, world.now, account=ADA, changelog=(heard,))
        observe(link, event, world.ctx)
    first = Observation(
        Side.JIRA,
        {TITLE: "0", STATUS: TO_DO},
        world.now,
        account=US,
        ticket=link.jira.mark,
        fresh=True,
        changelog=entries,
        whole_changelog=True,
    )
    observe(link, first, world.ctx)
    return world


def test_the_status_that_a_new_issue_begins_in_gives_way_to_that_of_its_item() -> None:
    world = _new_issue()
    op = apply(world.link, decide(world.link, world.ctx), world.ctx)
    assert op is not None
    assert (op.target, op.pairs[STATUS].value, op.pairs[STATUS].expect) == (Side.JIRA, DONE, TO_DO)
    assert not world.link.open_conflicts


def _by_ada(field: str, number: int) -> ChangelogEntry:
    item = ChangelogItem(field=field, old=DOING, old_label=None, new=TO_DO, new_label=None)
    return ChangelogEntry(id=str(number), at=START, by=ADA, items=(item,))


def test_a_person_who_moves_a_new_issue_at_once_is_not_overruled() -> None:
    world = _new_issue(_by_ada("status", 1))
    assert apply(world.link, decide(world.link, world.ctx), world.ctx) is None
    assert STATUS in world.link.open_conflicts


def test_nor_is_one_of_whose_move_only_the_event_of_a_later_edit_is_heard() -> None:
    moved, edited = _by_ada("status", 1), _by_ada("summary", 2)
    world = _new_issue(moved, edited, heard=edited)
    assert apply(world.link, decide(world.link, world.ctx), world.ctx) is None
    assert STATUS in world.link.open_conflicts
