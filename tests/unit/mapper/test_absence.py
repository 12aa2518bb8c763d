"""Three meanings of absence: deleted, hidden, archived. Told apart by what else was heard, and over once a read shows
the item again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.domain.ids import Side
from shared.domain.link import Absence, Link, LinkState
from shared.domain.mapping import Mode
from shared.domain.requests import RequestKind
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.status import Cause, DisplayState
from tests.unit.mapper.test_protocol_failures_handlers import US, Bench
from tests.unit.mapper.test_requests import answered, pushed

SOON = timedelta(seconds=5)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.configure()
    await made.linked()
    made.clock.at += SOON
    yield made


async def the_link(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


def told(bench: Bench, kind: ChangeKind, origin: Origin = Origin.FRESH, ticket: int | None = None) -> ChangeEvent:
    changes = {"kind": kind, "snapshot": None, "updated": None, "origin": origin, "ticket": ticket}
    return bench.jira("1", "a").model_copy(update=changes)


async def written(bench: Bench) -> list[dict[str, Any]]:
    """Return what was to be written to Jira."""
    return [command.fields for command in await bench.commands() if command.target is Side.JIRA]


async def read(bench: Bench, kind: ChangeKind) -> Link:
    """Let a fresh read end like that."""
    await bench.mapper.handle(told(bench, kind, ticket=(await the_link(bench)).jira.mark))
    return await the_link(bench)


async def read_shows(bench: Bench, title: str, **fields: Any) -> Link:
    """Let a fresh read of the issue show this."""
    event = bench.jira("1", title, origin=Origin.FRESH, ticket=(await the_link(bench)).jira.mark)
    snapshot = {**(event.snapshot or {}), "fields": {**(event.snapshot or {})["fields"], **fields}}
    await bench.mapper.handle(event.model_copy(update={"snapshot": snapshot}))
    return await the_link(bench)


async def test_what_a_read_does_not_find_is_hidden_as_long_as_nothing_told_of_a_deletion(bench: Bench) -> None:
    link = await read(bench, ChangeKind.HIDDEN)
    assert (link.state, link.reason) == (LinkState.ABSENT, Cause.HIDDEN)
    shown = (await bench.statuses())[-1]
    assert (shown.state, shown.cause) == (DisplayState.ABSENT, Cause.HIDDEN)
    assert "has not shown this item to Tandem's account since 5 January 2026, 09:00 UTC" in shown.message
    assert "by itself" in (shown.next_step or "")


async def test_what_a_read_does_not_find_after_a_deletion_was_told_is_deleted(bench: Bench) -> None:
    await bench.mapper.handle(told(bench, ChangeKind.DELETED, Origin.WEBHOOK))
    link = await read(bench, ChangeKind.HIDDEN)
    assert (link.state, link.reason) == (LinkState.GONE, Cause.DELETED)
    assert "Pull" not in ((await bench.statuses())[-1].next_step or "")
    assert "Push the Craft.io item" in ((await bench.statuses())[-1].next_step or "")


async def test_a_deletion_that_is_told_after_the_item_was_found_missing_makes_it_deleted(bench: Bench) -> None:
    await read(bench, ChangeKind.HIDDEN)
    await bench.mapper.handle(told(bench, ChangeKind.DELETED, Origin.WEBHOOK))
    assert (await the_link(bench)).state is LinkState.ABSENT  # it is read once more
    assert (await read(bench, ChangeKind.HIDDEN)).state is LinkState.GONE


async def test_an_archived_item_waits_for_its_return(bench: Bench) -> None:
    link = await read_shows(bench, "a", archiveddate="2026-01-05T08:00:00.000+0000")
    assert (link.state, link.reason, link.jira.absent is not None) == (LinkState.ABSENT, Cause.ARCHIVED, True)
    assert "archived in Jira" in (await bench.statuses())[-1].message
    await bench.mapper.handle(bench.craft("11", "meanwhile"))
    assert await written(bench) == []
    link = await read_shows(bench, "a", archiveddate=None)
    assert link.state is LinkState.ACTIVE
    assert await written(bench) == [{"title": "meanwhile"}]


@pytest.mark.parametrize("kind", [ChangeKind.HIDDEN, ChangeKind.DELETED])
async def test_what_is_seen_again_lives_again_with_the_edits_of_both_sides(bench: Bench, kind: ChangeKind) -> None:
    await read(bench, kind)
    bench.clock.at += SOON
    await bench.mapper.handle(bench.craft("11", "edited in Craft.io"))
    assert await written(bench) == []
    await bench.mapper.handle(bench.jira("1", "a"))  # a webhook or a sweep: not proof, it is read
    link = await the_link(bench)
    assert (link.state in (LinkState.ABSENT, LinkState.GONE), link.jira.dirty) == (True, True)
    link = await read_shows(bench, "a")
    assert (link.state, link.jira.absent, link.jira.told_deleted) == (LinkState.ACTIVE, None, False)
    assert await written(bench) == [{"title": "edited in Craft.io"}]


async def test_a_late_word_does_not_bring_back_what_is_gone(bench: Bench) -> None:
    late = bench.jira("1", "late")
    await read(bench, ChangeKind.DELETED)
    await bench.mapper.handle(late)
    assert (await the_link(bench)).state is LinkState.GONE
    assert (await read(bench, ChangeKind.HIDDEN)).state is LinkState.GONE  # deleted is not hidden again


async def test_a_read_that_began_before_it_was_gone_does_not_bring_it_back(bench: Bench) -> None:
    ticket = (await the_link(bench)).jira.mark
    slow = bench.jira("1", "a", origin=Origin.FRESH, ticket=ticket)
    await read(bench, ChangeKind.HIDDEN)
    await bench.mapper.handle(slow)
    link = await the_link(bench)
    assert (link.state, link.jira.dirty) == (LinkState.ABSENT, True)


async def test_only_what_is_absent_on_neither_side_goes_on(bench: Bench) -> None:
    await read(bench, ChangeKind.HIDDEN)
    gone = bench.craft("11", "a").model_copy(update={"kind": ChangeKind.DELETED, "snapshot": None})
    mark = (await the_link(bench)).craft.mark
    await bench.mapper.handle(gone.model_copy(update={"origin": Origin.FRESH, "ticket": mark}))
    assert (await the_link(bench)).reason == Cause.DELETED
    link = await read_shows(bench, "a")
    assert (link.state, link.jira.absent) == (LinkState.GONE, None)


async def test_a_hidden_item_is_not_taken_for_a_deleted_one_by_a_person_either(bench: Bench) -> None:
    link = await read(bench, ChangeKind.HIDDEN)
    said = await pushed(bench, bench.craft("11", "a", by=US))
    assert said.code == "absent"
    assert (await answered(bench, bench.request(RequestKind.UNSYNC, link.id))).code is None
    link = await read_shows(bench, "again")
    assert (link.state, link.jira.absent) == (LinkState.UNSYNCED, None)  # what a person decided stands


async def test_a_held_item_that_is_hidden_is_held_again_when_it_shows() -> None:
    made = Bench()
    await made.configure(to_craft=Mode.MANUAL)
    await made.mapper.handle(made.jira("1", "a"))
    assert (await read(made, ChangeKind.HIDDEN)).state is LinkState.ABSENT
    link = await read_shows(made, "a")
    assert (link.state, link.reason) == (LinkState.HELD, Cause.DIRECTION_MANUAL)
    assert await made.commands() == []


async def test_an_absence_is_as_old_as_its_first_read(bench: Bench) -> None:
    first = await read(bench, ChangeKind.HIDDEN)
    assert first.jira.absent is not None
    bench.clock.at += SOON
    again = await read(bench, ChangeKind.HIDDEN)
    assert again.jira.absent is not None
    assert (again.jira.absent.how, again.jira.absent.since) == (Absence.HIDDEN, first.jira.absent.since)
