"""What came of webhooks, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId
from shared.store.memory.tables import Core


class ArrivalsDesk(Core):
    """Implements `ArrivalsWriter` and `SilenceWriter`; see there for each method's contract."""

    async def report_arrivals(self, arrivals: Sequence[Arrivals]) -> None:
        """Store what is true after these reports, too."""
        await self.call("report_arrivals")
        known = self.tables.arrivals
        for each in arrivals:
            if each.connection_id in self.tables.connections:
                known[each.connection_id] = each.after(known.get(each.connection_id))

    async def arrivals(self) -> Mapping[ConnectionId, Arrivals]:
        """Return what is known, by connection."""
        await self.call("arrivals")
        return dict(self.tables.arrivals)

    async def report_silence(self, connection_id: ConnectionId, since: datetime | None) -> None:
        """Store since when something changed without a webhook that told of it."""
        await self.call("report_silence")
        if connection_id in self.tables.connections:
            known = self.tables.arrivals.get(connection_id) or Arrivals(connection_id)
            self.tables.arrivals[connection_id] = replace(known, silent_since=since)
