"""Postgres and what is kept there, as a support bundle tells it: counts, times, and words of our own lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

import asyncpg

from services.console.domain.webhooks import REFUSALS
from shared.domain.mapping import Connection, Integration
from shared.messages.status import Cause, DisplayState
from shared.store.port import CredentialsUnreadable, StoreUnavailable
from shared.store.postgres import PostgresStore, open_postgres
from shared.store.secrets import SecretKeyWrong
from tandem_ops.adapters.postgres import words
from tandem_ops.domain.bundle import (
    ConnectionFact,
    IntegrationFact,
    ItemsFact,
    OperationsFact,
    StoreFacts,
    TableFact,
    plain,
)
from tandem_ops.ports import CannotReach, Postgres

_LONGEST_S: Final = 60.0
_TABLE: Final = re.compile(r"CREATE TABLE (\w+)")
_TABLES: Final = """
SELECT relname, greatest(reltuples, 0)::bigint AS rows, pg_total_relation_size(oid) AS bytes
FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname = ANY($1)
ORDER BY relname
"""
_ITEMS: Final = """
SELECT integration_id, state, body ->> 'cause' AS cause, count(*) AS items,
    min((body ->> 'at')::timestamptz) AS oldest, max((body ->> 'at')::timestamptz) AS newest,
    max(coalesce((body ->> 'attempt')::int, 0)) AS most_attempts
FROM link_status GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_OPERATIONS: Final = """
SELECT kind, target, CASE WHEN open THEN NULL ELSE result END AS result, count(*) AS operations,
    min(created_at) AS oldest, max(attempts) AS most_attempts
FROM operations WHERE open OR done_at > now() - interval '1 day' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_AGREED: Final = "SELECT id, agreed_revision FROM integrations"


async def store_facts(database_url: str, secret_key: str, postgres: Postgres) -> StoreFacts:
    """Return what is kept. Raises `CannotReach`."""
    server = await postgres.facts()
    try:
        connections, integrations = await _configuration(database_url, secret_key)
    except (StoreUnavailable, SecretKeyWrong) as error:
        raise CannotReach(str(error)) from error
    try:
        session = await asyncpg.connect(database_url, timeout=_LONGEST_S, command_timeout=_LONGEST_S)
        try:
            tables = await session.fetch(_TABLES, sorted(_known_tables()))
            items = await session.fetch(_ITEMS)
            operations = await session.fetch(_OPERATIONS)
            agreed = {row["id"]: row["agreed_revision"] for row in await session.fetch(_AGREED)}
        finally:
            await session.close(timeout=_LONGEST_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise CannotReach(words(error)) from error
    return StoreFacts(
        version=plain(server.version.split()[0]),
        schema=plain(server.schema),
        connections_left=server.connections_left,
        tables=[TableFact(row["relname"], row["rows"], row["bytes"]) for row in tables],
        items=_items(items),
        operations=[OperationsFact(**dict(row)) for row in operations],
        connections=connections,
        integrations=[_integration(each, agreed) for each in integrations],
    )


async def _configuration(database_url: str, secret_key: str) -> tuple[Sequence[ConnectionFact], Sequence[Integration]]:
    async with open_postgres(database_url, secret_key, application_name="tandem-support-bundle") as store:
        connections = [await _connection(store, each) for each in await store.connections()]
        return connections, await store.integrations()


def _items(rows: Sequence[Any]) -> list[ItemsFact]:
    return [
        ItemsFact(
            plain(row["integration_id"]),
            DisplayState(row["state"]),
            Cause(row["cause"]),
            row["items"],
            row["oldest"],
            row["newest"],
            row["most_attempts"],
        )
        for row in rows
        if row["state"] in set(DisplayState) and row["cause"] in set(Cause)
    ]


async def _connection(store: PostgresStore, connection: Connection) -> ConnectionFact:
    arrivals = (await store.arrivals()).get(connection.id)
    try:
        secrets = await store.secrets(connection)
    except CredentialsUnreadable:
        state = "unreadable"
    else:
        state = "missing" if secrets is None else "open"
    because = arrivals.because if arrivals is not None else None
    return ConnectionFact(
        id=plain(connection.id),
        kind=connection.kind,
        revision=connection.revision,
        paused=connection.paused_reason is not None,
        credentials=state,  # type: ignore[arg-type]  # one of its three words
        accepted_at=arrivals.accepted_at if arrivals else None,
        refused_since=arrivals.refused_since if arrivals else None,
        refused_because=because if because in REFUSALS else None,
        silent_since=arrivals.silent_since if arrivals else None,
    )


def _integration(integration: Integration, agreed: Mapping[str, int]) -> IntegrationFact:
    return IntegrationFact(
        id=plain(integration.id),
        revision=integration.revision,
        agreed_revision=agreed.get(integration.id, 0),
        to_craft=integration.to_craft,
        to_jira=integration.to_jira,
        types=len(integration.types),
        pairs=dict(Counter(str(pair.kind) for pair in integration.pairs)),
    )


def _known_tables() -> set[str]:
    folder = resources.files("shared.store.migrations") / "versions"
    texts = [step.read_text(encoding="utf-8") for step in folder.iterdir() if step.name.endswith(".py")]
    return {name for text in texts for name in _TABLE.findall(text)}
