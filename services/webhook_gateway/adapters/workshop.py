"""Where slow work on bodies is done: aside, so that nobody else's webhook waits for it, and not all of it at once.

Built by `bootstrap`. In the simulation, where there are no threads, work is done on the spot.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

T = TypeVar("T")
_AT_ONCE_BYTES: Final = 64 * 1024
"""Less is done on the spot: it takes a millisecond."""


class BoundedWorkshop:
    """Implements `Workshop`."""

    def __init__(self, most_bytes: int, threads: Executor | None) -> None:
        self._most_bytes = most_bytes
        self._threads = threads
        self._in_work = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def place(self, size: int) -> AsyncIterator[None]:
        """Wait until a body of that size may be worked on, and keep the place within the block.

        What does not fit lets pass what does: a small event never waits for a large one.
        """
        if not self._fits(size):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry = (size, turn)
            self._queue.append(entry)
            try:
                await turn
            except asyncio.CancelledError:
                if entry in self._queue:
                    self._queue.remove(entry)
                else:  # its turn came at the same moment
                    self._free(size)
                raise
        else:
            self._in_work += size
        try:
            yield
        finally:
            self._free(size)

    async def run(self, size: int, work: Callable[[], T]) -> T:
        """Return what `work` on so many bytes returns, or raise what it raises."""
        if self._threads is None or size <= _AT_ONCE_BYTES:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _fits(self, size: int) -> bool:
        # What is larger than the whole place has it alone.
        return self._in_work == 0 or self._in_work + size <= self._most_bytes

    def _free(self, size: int) -> None:
        self._in_work -= size
        for entry in list(self._queue):
            wanted, turn = entry
            if self._fits(wanted):
                self._queue.remove(entry)
                self._in_work += wanted
                if turn.cancelled():
                    self._in_work -= wanted
                else:
                    turn.set_result(None)
