"""Reading for people, on Postgres. Called by the console through `shared.store.port.StatusReader`."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Json, LinkState
from shared.messages.status import SyncStatus
from shared.store.codec import conflict_from_json, loads
from shared.store.newer import status_of
from shared.store.port import LABELS, LEDGER_AGE, LEDGER_LENGTH, LinkView, label_key
from shared.store.postgres.core import Core
from shared.store.postgres.links import LEDGERS, LOAD
from shared.store.postgres.rows import history_of, link_of, operation_of


class Reading(Core):
    """Implements `StatusReader`; see there for each method's contract."""

    async def link_view(self, link_id: LinkId) -> LinkView | None:
        """Return one link with all that is on record of it."""
        row = await self.fetchrow(f"{LOAD} WHERE id = $1", link_id)
        if row is None:
            return None
        link = link_of(row)
        first = link.next_seq - LEDGER_LENGTH
        ledger = await self.fetch(LEDGERS, [link_id], [first], self.clock.now() - LEDGER_AGE)
        link.operations = [operation_of(row) for row in ledger]
        status = await self.fetchrow("SELECT body FROM link_status WHERE link_id = $1", link_id)
        conflicts = await self.fetch("SELECT body FROM conflicts WHERE link_id = $1 ORDER BY n", link_id)
        history = await self.fetch(
            "SELECT pair, side, value, why, at FROM history WHERE link_id = $1 ORDER BY n", link_id
        )
        return LinkView(
            link=link,
            status=status_of(status["body"]) if status else None,
            conflicts=[conflict_from_json(loads(row["body"])) for row in conflicts],
            history=[history_of(row) for row in history],
        )

    async def find_link(self, side: Side, entity_id: EntityId) -> LinkId | None:
        """Return the link of an entity on any connection."""
        row = await self.fetchrow(f"SELECT id FROM links WHERE {side}_id = $1 ORDER BY id LIMIT 1", entity_id)
        return LinkId(row["id"]) if row else None

    async def find_link_by_label(self, side: Side, label: str) -> LinkId | None:
        """Return the link of the item that people know by a name."""
        query = f"SELECT link_id FROM link_status WHERE {LABELS[side]} = $1 ORDER BY link_id LIMIT 1"
        row = await self.fetchrow(query, label_key(label))
        return LinkId(row["link_id"]) if row else None

    async def list_statuses(
        self, *, integration_id: IntegrationId | None, state: str | None, after: str, limit: int
    ) -> Sequence[SyncStatus]:
        """Return latest statuses in link id order."""
        rows = await self.fetch(
            "SELECT body FROM link_status WHERE link_id > $1 AND ($2::text IS NULL OR integration_id = $2)"
            " AND ($3::text IS NULL OR state = $3) ORDER BY link_id LIMIT $4",
            after,
            integration_id,
            state,
            limit,
        )
        return [status_of(row["body"]) for row in rows]

    async def count_by_state(self, integration_id: IntegrationId | None) -> dict[LinkState | str, int]:
        """Return how many links are in each display state."""
        rows = await self.fetch(
            "SELECT state, count(*) AS n FROM link_status WHERE $1::text IS NULL OR integration_id = $1 GROUP BY state",
            integration_id,
        )
        return {row["state"]: row["n"] for row in rows}

    async def strays(self, limit: int) -> Sequence[dict[str, Json]]:
        """Return flagged possible duplicates."""
        rows = await self.fetch(
            "SELECT side, connection_id, entity_id, link_id, reason FROM strays"
            " ORDER BY side, connection_id, entity_id LIMIT $1",
            limit,
        )
        return [dict(row) for row in rows]
