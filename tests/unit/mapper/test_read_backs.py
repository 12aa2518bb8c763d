"""An answer says what was asked for; what the target shows afterwards says what happened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.mapper.domain.observation import Observation
from services.mapper.domain.status import describe
from shared.domain.ids import AccountId, PairId, Side
from shared.domain.link import Agreed, Held, Operation, OperationKind, Result
from shared.domain.mapping import FieldKind, FieldPair, Policy, ValuePair
from shared.messages.change import ChangelogEntry, ChangelogItem
from shared.messages.status import DisplayState
from tests.unit.mapper.harness import TITLE, US, World, title_integration

AUTOMATION = AccountId("automation")
BOTH = pytest.mark.parametrize("target", list(Side))
POLICIES = pytest.mark.parametrize("policy", list(Policy))


def accepted(world: World, op: Operation, *, put_back: bool = False) -> Operation | None:
    """Be a writer whose request is answered well; nothing has happened afterwards. Return the next operation."""
    op.attempts += 1
    world.sent.add(op.id)
    ticket, read_at = world.link.side(op.target).mark, world.now
    if put_back:
        before = world.holds[op.target]
        world.land(op)
        world._set(op.target, before, AUTOMATION, None)
    return world.report(op, Result.APPLIED, ticket=ticket, read_at=read_at, write_at=world.at[op.target])


def edited(world: World, target: Side, value: str = "the person's") -> Operation:
    world.tick()
    op = world.deliver(world.edit(target.other, value))
    assert op is not None
    world.tick()
    return op


@POLICIES
@BOTH
def test_what_was_accepted_and_did_not_happen_is_blocked_and_nothing_is_written_back(
    target: Side, policy: Policy
) -> None:
    world = World(title_integration(policy))
    assert accepted(world, edited(world, target)) is None
    world.settle()
    world.tick(3600)
    world.fresh_read(target)
    world.settle()
    assert world.holds == {target: "0", target.other: "the person's"}
    assert world.writes == 0
    status = describe(world.link, world.ctx)
    assert status.state is DisplayState.BLOCKED
    assert f"{target.vendor} accepted the request and did not change" in status.message
    assert not world.link.open_conflicts


def test_what_an_automation_sets_back_at_once_is_blocked_in_words_that_say_so() -> None:
    world = World(title_integration(Policy.JIRA))
    assert accepted(world, edited(world, Side.JIRA), put_back=True) is None
    world.settle()
    assert world.holds == {Side.JIRA: "0", Side.CRAFT: "the person's"}
    assert "Look for an automation" in describe(world.link, world.ctx).message


@BOTH
def test_a_person_who_edits_right_after_is_followed(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    op = edited(world, target)
    op.attempts += 1
    ticket, write_at = world.link.side(target).mark, world.land(op)
    world.edit(target, "right after")
    world.report(op, Result.APPLIED, ticket=ticket, read_at=write_at, write_at=write_at)
    world.settle()
    assert world.holds == {Side.JIRA: "right after", Side.CRAFT: "right after"}


@BOTH
def test_the_next_value_is_tried_again_and_lifts_the_block(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    accepted(world, edited(world, target))
    world.tick()
    world.deliver(world.edit(target.other, "another"))
    world.settle()
    assert world.holds == {Side.JIRA: "another", Side.CRAFT: "another"}
    assert describe(world.link, world.ctx).state is DisplayState.IN_SYNC


@BOTH
def test_an_edit_of_the_field_that_did_not_take_it_is_an_edit_like_any_other(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    accepted(world, edited(world, target))
    world.tick()
    world.deliver(world.edit(target, "by hand"))
    world.settle()
    assert world.link.open_conflicts  # both sides say something that the other has not heard
    assert set(world.kept) >= {"by hand", "the person's"}


@BOTH
def test_what_shows_only_after_its_read_back_came_true_after_all(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    op = edited(world, target)
    accepted(world, op)
    world.tick()
    world.land(op)
    world.deliver(world.seen[-1])
    world.settle()
    assert world.holds == {Side.JIRA: "the person's", Side.CRAFT: "the person's"}
    assert (world.writes, describe(world.link, world.ctx).state) == (1, DisplayState.IN_SYNC)


@BOTH
def test_it_came_true_for_the_value_that_was_written_though_its_source_has_moved_on(target: Side) -> None:
    world = World(title_integration(Policy.ASK))
    op = edited(world, target)
    accepted(world, op)
    world.tick()
    world.link.not_before = world.now + timedelta(hours=1)
    world.deliver(world.edit(target.other, "newer"))
    world.tick()
    world.land(op)
    world.deliver(world.seen[-1])
    world.link.not_before = None
    world.decide()
    world.settle()
    assert world.holds == {Side.JIRA: "newer", Side.CRAFT: "newer"}
    assert not world.link.open_conflicts


def test_blanks_that_craft_takes_off_are_its_own_form() -> None:
    world = World(title_integration(Policy.ASK))
    edited(world, Side.CRAFT, "a b")
    world.settle()
    accepted(world, edited(world, Side.CRAFT, "a  b"))
    world.settle()
    assert world.holds == {Side.JIRA: "a b", Side.CRAFT: "a b"}
    assert describe(world.link, world.ctx).state is DisplayState.IN_SYNC


@POLICIES
def test_a_restore_that_did_not_happen_stands_in_the_history(policy: Policy) -> None:
    world = World(title_integration(policy))
    op = edited(world, Side.CRAFT)
    world.perform(op)
    record = world.link.craft.pair(TITLE)
    record.base = Agreed("agreed", 1)
    assert record.seen is not None
    record.seen = Held(record.seen.value, record.seen.at, op.id, late=True)
    restore = world.decide()
    assert restore is not None
    assert restore.kind is OperationKind.RESTORE
    accepted(world, restore)
    world.settle()
    assert "agreed" in {note.value for note in world.link.new_history}
    assert world.holds[Side.CRAFT] == "the person's"


def status_world() -> World:
    world = World(title_integration(Policy.ASK))
    pair = FieldPair(
        id=PairId("status"),
        kind=FieldKind.STATUS,
        jira="status",
        craft="status",
        since=1,
        values=tuple(ValuePair(jira=value, craft=value) for value in ("1", "2", "3")),
    )
    world.integration = world.integration.model_copy(update={"pairs": (pair,)})
    for side in Side:
        record = world.link.side(side).pair(pair.id)
        record.seen, record.base = Held("1", world.now, None), Agreed("1", 1)
    return world


@pytest.mark.parametrize("ends_in", ["1", "2"])
def test_a_transition_that_was_accepted_and_led_elsewhere_is_blocked(ends_in: str) -> None:
    world, status = status_world(), PairId("status")
    world.tick()
    observed = Observation(Side.CRAFT, {status: "3"}, world.now)
    op = world.deliver(observed)
    assert op is not None
    op.attempts += 1
    world.tick()
    entries: tuple[ChangelogEntry, ...] = ()
    if ends_in != "1":
        item = ChangelogItem(field="status", old="1", new=ends_in)
        entries = (ChangelogEntry(id="1", at=world.now, by=US, op=op.id, items=(item,)),)
    outcome = world.outcome(op, Result.APPLIED, {"fields": {"status": {"id": ends_in}}}, entries)
    assert world.handle(op, outcome) is None
    assert world.link.craft.pair(status).seen is not None
    assert world.link.open_operation is None
    assert "did not change" in describe(world.link, world.ctx).message
