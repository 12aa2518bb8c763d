"""People across the two systems: by table, by e-mail address, else a stand-in, who never comes back as an edit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.ids import PairId, Side
from shared.domain.link import Link, OperationKind, Result
from shared.domain.mapping import FieldKind, FieldPair, ValuePair
from shared.domain.person import Person
from shared.messages.change import ChangeEvent
from shared.messages.request import RequestKind
from shared.messages.status import Cause
from shared.messages.write import WriteCommand
from tests.unit.mapper.harness import START
from tests.unit.mapper.test_protocol_failures_handlers import CRAFT, JIRA, US, Bench

WHO = PairId("who")
ADA = {"accountId": "557058:ada", "displayName": "Ada", "active": True}
BEN = {"accountId": "557058:ben", "displayName": "Ben", "active": True, "emailAddress": "Ben@Example.com"}
EVE = {"accountId": "557058:eve", "displayName": "Eve", "active": True}
CRAFT_ADA = {"id": "2300000000000000001", "team": "Web", "user": "Ada"}
CRAFT_BEN = {"id": "2300000000000000002", "team": "Web", "user": "ben@example.com"}
STAND_IN = {"id": "2300000000000000009", "team": "Core", "user": "Product"}


def who(fallback: ValuePair | None = None) -> FieldPair:
    """Return the pair of assignees with Ada in its table."""
    table = (ValuePair(jira="557058:ada", craft=CRAFT_ADA["id"]),)
    return FieldPair(
        id=WHO, kind=FieldKind.USER, jira="assignee", craft="assignee", values=table, fallback=fallback
    )  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    """Return a bench with assignees."""
    return Desk()


class Desk(Bench):
    """A bench whose items have an assignee."""

    async def open(self, fallback: ValuePair | None = None) -> None:
        title = FieldPair(id=PairId("title"), kind=FieldKind.STRING, jira="summary", craft="title")
        await self.configure(pairs=(title, who(fallback)))

    def issue(self, assignee: Mapping[str, Any] | None) -> ChangeEvent:
        """Return an event that shows issue 1 with an assignee."""
        event = self.jira("1", "a")
        assert event.snapshot is not None
        fields = {**event.snapshot["fields"], "assignee": assignee}
        return event.model_copy(update={"snapshot": {**event.snapshot, "fields": fields}})

    def item(self, assignee: Mapping[str, Any] | None, ident: str = "11", **more: Any) -> ChangeEvent:
        """Return an event that shows item 11 with an assignee."""
        event = self.craft(ident, "a", **more)
        assert event.snapshot is not None
        return event.model_copy(update={"snapshot": {**event.snapshot, "assignee": assignee}})

    def later(self) -> None:
        """Let a minute pass."""
        self.clock.at += timedelta(minutes=1)

    async def joined(self, jira: Mapping[str, Any] | None, craft: Mapping[str, Any] | None) -> WriteCommand:
        """Create the counterpart of an issue; it shows what was asked for, as `craft`. Return the create."""
        await self.mapper.handle(self.issue(jira))
        command = (await self.commands())[-1]
        await self.created(command, "11", self.item(craft, by=US))
        return command

    async def the_link(self) -> Link:
        """Return the one link."""
        link = await self.link(Side.JIRA, "1")
        assert link is not None
        return link


async def test_a_person_of_the_table_is_carried_over_with_the_team_they_were_last_seen_in(desk: Desk) -> None:
    await desk.open()
    await desk.store.remember_people([Person(CRAFT, CRAFT_ADA["id"], None, "Ada", True, START, "Mobile")])
    created = await desk.joined(ADA, CRAFT_ADA)
    assert created.fields[WHO] == {"id": CRAFT_ADA["id"], "team": "Mobile"}


async def test_people_with_the_same_address_are_the_same_whatever_its_case(desk: Desk) -> None:
    await desk.open()
    await desk.mapper.handle(desk.item(CRAFT_BEN, "99"))  # seen on any item, he is known
    created = await desk.joined(BEN, CRAFT_BEN)
    assert created.fields[WHO] == {"id": CRAFT_BEN["id"], "team": "Web"}


async def test_an_address_of_two_accounts_or_of_one_that_left_finds_nobody(desk: Desk) -> None:
    await desk.open()
    address = "ben@example.com"
    await desk.store.remember_people([Person(CRAFT, f"{n}", address, None, True, START) for n in (1, 2)])
    assert WHO not in (await desk.joined(BEN, None)).fields
    other = Desk()
    await other.open()
    await other.store.remember_people([Person(CRAFT, "1", address, None, False, START)])
    assert WHO not in (await other.joined(BEN, None)).fields


async def test_somebody_unknown_never_stops_an_item_and_the_history_says_who_stands_in(desk: Desk) -> None:
    await desk.open(ValuePair(jira=None, craft=STAND_IN["id"]))
    created = await desk.joined(EVE, STAND_IN)
    assert created.fields[WHO] == {"id": STAND_IN["id"], "team": ""}
    notes = [note.why for note in desk.store.tables.history[(await desk.the_link()).id]]
    assert notes == [f'"Eve" of Jira was not found in Craft.io: {STAND_IN["id"]} stands in']


async def test_a_stand_in_never_comes_back_over_the_person_whom_they_stand_for(desk: Desk) -> None:
    await desk.open(ValuePair(jira="557058:lead", craft=STAND_IN["id"]))
    created = await desk.joined(EVE, STAND_IN)
    for _ in range(3):
        desk.later()
        for event in (desk.item(STAND_IN), desk.issue(EVE)):
            await desk.mapper.handle(event)
    link = await desk.the_link()
    await desk.mapper.handle(desk.request(RequestKind.RESYNC, link.id))
    for event in (desk.issue(EVE), desk.item(STAND_IN)):
        fresh = event.model_copy(update={"origin": "fresh", "ticket": (await desk.the_link()).side(event.side).mark})
        await desk.mapper.handle(fresh)
    assert [command.op_id for command in await desk.commands()] == [created.op_id]
    assert not (await desk.the_link()).open_conflicts


@pytest.mark.parametrize("stand_in", [None, ValuePair(jira="557058:lead", craft=None)])
async def test_somebody_unknown_takes_no_known_persons_place(desk: Desk, stand_in: ValuePair | None) -> None:
    """An admin may have somebody stand in; without that, who is there stays, and the item says why."""
    await desk.open(stand_in)
    await desk.joined(ADA, CRAFT_ADA)
    desk.later()
    await desk.mapper.handle(desk.item({"id": "77", "user": "Ben Unknown", "team": ""}))
    writes = [each for each in await desk.commands() if each.kind is OperationKind.WRITE]
    link = await desk.the_link()
    blocked = link.craft.pair(WHO).blocked
    if stand_in is not None:
        assert [each.fields[WHO] for each in writes] == ["557058:lead"]
        return
    assert writes == []
    assert blocked is not None
    assert blocked.code == Cause.VALUE_NOT_MAPPED
    assert "Ben Unknown" in blocked.message
    assert "stays" in blocked.message
    desk.later()
    await desk.mapper.handle(desk.item(CRAFT_ADA))
    assert (await desk.the_link()).craft.pair(WHO).blocked is None, "put right by hand"


async def test_without_a_stand_in_the_other_side_is_left_unassigned_and_that_is_agreed(desk: Desk) -> None:
    await desk.open()
    created = await desk.joined(EVE, None)
    assert WHO not in created.fields
    desk.later()
    await desk.mapper.handle(desk.item(None))
    assert len(await desk.commands()) == 1


async def test_the_team_alone_is_no_edit(desk: Desk) -> None:
    await desk.open()
    await desk.joined(ADA, CRAFT_ADA)
    desk.later()
    await desk.mapper.handle(desk.item({**CRAFT_ADA, "team": "Other"}))
    assert len(await desk.commands()) == 1


async def test_taking_somebody_off_an_item_takes_them_off_the_other_one(desk: Desk) -> None:
    await desk.open()
    await desk.joined(ADA, CRAFT_ADA)
    desk.later()
    await desk.mapper.handle(desk.item(None))
    command = next(each for each in await desk.commands() if each.target is Side.JIRA)
    assert command.fields == {WHO: None}
    await desk.mapper.handle(desk.outcome(command, Result.APPLIED, snapshot=desk.issue(None).snapshot))
    assert len(await desk.commands()) == 2


async def test_who_is_shown_is_remembered_only_where_people_are_mapped(desk: Desk) -> None:
    await desk.open()
    await desk.mapper.handle(desk.issue(BEN))
    known = await desk.store.people(JIRA, emails=["ben@example.com"])
    assert [(p.account_id, p.name) for p in known] == [("557058:ben", "Ben")]
    other = Desk()
    await other.configure()
    await other.mapper.handle(other.issue(BEN))
    assert other.store.tables.people == {}
