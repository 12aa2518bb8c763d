"""Somebody who may write into the database and has no key: what they change by hand, on either store."""

from __future__ import annotations

import json
from typing import Any, Protocol

import asyncpg

from shared.domain.ids import ConnectionId
from shared.store.memory import MemoryStore


class Intruder(Protocol):
    """Writes past the store."""

    async def swap_credentials(self, one: ConnectionId, other: ConnectionId) -> None:
        """Put the stored credentials of each of two connections into the row of the other one."""
        ...

    async def copy_credentials(self, source: ConnectionId, target: ConnectionId) -> None:
        """Put the stored credentials of a connection into the row of another one too."""
        ...

    async def change_connection(self, connection_id: ConnectionId, **changes: Any) -> None:
        """Change what is stored of a connection, without a new revision."""
        ...


class MemoryIntruder:
    """Writes into the tables in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._tables = store.tables

    async def swap_credentials(self, one: ConnectionId, other: ConnectionId) -> None:
        secrets = self._tables.secrets
        secrets[one], secrets[other] = secrets[other], secrets[one]

    async def copy_credentials(self, source: ConnectionId, target: ConnectionId) -> None:
        self._tables.secrets[target] = self._tables.secrets[source]

    async def change_connection(self, connection_id: ConnectionId, **changes: Any) -> None:
        revisions = self._tables.connections[connection_id]
        revisions[-1] = revisions[-1].model_copy(update=changes)


class PostgresIntruder:
    """Writes into Postgres by SQL."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def swap_credentials(self, one: ConnectionId, other: ConnectionId) -> None:
        await self.run(
            "UPDATE connection_secrets s SET sealed = o.sealed FROM connection_secrets o"
            " WHERE (s.connection_id, o.connection_id) IN (($1, $2), ($2, $1))",
            one,
            other,
        )

    async def copy_credentials(self, source: ConnectionId, target: ConnectionId) -> None:
        await self.run(
            "INSERT INTO connection_secrets SELECT $2, sealed FROM connection_secrets WHERE connection_id = $1"
            " ON CONFLICT (connection_id) DO UPDATE SET sealed = excluded.sealed",
            source,
            target,
        )

    async def change_connection(self, connection_id: ConnectionId, **changes: Any) -> None:
        await self.run(
            "UPDATE connections SET body = (body::jsonb || $2::jsonb)::json WHERE id = $1",
            connection_id,
            json.dumps(changes),
        )

    async def run(self, statement: str, *args: object) -> list[asyncpg.Record]:
        """Run any statement."""
        session = await asyncpg.connect(self._url, timeout=10)
        try:
            return await session.fetch(statement, *args)
        finally:
            await session.close(timeout=10)
