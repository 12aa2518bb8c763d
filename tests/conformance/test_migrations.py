"""What a migration does with the data that it finds."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from cryptography.fernet import Fernet

from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.store.migrate import migrate
from shared.store.port import CredentialsUnreadable
from shared.store.postgres import open_postgres
from shared.store.secrets import SecretKeyWrong
from tests.conformance.store_worlds import connection
from tests.patience import HANGS_S

if TYPE_CHECKING:
    OldConnection = asyncpg.Connection[asyncpg.Record]

pytestmark = pytest.mark.stack
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tandem-migrate'"
    " AND wait_event_type = 'Lock' AND datname = current_database()"
)
COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public'"
)


async def test_names_of_items_that_are_stored_already_can_be_looked_up_after_the_upgrade(database_url: str) -> None:
    lookups = importlib.import_module("shared.store.migrations.versions.0003_lookups")
    await migrate(database_url, revision=lookups.down_revision)
    session = await asyncpg.connect(database_url)
    try:
        # The links that these are the statuses of are of no matter here.
        await session.execute("SET session_replication_role = replica")
        for ident, labels in (
            ("a", {"jira_key": "TAN-1", "craft_short_id": "F-9"}),
            ("b", {}),
            ("c", {"jira_key": "TAN-3", "title": "nul \0 in it"}),
        ):
            await session.execute(
                "INSERT INTO link_status (link_id, integration_id, state, body) VALUES ($1, 'one', 'in_sync', $2)",
                ident,
                json.dumps({"labels": labels}),
            )
        await migrate(database_url)
        rows = await session.fetch("SELECT link_id, jira_key, craft_short_id FROM link_status ORDER BY link_id")
    finally:
        await session.close()
    # What Postgres cannot look into gets its name with the next status of the link.
    assert [tuple(row) for row in rows] == [("a", "tan-1", "f-9"), ("b", None, None), ("c", None, None)]


KEY, OLDER = Fernet.generate_key().decode(), Fernet.generate_key().decode()
BOUND = importlib.import_module("shared.store.migrations.versions.0008_bound_credentials")


@asynccontextmanager
async def with_old_credentials(database_url: str, *connections: Connection) -> AsyncIterator[OldConnection]:
    """Yield a session on a database of the release before, with connections whose credentials it sealed."""
    await migrate(database_url, revision=BOUND.down_revision)
    session = await asyncpg.connect(database_url)
    try:
        for made in connections:
            await session.execute(
                "INSERT INTO connections (id, revision, body) VALUES ($1, 1, $2)", made.id, made.model_dump_json()
            )
            await session.execute(
                "INSERT INTO connection_secrets (connection_id, sealed) VALUES ($1, $2)",
                made.id,
                sealed_before(made.id),
            )
        yield session
    finally:
        await session.close()


def sealed_before(token: str, key: str = OLDER) -> bytes:
    """Return credentials as earlier releases sealed them."""
    return Fernet(key).encrypt(ConnectionSecrets(token=token).model_dump_json().encode())


async def test_credentials_of_an_earlier_release_are_bound_to_their_connection_once(database_url: str) -> None:
    one, other = connection(), connection(ConnectionId("craft-1"), url="http://craft.internal:8080/api")
    async with with_old_credentials(database_url, one, other):
        await migrate(database_url, secret_key=f"{KEY},{OLDER}")
    async with open_postgres(database_url, KEY) as store:
        assert await store.secrets(one) == ConnectionSecrets(token=one.id)
        assert await store.secrets(other) == ConnectionSecrets(token=other.id)
        with pytest.raises(CredentialsUnreadable):
            await store.secrets(one.model_copy(update={"url": "https://elsewhere.example"}))


@pytest.mark.parametrize(
    ("key", "words"),
    [(None, "TANDEM_SECRET_KEY is not set"), (KEY, "opens the stored credentials of the connection")],
    ids=["no key", "another key"],
)
async def test_without_the_key_nothing_is_upgraded_and_it_says_so(
    database_url: str, key: str | None, words: str
) -> None:
    async with with_old_credentials(database_url, connection()) as session:
        with pytest.raises(SecretKeyWrong, match=words):
            await migrate(database_url, secret_key=key)
        (version,) = await session.fetch("SELECT version_num FROM alembic_version")
        assert version["version_num"] == BOUND.down_revision
        stored = await session.fetchval("SELECT sealed FROM connection_secrets")
        assert Fernet(OLDER).decrypt(stored)
    await migrate(database_url, secret_key=OLDER)


async def test_a_row_of_before_the_upgrade_that_is_put_back_does_not_open(database_url: str) -> None:
    """Neither where it was, nor in the row of a connection that leads elsewhere."""
    home, thief = connection(), connection(ConnectionId("jira-2"), url="https://elsewhere.example")
    async with with_old_credentials(database_url, home, thief) as session:
        kept = await session.fetchval("SELECT sealed FROM connection_secrets WHERE connection_id = $1", home.id)
        await migrate(database_url, secret_key=OLDER)
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute("UPDATE connection_secrets SET sealed = $1 WHERE connection_id = $2", kept, thief.id)
        # Whoever may write may also take the constraint away.
        await session.execute("ALTER TABLE connection_secrets DROP CONSTRAINT sealed_for_its_connection")
        await session.execute("UPDATE connection_secrets SET sealed = $1 WHERE connection_id = $2", kept, thief.id)
        await migrate(database_url, secret_key=OLDER)
        async with open_postgres(database_url, OLDER) as store:
            with pytest.raises(CredentialsUnreadable):
                await store.secrets(thief)
            assert await store.secrets(home) == ConnectionSecrets(token=home.id)


async def test_a_database_without_credentials_needs_no_key(database_url: str) -> None:
    await migrate(database_url)


async def test_a_migration_gives_way_to_whoever_holds_a_lock_and_nobody_waits_behind_it_for_long(
    database_url: str,
) -> None:
    refused = importlib.import_module("shared.store.migrations.versions.0014_refused")
    await migrate(database_url, revision=refused.down_revision)
    holder, worker = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        held = holder.transaction()
        await held.start()
        await holder.execute("LOCK TABLE audit IN ACCESS SHARE MODE")
        migrating = asyncio.create_task(migrate(database_url))
        async with asyncio.timeout(HANGS_S):
            while not await worker.fetchval(WAITS):
                await asyncio.sleep(0.01)
            # Whoever comes now stands behind the migration, until that gives way.
            await worker.execute("SELECT count(*) FROM audit")
        assert not migrating.done()
        await held.rollback()
        await migrating
        assert await worker.fetchval("SELECT version_num FROM alembic_version") >= refused.revision
    finally:
        await holder.close()
        await worker.close()


async def test_the_release_before_finds_all_that_it_knows_and_is_asked_for_nothing_new(database_url: str) -> None:
    before = (Path(__file__).parents[1] / "fixtures" / "n_minus_1" / "schema_revision").read_text().strip()
    await migrate(database_url, revision=before)
    session = await asyncpg.connect(database_url)
    try:
        known = {(row["table_name"], row["column_name"]): row for row in await session.fetch(COLUMNS)}
        await migrate(database_url)
        now = {(row["table_name"], row["column_name"]): row for row in await session.fetch(COLUMNS)}
    finally:
        await session.close()
    assert known.keys() <= now.keys()
    assert {each: now[each]["data_type"] for each in known} == {each: known[each]["data_type"] for each in known}
    tables = {table for table, _ in known}
    added = [row for each, row in now.items() if each not in known and each[0] in tables]
    asked_for = [each for each in added if each["is_nullable"] == "NO" and each["column_default"] is None]
    stricter = [each for each in known if (known[each]["is_nullable"], now[each]["is_nullable"]) == ("YES", "NO")]
    assert (asked_for, stricter) == ([], [])
