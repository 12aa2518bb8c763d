"""What a clock reads does not grow with the number of links: counted in pages of Postgres, never in seconds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from shared.store.postgres import PostgresStore
from shared.store.postgres.work import DUE
from tests.conformance.store_worlds import CRAFT, INTEGRATION, JIRA, T0, connection, integration

pytestmark = pytest.mark.stack
LINKS, BATCH = 8_000, 25
MOST_PAGES = 40 * BATCH
"""To mark a link as looked at takes some thirty pages of table and indexes; to scan these links takes two thousand."""
LATER = T0 + timedelta(hours=1)

FILL = """
INSERT INTO links (id, integration_id, jira_connection, jira_id, craft_connection, craft_id, origin, state, next_seq,
    revision_seen, jira_mark, craft_mark, conflicts_open, created_at, body)
SELECT 'link-' || n, $1, $2, n::text, $3, n::text, 'jira', $4, 1, $5, 0, 0, 0,
    $6::timestamptz + n * interval '1 ms', json_build_object('filler', repeat('x', 1800))
FROM generate_series(1, $7) n
"""


@pytest.fixture
async def session(postgres_store: PostgresStore, migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a session on a store with two connections and an integration of revision 1."""
    for connection_id in (JIRA, CRAFT):
        await postgres_store.save_connection(connection(connection_id), None, 0, "an admin", T0)
    await postgres_store.save_integration(integration(), 0, "an admin", T0)
    session = await asyncpg.connect(migrated_url)
    try:
        yield session
    finally:
        await session.close()


async def fill(session: asyncpg.Connection, state: str, revision_seen: int, count: int = LINKS) -> None:
    await session.execute(FILL, INTEGRATION, JIRA, CRAFT, state, revision_seen, T0, count)
    await tidy(session)


async def tidy(session: asyncpg.Connection) -> None:
    """Remove what earlier tests and statements left behind, as Postgres does by itself in time."""
    await session.execute("VACUUM ANALYZE links")


async def pages(session: asyncpg.Connection, now: datetime = LATER, limit: int = BATCH) -> int:
    """Return how many pages one round of the clock touches. What it changes is rolled back."""
    transaction = session.transaction()
    await transaction.start()
    try:
        plan = await session.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {DUE}", now, now - timedelta(minutes=1), limit
        )
    finally:
        await transaction.rollback()
    found = json.loads(plan)[0]["Plan"]
    return int(found["Shared Hit Blocks"]) + int(found["Shared Read Blocks"])


@pytest.mark.parametrize("state", ["active", "creating", "excluded", "waiting"])
async def test_when_nothing_is_due_next_to_nothing_is_read(session: asyncpg.Connection, state: str) -> None:
    await fill(session, state, revision_seen=1)
    await session.execute("UPDATE integrations SET agreed_revision = revision")
    now = T0 if state == "waiting" else LATER
    assert await pages(session, now) < 4 * BATCH


@pytest.mark.parametrize("state", ["active", "creating", "excluded", "waiting"])
async def test_when_all_links_are_due_no_more_is_read_than_for_those_that_are_wanted(
    session: asyncpg.Connection, postgres_store: PostgresStore, state: str
) -> None:
    await fill(session, state, revision_seen=1)
    await postgres_store.save_integration(integration(), 1, "an admin", T0)
    assert await pages(session) < MOST_PAGES
    assert len(await postgres_store.due_links(LATER, timedelta(minutes=1), BATCH)) == BATCH


async def test_links_that_an_admin_has_not_agreed_to_decide_again_cost_nothing(
    session: asyncpg.Connection, postgres_store: PostgresStore
) -> None:
    await fill(session, "active", revision_seen=1)
    await postgres_store.save_integration(integration(), 1, "an admin", T0)
    await session.execute("UPDATE integrations SET agreed_revision = 1")
    assert await pages(session) < 4 * BATCH


async def test_many_revisions_behind_cost_a_look_each(session: asyncpg.Connection) -> None:
    await fill(session, "active", revision_seen=1)
    await session.execute("UPDATE links SET revision_seen = jira_id::integer % 40")
    await tidy(session)
    await session.execute("UPDATE integrations SET revision = 40, agreed_revision = 40")
    assert await pages(session, limit=10) < 40 * 60


async def test_those_not_looked_at_for_longest_come_first_whatever_revision_decided_them(
    session: asyncpg.Connection, postgres_store: PostgresStore
) -> None:
    await fill(session, "active", revision_seen=1, count=60)
    await session.execute("UPDATE links SET revision_seen = 3 - jira_id::integer % 3")
    await session.execute("UPDATE integrations SET revision = 4, agreed_revision = 4")
    seen: list[str] = []
    for minute in range(4):
        found = await postgres_store.due_links(LATER + timedelta(minutes=minute), timedelta(minutes=1), 20)
        seen += [each.link_id for each in found]
    assert seen[:60] == [f"link-{n}" for n in range(1, 61)]
    assert set(seen[60:]) == set(seen[:20])
