"""What a vendor refused, in memory. Called by the console through `shared.store.refused`."""

from __future__ import annotations

from datetime import datetime

from shared.domain.ids import IntegrationId
from shared.domain.link import LinkState
from shared.store.memory.tables import Audited, Core
from shared.store.refused import RefusedItems


class Refused(Core):
    """Implements `RefusedDesk`; see there for each method's contract."""

    async def refused(self, integration_id: IntegrationId) -> RefusedItems:
        """Return what was refused."""
        await self.call("refused")
        times = [
            link.retry_at
            for link in self.tables.links.values()
            if link.integration_id == integration_id
            and link.retry_at is not None
            and link.state in (LinkState.ACTIVE, LinkState.EXCLUDED)
        ]
        return RefusedItems(len(times), min(times, default=None))

    async def retry_refused(self, integration_id: IntegrationId, by: str, at: datetime) -> bool:
        """Have all tried again that was refused until now."""
        holder = await self.autocommit("retry_refused", ("integration", integration_id))
        current = self.tables.current_integration(integration_id)
        if current is not None:
            self.tables.retry_asked[integration_id] = max(self.tables.retry_asked.get(integration_id, at), at)
            self.tables.audit.append(Audited(at, by, f"integration:{integration_id}", current.revision, retried=True))
        await self.done("retry_refused", holder)
        return current is not None
