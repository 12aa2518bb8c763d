"""What was saved by whom, in memory. Called by the console through `shared.store.trail.RevisionReader`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.ids import ConnectionId, IntegrationId
from shared.store.memory.tables import Audited, Core
from shared.store.trail import AuditEntry, ConfigKind, RevisionNote, SavedRevision


class Revisions(Core):
    """Implements `RevisionReader`; see there for each method's contract."""

    async def revisions(self, kind: ConfigKind, ident: str, before: int | None, limit: int) -> Sequence[RevisionNote]:
        """Return revisions, the newest first."""
        await self.call("revisions")
        notes = [note for note in self._notes(kind, ident) if before is None or note.revision < before]
        return notes[::-1][:limit]

    async def revision(self, kind: ConfigKind, ident: str, number: int) -> SavedRevision | None:
        """Return one revision."""
        await self.call("revision")
        note = next((note for note in self._notes(kind, ident) if note.revision == number), None)
        return SavedRevision(note, self._body(kind, ident, number)) if note is not None else None

    async def audit(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Return audit entries, the newest first."""
        await self.call("audit")
        entries = [_entry(n, each) for n, each in enumerate(self.tables.audit, 1) if before is None or n < before]
        return entries[::-1][:limit]

    def _notes(self, kind: ConfigKind, ident: str) -> list[RevisionNote]:
        subject = f"{kind}:{ident}"
        return [
            RevisionNote(a.revision, a.by, a.at)
            for a in self.tables.audit
            if a.subject == subject and not a.evaluated and a.refused is None and a.let_go is None and not a.retried
        ]

    def _body(self, kind: ConfigKind, ident: str, number: int) -> Mapping[str, Any]:
        tables = self.tables
        if kind is ConfigKind.INTEGRATION:
            return tables.integrations[IntegrationId(ident)][number - 1].model_dump(mode="json")
        return tables.connections[ConnectionId(ident)][number - 1].model_dump(mode="json")


def _entry(n: int, audited: Audited) -> AuditEntry:
    kind, _, ident = audited.subject.partition(":")
    what = audited.revision, audited.restored_from, audited.evaluated, audited.refused, audited.let_go
    return AuditEntry(n, audited.at, audited.by, ConfigKind(kind), ident, *what, audited.retried)
