"""A request is carried out once, and on what it was made on: the log may tell it twice, or late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from shared.domain.ids import PairId, Side
from shared.domain.link import Link
from shared.domain.mapping import Policy
from shared.messages.change import Origin
from shared.messages.request import RequestKind
from tests.unit.mapper.test_protocol_failures_handlers import Bench

TITLE = PairId("title")


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.configure(policy=Policy.ASK)
    await made.linked()
    made.clock.at += timedelta(seconds=5)
    yield made


async def link_of(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


async def read_both(bench: Bench, jira: str, craft: str) -> None:
    for side, event in ((Side.JIRA, bench.jira("1", jira)), (Side.CRAFT, bench.craft("11", craft))):
        ticket = (await link_of(bench)).side(side).mark
        await bench.mapper.handle(event.model_copy(update={"origin": Origin.FRESH, "ticket": ticket}))


async def test_a_resync_that_is_told_twice_forgets_bases_once(bench: Bench) -> None:
    request = bench.request(RequestKind.RESYNC, (await link_of(bench)).id)
    await bench.mapper.handle(request)
    await read_both(bench, "a", "a")
    before = await link_of(bench)
    assert before.jira.pair(TITLE).base is not None
    await bench.mapper.handle(request)
    after = await link_of(bench)
    assert after.jira.pair(TITLE).base == before.jira.pair(TITLE).base
    assert not after.jira.dirty


async def test_an_unsync_that_is_told_again_after_a_resync_does_not_part_the_items(bench: Bench) -> None:
    link_id = (await link_of(bench)).id
    unsync = bench.request(RequestKind.UNSYNC, link_id)
    await bench.mapper.handle(unsync)
    await bench.mapper.handle(bench.request(RequestKind.RESYNC, link_id))
    await bench.mapper.handle(unsync)
    assert (await link_of(bench)).state == "active"


async def conflict(bench: Bench, jira: str, craft: str) -> Link:
    await bench.mapper.handle(bench.request(RequestKind.RESYNC, (await link_of(bench)).id))
    bench.clock.at += timedelta(seconds=5)
    await read_both(bench, jira, craft)
    link = await link_of(bench)
    assert TITLE in link.open_conflicts
    return link


@pytest.mark.parametrize("stale", [True, False])
async def test_a_choice_is_made_between_the_values_that_were_shown(bench: Bench, stale: bool) -> None:
    link = await conflict(bench, "b", "c")
    looked_at = link.open_conflicts[TITLE].at
    choice = bench.request(RequestKind.RESOLVE, link.id, pair=TITLE, winner=Side.JIRA, conflict_at=looked_at)
    if stale:
        bench.clock.at += timedelta(seconds=5)
        await bench.mapper.handle(bench.craft("11", "d"))
        await bench.mapper.handle(choice)
        assert (await link_of(bench)).open_conflicts[TITLE].craft_value == "d"
        assert len(await bench.commands()) == 1
    else:
        await bench.mapper.handle(choice)
        assert (await link_of(bench)).open_conflicts == {}
        assert (await bench.commands())[-1].fields == {"title": "b"}


async def test_a_choice_of_before_conflicts_could_be_named_settles_the_one_that_stands(bench: Bench) -> None:
    link = await conflict(bench, "b", "c")
    await bench.mapper.handle(bench.request(RequestKind.RESOLVE, link.id, pair=TITLE, winner=Side.CRAFT))
    assert (await link_of(bench)).open_conflicts == {}
