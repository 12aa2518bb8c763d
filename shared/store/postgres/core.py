"""What the stores on Postgres share: the pool, single statements with their failures translated, parsed configuration.

Called by the other modules of this package. Every statement has a time limit, on the client and on the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.domain.clock import Clock
from shared.domain.ids import ConnectionId, IntegrationId
from shared.domain.mapping import Connection, Integration
from shared.store.newer import understood
from shared.store.port import StoreUnavailable
from shared.store.postgres.errors import translated
from shared.store.secrets import SecretBox

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    Session = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

ACQUIRE_TIMEOUT_S = 5.0
HEALTH_TIMEOUT_S = 1.0
MOST_PARSED = 1000


class Core:
    """The base of all stores on one pool."""

    def __init__(self, pool: Pool, box: SecretBox, clock: Clock) -> None:
        self._pool = pool
        self.box = box
        self.clock = clock
        self._integrations: dict[tuple[IntegrationId, int], Integration] = {}

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Lend a connection. Raises `StoreUnavailable` if there is none within 5 s."""
        with translated():
            session = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        try:
            yield session
        finally:
            # A connection that cannot be reset is dropped by the pool; what was committed is committed all the same.
            with suppress(StoreUnavailable), translated():
                await self._pool.release(session, timeout=ACQUIRE_TIMEOUT_S)

    async def fetch(self, query: str, *args: Any) -> Sequence[asyncpg.Record]:
        """Run one statement as a transaction of its own and return its rows."""
        async with self.session() as session:
            with translated():
                return await session.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        """Run one statement as a transaction of its own and return its first row."""
        async with self.session() as session:
            with translated():
                return await session.fetchrow(query, *args)

    async def healthy(self) -> bool:
        """Tell within a second whether the database answers."""
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT_S):
                await self.fetchrow("SELECT 1")
        except (StoreUnavailable, TimeoutError):
            return False
        return True

    def integration_of(self, integration_id: IntegrationId, revision: int, body: str) -> Integration:
        """Return a saved revision; parsed once, since a revision never changes."""
        known = self._integrations.get((integration_id, revision))
        if known is None:
            known = understood(Integration, body, f"revision {revision} of integration {integration_id}")
            if len(self._integrations) >= MOST_PARSED:
                self._integrations.clear()
            self._integrations[integration_id, revision] = known
        return known


def connection_of(row: asyncpg.Record) -> Connection:
    """Return a connection. Whether it is paused and when it ends are columns: the one makes no revision, and the other
    is read by releases that do not know it.
    """
    apart = {name: row[name] for name in CONNECTION_APART}
    return understood(Connection, row["body"], "a connection").model_copy(update=apart)


CONNECTION_APART = ("paused_reason", "expires_on", "expires_told")
CONNECTION_COLUMNS = ", ".join(("body", *CONNECTION_APART))


def connection_key(connection_id: ConnectionId) -> str:
    """Return the name under which savers of a connection exclude one another."""
    return f"connection:{connection_id}"


def integration_key(integration_id: IntegrationId) -> str:
    """Return the name under which a saver excludes those who decide by an integration (`share_integration`)."""
    return f"integration:{integration_id}"
