"""What came of the webhooks of each connection, for people: the gateways and the sweep tell it, the console shows
it.

One row per connection. Every method raises `StoreUnavailable` when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
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
    """What the console and the sweep read."""

    async def arrivals(self) -> Mapping[ConnectionId, Arrivals]:
        """Return what is known, by connection."""
        ...


class SilenceWriter(ArrivalsReader, Protocol):
    """What the sweep tells."""

    async def report_silence(self, connection_id: ConnectionId, since: datetime | None) -> None:
        """Store since when something changed without a webhook that told of it (None: it is over). Does nothing for a
        connection that is not saved. Idempotent.
        """
        ...
