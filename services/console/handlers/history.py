"""Looking back: revisions and what is different between them, the audit trail, and what others saved meanwhile."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain.history import (
    AuditList,
    AuditView,
    Differences,
    PageQuery,
    RevisionDetail,
    RevisionList,
    differences,
)
from services.console.domain.problems import Refusal, not_found
from services.console.domain.shown import shown
from shared.domain.differences import Difference
from shared.store.trail import ConfigKind, RevisionReader, SavedRevision


class History:
    """Reads what was saved by whom. Changes nothing."""

    def __init__(self, reader: RevisionReader) -> None:
        self._reader = reader

    async def revisions(self, kind: ConfigKind, ident: str, query: PageQuery) -> RevisionList:
        """Return a page of revisions. Raises a 404 for what was never saved."""
        found = await self._reader.revisions(kind, ident, query.before, query.limit)
        if not found and query.before is None:
            raise not_found(f"There is no {kind} {ident}.", f"GET /api/v1/{kind}s lists them.")
        return RevisionList.of(list(found), query.limit)

    async def revision(self, kind: ConfigKind, ident: str, number: int) -> RevisionDetail:
        """Return one revision. Raises a 404."""
        return RevisionDetail.of(await self._saved(kind, ident, number))

    async def differences(self, kind: ConfigKind, ident: str, old: int, new: int) -> Differences:
        """Return what is different in revision `new`, compared with `old`; any two, in any order. Raises a 404."""
        before, after = await self._saved(kind, ident, old), await self._saved(kind, ident, new)
        found = differences(kind, before.body, after.body)
        return Differences(from_revision=old, to_revision=new, differences=found)

    async def audit(self, query: PageQuery) -> AuditList:
        """Return a page of the audit trail."""
        found = await self._reader.audit(query.before, query.limit)
        entries = [AuditView.of(entry) for entry in found]
        return AuditList(entries=entries, next=entries[-1].n if len(entries) == query.limit else None)

    async def changed_meanwhile(self, kind: ConfigKind, ident: str, edited: int, current: BaseModel | None) -> Refusal:
        """Return the 409 for a save on revision `edited` while `current` is saved: who saved it, and what is different.

        `current` None: nothing of this id was ever saved.
        """
        if current is None:
            return Refusal(
                HTTPStatus.CONFLICT,
                "revision_conflict",
                f"This {kind} does not exist yet, so no revision of it can be changed.",
                "Save it as new, with revision 0.",
            )
        number = int(getattr(current, "revision", 0))
        newest = await self._reader.revision(kind, ident, number)
        who = f"{newest.note.saved_by} saved revision {number}" if newest else f"Somebody saved revision {number}"
        yours = f"you edited revision {edited}" if edited else "you sent this as new"
        return Refusal(
            HTTPStatus.CONFLICT,
            "revision_conflict",
            f"{who} meanwhile; {yours}.",
            "`changes` says what is different since then. Apply your change to `current`, and save that.",
            current=shown(current.model_dump(mode="json")),
            changes=await self._since(kind, ident, edited, newest),
        )

    async def _since(
        self, kind: ConfigKind, ident: str, edited: int, newest: SavedRevision | None
    ) -> tuple[Difference, ...]:
        before = await self._reader.revision(kind, ident, edited) if edited else None
        if before is None or newest is None:
            return ()
        return tuple(differences(kind, before.body, newest.body))

    async def _saved(self, kind: ConfigKind, ident: str, number: int) -> SavedRevision:
        found = await self._reader.revision(kind, ident, number)
        if found is None:
            raise not_found(
                f"There is no revision {number} of the {kind} {ident}.",
                f"GET /api/v1/{kind}s/{ident}/revisions lists them.",
            )
        return found
