"""The bell: who keeps configuration in memory hears at once that something was saved, and goes on without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.fakes.log import MemoryLog
from shared.runtime.log import Record
from shared.runtime.revisions import RevisionBell
from shared.runtime.topics import Topic
from tests.unit.reconciler.world import on_virtual_time

SAVED = Record(topic=Topic.CONFIG, key="integration:demo", value=b"{}", headers={})


@asynccontextmanager
async def listening(log: MemoryLog) -> AsyncIterator[tuple[RevisionBell, asyncio.Event]]:
    bell, stop = RevisionBell(log), asyncio.Event()
    task = asyncio.create_task(bell.listen(stop))
    await asyncio.sleep(0.1)
    yield bell, stop
    stop.set()
    async with asyncio.timeout(1):
        await task


async def seconds(bell: RevisionBell, stop: asyncio.Event, for_s: float) -> float:
    began = asyncio.get_running_loop().time()
    await bell.pause(stop, for_s)
    return asyncio.get_running_loop().time() - began


@on_virtual_time
async def test_a_pause_ends_when_a_revision_is_announced_and_the_next_one_does_not() -> None:
    log = MemoryLog()
    await log.publish([SAVED])
    async with listening(log) as (bell, stop):
        assert round(await seconds(bell, stop, 10), 3) == 10, "what was saved before is read at the start"
        asyncio.get_running_loop().call_later(2, lambda: asyncio.ensure_future(log.publish([SAVED])))
        assert 2 <= await seconds(bell, stop, 60) < 2.1
        assert round(await seconds(bell, stop, 10), 3) == 10


@on_virtual_time
async def test_every_listener_hears_each_revision() -> None:
    log = MemoryLog()
    async with listening(log) as (one, stop), listening(log) as (other, _):
        await log.publish([SAVED])
        assert await seconds(one, stop, 60) < 1
        assert await seconds(other, stop, 60) < 1


@on_virtual_time
async def test_a_pause_ends_when_it_is_time_to_stop() -> None:
    async with listening(MemoryLog()) as (bell, stop):
        asyncio.get_running_loop().call_later(1, stop.set)
        assert round(await seconds(bell, stop, 60), 3) == 1


@on_virtual_time
async def test_after_an_outage_of_the_log_the_bell_rings_for_what_may_have_been_missed() -> None:
    log = MemoryLog()
    log.available = False
    async with listening(log) as (bell, stop):
        assert await seconds(bell, stop, 60) < 3
        log.available = True
        await asyncio.sleep(5)
        await bell.pause(stop, 0.1)
        await log.publish([SAVED])
        assert await seconds(bell, stop, 60) < 1
