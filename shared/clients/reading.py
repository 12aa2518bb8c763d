"""What the vendor clients return. Plain records, the same for both vendors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.ids import AccountId, EntityId
from shared.messages.change import ChangelogEntry


@dataclass(frozen=True, slots=True)
class Account:
    """Who a connection's credentials belong to. `name` is for people."""

    id: AccountId
    name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One entity as a vendor showed it. Times are the vendor's: `updated` of the state, `server_date` of the answer."""

    entity_id: EntityId
    snapshot: dict[str, Any]
    updated: datetime | None
    server_date: datetime | None = None
    changelog: tuple[ChangelogEntry, ...] = ()
    """Jira only, oldest first, when it was asked for: all of it, or the newest 100 after a write."""
    correlation_key: str | None = None
    correlation_read: bool = False
    """True when the key was looked for, so that None means: it has none."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next` is what to pass to get the following one, None on the last."""

    items: tuple[Reading, ...]
    next: str | None
    server_date: datetime | None
    total: int | None = None
