"""What was saved by whom, on Postgres. Called by the console through `shared.store.trail.RevisionReader`."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from shared.domain.ids import Side
from shared.store.codec import loads
from shared.store.postgres.core import Core
from shared.store.trail import AuditEntry, ConfigKind, RevisionNote, SavedRevision

TABLES = {
    ConfigKind.INTEGRATION: "integration_revisions",
    ConfigKind.CONNECTION: "connection_revisions",
}
NOTE = "revision, saved_by, saved_at"


class Revisions(Core):
    """Implements `RevisionReader`; see there for each method's contract."""

    async def revisions(self, kind: ConfigKind, ident: str, before: int | None, limit: int) -> Sequence[RevisionNote]:
        """Return revisions, the newest first."""
        rows = await self.fetch(
            f"SELECT {NOTE} FROM {TABLES[kind]} WHERE id = $1 AND ($2::integer IS NULL OR revision < $2)"
            " ORDER BY revision DESC LIMIT $3",
            ident,
            before,
            limit,
        )
        return [_note(row) for row in rows]

    async def revision(self, kind: ConfigKind, ident: str, number: int) -> SavedRevision | None:
        """Return one revision."""
        row = await self.fetchrow(
            f"SELECT {NOTE}, body FROM {TABLES[kind]} WHERE id = $1 AND revision = $2", ident, number
        )
        return SavedRevision(_note(row), loads(row["body"])) if row else None

    async def audit(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Return audit entries, the newest first."""
        rows = await self.fetch(
            "SELECT n, at, by, subject, revision, restored_from, evaluated, refused, let_go, retried FROM audit"
            " WHERE $1::bigint IS NULL OR n < $1 ORDER BY n DESC LIMIT $2",
            before,
            limit,
        )
        return [_entry(row) for row in rows]


def _note(row: asyncpg.Record) -> RevisionNote:
    return RevisionNote(row["revision"], row["saved_by"], row["saved_at"])


def _entry(row: asyncpg.Record) -> AuditEntry:
    kind, _, ident = row["subject"].partition(":")
    side = Side(row["let_go"]) if row["let_go"] else None
    what = row["revision"], row["restored_from"], row["evaluated"], row["refused"], side, row["retried"]
    return AuditEntry(row["n"], row["at"], row["by"], ConfigKind(kind), ident, *what)
