"""What a migration does with the data that it finds."""

from __future__ import annotations

import importlib
import json

import asyncpg
import pytest

from shared.store.migrate import migrate

pytestmark = pytest.mark.stack


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
