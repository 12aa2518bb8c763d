"""Brings a database to the schema of this release: `python -m shared.store.migrate`, before the services of a release
are started. They wait for it (`shared.store.postgres.schema`); the local stack and the tests call `migrate`.

Safe when many start at once (one migrates, the others wait and find it done). It only goes forward: a database that a
newer release has migrated is refused by name, never changed back.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import resources
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from shared.domain.errors import OwnWords
from shared.store.port import StoreUnavailable
from shared.store.postgres.errors import CONNECTION_LOST, away
from shared.store.reseal import setting
from shared.store.secrets import SecretKeyWrong

MIGRATION_LOCK = 0x54414E44454D
"""The advisory lock that keeps migrations apart ("TANDEM")."""
WAIT_S = 120.0
CONNECT_TIMEOUT_S = 10.0
LOCK_TIMEOUT = "2s"
_PAUSE_S = 0.2
_LOCK_NOT_AVAILABLE = "55P03"


class SchemaTooNew(OwnWords):
    """The database has a schema that this release does not know."""


async def migrate(database_url: str, *, revision: str = "head", secret_key: str | None = None) -> None:
    """Bring the schema up to date, or up to a revision; returns at once if it is. Idempotent, safe to run concurrently.

    `secret_key` (TANDEM_SECRET_KEY) is needed where a step seals credentials anew, once. Raises `SecretKeyWrong` if it
    is missing there or does not open them, `StoreUnavailable` if the database cannot be reached, `SchemaTooNew` if a
    newer release has been here, and TimeoutError if another migration, or whoever holds a lock on a table, takes
    longer than two minutes.

    Online: no step waits for a lock for longer than `LOCK_TIMEOUT`, because whoever comes after it would wait as well;
    it is tried again instead. Building an index takes as long as it takes.
    """

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        settings = {"application_name": "tandem-migrate"}
        return await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S, server_settings=settings)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await _alone(connection)
            # Closing the connection gives the lock back.
            await _upgraded(connection, revision, secret_key)
    except CONNECTION_LOST as error:
        raise StoreUnavailable(f"the database cannot be reached: {away(error)}") from error
    finally:
        await engine.dispose()


async def _alone(connection: AsyncConnection) -> None:
    """Take the lock that keeps migrations apart.

    Asked for again and again: a session that waits for it in a statement is one that an index built beside it would
    wait for in turn.
    """
    async with asyncio.timeout(WAIT_S):
        while not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)").bindparams(key=MIGRATION_LOCK)):
            await connection.commit()
            await asyncio.sleep(_PAUSE_S)
    await connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    await connection.commit()


async def _upgraded(connection: AsyncConnection, revision: str, secret_key: str | None) -> None:
    """Take all steps. One that finds a table locked gives way, and is tried again; those before it stay done."""
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while True:
        try:
            await connection.run_sync(_upgrade, revision, secret_key)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            await connection.rollback()
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("a table that the migration changes is locked by somebody all the time") from error
            await asyncio.sleep(_PAUSE_S)
        else:
            return


def _upgrade(connection: Connection, revision: str, secret_key: str | None) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(str(resources.files("shared.store.migrations")))))
    config.attributes["connection"] = connection
    config.attributes["secret_key"] = secret_key
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = set(MigrationContext.configure(connection).get_current_heads())
    connection.commit()
    if not found <= known:
        raise SchemaTooNew(
            f"the database has schema {', '.join(sorted(found - known))}; this release knows {max(known)} at most"
        )
    command.upgrade(config, revision)
    connection.commit()


def main() -> int:
    """Migrate the database of TANDEM_DATABASE_URL, with the keys of TANDEM_SECRET_KEY; each also from the file that
    TANDEM_…_FILE names.
    """
    url = setting("TANDEM_DATABASE_URL")
    if not url:
        sys.stderr.write("TANDEM_DATABASE_URL is not set\n")
        return 2
    try:
        asyncio.run(migrate(url, secret_key=setting("TANDEM_SECRET_KEY")))
    except (StoreUnavailable, SchemaTooNew, SecretKeyWrong, TimeoutError, asyncpg.ClientConfigurationError) as error:
        sys.stderr.write(f"{str(error) or 'another migration has been running for two minutes'}\n")
        return 1
    sys.stderr.write("the schema is up to date\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
