"""A deletion is ordered like everything else: it is believed of a read that began after all else that was heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from shared.domain.ids import Side
from shared.domain.link import Link, LinkState
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.request import RequestKind
from tests.unit.mapper.test_protocol_failures_handlers import Bench

SOON = timedelta(seconds=5)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.configure()
    await made.linked()
    made.clock.at += SOON
    yield made


def told(bench: Bench, origin: Origin = Origin.WEBHOOK, ticket: int | None = None) -> ChangeEvent:
    return bench.jira("1", "a", origin=origin, ticket=ticket).model_copy(
        update={"kind": ChangeKind.DELETED, "snapshot": None, "updated": None}
    )


async def link_of(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


@pytest.mark.parametrize("origin", [Origin.WEBHOOK, Origin.FRESH], ids=["by webhook", "by a sweep"])
async def test_a_deletion_that_is_only_told_is_read_first(bench: Bench, origin: Origin) -> None:
    await bench.mapper.handle(told(bench, origin))
    link = await link_of(bench)
    assert (link.state, link.jira.dirty) == (LinkState.ACTIVE, True)
    await bench.mapper.handle(told(bench, Origin.FRESH, link.jira.mark))
    link = await link_of(bench)
    assert (link.state, link.jira.dirty) == (LinkState.GONE, False)


async def test_an_item_that_is_still_there_stays_linked(bench: Bench) -> None:
    await bench.mapper.handle(told(bench))
    link = await link_of(bench)
    await bench.mapper.handle(bench.jira("1", "b", origin=Origin.FRESH, ticket=link.jira.mark))
    link = await link_of(bench)
    assert (link.state, link.jira.dirty) == (LinkState.ACTIVE, False)
    assert [command.fields for command in await bench.commands()][-1] == {"title": "b"}


async def test_a_deletion_told_again_after_a_resync_does_not_put_the_link_back(bench: Bench) -> None:
    late = told(bench)
    await bench.deleted(Side.JIRA, "1")
    link = await link_of(bench)
    await bench.mapper.handle(bench.request(RequestKind.RESYNC, link.id))  # it was put back
    await bench.mapper.handle(late)
    link = await link_of(bench)
    assert (link.state, link.jira.dirty) == (LinkState.ACTIVE, True)


async def test_a_read_that_found_nothing_before_the_item_was_put_back_proves_nothing(bench: Bench) -> None:
    await bench.mapper.handle(told(bench))
    before = told(bench, Origin.FRESH, (await link_of(bench)).jira.mark)
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "b"))  # seen after that read began
    await bench.mapper.handle(before)
    link = await link_of(bench)
    assert (link.state, link.jira.dirty) == (LinkState.ACTIVE, True)
