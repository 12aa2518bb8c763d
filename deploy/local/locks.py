"""Locks among processes, held by a file; the kernel releases them when the holder dies.

Called by whatever several processes of one machine must not do at once.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

POLL_INTERVAL_S = 0.2


@asynccontextmanager
async def file_lock(path: Path) -> AsyncIterator[None]:
    """Hold an exclusive lock on `path`, which is created if need be; wait for it as long as it takes."""
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(POLL_INTERVAL_S)
            else:
                break
        yield
