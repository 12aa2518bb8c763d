"""What came of the webhooks of each connection, for people: the gateways tell it, the console shows it.

One row per connection. Every method raises `StoreUnavailable` when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId


class ArrivalsWriter(Protocol):
    """What a gateway tells."""

    async def report_arrivals(self, arrivals: Sequence[Arrivals]) -> None:
        """Store what is true after these reports, too (`Arrivals.after`); reports of connections that are not saved
        are dropped. Idempotent, in any order.
        """
        ...


class ArrivalsReader(Protocol):
    """What the console reads."""

    async def arrivals(self) -> Mapping[ConnectionId, Arrivals]:
        """Return what is known, by connection."""
        ...
