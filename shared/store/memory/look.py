"""A transaction that only looks, in memory. Called by the mapper through `shared.store.dry_runs.LookingStore`."""

from __future__ import annotations

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link
from shared.domain.mapping import Integration
from shared.store.looking import OnlyLooks
from shared.store.memory.transaction import MemoryTransaction


class MemoryLook(OnlyLooks, MemoryTransaction):
    """One transaction without locks; see `LookingStore.look`."""

    async def share_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Load the link of a parent."""
        await self._call("share_entity")
        link_id = self._link_of((side, connection_id, entity_id))
        if link_id is None:
            return None
        if link_id not in self._locked and link_id not in self._shared:
            self._shared[link_id] = self._tables.load(self._tables.links[link_id], self._core.clock.now())
        return self._locked.get(link_id) or self._shared[link_id]

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision, without holding up who saves the next one."""
        await self._call("integration")
        return self._tables.current_integration(integration_id)

    async def _lock(self, link_id: LinkId) -> Link | None:
        """Load a link; nobody is kept from changing it meanwhile."""
        if link_id not in self._locked and link_id in self._tables.links:
            self._locked[link_id] = self._tables.load(self._tables.links[link_id], self._core.clock.now())
        return self._locked.get(link_id)
