"""Postgres as an operator's tools look at it: one connection, reads only, each statement with a time limit."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg

from shared.domain.clock import Clock
from tandem_ops.domain.database import DatabaseFacts
from tandem_ops.ports import CannotReach, Skew

_TIMEOUT_S: Final = 5.0
_SERVER: Final = """
SELECT current_setting('server_version') AS version,
    pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS read_only,
    current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity)::int AS connections_left
"""
_NOT_ALLOWED: Final = """
SELECT p || ' on ' || tablename FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
    AND NOT has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), p)
ORDER BY tablename, p
"""


class Postgres:
    """One open connection. Everything raises `CannotReach`."""

    def __init__(self, session: asyncpg.Connection[asyncpg.Record], clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def facts(self) -> DatabaseFacts:
        """Return what the server tells of itself."""
        try:
            server = await self._session.fetchrow(_SERVER)
            refused = [row[0] for row in await self._session.fetch(_NOT_ALLOWED)]
            schema = await self._schema()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise CannotReach(words(error)) from error
        assert server is not None  # a SELECT without FROM has one row  # noqa: S101
        return DatabaseFacts(server["version"], server["read_only"], server["connections_left"], schema, refused)

    async def skew(self) -> Skew:
        """Return how far its clock is ahead of ours."""
        before = self._clock.now()
        try:
            theirs = await self._session.fetchval("SELECT clock_timestamp()")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise CannotReach(words(error)) from error
        return Skew.between(before, theirs, self._clock.now())

    async def _schema(self) -> str | None:
        try:
            found = await self._session.fetchval("SELECT max(version_num) FROM alembic_version")
        except asyncpg.UndefinedTableError:
            return None
        return None if found is None else str(found)


@asynccontextmanager
async def open_postgres_to_look(database_url: str, clock: Clock) -> AsyncIterator[Postgres]:
    """Yield a connection. Raises `CannotReach`."""
    try:
        session = await asyncpg.connect(
            database_url,
            timeout=_TIMEOUT_S,
            command_timeout=_TIMEOUT_S,
            server_settings={"application_name": "tandem-doctor"},
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise CannotReach(words(error)) from error
    try:
        yield Postgres(session, clock)
    finally:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            await session.close(timeout=_TIMEOUT_S)


def words(error: BaseException) -> str:
    """Return what went wrong, without anything that a row or an address with a password holds."""
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "the user or the password in TANDEM_DATABASE_URL is refused"
        case asyncpg.InvalidCatalogNameError():
            return "there is no such database on the server"
        case asyncpg.TooManyConnectionsError():
            return "the server has no connection left"
        case asyncpg.InsufficientPrivilegeError():
            return "the user lacks a right that it needs"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ConnectionRefusedError():
            return "the connection is refused: nothing listens there"
        case TimeoutError():
            return "no answer in time"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return type(error).__name__
