"""What is true of all items, operations and waiting things at one moment, and who may count it: the store's side of the
metrics of the whole. Used by the reconciler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.domain.ids import ConnectionId, IntegrationId, Side
from shared.messages.status import Cause, DisplayState

MOST_COUNTED: Final = 50_000
"""What waits is counted up to here, by kind and label: a census costs the same on a day on which all of it waits."""

NOT_BEHIND: Final = frozenset({DisplayState.IN_SYNC, DisplayState.HELD, DisplayState.UNSYNCED, DisplayState.GONE})
"""The states in which an item is not out of sync. Migration 0016 has the same list."""


@dataclass(frozen=True, slots=True)
class ItemCount:
    """How many items of an integration are in one state for one cause; `oldest`: since when the first of them has been
    out of sync, None where the state is none of being out of sync.
    """

    integration_id: IntegrationId
    state: DisplayState
    cause: Cause
    items: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait (at most `MOST_COUNTED`), and since when the first of them."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Census:
    """All figures. What has nothing to tell of is missing from its mapping."""

    items: Sequence[ItemCount]
    open_operations: Mapping[Side, Waiting]
    put_off: Mapping[IntegrationId, Waiting]
    """Items that are not decided before a time."""
    parked: Mapping[ConnectionId, Waiting]
    fresh_reads: Mapping[ConnectionId, Waiting]
    conflicts: Mapping[IntegrationId, int]
    strays: Mapping[Side, int]
    dry_runs: Mapping[str, int]


class CensusStore(Protocol):
    """Counting, by one at a time."""

    async def lead(self, owner: str, lease: timedelta) -> bool:
        """Take or keep the lead for that long, by the store's clock. False: somebody else has it."""
        ...

    async def resign(self, owner: str) -> None:
        """Give the lead back, if it is the owner's. Idempotent."""
        ...

    async def census(self) -> Census:
        """Return all figures as of now. For whoever leads; costs little, however many items there are."""
        ...
