"""The store on Postgres: `open_postgres` gives a `PostgresStore`, which implements every protocol of
`shared.store.port`.

Called by the bootstrap of each service. The schema is `shared.store.migrate`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from shared.domain.clock import Clock, SystemClock
from shared.store.postgres.arrivals import ArrivalsDesk
from shared.store.postgres.batch import PostgresBatch
from shared.store.postgres.census import CensusDesk
from shared.store.postgres.claims import Claims
from shared.store.postgres.config import Config
from shared.store.postgres.dry_runs import DryRuns
from shared.store.postgres.errors import translated
from shared.store.postgres.held import Held
from shared.store.postgres.links import PostgresTransaction
from shared.store.postgres.look import PostgresLook
from shared.store.postgres.people import Directory
from shared.store.postgres.provisioning import Provisioning
from shared.store.postgres.reading import Reading
from shared.store.postgres.refused import Refused
from shared.store.postgres.requests import Requests
from shared.store.postgres.revisions import Revisions
from shared.store.postgres.schema import check_schema
from shared.store.postgres.work import Work
from shared.store.secrets import SecretBox

__all__ = ["PostgresStore", "open_postgres"]

CONNECT_TIMEOUT_S = 3.0
STATEMENT_TIMEOUT_S = 5.0
LOCK_TIMEOUT_S = 3.0
IDLE_IN_TRANSACTION_S = 15.0
CLOSE_TIMEOUT_S = 5.0


class PostgresStore(
    Claims,
    Work,
    Config,
    Revisions,
    Reading,
    Directory,
    DryRuns,
    Requests,
    Held,
    Refused,
    Provisioning,
    ArrivalsDesk,
    CensusDesk,
):
    """All stores on one pool of connections."""

    def transaction(self) -> PostgresTransaction:
        """Begin a transaction of the mapper."""
        return PostgresTransaction(self)

    def batch(self) -> PostgresBatch:
        """Begin a transaction of several of the mapper's inputs."""
        return PostgresBatch(self)

    def look(self) -> PostgresLook:
        """Begin a transaction that only looks."""
        return PostgresLook(self)


@asynccontextmanager
async def open_postgres(
    database_url: str | Callable[[], str],
    secret_key: str,
    *,
    clock: Clock | None = None,
    most_connections: int = 10,
    application_name: str = "tandem",
) -> AsyncIterator[PostgresStore]:
    """Open a store on a migrated database; it reconnects by itself whenever the database comes back.

    Where `database_url` is a function, it is asked for each new connection, so that a password may be replaced.
    Raises `SecretKeyWrong` if `secret_key` (keys, comma-separated, the newest first) does not open what is
    stored, and `StoreUnavailable` if the database cannot be reached now or is not migrated yet.
    """
    box = SecretBox(secret_key)

    async def connect(*_: Any, **arguments: Any) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(database_url if isinstance(database_url, str) else database_url(), **arguments)

    with translated():
        pool = await asyncpg.create_pool(
            connect=connect,
            min_size=1,
            max_size=most_connections,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S + 1.0,
            server_settings={
                "application_name": application_name,
                "statement_timeout": _ms(STATEMENT_TIMEOUT_S),
                "lock_timeout": _ms(LOCK_TIMEOUT_S),
                "idle_in_transaction_session_timeout": _ms(IDLE_IN_TRANSACTION_S),
                "timezone": "UTC",
            },
        )
    try:
        with translated():
            await check_schema(pool)
        store = PostgresStore(pool, box, clock or SystemClock())
        await store.check_key()
        yield store
    finally:
        await _close(pool)


async def _close(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    try:
        await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT_S)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
