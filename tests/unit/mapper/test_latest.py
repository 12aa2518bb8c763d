"""`latest` decides by when people edited, never by when Tandem wrote (PROTOCOL F17): each law as a short trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.mapper.domain.observation import Observation
from shared.domain.ids import Side
from shared.domain.link import Operation, OperationKind, Result
from shared.domain.mapping import Policy
from tests.unit.mapper.harness import TITLE, World, title_integration


def latest() -> World:
    return World(title_integration(Policy.LATEST))


def looked_at(world: World, side: Side) -> Observation:
    """What a side shows because something else of the item was edited just now."""
    world.at[side] = world.now
    return Observation(side, {TITLE: world.holds[side]}, world.now)


def unread(world: World, op: Operation | None) -> Operation | None:
    """Perform an operation on Jira without reading first: its changelog tells afterwards what was replaced."""
    assert op is not None
    ticket, write_at = world.link.jira.mark, world.land(op)
    return world.report(op, Result.APPLIED, ticket=ticket, write_at=write_at)


def overwritten_in_jira(world: World) -> Operation:
    """Have Jira edited unseen, a second after Craft.io, and overwritten; return the restore that follows."""
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    world.tick()
    world.edit(Side.JIRA, "2")  # nobody tells us
    world.tick()
    world.deliver(looked_at(world, Side.CRAFT))
    restore = unread(world, op)
    assert restore is not None
    assert restore.kind is OperationKind.RESTORE
    return restore


@pytest.mark.parametrize("echo", ["none", "before the outcome", "after it"])
def test_f17_a_restored_edit_is_as_old_as_the_edit_not_as_the_restore(echo: str) -> None:
    world = latest()
    restore = overwritten_in_jira(world)
    world.tick()
    newer = world.edit(Side.CRAFT, "3")
    world.tick()
    ticket, write_at = world.link.jira.mark, world.land(restore)
    if echo == "before the outcome":
        world.deliver(world.seen[-1])
    world.deliver(newer)
    world.report(restore, Result.APPLIED, ticket=ticket, write_at=write_at)
    if echo == "after it":
        world.deliver(world.seen[-1])
    world.settle()
    assert world.holds == {Side.JIRA: "3", Side.CRAFT: "3"}


def test_f17_a_restored_edit_whose_time_is_not_known_is_not_taken_for_the_latest() -> None:
    world = latest()
    restore = overwritten_in_jira(world)
    lost = world.link.jira.pair(TITLE).overwritten
    assert lost is not None
    world.link.jira.pair(TITLE).overwritten = replace(lost, edited=None)
    world.tick()
    newer = world.edit(Side.CRAFT, "3")
    world.tick()
    world.deliver(newer)
    world.perform(restore)
    assert TITLE in world.link.open_conflicts


def test_f17_an_overwritten_edit_is_not_restored_over_one_that_is_certainly_later() -> None:
    world = latest()
    world.tick()
    world.edit(Side.JIRA, "1")  # nobody tells us
    world.tick()
    world.deliver(looked_at(world, Side.CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "2"))
    assert unread(world, op) is None
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}
    assert "1" in world.kept


def test_f17_what_a_write_overwrote_is_no_late_effect_because_its_changelog_was_read_after_its_outcome() -> None:
    world = latest()
    world.tick()
    world.edit(Side.JIRA, "1")  # nobody tells us
    world.tick()
    world.deliver(looked_at(world, Side.CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "2"))
    world.link.jira.dirty_since = world.now  # so that the outcome's changelog is not gone through
    assert unread(world, op) is None
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}
    assert "1" in world.kept


def test_f17_an_overwritten_edit_is_asked_about_when_the_times_cannot_tell() -> None:
    world = latest()
    world.tick()
    world.edit(Side.JIRA, "1")  # nobody tells us
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "2"))  # somewhere in these two seconds
    assert unread(world, op) is None
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}
    note = world.link.open_conflicts[TITLE]
    assert (note.jira_value, note.craft_value, note.kept) == ("1", "2", Side.JIRA)


def test_f17_the_time_of_our_own_write_is_not_the_time_of_an_edit() -> None:
    world = latest()
    world.tick()
    op = world.deliver(world.edit(Side.CRAFT, "1"))
    assert op is not None
    world.tick()
    world.edit(Side.CRAFT, "2")  # its event is late
    world.tick()
    world.perform(op)
    for side in Side:  # from now on nothing is agreed on
        world.link.side(side).pair(TITLE).base = None
        world.link.side(side).dirty_since = world.now
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "2"}
    assert TITLE in world.link.open_conflicts


def test_f17_a_late_event_does_not_make_a_value_older_that_was_set_again_since() -> None:
    world = latest()
    world.link.not_before = world.now + timedelta(seconds=30)
    world.tick()
    late = world.edit(Side.JIRA, "1")
    world.tick()
    world.deliver(looked_at(world, Side.CRAFT))
    world.deliver(world.edit(Side.JIRA, "2"))
    world.tick()
    craft = world.edit(Side.CRAFT, "3")
    world.tick()
    world.edit(Side.JIRA, "1")  # a sweep shows it, without saying when it was set: it is read
    world.deliver(looked_at(world, Side.JIRA))
    assert world.link.jira.dirty
    world.fresh_read(Side.JIRA)
    world.deliver(craft)
    world.deliver(late)
    world.tick(30)
    op = world.decide()
    assert op is not None
    assert (op.target, op.pairs[TITLE].value) == (Side.CRAFT, "1")


def test_f17_a_value_that_is_set_again_is_as_new_as_its_last_setting() -> None:
    world = latest()
    world.link.not_before = world.now + timedelta(seconds=30)
    world.tick()
    world.deliver(world.edit(Side.JIRA, "1"))
    world.tick()
    world.deliver(looked_at(world, Side.CRAFT))
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "2"))
    world.edit(Side.JIRA, "0")  # nobody tells us
    world.tick()
    world.deliver(world.edit(Side.JIRA, "1"))
    world.tick(30)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
