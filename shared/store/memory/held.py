"""Items that wait to be carried over on request, in memory. Called by the console through `shared.store.held`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.ids import IntegrationId, Side
from shared.domain.link import LinkState
from shared.store.held import HeldItems
from shared.store.memory.tables import Audited, Core


class Held(Core):
    """Implements `HeldDesk`; see there for each method's contract."""

    async def held(self, integration_id: IntegrationId) -> Sequence[HeldItems]:
        """Return what waits, by direction and cause."""
        await self.call("held")
        since: dict[tuple[Side, str], list[datetime]] = {}
        for link in self.tables.links.values():
            if link.integration_id == integration_id and link.state is LinkState.HELD and link.held_since is not None:
                since.setdefault((link.origin, link.reason or ""), []).append(link.held_since)
        return [
            HeldItems(origin.other, reason, len(times), min(times)) for (origin, reason), times in sorted(since.items())
        ]

    async def let_go(self, integration_id: IntegrationId, target: Side, by: str, at: datetime) -> bool:
        """Have all that is held until now carried over."""
        holder = await self.autocommit("let_go", ("integration", integration_id))
        current = self.tables.current_integration(integration_id)
        if current is not None:
            before = self.tables.let_go.get((integration_id, target), at)
            self.tables.let_go[integration_id, target] = max(before, at)
            self.tables.audit.append(Audited(at, by, f"integration:{integration_id}", current.revision, let_go=target))
        await self.done("let_go", holder)
        return current is not None
