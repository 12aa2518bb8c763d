"""What only a real database shows: migration, what is kept for ever, secrets at rest, a server that goes away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from shared.domain.ids import LinkId, Side
from shared.domain.link import HistoryNote, LinkState
from shared.store import migrations
from shared.store.migrate import SchemaTooNew, migrate
from shared.store.port import StoreUnavailable
from shared.store.postgres import PostgresStore, open_postgres
from shared.store.secrets import SecretKeyWrong, new_key
from tests.conformance.conftest import TABLES
from tests.conformance.store_worlds import (
    DEADLINE_S,
    INTEGRATION,
    JIRA,
    LEASE,
    SECRETS,
    T0,
    TITLE,
    SetClock,
    change,
    connection,
    ended,
    insert,
    insert_with_operation,
    integration,
    link,
    nothing,
)

pytestmark = pytest.mark.stack
LINK = LinkId("link-a")
VERSIONS = Path(migrations.__file__).parent / "versions"


async def run(url: str, statement: str, *args: object) -> list[asyncpg.Record]:
    session = await asyncpg.connect(url, timeout=DEADLINE_S)
    try:
        return await session.fetch(statement, *args)
    finally:
        await session.close(timeout=DEADLINE_S)


async def test_services_that_start_at_once_migrate_once(database_url: str) -> None:
    await asyncio.gather(*(migrate(database_url) for _ in range(5)))
    await migrate(database_url)
    newest = max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))
    assert [row["version_num"] for row in await run(database_url, "SELECT version_num FROM alembic_version")] == [
        newest
    ]
    tables = await run(database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tablename"] for row in tables} == {*TABLES, "alembic_version"}


async def test_a_schema_of_a_newer_release_is_refused_by_name(database_url: str) -> None:
    await migrate(database_url)
    await run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="9999"):
        await migrate(database_url)


async def test_a_database_that_is_away_is_no_schema_error() -> None:
    with pytest.raises(StoreUnavailable):
        await migrate("postgresql://nobody@127.0.0.1:1/nothing")


@pytest.mark.parametrize("table", ["links", "conflicts", "history", "integration_revisions", "audit"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_is_kept_for_ever_cannot_be_deleted(
    postgres_store: PostgresStore, migrated_url: str, table: str, statement: str
) -> None:
    await postgres_store.save_integration(integration(), 0, "an admin", T0)
    made = link()
    made.new_history = [HistoryNote(TITLE, Side.JIRA, 1, "why", T0)]
    await insert(postgres_store, made)
    await run(migrated_url, "INSERT INTO conflicts (link_id, body) VALUES ('link-a', '{}')")
    with pytest.raises(asyncpg.RestrictViolationError, match="kept for ever"):
        await run(migrated_url, statement.format(table))
    assert await run(migrated_url, f"SELECT 1 FROM {table}")  # noqa: S608  # a constant of this test


async def test_all_revisions_are_kept_with_who_saved_them(postgres_store: PostgresStore, migrated_url: str) -> None:
    await postgres_store.save_integration(integration(), 0, "ann", T0)
    await postgres_store.save_integration(integration(name="Two"), 1, "bob", T0)
    await postgres_store.save_connection(connection(), SECRETS, 0, "ann", T0)
    saved = await run(migrated_url, "SELECT revision, saved_by FROM integration_revisions ORDER BY revision")
    assert [tuple(row) for row in saved] == [(1, "ann"), (2, "bob")]
    audit = await run(migrated_url, "SELECT at, by, subject, revision FROM audit ORDER BY n")
    assert [tuple(row) for row in audit] == [
        (T0, "ann", "integration:integration-1", 1),
        (T0, "bob", "integration:integration-1", 2),
        (T0, "ann", "connection:jira-1", 1),
    ]


async def test_credentials_are_nowhere_in_clear(postgres_store: PostgresStore, migrated_url: str) -> None:
    await postgres_store.save_connection(connection(), SECRETS, 0, "an admin", T0)
    for table in TABLES:
        for row in await run(migrated_url, f"SELECT t::text FROM {table} t"):  # noqa: S608  # our own table names
            for secret in (SECRETS.token, *SECRETS.webhook_secrets):
                assert secret not in row[0]
                assert secret.encode().hex() not in row[0]


async def test_a_wrong_key_is_named_when_the_store_is_opened(migrated_url: str) -> None:
    old, new = new_key(), new_key()
    async with open_postgres(migrated_url, old) as store:
        await store.save_connection(connection(), SECRETS, 0, "an admin", T0)
    with pytest.raises(SecretKeyWrong, match="TANDEM_SECRET_KEY"):
        async with open_postgres(migrated_url, new):
            pytest.fail("a store was opened with a key that opens nothing")
    async with open_postgres(migrated_url, f"{new},{old}") as store:
        assert await store.secrets(JIRA) == SECRETS
        await store.save_connection(connection(), SECRETS, 1, "an admin", T0)
    async with open_postgres(migrated_url, new) as store:
        assert await store.secrets(JIRA) == SECRETS


@pytest.mark.parametrize("key", ["", " , ", "no key", "c2hvcnQ" * 5])
async def test_a_key_of_a_wrong_shape_is_named_but_not_shown(key: str) -> None:
    with pytest.raises(SecretKeyWrong, match="TANDEM_SECRET_KEY") as refused:
        async with open_postgres("postgresql://nobody@127.0.0.1:1/nothing", key):
            pytest.fail("a store was opened without a key")
    assert not key.strip(" ,") or key not in str(refused.value)


async def test_a_second_open_operation_is_refused_by_the_database_too(
    postgres_store: PostgresStore, migrated_url: str
) -> None:
    await insert_with_operation(postgres_store, link())
    with pytest.raises(asyncpg.UniqueViolationError, match="operations_one_open"):
        await run(
            migrated_url,
            "INSERT INTO operations (id, link_id, seq, kind, target, revision, open, attempts, created_at, body)"
            " VALUES ('x', 'link-a', 99, 'write', 'craft', 1, true, 0, now(), '{}')",
        )


async def test_a_server_that_was_killed_is_unavailable_and_found_again_with_all_that_was_committed(
    postgres_server: PostgresServer, clock: SetClock
) -> None:
    await migrate(postgres_server.url)
    async with open_postgres(postgres_server.url, new_key(), clock=clock) as store:
        await store.save_integration(integration(), 0, "an admin", T0)
        op_id = await insert_with_operation(store, link())

        async def killed_under_way() -> None:
            async with store.transaction() as tx:
                assert await tx.lock_link(LINK) is not None
                await tx.insert(link("lost"))
                await postgres_server.kill()
                await tx.integration(INTEGRATION)

        with pytest.raises(StoreUnavailable):
            await killed_under_way()
        assert not await store.healthy()
        for call in (
            store.claim(op_id, "writer", LEASE),
            store.connections(),
            store.due_links(T0, timedelta(0), 10),
            store.link_view(LINK),
            change(store, LINK, nothing),
            store.set_connection_paused(JIRA, None),
        ):
            with pytest.raises(StoreUnavailable):
                await ended(asyncio.ensure_future(call))
        await postgres_server.restart()
        async with asyncio.timeout(DEADLINE_S):
            while not await store.healthy():
                await asyncio.sleep(0.05)
        assert await store.claim(op_id, "writer", LEASE) is not None
        assert await store.link_view(LinkId("lost")) is None
        await change(store, LINK, lambda found: found.labels.update(title="after"))


async def test_a_server_that_is_not_there_cannot_be_opened() -> None:
    with pytest.raises(StoreUnavailable):
        async with open_postgres("postgresql://nobody@127.0.0.1:1/nothing", new_key()):
            pytest.fail("a store was opened on nothing")


async def test_a_connection_that_is_cut_within_a_transaction_commits_nothing(
    postgres_store: PostgresStore, migrated_url: str
) -> None:
    await insert(postgres_store, link())

    async def cut() -> None:
        async with postgres_store.transaction() as tx:
            found = await tx.lock_link(LINK)
            assert found is not None
            found.state = LinkState.GONE
            await tx.save(found)
            await run(
                migrated_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )

    with pytest.raises(StoreUnavailable):
        await cut()
    await change(postgres_store, LINK, lambda found: found.labels.update(state=found.state.value))
    view = await postgres_store.link_view(LINK)
    assert view is not None
    assert view.link.labels == {"state": "active"}


async def test_a_lock_that_is_not_given_back_is_contended_not_waited_for(postgres_store: PostgresStore) -> None:
    await insert(postgres_store, link())
    async with postgres_store.transaction() as tx:
        assert await tx.lock_link(LINK) is not None
        ends = await asyncio.gather(change(postgres_store, LINK, nothing), return_exceptions=True)
    assert [type(end).__name__ for end in ends] == ["Contended"]
