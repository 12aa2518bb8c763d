"""Pausing between rounds without missing the order to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def pause(stop: asyncio.Event, for_s: float) -> None:
    """Wait for `for_s` seconds of the running loop, or until `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(for_s):
            await stop.wait()
