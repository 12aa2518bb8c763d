"""The failures of PROTOCOL section 3 that the core alone prevents, each as its shortest trace, by its number."""

from __future__ import annotations

from datetime import timedelta

from services.mapper.domain.decide import decide
from services.mapper.domain.observation import Observation
from services.mapper.domain.requests import resync
from shared.domain.ids import PairId, Side
from shared.domain.link import LinkState, OperationKind, Result
from shared.domain.mapping import FieldKind, FieldPair, Policy, next_revision
from tests.unit.mapper.harness import START, TITLE, World, title_integration


def test_f3_a_late_echo_of_an_older_write_is_no_edit_of_a_person() -> None:
    world = World()
    world.tick()
    first = world.deliver(world.edit(Side.JIRA, "1"))
    world.tick(0.1)
    second_edit = world.edit(Side.JIRA, "2")
    assert first is not None
    world.tick()
    world.perform(first)
    echo_of_first = world.seen[-1]
    second = world.deliver(second_edit)
    assert second is not None
    world.tick()
    world.perform(second)
    assert world.deliver(echo_of_first) is None
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f4_a_write_never_goes_over_an_edit_that_it_did_not_expect() -> None:
    world = World()
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    world.edit(Side.CRAFT, "2")
    assert op is not None
    world.perform(op)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "2"}
    note = world.link.open_conflicts[TITLE]
    assert (note.jira_value, note.craft_value) == ("1", "2")


def test_f4_ii_what_a_jira_write_replaced_unseen_is_found_in_the_changelog() -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    world.edit(Side.JIRA, "2")  # nobody tells us
    world.tick()
    ticket = world.link.jira.mark
    write_at = world.land(op)
    world.report(op, Result.APPLIED, ticket=ticket, read_at=write_at, write_at=write_at)
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f4_iii_a_seen_edit_that_our_landing_write_replaced_is_kept() -> None:
    world = World(title_integration(Policy.ASK))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    edit = world.edit(Side.CRAFT, "2")
    world.tick()
    write_at = world.land(op)  # between our GET and our PUT
    ticket = world.link.craft.mark
    world.deliver(edit)
    world.report(op, Result.APPLIED, ticket=ticket, read_at=edit.at, write_at=write_at)
    world.settle()
    note = world.link.open_conflicts[TITLE]
    assert {note.jira_value, note.craft_value} == {"1", "2"}


def test_f5_the_read_back_of_a_write_never_becomes_the_base() -> None:
    world = World()
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.tick()
    ticket, write_at = world.link.craft.mark, world.land(op)
    world.tick()
    world.edit(Side.CRAFT, "2")
    world.report(op, Result.APPLIED, ticket=ticket, read_at=write_at, write_at=write_at)
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f6_linking_or_resyncing_different_values_is_not_agreement() -> None:
    world = World(title_integration(Policy.JIRA))
    world.holds[Side.JIRA] = "1"
    world.at[Side.JIRA] = START + timedelta(seconds=1)
    world.link.state = LinkState.UNSYNCED
    resync(world.link, world.ctx)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}


def test_f11_a_late_effect_of_our_own_write_is_undone_and_never_spread() -> None:
    world = World()
    world.tick()
    first = world.deliver(world.edit(Side.JIRA, "1"))
    assert first is not None
    first.attempts = 2  # the first attempt hangs, the second works
    world.tick()
    world.perform(first)
    world.tick()
    second = world.deliver(world.edit(Side.JIRA, "2"))
    assert second is not None
    world.tick()
    world.perform(second)
    world.tick()
    world.land(first)
    restore = world.deliver(world.seen[-1])
    assert restore is not None
    assert restore.kind is OperationKind.RESTORE
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f11_a_late_effect_in_jira_is_told_by_the_operation_in_its_changelog() -> None:
    world = World()
    world.tick()
    first = world.deliver(world.edit(Side.CRAFT, "1"))
    assert first is not None
    world.tick()
    world.perform(first)
    world.tick()
    second = world.deliver(world.edit(Side.CRAFT, "2"))
    assert second is not None
    world.tick()
    world.perform(second)
    world.tick()
    world.land(first)
    world.deliver(world.seen[-1])
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f13_two_values_at_one_vendor_time_are_told_apart_by_a_fresh_read() -> None:
    world = World()
    world.tick()
    first, second = world.edit(Side.JIRA, "1"), world.edit(Side.JIRA, "2")
    op = world.deliver(first)
    assert op is not None
    world.deliver(second)
    assert world.link.jira.dirty
    world.perform(op)
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def test_f14_a_partial_snapshot_does_not_hide_a_field_that_it_lacks() -> None:
    integration = title_integration()
    points = FieldPair(id=PairId("points"), kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    world = World(next_revision(None, integration.model_copy(update={"pairs": (*integration.pairs, points)})))
    world.tick()
    full = Observation(Side.JIRA, {TITLE: "1", PairId("points"): 1}, world.now)
    world.tick()
    partial = Observation(Side.JIRA, {PairId("points"): 2}, world.now)
    world.deliver(partial)
    world.deliver(full)
    seen = [world.link.jira.pair(pair_id).seen for pair_id in (TITLE, PairId("points"))]
    assert [held.value if held else None for held in seen] == ["1", 2]


def test_f15_a_state_with_an_older_time_is_found_by_a_full_compare() -> None:
    world = World()
    world.holds[Side.JIRA], world.at[Side.JIRA] = "1", START - timedelta(seconds=30)
    world.deliver(Observation(Side.JIRA, {TITLE: "1"}, world.at[Side.JIRA], compare=True))
    assert world.link.jira.dirty
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}


def test_f16_a_pair_with_a_new_meaning_has_no_base() -> None:
    world = World(title_integration(Policy.JIRA))
    world.tick()
    pair = world.integration.pairs[0].model_copy(update={"jira": "customfield_1"})
    world.integration = next_revision(world.integration, world.integration.model_copy(update={"pairs": (pair,)}))
    record = world.link.jira.pair(TITLE)
    assert record.seen is not None
    world.deliver(Observation(Side.JIRA, {TITLE: "other"}, world.now))
    world.holds[Side.JIRA] = "other"
    world.settle()
    assert world.holds[Side.CRAFT] == "other"
    unchanged = next_revision(world.integration, world.integration.model_copy(update={"name": "renamed"}))
    assert [p.since for p in unchanged.pairs] == [p.since for p in world.integration.pairs]


def test_f17_latest_asks_when_the_times_cannot_tell() -> None:
    world = World(title_integration(Policy.LATEST))
    world.tick(10)
    jira = world.edit(Side.JIRA, "1")
    world.tick(10)
    craft = world.edit(Side.CRAFT, "2")
    observed = Observation(Side.CRAFT, craft.values, craft.at)
    world.link.not_before = world.now + timedelta(seconds=1)
    world.deliver(jira)
    world.deliver(observed)
    world.tick(5)
    assert world.decide() is None  # Craft changed somewhere in 20 s, Jira within them
    assert TITLE in world.link.open_conflicts


def test_f18_a_target_that_normalises_is_believed_the_second_time() -> None:
    world = World()
    for value in ("a", "b", "a", "b"):
        world.tick()
        op = world.deliver(world.edit(Side.JIRA, value))
        while op is not None and op.target is Side.CRAFT:
            world.tick()
            ticket, write_at = world.link.craft.mark, world.land(op)
            world.holds[Side.CRAFT] = f"{value}."
            op = world.report(op, Result.APPLIED, ticket=ticket, read_at=write_at, write_at=write_at)
        if op is not None:
            world.perform(op)
    before = world.writes
    world.settle()
    assert world.writes <= before + 1


def test_f19_a_rejected_value_is_not_sent_again() -> None:
    world = World()
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    assert world.report(op, Result.REJECTED) is None
    assert decide(world.link, world.ctx).target is None
    world.tick()
    assert world.deliver(world.edit(Side.JIRA, "2")) is not None


def test_f20_a_link_that_is_kept_apart_only_observes() -> None:
    world = World()
    world.link.state = LinkState.UNSYNCED
    world.tick()
    assert world.deliver(world.edit(Side.JIRA, "1")) is None
    seen = world.link.jira.pair(TITLE).seen
    assert seen is not None
    assert seen.value == "1"
