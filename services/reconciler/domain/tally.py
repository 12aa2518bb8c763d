"""How many items each container had when it was counted last. Pure.

Counted are the items created before a fixed time: what is created later adds nothing, so fewer than before means that
some were deleted or moved away. Which ones, only a list of all tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.ids import ConnectionId


@dataclass(frozen=True, slots=True)
class Count:
    """How many items of a container there were of those created before a time."""

    connection_id: ConnectionId
    container: str
    created_before: datetime
    items: int


class Tally:
    """The last counts."""

    def __init__(self) -> None:
        self._counts: dict[tuple[ConnectionId, str], Count] = {}

    def last(self, connection_id: ConnectionId, container: str) -> Count | None:
        """Return the count that the next one is compared with, None before the first."""
        return self._counts.get((connection_id, container))

    def keep(self, counts: Iterable[Count]) -> None:
        """Have the next counts compared with these."""
        self._counts |= {(each.connection_id, each.container): each for each in counts}
