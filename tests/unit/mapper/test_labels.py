"""Laws of what an item is known by: a late message never brings an older type or title back, and decides no create."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from shared.domain.ids import Side
from shared.domain.link import LinkState
from shared.messages.change import Origin
from tests.unit.mapper.test_protocol_failures_handlers import BUG, STORY, Bench


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    yield Bench()


async def types_created(bench: Bench) -> list[str | None]:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return [op.type_id for op in link.operations]


async def test_a_late_message_of_an_earlier_type_creates_nothing(bench: Bench) -> None:
    await bench.configure()
    as_story = bench.jira("1", "a")
    bench.clock.at += timedelta(seconds=1)
    await bench.mapper.handle(bench.jira("1", "b", kind=BUG))
    await bench.mapper.handle(as_story)
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert (link.state, link.labels["jira_type"], link.labels["title"]) == (LinkState.EXCLUDED, BUG, "b")
    assert await bench.commands() == []


async def test_two_types_at_one_moment_are_not_guessed_at_but_read_afresh(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a", kind=BUG))
    await bench.mapper.handle(bench.jira("1", "a", kind=STORY))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert link.jira.dirty
    assert await bench.commands() == []
    await bench.mapper.handle(bench.jira("1", "a", kind=STORY, origin=Origin.FRESH, ticket=link.jira.mark))
    assert await types_created(bench) == ["feature"]


async def test_a_fresh_read_tells_the_type_although_the_clock_of_jira_has_stepped_back(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a", kind=BUG))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    bench.clock.at -= timedelta(minutes=1)
    await bench.mapper.handle(bench.jira("1", "a", kind=STORY, origin=Origin.FRESH, ticket=link.jira.mark))
    assert await types_created(bench) == ["feature"]


async def test_a_snapshot_without_a_type_does_not_hide_one_that_comes_late(bench: Bench) -> None:
    await bench.configure()
    whole = bench.jira("1", "a")
    bench.clock.at += timedelta(seconds=1)
    reduced = bench.jira("1", "a")
    assert reduced.snapshot is not None
    del reduced.snapshot["fields"]["issuetype"]
    await bench.mapper.handle(reduced)
    await bench.mapper.handle(whole)
    assert await types_created(bench) == ["feature"]
