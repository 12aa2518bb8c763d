"""Nothing in scope is out of sight: what a manual direction, or one that is off, holds back has a row and a way on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from shared.domain.ids import EntityId, IntegrationId, Side
from shared.domain.link import Link, LinkState
from shared.domain.mapping import Integration, Mode
from shared.domain.requests import RequestKind
from shared.messages.change import ChangeKind
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.requests import RequestState
from tests.unit.mapper.test_protocol_failures_handlers import ROOT, Bench
from tests.unit.mapper.test_requests import answered, asking, pushed

INTEGRATION = IntegrationId("i")
SOON = timedelta(seconds=5)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    yield Bench()


async def seen(bench: Bench, mode: Mode, title: str = "a") -> Link:
    """Let an issue be seen whose direction has that mode; return its row."""
    await bench.configure(to_craft=mode)
    await bench.mapper.handle(bench.jira("1", title))
    return await the_row(bench)


async def the_row(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


async def status(bench: Bench) -> SyncStatus:
    return [each for each in await bench.statuses() if each.jira_id == "1"][-1]


async def save(bench: Bench, **changes: object) -> Integration:
    current = (await bench.store.integrations())[0]
    return await bench.store.save_integration(
        current.model_copy(update=changes), current.revision, "test", bench.clock.now()
    )


async def tick(bench: Bench) -> None:
    """Let the reconciler's clock find what is due, and the mapper handle it."""
    for due in await bench.store.due_links(bench.clock.now(), timedelta(minutes=1), 100):
        kind = RequestKind.CARRY if due.carry else RequestKind.DECIDE
        await bench.mapper.handle(bench.request(kind, due.link_id).model_copy(update={"requested_by": "clock"}))


@pytest.mark.parametrize(("mode", "cause"), [(Mode.MANUAL, Cause.DIRECTION_MANUAL), (Mode.OFF, Cause.DIRECTION_OFF)])
async def test_an_item_has_a_row_from_the_moment_it_is_seen(bench: Bench, mode: Mode, cause: Cause) -> None:
    link = await seen(bench, mode)
    assert (link.state, link.reason, link.held_since) == (LinkState.HELD, cause, bench.clock.now())
    shown = await status(bench)
    assert (shown.state, shown.cause, shown.labels["title"]) == (DisplayState.HELD, cause, "a")
    assert shown.next_step
    assert await bench.commands() == []
    (held,) = await bench.store.held(INTEGRATION)
    assert (held.target, held.cause, held.count) == (Side.CRAFT, cause, 1)


async def test_a_held_item_stays_in_line_and_shows_what_it_is_now(bench: Bench) -> None:
    first = await seen(bench, Mode.MANUAL)
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "b"))
    link = await the_row(bench)
    assert (link.state, link.held_since) == (LinkState.HELD, first.held_since)
    assert (await status(bench)).labels["title"] == "b"


async def test_a_pull_carries_one_item_as_it_is_now(bench: Bench) -> None:
    await seen(bench, Mode.MANUAL)
    bench.clock.at += SOON
    said = await pushed(bench, bench.jira("1", "b"))
    link = await the_row(bench)
    assert (said.state, said.link_id, link.state) == (RequestState.DONE, link.id, LinkState.CREATING)
    assert [command.fields for command in await bench.commands()] == [{"title": "b", "parent": ROOT}]
    assert await bench.store.held(INTEGRATION) == []


async def test_a_pull_of_an_item_whose_direction_is_off_is_answered(bench: Bench) -> None:
    await seen(bench, Mode.OFF)
    said = await pushed(bench, bench.jira("1", "a"))
    assert (said.state, said.code) == (RequestState.REFUSED, Cause.DIRECTION_OFF)
    assert await bench.commands() == []


async def test_a_pull_of_an_item_that_nobody_has_seen_yet_is_answered_too(bench: Bench) -> None:
    await bench.configure(to_craft=Mode.OFF)
    said = await pushed(bench, bench.jira("1", "a"))
    assert (said.state, said.code) == (RequestState.REFUSED, Cause.DIRECTION_OFF)
    said = await pushed(bench, bench.jira("2", "a", kind="10003"), "another")
    assert said.state is RequestState.REFUSED


async def test_a_manual_direction_lets_the_edits_of_linked_items_through(bench: Bench) -> None:
    await bench.configure(to_craft=Mode.AUTOMATIC, to_jira=Mode.MANUAL)
    await bench.linked()
    bench.clock.at += SOON
    await bench.mapper.handle(bench.craft("11", "edited"))
    (command,) = [each for each in await bench.commands() if each.target is Side.JIRA]
    assert command.fields == {"title": "edited"}


async def test_what_was_held_is_carried_once_the_direction_is_automatic(bench: Bench) -> None:
    await seen(bench, Mode.MANUAL)
    await save(bench, to_craft=Mode.AUTOMATIC)
    await tick(bench)
    assert (await the_row(bench)).state is LinkState.CREATING
    assert len(await bench.commands()) == 1


async def test_what_was_held_waits_for_the_admins_word_where_the_save_said_so(bench: Bench) -> None:
    await seen(bench, Mode.MANUAL)
    current = (await bench.store.integrations())[0]
    draft = current.model_copy(update={"to_craft": Mode.AUTOMATIC})
    await bench.store.save_integration(draft, current.revision, "test", bench.clock.now(), evaluate=False)
    await tick(bench)
    assert await bench.commands() == []
    await bench.store.agree(INTEGRATION, 2, "test", bench.clock.now())
    await tick(bench)
    assert len(await bench.commands()) == 1


async def test_one_word_carries_all_that_is_held(bench: Bench) -> None:
    await bench.configure(to_craft=Mode.MANUAL)
    for number in range(5):
        await bench.mapper.handle(bench.jira(str(number), f"t{number}"))
    bench.clock.at += SOON
    await bench.store.let_go(INTEGRATION, Side.CRAFT, "admin", bench.clock.now())
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("9", "made since"))
    await tick(bench)
    await tick(bench)
    assert sorted(str(c.fields["title"]) for c in await bench.commands()) == ["t0", "t1", "t2", "t3", "t4"]
    (held,) = await bench.store.held(INTEGRATION)
    assert held.count == 1


async def test_what_is_let_go_of_a_direction_that_was_switched_off_meanwhile_is_held_anew_and_not_asked_for_ever(
    bench: Bench,
) -> None:
    await seen(bench, Mode.MANUAL)
    await bench.store.let_go(INTEGRATION, Side.CRAFT, "admin", bench.clock.now())
    await save(bench, to_craft=Mode.OFF)
    bench.clock.at += SOON
    await tick(bench)
    await tick(bench)
    await tick(bench)
    assert await bench.store.due_links(bench.clock.now(), timedelta(minutes=1), 100) == []
    assert (await the_row(bench)).reason == Cause.DIRECTION_OFF
    assert await bench.commands() == []


async def test_what_was_asked_for_is_not_held_back_while_it_waits_for_its_parent(bench: Bench) -> None:
    await bench.configure(to_craft=Mode.MANUAL)
    await bench.mapper.handle(asking(bench.jira("1", "child", parent="7")))
    assert (await the_row(bench)).state is LinkState.WAITING
    await bench.mapper.handle(asking(bench.jira("7", "epic", kind="10000"), "r2"))
    await bench.created((await bench.commands())[-1], "17", bench.craft("17", "epic", kind="epic"))
    await tick(bench)
    for message in await bench.published():
        if getattr(message, "kind", None) is RequestKind.DECIDE:
            await bench.mapper.handle(message)
    assert (await bench.commands())[-1].fields == {"title": "child", "parent": "17"}


async def test_an_unmapped_type_is_no_item_that_waits(bench: Bench) -> None:
    await bench.configure(to_craft=Mode.MANUAL)
    await bench.mapper.handle(bench.jira("1", "bug", kind="10003"))
    link = await the_row(bench)
    assert (link.state, link.reason) == (LinkState.EXCLUDED, Cause.TYPE_NOT_MAPPED)
    await save(bench, types=((await bench.store.integrations())[0].types[0].model_copy(update={"jira": "10003"}),))
    await tick(bench)
    assert (await the_row(bench)).state is LinkState.HELD  # mapped now, and still nobody has asked for it


async def test_a_held_item_that_is_deleted_does_not_wait_any_more(bench: Bench) -> None:
    await seen(bench, Mode.MANUAL)
    await bench.deleted(Side.JIRA, "1")
    link = await the_row(bench)
    assert (link.state, link.held_since) == (LinkState.GONE, None)
    assert await bench.store.held(INTEGRATION) == []


async def test_a_held_item_goes_to_the_integration_that_a_person_chooses_for_it(bench: Bench) -> None:
    link = await seen(bench, Mode.MANUAL)
    other = IntegrationId("j")
    mapped = (await bench.store.integrations())[0].model_copy(update={"id": other, "craft_workspace": "w2"})
    await bench.store.save_integration(mapped, 0, "test", bench.clock.now())
    event = asking(bench.jira("1", "a")).model_copy(update={"integration_id": other})
    await bench.mapper.handle(event)
    now = await the_row(bench)
    assert (now.id, now.integration_id, now.state) == (link.id, other, LinkState.CREATING)


async def test_an_item_that_one_integration_has_switched_off_goes_to_the_next_that_takes_it(bench: Bench) -> None:
    await seen(bench, Mode.OFF)
    other = (await bench.store.integrations())[0].model_copy(
        update={"id": IntegrationId("j"), "to_craft": Mode.AUTOMATIC}
    )
    await bench.store.save_integration(other, 0, "test", bench.clock.now())
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "b"))
    link = await the_row(bench)
    assert (link.integration_id, link.state) == ("j", LinkState.CREATING)


async def test_a_held_item_can_be_linked_and_kept_apart(bench: Bench) -> None:
    link = await seen(bench, Mode.OFF)
    ids = {"jira_id": EntityId("1"), "craft_id": EntityId("50")}
    said = await answered(bench, bench.request(RequestKind.LINK, None, integration_id=INTEGRATION, **ids))
    assert said.state is RequestState.DONE
    now = await the_row(bench)
    assert (now.id, now.craft_id, now.state, now.held_since) == (link.id, "50", LinkState.ACTIVE, None)


async def test_a_late_word_of_an_item_that_is_held_creates_nothing(bench: Bench) -> None:
    await seen(bench, Mode.MANUAL)
    await bench.mapper.handle(bench.jira("1", "a").model_copy(update={"kind": ChangeKind.HIDDEN, "snapshot": None}))
    assert (await the_row(bench)).jira.dirty
    assert await bench.commands() == []
