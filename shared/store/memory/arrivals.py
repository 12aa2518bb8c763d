"""What came of webhooks, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId
from shared.store.memory.tables import Core


class ArrivalsDesk(Core):
    """Implements `ArrivalsWriter` and `ArrivalsReader`; see there for each method's contract."""

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
