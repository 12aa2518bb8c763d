"""Configuration on Postgres: immutable revisions, one current row each, an audit trail, sealed credentials.

Called by all services through `ConfigReader`, by the console through `ConfigWriter`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.binding import Binding
from shared.domain.ids import ConnectionId, IntegrationId
from shared.domain.mapping import Connection, ConnectionSecrets, Integration, next_revision
from shared.store.evaluation import Evaluation
from shared.store.newer import understood
from shared.store.port import RevisionConflict
from shared.store.postgres.core import (
    CONNECTION_APART,
    CONNECTION_COLUMNS,
    Core,
    connection_key,
    connection_of,
    integration_key,
)
from shared.store.postgres.errors import translated
from shared.store.secrets import SecretKeyWrong
from shared.store.trail import ConfigKind

EXCLUDE = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
AUDIT = "INSERT INTO audit (at, by, subject, revision, restored_from) VALUES ($1, $2, $3, $4, $5)"
REFUSED = "INSERT INTO audit (at, by, subject, revision, refused) VALUES ($1, $2, $3, $4, $5)"
AGREED = "INSERT INTO audit (at, by, subject, revision, evaluated) VALUES ($1, $2, $3, $4, true)"


class Config(Core):
    """Implements `ConfigReader` and `ConfigWriter`; see there for each method's contract."""

    async def connections(self) -> Sequence[Connection]:
        """Return the current revision of all connections."""
        return [
            connection_of(row) for row in await self.fetch(f"SELECT {CONNECTION_COLUMNS} FROM connections ORDER BY id")
        ]

    async def secrets(self, connection: Connection) -> ConnectionSecrets | None:
        """Return the credentials of a connection, as it is given."""
        row = await self.fetchrow("SELECT sealed FROM connection_secrets WHERE connection_id = $1", connection.id)
        return self.box.open(row["sealed"], Binding.of(connection)) if row else None

    async def integrations(self) -> Sequence[Integration]:
        """Return the current revision of all integrations."""
        rows = await self.fetch("SELECT id, revision, body FROM integrations ORDER BY id")
        return [self.integration_of(row["id"], row["revision"], row["body"]) for row in rows]

    async def save_integration(
        self,
        integration: Integration,
        expected_revision: int,
        by: str,
        at: datetime,
        *,
        restored_from: int | None = None,
        evaluate: bool = True,
    ) -> Integration:
        """Save the next revision of an integration, once no open transaction decides by the current one."""
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    await session.execute(EXCLUDE, integration_key(integration.id))
                    row = await session.fetchrow(
                        "SELECT revision, body FROM integrations WHERE id = $1", integration.id
                    )
                    current = understood(Integration, row["body"], f"integration {integration.id}") if row else None
                    _check(current.revision if current else 0, expected_revision)
                    saved = next_revision(current, integration)
                    body = saved.model_dump_json(exclude_defaults=True)
                    await session.execute(
                        "INSERT INTO integrations AS i"
                        " (id, revision, jira_connection, craft_connection, body, agreed_revision)"
                        " VALUES ($1, $2, $3, $4, $5, $2) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision,"
                        " jira_connection = excluded.jira_connection, craft_connection = excluded.craft_connection,"
                        " body = excluded.body,"
                        " agreed_revision = CASE WHEN $6 THEN excluded.revision ELSE i.agreed_revision END",
                        saved.id,
                        saved.revision,
                        saved.jira_connection,
                        saved.craft_connection,
                        body,
                        evaluate,
                    )
                    await session.execute(
                        "INSERT INTO integration_revisions (id, revision, body, saved_by, saved_at)"
                        " VALUES ($1, $2, $3, $4, $5)",
                        saved.id,
                        saved.revision,
                        body,
                        by,
                        at,
                    )
                    await session.execute(AUDIT, at, by, f"integration:{saved.id}", saved.revision, restored_from)
        return saved

    async def evaluation(self, integration_id: IntegrationId) -> Evaluation | None:
        """Return where an integration stands."""
        row = await self.fetchrow("SELECT revision, agreed_revision FROM integrations WHERE id = $1", integration_id)
        if row is None:
            return None
        rows = await self.fetch(
            "SELECT coalesce(s.state, l.state) AS shown, count(*) AS links"
            " FROM links l LEFT JOIN link_status s ON s.link_id = l.id"
            " WHERE l.integration_id = $1 AND l.revision_seen < $2 AND l.revision_seen >= $3"
            " AND l.state IN ('active', 'creating', 'held') GROUP BY shown ORDER BY shown",
            integration_id,
            row["revision"],
            row["agreed_revision"],
        )
        return Evaluation(row["revision"], row["agreed_revision"], {each["shown"]: each["links"] for each in rows})

    async def agree(self, integration_id: IntegrationId, revision: int, by: str, at: datetime) -> bool:
        """Have links decided by the current revision."""
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    before = await session.fetchval(
                        "SELECT agreed_revision FROM integrations WHERE id = $1 AND revision = $2 FOR UPDATE",
                        integration_id,
                        revision,
                    )
                    if before is not None and before < revision:
                        await session.execute(
                            "UPDATE integrations SET agreed_revision = $2 WHERE id = $1", integration_id, revision
                        )
                        await session.execute(AGREED, at, by, f"integration:{integration_id}", revision)
        return before is not None

    async def save_connection(
        self, connection: Connection, secrets: ConnectionSecrets | None, expected_revision: int, by: str, at: datetime
    ) -> Connection:
        """Save the next revision of a connection."""
        sealed = self.box.seal(secrets, Binding.of(connection)) if secrets is not None else None
        saved = connection.model_copy(update={"revision": expected_revision + 1})
        body = saved.model_dump_json(exclude_defaults=True, exclude=set(CONNECTION_APART))
        told = saved.model_dump_json(exclude_defaults=True, exclude={"paused_reason", "expires_told"})
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    await session.execute(EXCLUDE, connection_key(saved.id))
                    revision = await session.fetchval("SELECT revision FROM connections WHERE id = $1", saved.id)
                    _check(revision or 0, expected_revision)
                    await session.execute(
                        "INSERT INTO connections (id, revision, paused_reason, body, expires_on, expires_told)"
                        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision,"
                        " paused_reason = excluded.paused_reason, body = excluded.body,"
                        " expires_on = excluded.expires_on, expires_told = excluded.expires_told",
                        saved.id,
                        saved.revision,
                        saved.paused_reason,
                        body,
                        saved.expires_on,
                        saved.expires_told,
                    )
                    await session.execute(
                        "INSERT INTO connection_revisions (id, revision, body, saved_by, saved_at)"
                        " VALUES ($1, $2, $3, $4, $5)",
                        saved.id,
                        saved.revision,
                        told,
                        by,
                        at,
                    )
                    if sealed is not None:
                        await session.execute(
                            "INSERT INTO connection_secrets (connection_id, sealed) VALUES ($1, $2)"
                            " ON CONFLICT (connection_id) DO UPDATE SET sealed = excluded.sealed",
                            saved.id,
                            sealed,
                        )
                    await session.execute(AUDIT, at, by, f"connection:{saved.id}", saved.revision, None)
        return saved

    async def note_refusal(self, kind: ConfigKind, ident: str, revision: int, what: str, by: str, at: datetime) -> None:
        """Put into the audit trail what was refused."""
        await self.fetch(REFUSED, at, by, f"{kind}:{ident}", revision, what)

    async def set_connection_paused(self, connection_id: ConnectionId, reason: str | None) -> None:
        """Pause writes of a connection, or resume them; no new revision."""
        await self.fetch("UPDATE connections SET paused_reason = $2 WHERE id = $1", connection_id, reason)

    async def tell_expiry(self, connection_id: ConnectionId, at: datetime | None) -> None:
        """Note when credentials end, as the vendor tells; no new revision."""
        await self.fetch("UPDATE connections SET expires_told = $2 WHERE id = $1", connection_id, at)

    async def check_key(self) -> None:
        """Raise `SecretKeyWrong` if there are credentials, and all of them were sealed by keys that we do not have.

        One connection whose credentials do not open is that connection's trouble: see `secrets`.
        """
        rows = await self.fetch("SELECT sealed FROM connection_secrets")
        if rows and not any(self.box.knows(row["sealed"]) for row in rows):
            raise SecretKeyWrong(
                "no key of TANDEM_SECRET_KEY opens the stored credentials; add the key that sealed them "
                "(comma-separated). After an upgrade, run `python -m shared.store.migrate` with that key first"
            )


def _check(current: int, expected: int) -> None:
    if current != expected:
        raise RevisionConflict(current)
