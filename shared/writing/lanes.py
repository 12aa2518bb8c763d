"""One lane per connection, so that a slow or broken one delays nobody else (DESIGN P7).

Used by `shared.writing.writer`, before anything is claimed: who waits here holds no lease, but a place of the consumer.
So a lane may hold only as many as there are places left (dynamic thresholds, as switches share their buffers;
Choudhury and Hahne), and the last ones are for connections that have nothing under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.domain.ids import ConnectionId


class LaneFull(Exception):
    """Too many commands of one connection wait already. The clock of open operations brings this one again."""


class _Lane:
    def __init__(self, width: int) -> None:
        self.width = width
        self.places = asyncio.Semaphore(width)
        self.inside = 0


class Lanes:
    """At most `width` commands of a connection at work and `queue` waiting, and never more than places are left of
    `capacity` above `reserve`, of which each connection may have one; the rest is turned away at once.
    """

    def __init__(self, queue: int, capacity: int, reserve: int) -> None:
        self._queue = queue
        self._free = capacity
        self._reserve = reserve
        self._lanes: dict[ConnectionId, _Lane] = {}

    @asynccontextmanager
    async def enter(self, connection_id: ConnectionId, width: int) -> AsyncIterator[None]:
        """Wait for a place, in the order of asking. Raises `LaneFull`."""
        lane = self._lanes.get(connection_id)
        if lane is None or lane.width != width:
            # those inside the old lane leave the old one; for that moment there are a few more at work
            lane = self._lanes[connection_id] = _Lane(width)
        if lane.inside >= min(lane.width + self._queue, max(1, self._free - self._reserve)):
            raise LaneFull
        lane.inside += 1
        self._free -= 1
        try:
            async with lane.places:
                yield
        finally:
            lane.inside -= 1
            self._free += 1
