"""What a vendor refused and what is tried again by itself: counted, and tried again together at an admin's word.

The word is a time of an integration: what was refused until then is tried at once, and counts from the beginning. The
reconciler's clock finds it by state (`shared.store.port.WorkStore.due_links`). Every method raises `StoreUnavailable`
when the database cannot be reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.ids import IntegrationId


@dataclass(frozen=True, slots=True)
class RefusedItems:
    """How many items have something that was refused, and when the first of them is tried again by itself."""

    count: int
    next_at: datetime | None


class RefusedDesk(Protocol):
    """What the console asks of the store."""

    async def refused(self, integration_id: IntegrationId) -> RefusedItems:
        """Return what was refused; by an index of what was refused only."""
        ...

    async def retry_refused(self, integration_id: IntegrationId, by: str, at: datetime) -> bool:
        """Have all tried again that was refused until now, and put on record who said so. False, and no change, if
        there is no such integration. Idempotent.
        """
        ...
