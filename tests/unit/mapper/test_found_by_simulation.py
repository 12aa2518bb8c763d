"""What seeds of the simulation found in the core, each as a short trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.mapper.domain.create import begin_create, created
from services.mapper.domain.observation import Observation
from services.mapper.domain.requests import carry_out
from shared.domain.ids import AccountId, EntityId, PairId, Side
from shared.domain.link import LinkState, Operation, OperationKind, Result
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy, next_revision
from shared.messages.change import ChangelogEntry, ChangelogItem
from shared.messages.request import RequestKind, SyncRequest
from tests.unit.mapper.harness import ADA, START, TITLE, US, World, title_integration

_OLD_ENTRY = ChangelogEntry(
    id="0",
    at=START,
    by=ADA,
    items=(ChangelogItem(field="summary", old=None, old_label=None, new=None, new_label="older"),),
)


def test_f15_an_old_jira_state_does_not_pass_for_new_because_the_clock_stepped_back() -> None:
    world = World(title_integration(Policy.CRAFT))
    for value in ("1", "2"):
        world.tick()
        world.deliver(world.edit(Side.JIRA, value))
        world.settle()
    stale = Observation(Side.JIRA, {TITLE: "1"}, world.now + timedelta(seconds=60), account=ADA)
    assert world.deliver(stale) is None
    assert world.link.jira.dirty
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


@pytest.mark.parametrize("entries", [(), (_OLD_ENTRY,)], ids=["a lagging search", "a late webhook"])
def test_f15_an_old_jira_state_that_was_never_seen_does_not_pass_for_new_either(
    entries: tuple[ChangelogEntry, ...],
) -> None:
    world = World(title_integration(Policy.CRAFT))
    world.tick(-60)
    world.edit(Side.JIRA, "1")
    world.fresh_read(Side.JIRA)
    world.settle()
    assert world.deliver(Observation(Side.JIRA, {TITLE: "older"}, START, changelog=entries)) is None
    assert world.link.jira.dirty
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}


def test_f16_what_a_write_of_an_older_mapping_replaced_is_on_record_although_its_field_changed_pairs() -> None:
    world = World(title_integration(Policy.CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    world.edit(Side.JIRA, "2")  # nobody tells us
    before = world.integration
    headline = FieldPair(id=PairId("headline"), kind=FieldKind.STRING, jira="summary", craft="headline")
    title = before.pairs[0].model_copy(update={"jira": "customfield_1"})
    world.integration = next_revision(before, before.model_copy(update={"pairs": (title, headline)}))
    ticket, write_at = world.link.jira.mark, world.land(op)
    world.report(op, Result.APPLIED, ticket=ticket, read_at=write_at, write_at=write_at)
    assert ("headline", "2") in {(note.pair, note.value) for note in world.link.new_history}


def test_p11_what_a_write_replaced_is_on_record_although_the_items_were_kept_apart_meanwhile() -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    world.edit(Side.JIRA, "2")  # nobody tells us
    world.tick()
    world.land(op)  # and its answer is lost
    unsync = SyncRequest(
        request_id="r", kind=RequestKind.UNSYNC, requested_by="ada", requested_at=world.now, link_id=world.link.id
    )
    carry_out(world.link, unsync, world.ctx)
    world.fresh_read(Side.JIRA)
    assert "2" in {note.value for note in world.link.new_history}


@pytest.mark.parametrize("account", [US, None], ids=["by webhook", "by the feed"])
def test_f4_what_a_write_replaced_is_on_record_although_its_target_shows_the_written_value_otherwise(
    account: AccountId | None,
) -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "0!"))
    assert op is not None
    op.attempts = 1  # its request is under way
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "2"))
    world.tick()
    landed = replace(world.edit(Side.CRAFT, "0"), account=account)  # Craft.io takes the mark off
    world.deliver(landed)
    world.settle()
    assert "2" in world.kept


@pytest.mark.parametrize("policy", [Policy.ASK, Policy.JIRA])
@pytest.mark.parametrize("side", list(Side))
def test_f4_what_a_person_set_to_the_very_value_that_was_to_be_written_is_an_edit_like_any_other(
    side: Side, policy: Policy
) -> None:
    world = World(title_integration(policy))
    world.tick()
    op = world.deliver(world.edit(side.other, "1"))
    assert op is not None
    world.tick()
    world.deliver(world.edit(side, "1"))
    world.tick()
    world.deliver(world.edit(side.other, "2"))
    world.perform(op)
    world.settle()
    assert "1" in world.kept


def test_f4_what_a_person_set_to_the_very_value_that_was_to_be_written_lives_although_its_source_went_back() -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    world.deliver(world.edit(Side.JIRA, "0"))
    world.deliver(world.edit(Side.CRAFT, "1"))
    world.perform(op)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}


def test_f5_what_others_set_while_nothing_was_sent_is_no_landing_of_a_write_that_found_another_value() -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "1"))
    world.tick()
    world.edit(Side.CRAFT, "2")
    world.perform(op)
    world.settle()
    assert world.link.open_conflicts
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "2"}


@pytest.mark.parametrize("known", [True, False], ids=["agreed on before", "never agreed on"])
def test_p11_that_a_person_emptied_the_target_of_a_one_way_pair_is_on_record_when_it_is_written_over(
    known: bool,
) -> None:
    world = World(title_integration(direction=Direction.TO_CRAFT))
    for value in ("5", None):
        world.tick()
        world.deliver(world.edit(Side.CRAFT, value))
    if not known:
        world.link.craft.pair(TITLE).base = world.link.jira.pair(TITLE).base = None
    world.tick()
    world.deliver(world.edit(Side.JIRA, "1"))
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert (Side.CRAFT, None) in {(note.side, note.value) for note in world.link.new_history}


@pytest.mark.parametrize("policy", list(Policy))
def test_f15_what_a_write_replaced_is_noticed_although_the_clock_had_stepped_back_when_it_landed(
    policy: Policy,
) -> None:
    world = World(title_integration(policy))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    ticket = world.link.jira.mark
    world.tick()
    world.deliver(world.edit(Side.JIRA, "2"))
    world.tick(-30)
    write_at = world.land(op)
    world.report(op, Result.APPLIED, ticket=ticket, write_at=write_at)
    world.settle()
    world.fresh_read(Side.JIRA)
    world.settle()
    assert "2" in world.kept


def test_p11_what_a_person_may_have_set_to_the_value_of_a_write_whose_answer_was_lost_is_on_record() -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.sent.add(op.id)  # it never arrives, but nobody can know that
    world.tick()
    world.deliver(world.edit(Side.JIRA, "2"))
    world.tick()
    world.edit(Side.CRAFT, "1")
    world.perform(op)
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}
    assert (Side.CRAFT, "1") in {(note.side, note.value) for note in world.link.new_history}


@pytest.mark.parametrize("policy", list(Policy))
def test_f4_what_a_write_of_unknown_fate_replaced_is_noticed_by_the_next_attempt(policy: Policy) -> None:
    world = World(title_integration(policy))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "2"))
    world.tick()
    world.land(op)  # its answer never comes
    world.tick()
    world.perform(op)
    world.settle()
    assert "2" in world.kept


def test_f14_what_a_new_item_of_ours_leaves_empty_on_the_side_that_leads_empties_nothing_on_the_other() -> None:
    world = World(title_integration(direction=Direction.TO_CRAFT))
    link = world.link
    link.origin, link.jira_id, link.state, link.labels["craft_type"] = Side.CRAFT, None, LinkState.CREATING, "feature"
    link.jira.pairs.clear()
    link.craft.pair(TITLE).base = None
    op = begin_create(link, world.ctx)
    assert op is not None
    created(link, op, EntityId("1"), world.ctx)
    world.holds[Side.JIRA] = None
    world.settle()
    assert world.holds == {Side.JIRA: None, Side.CRAFT: "0"}
    world.deliver(world.edit(Side.JIRA, "1"))
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert (Side.CRAFT, "0") in {(note.side, note.value) for note in link.new_history}


@pytest.mark.parametrize("side", list(Side))
def test_f11_a_late_effect_is_undone_although_its_target_keeps_the_value_otherwise(side: Side) -> None:
    world = World(title_integration(Policy.ASK))
    ops = []
    for value in ("1", "2"):
        world.tick()
        op = world.deliver(world.edit(side.other, value))
        assert op is not None
        op.attempts = 1  # an earlier attempt, whose request is still under way
        world.perform(op)
        ops.append(op)
    first = ops[0]
    first.shown = {TITLE: "1!"}
    world.tick()
    late = world.edit(side, "1!")
    if side is Side.JIRA:
        world.changelog[-1] = late.changelog[0].model_copy(update={"by": US, "op": first.id})
        late = replace(late, account=US, changelog=(world.changelog[-1],))
    world.deliver(late)
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f17_a_restored_value_is_a_persons_again_although_another_field_moved_on_meanwhile() -> None:
    world = World(title_integration(Policy.CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "2"))
    edited = world.now
    world.tick()
    op.attempts = 1
    world.land(op)
    world.perform(op)
    restore = world.link.open_operation
    assert restore is not None
    assert restore.kind is OperationKind.RESTORE
    world.tick()
    world.land(restore)
    restore.landed = True
    world.report(restore, Result.MOVED, ticket=world.link.craft.mark)
    seen = world.link.craft.pair(TITLE).seen
    assert seen is not None
    assert (seen.value, seen.by, seen.edited.until) == ("2", None, edited)
    assert world.link.craft.pair(TITLE).overwritten is None


def test_p11_a_write_that_was_put_off_and_one_that_was_not_come_before_what_a_person_set_again() -> None:
    world = World(title_integration(Policy.CRAFT, Direction.TO_JIRA))
    link = world.link
    world.tick()
    world.edit(Side.JIRA, "mine")
    world.perform(_opened(world.deliver(world.edit(Side.CRAFT, "1"))))
    put_off = _opened(link.open_operation)
    world.report(put_off, Result.MOVED, ticket=link.jira.mark, read_at=world.now)
    done = _opened(link.open_operation)
    assert done.pairs == put_off.pairs
    assert len(link.new_history) == 1
    done.pairs = {}  # somebody else set that very value: the operation has no part in it
    world.report(done, Result.ALREADY, ticket=link.jira.mark)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert [note.value for note in link.new_history if note.side is Side.JIRA] == ["mine", "mine"]


def _opened(op: Operation | None) -> Operation:
    assert op is not None
    return op


def test_f11_a_write_that_landed_in_time_is_not_late_because_its_item_was_touched_since() -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    op.attempts = 1
    write_at = world.land(op)
    world.holds[Side.JIRA] = "0"  # the answer comes from a replica that lags
    world.report(op, Result.APPLIED, ticket=None, write_at=write_at)
    world.holds[Side.JIRA] = "1"
    world.tick()
    world.at[Side.JIRA] = world.now  # another field was edited
    world.link.jira.dirty_since = world.now
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert not any(each.kind is OperationKind.RESTORE for each in world.link.operations)


def test_f4_what_a_person_replaced_while_nothing_had_been_sent_is_not_restored_over_them() -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    for value in ("2", "1"):
        world.tick()
        world.deliver(world.edit(Side.JIRA, value))
    world.report(op, Result.REJECTED, ticket=world.link.jira.mark)
    world.settle()
    assert world.holds[Side.JIRA] == "1"


def test_p11_a_newer_edit_in_jira_is_not_undone_although_we_once_wrote_the_same_value() -> None:
    world = World(title_integration(Policy.LATEST))
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "3"))
    world.settle()
    world.tick()
    op = _opened(world.deliver(world.edit(Side.CRAFT, "2")))
    world.tick()
    between = world.edit(Side.JIRA, "between")
    op.attempts = 1
    write_at = world.land(op)
    world.tick()
    again = world.edit(Side.JIRA, "3")
    world.deliver(between)
    world.holds[Side.JIRA], latest = "2", world.at[Side.JIRA]
    world.at[Side.JIRA] = write_at
    entries = list(world.changelog)
    del world.changelog[-1]
    world.report(op, Result.APPLIED, ticket=world.link.jira.mark, write_at=write_at)
    world.holds[Side.JIRA], world.at[Side.JIRA], world.changelog = "3", latest, entries
    world.deliver(again)
    world.settle()
    assert world.holds == {Side.JIRA: "3", Side.CRAFT: "3"}


@pytest.mark.parametrize("told", [True, False], ids=["by an event", "by the outcome"])
@pytest.mark.parametrize("side", list(Side))
def test_f4_what_a_person_brought_back_while_a_write_was_under_way_is_on_record_once_it_lands(
    side: Side, *, told: bool
) -> None:
    world = World(title_integration(Policy(side.other.value)))
    world.tick()
    op = world.deliver(world.edit(side.other, "1"))
    assert op is not None
    for value in ("2", "0"):  # the second is what the write expects to find
        world.tick()
        world.deliver(world.edit(side, value))
    world.tick()
    if told:
        world.land(op)
        world.deliver(world.seen[-1])
    world.perform(op)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert (side, "0") in {(note.side, note.value) for note in world.link.new_history}


def test_what_a_write_replaces_knowingly_is_no_edit_that_was_lost() -> None:
    world = World(title_integration(Policy.JIRA))
    for value in ("1", "0", "1"):
        world.tick()
        world.deliver(world.edit(Side.JIRA, value))
        world.settle()
    assert world.link.new_history == []


def test_p11_a_write_that_was_put_off_once_notes_what_it_replaces_when_that_is_an_edit_by_now() -> None:
    world = World(title_integration(direction=Direction.TO_CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    edit = world.edit(Side.CRAFT, "2")
    world.deliver(world.edit(Side.JIRA, "2"))
    world.perform(op)  # moved; both show the same now, and agree on it
    world.deliver(edit)
    assert world.link.open_operation is None
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "0"))
    world.deliver(world.edit(Side.JIRA, "1"))  # the very write that was put off, but now it replaces an edit
    world.settle()
    assert (Side.CRAFT, "0") in {(note.side, note.value) for note in world.link.new_history}
