"""Two projects in one workspace, and two workspaces of one project: a new item goes where its parent is, then by a
rule, then to the first by id.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.ids import EntityId, IntegrationId, Side
from shared.domain.link import LinkState
from shared.domain.mapping import Mode, Takes, TypePair
from shared.messages.change import ChangeEvent, Origin
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause
from shared.messages.write import WriteCommand
from tests.patterns import technical
from tests.unit.mapper.test_protocol_failures_handlers import EPIC, Bench

TYPES = (TypePair(jira=EPIC, craft="epic"), TypePair(jira="10001", craft="feature"))
FIRST, SECOND = IntegrationId("i"), IntegrationId("j")
SIDES = pytest.mark.parametrize("side", list(Side))


async def bench_of(side: Side, first: dict[str, Any] | None = None, second: dict[str, Any] | None = None) -> Bench:
    """Return a bench with two integrations for the same new items of a side, each with a target of its own."""
    bench = Bench()
    integration = await bench.configure(**{"to_craft": Mode.AUTOMATIC, "craft_root": None, **(first or {})})
    elsewhere = {"jira_project": "OTHER"} if side is Side.CRAFT else {"craft_workspace": "other"}
    changes: dict[str, Any] = {"id": SECOND, "name": "j", "takes": (), "types": TYPES, **elsewhere, **(second or {})}
    await bench.store.save_integration(integration.model_copy(update=changes), 0, "test", bench.clock.now())
    return bench


def item(bench: Bench, side: Side, ident: str, parent: str | None = None, **more: Any) -> ChangeEvent:
    """Return what is seen of an item: an epic, or what is below one."""
    kind: dict[str, Any] = {} if parent or "kind" in more else {"kind": EPIC if side is Side.JIRA else "epic"}
    make = bench.jira if side is Side.JIRA else bench.craft
    event = make(ident, "One name", parent=parent, **kind, **more)
    if parent is None and event.snapshot is not None and side is Side.CRAFT:
        event.snapshot["parent"] = None
    return event


def valued(event: ChangeEvent, value: str | None) -> ChangeEvent:
    """Return an event of an item that has a value in the field that the rules are about."""
    assert event.snapshot is not None
    if event.side is Side.JIRA:
        event.snapshot["fields"]["components"] = [{"id": "7", "name": value}] if value else []
    else:
        event.snapshot["customFields"] = [{"id": "9", "name": "Product", "value": value}]
    return event


def rule(side: Side, *values: str) -> dict[str, Any]:
    return {"takes": (Takes(side=side, field="components" if side is Side.JIRA else "custom:9", values=values),)}


def by(event: ChangeEvent, integration: IntegrationId) -> ChangeEvent:
    return event.model_copy(update={"origin": Origin.REQUEST, "integration_id": integration})


async def home(bench: Bench, side: Side, ident: str) -> IntegrationId | None:
    link = await bench.link(side, ident)
    return link.integration_id if link is not None else None


async def linked(bench: Bench, side: Side, ident: str, integration: IntegrationId) -> WriteCommand:
    """Have a parent created by an integration; return the command that did it."""
    await bench.mapper.handle(by(item(bench, side, ident), integration))
    command = (await bench.commands())[-1]
    await bench.created(command, f"9{ident}", item(bench, side.other, f"9{ident}"))
    return command


@SIDES
@pytest.mark.parametrize("above", [FIRST, SECOND])
async def test_an_item_goes_where_its_parent_is_linked(side: Side, above: IntegrationId) -> None:
    bench = await bench_of(side)
    await linked(bench, side, "1", above)
    await bench.mapper.handle(item(bench, side, "2", parent="1"))
    assert await home(bench, side, "2") == above
    command = (await bench.commands())[-1]
    assert (command.integration_id, command.fields["parent"]) == (above, "91")


@SIDES
async def test_an_item_below_one_that_is_held_back_is_held_back_with_it(side: Side) -> None:
    bench = await bench_of(side, second={"to_craft": Mode.MANUAL, "to_jira": Mode.MANUAL})
    await linked(bench, side, "1", SECOND)
    await bench.mapper.handle(item(bench, side, "2", parent="1"))
    link = await bench.link(side, "2")
    assert link is not None
    assert (link.integration_id, link.state, link.reason) == (SECOND, LinkState.HELD, Cause.DIRECTION_MANUAL)


@SIDES
async def test_an_item_that_was_seen_before_its_parent_follows_it(side: Side) -> None:
    bench = await bench_of(side)
    await bench.mapper.handle(item(bench, side, "2", parent="1"))
    link = await bench.link(side, "2")
    assert link is not None
    assert (link.integration_id, link.state) == (FIRST, LinkState.WAITING)
    command = await linked(bench, side, "1", SECOND)
    wake = [each for each in await bench.published() if isinstance(each, SyncRequest)]
    assert [each.link_id for each in wake] == [link.id]
    for each in wake:
        await bench.mapper.handle(each)
    moved = await bench.link(side, "2")
    assert moved is not None
    assert moved.integration_id == SECOND
    assert moved.side(side).dirty
    assert list(await bench.commands()) == [command]
    event = item(bench, side, "2", parent="1")
    ticket = moved.side(side).mark
    await bench.mapper.handle(event.model_copy(update={"origin": Origin.FRESH, "ticket": ticket}))
    made = (await bench.commands())[-1]
    assert (made.link_id, made.integration_id, made.fields["parent"]) == (link.id, SECOND, "91")


@SIDES
async def test_a_held_item_that_is_put_below_another_parent_follows_that(side: Side) -> None:
    held = {"to_craft": Mode.MANUAL, "to_jira": Mode.MANUAL}
    bench = await bench_of(side, first=held)
    await linked(bench, side, "1", SECOND)
    await linked(bench, side, "3", FIRST)
    await bench.mapper.handle(item(bench, side, "2", parent="3"))
    assert await home(bench, side, "2") == FIRST
    await bench.mapper.handle(item(bench, side, "2", parent="1"))
    assert await home(bench, side, "2") == SECOND


async def test_an_item_under_the_root_of_one_integration_is_its() -> None:
    bench = await bench_of(Side.CRAFT, {"craft_root": EntityId("a")}, {"craft_root": EntityId("b")})
    await bench.mapper.handle(item(bench, Side.CRAFT, "1", parent="b"))
    await bench.mapper.handle(item(bench, Side.CRAFT, "2", parent="a"))
    assert (await home(bench, Side.CRAFT, "1"), await home(bench, Side.CRAFT, "2")) == (SECOND, FIRST)


@SIDES
async def test_a_persons_choice_goes_before_the_parent_and_stays(side: Side) -> None:
    bench = await bench_of(side, second={"to_craft": Mode.MANUAL, "to_jira": Mode.MANUAL})
    await linked(bench, side, "1", SECOND)
    await bench.mapper.handle(by(item(bench, side, "2", parent="1"), FIRST))
    await bench.mapper.handle(item(bench, side, "2", parent="1"))
    assert await home(bench, side, "2") == FIRST


@SIDES
@pytest.mark.parametrize(("value", "expected"), [("Web", SECOND), ("web", SECOND), ("Desktop", FIRST), (None, FIRST)])
async def test_a_rule_goes_before_what_has_none(side: Side, value: str | None, expected: IntegrationId) -> None:
    bench = await bench_of(side, second=rule(side, "Mobile", "Web"))
    await bench.mapper.handle(valued(item(bench, side, "1"), value))
    assert await home(bench, side, "1") == expected


@SIDES
@pytest.mark.parametrize("value", ["Web", "Desktop"])
async def test_an_item_that_no_rule_names_says_so_until_one_does(side: Side, value: str) -> None:
    bench = await bench_of(side, first=rule(side, "Desktop"), second=rule(side, "Web"))
    await bench.mapper.handle(valued(item(bench, side, "1"), None))
    link = await bench.link(side, "1")
    assert link is not None
    assert (link.state, link.reason) == (LinkState.EXCLUDED, Cause.NO_INTEGRATION)
    assert "none of them" in (link.reason_text or "")
    await bench.mapper.handle(valued(item(bench, side, "1"), None))
    assert (await bench.commands(), await bench.link(side, "1") is not None) == ([], True)
    event = valued(item(bench, side, "1"), value)
    await bench.mapper.handle(event)
    assert await home(bench, side, "1") == (FIRST if value == "Desktop" else SECOND)
    moved = await bench.link(side, "1")
    assert moved is not None
    if moved.side(side).dirty:
        read = {"origin": Origin.FRESH, "ticket": moved.side(side).mark}
        await bench.mapper.handle(event.model_copy(update=read))
    assert (await bench.commands())[-1].integration_id == moved.integration_id


@SIDES
@pytest.mark.parametrize("chosen", [FIRST, SECOND])
async def test_what_no_rule_names_goes_where_a_person_wants_it(side: Side, chosen: IntegrationId) -> None:
    bench = await bench_of(side, first=rule(side, "Desktop"), second=rule(side, "Web"))
    await bench.mapper.handle(valued(item(bench, side, "1"), None))
    event = by(valued(item(bench, side, "1"), None), chosen)
    await bench.mapper.handle(event)
    assert await home(bench, side, "1") == chosen
    link = await bench.link(side, "1")
    assert link is not None
    assert link.state is LinkState.CREATING


@SIDES
async def test_what_no_rule_names_is_read_again_when_the_rules_change_or_a_person_asks(side: Side) -> None:
    bench = await bench_of(side, first=rule(side, "Desktop"), second=rule(side, "Web"))
    await bench.mapper.handle(valued(item(bench, side, "1"), None))
    link = await bench.link(side, "1")
    assert link is not None
    wider = next(each for each in await bench.store.integrations() if each.id == FIRST)
    await bench.store.save_integration(wider.model_copy(update={"takes": ()}), 1, "test", bench.clock.now())
    look = SyncRequest(
        request_id="r",
        kind=RequestKind.DECIDE,
        requested_by="clock",
        requested_at=bench.clock.now(),
        link_id=link.id,
    )
    await bench.mapper.handle(look)
    await bench.mapper.handle(look.model_copy(update={"request_id": "s"}))
    link = await bench.link(side, "1")
    assert link is not None
    assert link.side(side).dirty
    event = valued(item(bench, side, "1"), None)
    read = {"origin": Origin.FRESH, "ticket": link.side(side).mark}
    await bench.mapper.handle(event.model_copy(update=read))
    assert [each.integration_id for each in await bench.commands()] == [FIRST]


@SIDES
async def test_the_parent_goes_before_a_rule(side: Side) -> None:
    bench = await bench_of(side, second=rule(side, "Web"))
    await linked(bench, side, "1", FIRST)
    await bench.mapper.handle(valued(item(bench, side, "2", parent="1"), "Web"))
    assert await home(bench, side, "2") == FIRST


@SIDES
async def test_what_is_linked_stays_whatever_the_rule_says_by_then(side: Side) -> None:
    bench = await bench_of(side, second=rule(side, "Web"))
    await linked(bench, side, "1", FIRST)
    await bench.mapper.handle(valued(item(bench, side, "1"), "Web"))
    assert await home(bench, side, "1") == FIRST


@SIDES
async def test_an_item_goes_to_the_one_that_maps_its_type(side: Side) -> None:
    bench = await bench_of(side, first={"types": (TypePair(jira="10001", craft="feature"),)})
    await bench.mapper.handle(item(bench, side, "1"))
    assert await home(bench, side, "1") == SECOND


SUBTASKS = (*TYPES, TypePair(jira="10004", craft="story"))


@pytest.mark.parametrize("kind", ["story", "feature"])
async def test_a_sub_task_is_not_sent_below_a_parent_of_another_project_whoever_asks(kind: str) -> None:
    """Jira has to refuse it; what is no sub-task may have its parent anywhere."""
    known = {"types": SUBTASKS, "jira_subtasks": ("10004",)}
    bench = await bench_of(Side.CRAFT, first=known, second=known)
    await linked(bench, Side.CRAFT, "1", SECOND)
    before = len(await bench.commands())
    await bench.mapper.handle(by(item(bench, Side.CRAFT, "2", parent="1", kind=kind), FIRST))
    link = await bench.link(Side.CRAFT, "2")
    assert link is not None
    assert link.integration_id == FIRST
    if kind == "feature":
        assert len(await bench.commands()) == before + 1
        return
    assert len(await bench.commands()) == before
    assert (link.state, link.reason) == (LinkState.EXCLUDED, Cause.REJECTED)
    assert link.reason_text is not None
    assert "synced by j, whose project is another one" in link.reason_text
    assert "Push it for j instead" in link.reason_text
    assert not technical(link.reason_text)
    assert link.again_at is not None
    await bench.mapper.handle(by(item(bench, Side.CRAFT, "2", parent="1", kind=kind), SECOND))
    assert (await bench.commands())[-1].integration_id == SECOND


async def test_an_item_is_not_sent_below_a_parent_of_another_workspace() -> None:
    bench = await bench_of(Side.JIRA)
    await linked(bench, Side.JIRA, "1", SECOND)
    before = len(await bench.commands())
    await bench.mapper.handle(by(item(bench, Side.JIRA, "2", parent="1"), FIRST))
    link = await bench.link(Side.JIRA, "2")
    assert link is not None
    assert (len(await bench.commands()), link.state, link.reason) == (before, LinkState.EXCLUDED, Cause.REJECTED)
    assert "only in the workspace of its parent" in (link.reason_text or "")


async def test_a_sub_task_without_a_parent_is_not_sent() -> None:
    bench = await bench_of(Side.CRAFT, first={"types": SUBTASKS, "jira_subtasks": ("10004",)})
    await bench.mapper.handle(by(item(bench, Side.CRAFT, "2", kind="story"), FIRST))
    link = await bench.link(Side.CRAFT, "2")
    assert link is not None
    assert (list(await bench.commands()), link.state) == ([], LinkState.EXCLUDED)
    assert "only below a parent" in (link.reason_text or "")
