"""The stores under test: one in memory, one on a database of the test's own in the real Postgres."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from shared.store.memory import MemoryStore
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore, open_postgres
from shared.store.secrets import new_key
from tests.conformance.store_worlds import CRAFT, JIRA, T0, SetClock, Store, connection, integration
from tests.conftest import Endpoints

TABLES = (
    "links",
    "operations",
    "conflicts",
    "history",
    "link_status",
    "integrations",
    "integration_revisions",
    "connections",
    "connection_revisions",
    "connection_secrets",
    "audit",
    "cursors",
    "parked",
    "strays",
    "people",
    "dry_run_names",
    "dry_run_items",
    "dry_runs",
    "requests",
    "webhook_arrivals",
    "item_counts",
    "item_count_notes",
    "leases",
    "provisioned_files",
    "provisioner",
)


@pytest.fixture(scope="session")
def migrated(stack: Endpoints) -> Iterator[str]:
    """Yield the address of a migrated database of this worker's own."""
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(_execute(stack.database_url, f'CREATE DATABASE "{name}"'))
    url = f"{stack.database_url.rsplit('/', 1)[0]}/{name}"
    asyncio.run(migrate(url))
    yield url
    asyncio.run(_execute(stack.database_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def migrated_url(migrated: str) -> str:
    """Return the address of a migrated, empty database."""
    # Far cheaper than a new database for each test. As a replica, a session may delete what is kept for ever.
    deletes = "".join(f"DELETE FROM {table};" for table in TABLES)  # noqa: S608  # our own names
    await _execute(migrated, f"BEGIN; SET LOCAL session_replication_role = replica; {deletes} COMMIT")
    return migrated


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def postgres_store(migrated_url: str, clock: SetClock) -> AsyncIterator[PostgresStore]:
    async with open_postgres(migrated_url, new_key(), clock=clock) as store:
        yield store


@pytest.fixture
async def memory_store(clock: SetClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture(params=["memory_store", pytest.param("postgres_store", marks=pytest.mark.stack)])
def bare_store(request: pytest.FixtureRequest) -> Store:
    """Return an empty store of either kind."""
    store: Store = request.getfixturevalue(request.param)
    return store


@pytest.fixture
async def store(bare_store: Store) -> Store:
    """Return a store of either kind with two connections and an integration of revision 1."""
    for connection_id in (JIRA, CRAFT):
        await bare_store.save_connection(connection(connection_id), None, 0, "an admin", T0)
    await bare_store.save_integration(integration(), 0, "an admin", T0)
    return bare_store


async def _execute(url: str, statement: str) -> None:
    session = await asyncpg.connect(url, timeout=10)
    try:
        await session.execute(statement)
    finally:
        await session.close(timeout=10)
