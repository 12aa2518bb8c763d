"""Only what is known to agree is called in sync; what is one-way, unmatched or unseen is named beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.mapper.domain.status import describe
from shared.domain.ids import PairId, Side
from shared.domain.link import Agreed, Held
from shared.domain.mapping import Direction, FieldKind, FieldPair, ValuePair
from shared.messages.status import Cause, DisplayState, NoteKind, SyncStatus
from tests.unit.mapper.harness import START, TITLE, World, title_integration
from tests.unit.mapper.test_people import CRAFT_ADA, EVE, STAND_IN, Desk

ALL = "Both sides agree on all mapped fields."
MORE = PairId("more")


def said(world: World) -> SyncStatus:
    """Return the status of a world's link."""
    return describe(world.link, world.ctx)


def with_pair(pair: FieldPair, jira: Any, craft: Any, *, agreed: bool = True) -> World:
    """Return a world in sync with one more pair, of which the sides show this."""
    before = title_integration()
    world = World(before.model_copy(update={"pairs": (*before.pairs, pair)}))
    for side, value in ((Side.JIRA, jira), (Side.CRAFT, craft)):
        record = world.link.side(side).pair(MORE)
        record.seen = None if value is ... else Held(value, START, None)
        record.base = Agreed(value, 1) if agreed and value is not ... else None
    return world


def pair(kind: FieldKind, direction: Direction = Direction.BOTH, **more: Any) -> FieldPair:
    """Return one more pair."""
    names = {"jira": "customfield_1", "craft": "custom:1", "jira_name": "Points", **more}
    return FieldPair(id=MORE, kind=kind, direction=direction, since=1, **names)


def test_what_agrees_is_said_to_agree() -> None:
    status = said(World())
    assert (status.state, status.message, status.notes) == (DisplayState.IN_SYNC, ALL, ())


@pytest.mark.parametrize("follower", list(Side))
def test_a_field_that_is_carried_one_way_and_differs_is_named_beside(follower: Side) -> None:
    direction = Direction.TO_JIRA if follower is Side.JIRA else Direction.TO_CRAFT
    world = World(title_integration(direction=direction))
    world.tick()
    assert world.deliver(world.edit(follower, "theirs")) is None
    status = said(world)
    assert (status.state, status.cause, status.next_step) == (DisplayState.IN_SYNC, Cause.OK, None)
    (note,) = status.notes
    assert (note.kind, note.pair) == (NoteKind.ONE_WAY, TITLE)
    assert f"differs in {follower.vendor}" in note.message
    assert f"from {follower.other.vendor} to {follower.vendor} only" in note.message
    assert note.message in status.message
    assert ALL not in status.message


def test_the_note_goes_when_the_two_are_equal_again() -> None:
    world = World(title_integration(direction=Direction.TO_JIRA))
    for value, notes in (("theirs", 1), ("0", 0)):
        world.tick()
        world.deliver(world.edit(Side.JIRA, value))
        assert len(said(world).notes) == notes


def test_what_the_following_side_of_a_set_has_besides_is_named_as_well() -> None:
    world = with_pair(pair(FieldKind.LABELS, Direction.TO_JIRA, jira="labels"), ["a", "mine"], ["a"])
    status = said(world)
    assert [note.kind for note in status.notes] == [NoteKind.ONE_WAY]
    assert status.message.startswith("Both sides agree on all mapped fields but Points.")


def test_a_field_that_is_filled_in_once_and_differs_since_is_named() -> None:
    status = said(with_pair(pair(FieldKind.STRING, Direction.ONCE), "a", "b"))
    assert [note.kind for note in status.notes] == [NoteKind.ONCE]


@pytest.mark.parametrize(("jira", "craft", "where"), [(..., None, "Jira"), (None, ..., "Craft.io"), (..., ..., "Jira")])
def test_a_field_that_a_side_does_not_show_is_not_said_to_agree(jira: Any, craft: Any, where: str) -> None:
    status = said(with_pair(pair(FieldKind.STRING), jira, craft))
    assert status.state is DisplayState.IN_SYNC
    assert [note.kind for note in status.notes] == [NoteKind.NOT_VISIBLE]
    assert status.notes[0].message.startswith(f"{where} shows Tandem's account no ")
    assert ALL not in status.message


def test_what_a_problem_tells_of_is_not_told_twice() -> None:
    status = said(with_pair(pair(FieldKind.STRING), ..., "something"))
    assert (status.state, status.notes) == (DisplayState.BLOCKED, ())


def test_a_value_that_a_side_keeps_in_its_own_form_is_named() -> None:
    status = said(with_pair(pair(FieldKind.STRING), "As It Was", "as it was"))
    assert (status.state, [note.kind for note in status.notes]) == (DisplayState.IN_SYNC, [NoteKind.KEPT_OTHERWISE])


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.TO_CRAFT])
def test_what_differs_and_was_not_compared_is_not_in_sync(direction: Direction) -> None:
    status = said(with_pair(pair(FieldKind.STRING, direction), "a", "b", agreed=False))
    assert (status.state, status.cause) == (DisplayState.PENDING, Cause.NOT_COMPARED)
    assert status.next_step is not None


def test_nothing_is_said_beside_what_is_under_way_and_a_look_changes_no_link() -> None:
    world = with_pair(pair(FieldKind.STRING, Direction.TO_JIRA), "a", "b")
    assert said(world).notes
    world.link.jira.doubt(world.now)
    assert said(world).notes == ()
    bare = replace(world.link, state=world.link.state)
    bare.jira.pairs.pop(MORE)
    describe(bare, world.ctx)
    assert MORE not in bare.jira.pairs


async def _status(desk: Desk) -> SyncStatus:
    link = await desk.the_link()
    status = desk.store.tables.statuses[link.id]
    assert link.op_id is None
    return status


async def test_a_person_without_a_counterpart_is_named_with_who_stands_in() -> None:
    desk = Desk()
    await desk.open(ValuePair(jira=None, craft=STAND_IN["id"]))
    await desk.joined(EVE, STAND_IN)
    status = await _status(desk)
    assert status.state is DisplayState.IN_SYNC
    (note,) = status.notes
    assert note.kind is NoteKind.STAND_IN
    assert "Eve" in note.message
    assert "stands in" in note.message
    assert "was not found in Craft.io" in status.message


async def test_a_person_without_a_counterpart_and_without_a_stand_in_is_named() -> None:
    desk = Desk()
    await desk.open()
    await desk.joined(EVE, None)
    status = await _status(desk)
    assert [note.kind for note in status.notes] == [NoteKind.STAND_IN]
    assert "left without anybody" in status.message


async def test_people_who_are_found_are_no_note() -> None:
    desk = Desk()
    await desk.open()
    await desk.joined({**EVE, "accountId": "557058:ada"}, CRAFT_ADA)
    assert (await _status(desk)).message == ALL
