"""Bring Kafka and Postgres back when they die, on the same address and data, as a cluster's operator would.

Called by `system` for the servers that it started itself. Services need no restart: they wait and reconnect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from deploy.local.processes import LocalStackError

PAUSE_S = 0.5
"""Before the next try, when one failed: the address may still be taken by what is on its way out."""


class Server(Protocol):
    """A server of the stack."""

    async def wait(self) -> None:
        """Wait until it ends. Raises LocalStackError if it does not run."""
        ...

    async def restart(self) -> None:
        """Start it again on the same address and data. Raises LocalStackError."""
        ...


@asynccontextmanager
async def kept(servers: Sequence[Server], say: Callable[[str], None]) -> AsyncIterator[None]:
    """Keep servers running within the block; `say` is told of each that had to be started again, and why not."""
    keepers = [asyncio.create_task(_keep(server, say), name=f"keep {type(server).__name__}") for server in servers]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep(server: Server, say: Callable[[str], None]) -> None:
    name = type(server).__name__
    while True:
        await server.wait()
        say(f"{name} died and is started again")
        while not await _restarted(server, say):
            await asyncio.sleep(PAUSE_S)


async def _restarted(server: Server, say: Callable[[str], None]) -> bool:
    try:
        await server.restart()
    except LocalStackError as error:
        say(f"{type(server).__name__} could not be started again; trying on. {error}")
        return False
    return True
