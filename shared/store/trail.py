"""What the console asks of the store about who saved what: revisions and the audit trail.

Written by `ConfigWriter` of `shared.store.port` in the transaction that saves. Every method raises `StoreUnavailable`
when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from shared.domain.ids import Side


class ConfigKind(StrEnum):
    """What has revisions."""

    INTEGRATION = "integration"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class RevisionNote:
    """Who saved which revision when."""

    revision: int
    saved_by: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class SavedRevision:
    """A revision with its body, as JSON: today's model may refuse what was saved long ago. Never has credentials."""

    note: RevisionNote
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who saved what, when. `n` grows with time; `restored_from`: the older revision whose body was saved again."""

    n: int
    at: datetime
    by: str
    kind: ConfigKind
    id: str
    revision: int
    restored_from: int | None
    evaluated: bool = False
    """True: it was not saved, but agreed to for links that nobody touches (`shared.store.evaluation`)."""
    refused: str | None = None
    """What was to be saved in place of `revision` and was refused, for people; None: it was saved."""
    let_go: Side | None = None
    """It was not saved: what was held towards this side was let go (`shared.store.held`)."""
    retried: bool = False
    """True: it was not saved, but what was refused was to be tried again (`shared.store.refused`)."""


class RevisionReader(Protocol):
    """Reading what was saved by whom. Revisions and audit entries are never changed or deleted."""

    async def revisions(self, kind: ConfigKind, ident: str, before: int | None, limit: int) -> Sequence[RevisionNote]:
        """Return revisions, the newest first; only those below `before`, if it is given. Empty if there are none."""
        ...

    async def revision(self, kind: ConfigKind, ident: str, number: int) -> SavedRevision | None:
        """Return one revision."""
        ...

    async def audit(self, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Return entries, the newest first; only those with `n` below `before`, if it is given."""
        ...
