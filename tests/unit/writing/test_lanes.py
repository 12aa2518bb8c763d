"""However many connections are slow, the next one gets its turn."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from shared.domain.ids import ConnectionId
from shared.writing.lanes import LaneFull, Lanes


async def test_no_number_of_slow_connections_takes_all_places() -> None:
    lanes, capacity, held = Lanes(64, 256, 32), 256, 0
    async with asyncio.TaskGroup() as tasks:
        stay = asyncio.Event()

        async def hang(connection: str) -> bool:
            nonlocal held
            try:
                async with lanes.enter(ConnectionId(connection), 8):
                    await stay.wait()
            except LaneFull:
                held -= 1
            return True

        for number in range(25):
            for _ in range(80):
                held += 1
                tasks.create_task(hang(f"slow-{number}"))
            await asyncio.sleep(0)
        assert held < capacity
        async with lanes.enter(ConnectionId("quick"), 8):
            stay.set()


async def test_a_lane_alone_takes_its_width_and_its_queue_and_gives_all_back() -> None:
    lanes, one = Lanes(4, 100, 10), ConnectionId("one")
    for _ in range(3):
        async with AsyncExitStack() as inside:
            for _ in range(2):
                await inside.enter_async_context(lanes.enter(one, 2))
            waiting = [asyncio.create_task(inside_once(lanes, one)) for _ in range(4)]
            await asyncio.sleep(0)
            with pytest.raises(LaneFull):
                await inside_once(lanes, one)
        await asyncio.gather(*waiting)


async def inside_once(lanes: Lanes, connection: ConnectionId) -> None:
    async with lanes.enter(connection, 2):
        pass
