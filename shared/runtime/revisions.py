"""Hearing of saved revisions at once (`config.v1`), for services that keep configuration in memory.

Only a hint: what is announced while the log is away is missed, so every service also reads the store every few seconds
(DESIGN P8), and a bell that never rings costs seconds, nothing else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from shared.runtime.log import Follower, Log, LogUnavailable
from shared.runtime.topics import Topic

_RECEIVE_S: Final = 30.0
_AWAY_PAUSE_S: Final = 2.0
_MANY: Final = 500


class RevisionBell:
    """Rings when a revision was announced. One for each who waits: a pause that ends makes it silent again."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rung = asyncio.Event()

    async def listen(self, stop: asyncio.Event) -> None:
        """Listen until `stop` is set. Never raises for a log that is away."""
        listening = asyncio.create_task(self._listen(), name="listens for revisions")
        try:
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait((listening, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def pause(self, stop: asyncio.Event, for_s: float) -> None:
        """Wait for `for_s` seconds of the running loop, or until `stop` is set, or until the bell rings."""
        waits = (asyncio.create_task(stop.wait()), asyncio.create_task(self._rung.wait()))
        try:
            await asyncio.wait(waits, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._rung.clear()

    async def _listen(self) -> None:
        while True:
            with suppress(LogUnavailable):
                follower = await self._log.follow([Topic.CONFIG])
                try:
                    await self._ring_for(follower)
                finally:
                    await follower.close()
            await asyncio.sleep(_AWAY_PAUSE_S)
            # Whatever was announced meanwhile.
            self._rung.set()

    async def _ring_for(self, follower: Follower) -> None:
        while True:
            if await follower.receive(_MANY, _RECEIVE_S):
                self._rung.set()
