"""Reading for people, in memory. Called by the console through `shared.store.port.StatusReader`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Json, LinkState
from shared.messages.status import SyncStatus
from shared.store.memory.copies import copy_conflict, copy_history
from shared.store.memory.tables import Core
from shared.store.port import LABELS, LinkView, label_key


class Reading(Core):
    """Implements `StatusReader`; see there for each method's contract."""

    async def link_view(self, link_id: LinkId) -> LinkView | None:
        """Return one link with all that is on record of it."""
        await self.call("link_view")
        link = self.tables.links.get(link_id)
        if link is None:
            return None
        return LinkView(
            link=self.tables.load(link, self.clock.now()),
            status=self.tables.statuses.get(link_id),
            conflicts=[copy_conflict(note) for note in self.tables.conflicts.get(link_id, ())],
            history=[copy_history(note) for note in self.tables.history.get(link_id, ())],
        )

    async def find_link(self, side: Side, entity_id: EntityId) -> LinkId | None:
        """Return the link of an entity on any connection."""
        await self.call("find_link")
        found = [link for (s, _, e), link in self.tables.entities.items() if s is side and e == entity_id]
        return min(found, default=None)

    async def find_link_by_label(self, side: Side, label: str) -> LinkId | None:
        """Return the link of the item that people know by a name."""
        await self.call("find_link_by_label")
        wanted, name = label_key(label), LABELS[side]
        found = [link for link, s in self.tables.statuses.items() if wanted and label_key(s.labels.get(name)) == wanted]
        return min(found, default=None)

    async def list_statuses(
        self, *, integration_id: IntegrationId | None, state: str | None, after: str, limit: int
    ) -> Sequence[SyncStatus]:
        """Return latest statuses in link id order."""
        await self.call("list_statuses")
        found = [
            status
            for link_id, status in sorted(self.tables.statuses.items())
            if link_id > after
            and integration_id in (None, status.integration_id)
            and state in (None, status.state.value)
        ]
        return found[:limit]

    async def count_by_state(self, integration_id: IntegrationId | None) -> dict[LinkState | str, int]:
        """Return how many links are in each display state."""
        await self.call("count_by_state")
        statuses = self.tables.statuses.values()
        return dict(Counter(s.state.value for s in statuses if integration_id in (None, s.integration_id)))

    async def strays(self, limit: int) -> Sequence[dict[str, Json]]:
        """Return flagged possible duplicates."""
        await self.call("strays")
        return [dict(stray) for _, stray in sorted(self.tables.strays.items())][:limit]
