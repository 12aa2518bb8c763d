"""What the console shows of the past: revisions, what is different between two, and who did what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, ValidationError

from services.console.domain.drafts import LAST, Draft
from services.console.domain.views import View
from shared.domain.differences import Difference, connection_differences, integration_differences
from shared.domain.mapping import Connection, Integration
from shared.store.trail import AuditEntry, ConfigKind, RevisionNote, SavedRevision


class PageQuery(Draft):
    """Which page of a list that begins with the newest."""

    before: int | None = Field(default=None, ge=1, le=LAST, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=500)


class RevisionView(View):
    """Who saved a revision, and when."""

    revision: int
    saved_by: str
    saved_at: datetime


class RevisionList(View):
    """A page of revisions, the newest first. `next` null: it was the last page."""

    revisions: list[RevisionView]
    next: int | None

    @classmethod
    def of(cls, notes: list[RevisionNote], limit: int) -> RevisionList:
        """Return the view of a page of up to `limit` notes."""
        page = [RevisionView.model_validate(note) for note in notes]
        return cls(revisions=page, next=page[-1].revision if len(page) == limit else None)


class RevisionDetail(RevisionView):
    """A revision with what was saved. Never has credentials."""

    body: dict[str, Any]

    @classmethod
    def of(cls, saved: SavedRevision) -> RevisionDetail:
        """Return the view of a revision."""
        note = saved.note
        return cls(revision=note.revision, saved_by=note.saved_by, saved_at=note.saved_at, body=dict(saved.body))


class Differences(View):
    """What is different in one revision, compared with another."""

    from_revision: int
    to_revision: int
    differences: list[Difference]


class AuditView(View):
    """Who did what to what, when, and from which revision to which; the same where nothing was saved."""

    n: int
    at: datetime
    by: str
    kind: ConfigKind
    id: str
    action: str = Field(description="created, changed, restored, agreed or refused")
    from_revision: int | None
    to_revision: int
    restored_from: int | None
    words: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditView:
        """Return the view of an entry. Each save makes the next revision, so the one before it is known."""
        before = entry.revision - 1 or None
        what = f"{entry.kind} {entry.id}"
        if entry.refused is not None:
            words = f"{entry.by} tried to save {what} and was refused: {entry.refused}"
            return cls._of(entry, entry.revision or None, "refused", words)
        if entry.let_go is not None:
            words = f"{entry.by} had what waited for {entry.let_go.vendor} in {what} carried over"
            return cls._of(entry, entry.revision, "let_go", words)
        if entry.retried:
            words = f"{entry.by} had what was refused in {what} tried again"
            return cls._of(entry, entry.revision, "retried", words)
        if entry.evaluated:
            before, action = entry.revision, "agreed"
            words = f"{entry.by} had existing items of {what} decided again by revision {entry.revision}"
            return cls._of(entry, before, action, words)
        match before, entry.restored_from:
            case None, _:
                action, words = "created", f"{entry.by} created {what}"
            case _, None:
                action = "changed"
                words = f"{entry.by} changed {what} from revision {before} to {entry.revision}"
            case _:
                action = "restored"
                words = f"{entry.by} restored revision {entry.restored_from} of {what} as revision {entry.revision}"
        return cls._of(entry, before, action, words)

    @classmethod
    def _of(cls, entry: AuditEntry, before: int | None, action: str, words: str) -> AuditView:
        return cls(
            n=entry.n,
            at=entry.at,
            by=entry.by,
            kind=entry.kind,
            id=entry.id,
            action=action,
            from_revision=before,
            to_revision=entry.revision,
            restored_from=entry.restored_from,
            words=words,
        )


class AuditList(View):
    """A page of the audit trail, the newest first. `next` null: it was the last page."""

    entries: list[AuditView]
    next: int | None


def differences(kind: ConfigKind, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return what is different between two saved bodies. What a body of an older release lacks has its default."""
    match kind:
        case ConfigKind.INTEGRATION:
            return integration_differences(_whole(Integration, before), _whole(Integration, after))
        case ConfigKind.CONNECTION:
            return connection_differences(_whole(Connection, before), _whole(Connection, after))


def _whole(model: type[Integration | Connection], body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return model.model_validate(body).model_dump(mode="json")
    except ValidationError:
        # Saved when the rules were others: compared as it is.
        return body
