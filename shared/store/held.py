"""What waits to be carried over on request: items whose direction is manual or off. Counted, and let go together.

Letting go is a time of an integration and direction: what was held until then is carried over. The reconciler's clock
finds it by state (`shared.store.port.WorkStore.due_links`), so that a million items need no message of the console's.
Every method raises `StoreUnavailable` when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.ids import IntegrationId, Side


@dataclass(frozen=True, slots=True)
class HeldItems:
    """How many items wait to be created on `target`, and since when the oldest one does."""

    target: Side
    cause: str
    """A code of `shared.messages.status.Cause`."""
    count: int
    oldest: datetime | None


class HeldDesk(Protocol):
    """What the console asks of the store."""

    async def held(self, integration_id: IntegrationId) -> Sequence[HeldItems]:
        """Return what waits, by direction and cause; by an index of what waits only."""
        ...

    async def let_go(self, integration_id: IntegrationId, target: Side, by: str, at: datetime) -> bool:
        """Have all that is held towards `target` until now carried over. False, and no change, if there is no such
        integration. Idempotent.
        """
        ...
