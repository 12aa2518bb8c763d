"""A transaction that only looks, on Postgres. Called by the mapper through `shared.store.dry_runs.LookingStore`.

It is READ ONLY for the database too, which refuses whatever would change or lock a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link
from shared.domain.mapping import Integration
from shared.domain.person import Person
from shared.messages.status import SyncStatus
from shared.store.port import InvariantBroken
from shared.store.postgres.links import PostgresTransaction


class PostgresLook(PostgresTransaction):
    """One transaction on one connection, without locks; see `LookingStore.look`."""

    BEGIN = "BEGIN READ ONLY"
    HELD = STILL = ""

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the current revision, without holding up who saves the next one."""
        rows = await self._fetch("SELECT revision, body FROM integrations WHERE id = $1", integration_id)
        return self._core.integration_of(integration_id, rows[0]["revision"], rows[0]["body"]) if rows else None

    async def insert(self, link: Link) -> bool:
        """Refuse."""
        self._refuse(link.id)

    async def save(self, link: Link) -> None:
        """Refuse."""
        self._refuse(link.id)

    async def after_commit_status(self, status: SyncStatus) -> None:
        """Refuse."""
        self._refuse(status.link_id)

    async def park(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Refuse."""
        self._refuse(side, connection_id, entity_id, event, until)

    async def unpark(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Refuse."""
        self._refuse(side, connection_id, entity_id)

    async def flag_stray(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, link_id: LinkId | None, reason: str
    ) -> None:
        """Refuse."""
        self._refuse(side, connection_id, entity_id, link_id, reason)

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Refuse."""
        self._refuse(*(person.account_id for person in people))

    def _refuse(self, *what: object) -> NoReturn:
        words: Sequence[str] = [str(each) for each in what[:3]]
        raise self._fail(InvariantBroken(f"this transaction only looks; it does not write {' '.join(words)}"))
