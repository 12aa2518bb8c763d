"""A transaction of which only the reads are real: what the handlers would change is kept for whoever asks, and for
nobody else.

The same handlers run on it as on a real one, so that a dry run cannot decide otherwise than the mapper does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.link import ConflictNote, HistoryNote, Link, LinkState, Operation
from shared.domain.mapping import Connection, Integration
from shared.domain.person import Person
from shared.messages.status import SyncStatus
from shared.store.port import LinkTransaction
from shared.store.requests import Asked


class RehearsalTransaction:
    """Implements `LinkTransaction` over one that only looks, with `draft` in force. For one item, by one caller."""

    def __init__(self, look: LinkTransaction, draft: Integration) -> None:
        self._look = look
        self._draft = draft
        self._inserted: Link | None = None
        self.link: Link | None = None
        """The link that was inserted or saved last, as it would be stored."""
        self.status: SyncStatus | None = None
        self.conflicts: list[ConflictNote] = []
        self.history: list[HistoryNote] = []
        self.stray: str | None = None
        """Why the item would be flagged as a possible duplicate."""
        self.waits_for_creates = False
        """True if the item would be parked until creates are settled."""
        self.assumes_parents = False
        """True: every parent counts as linked, so that it is seen what a child would become once it is."""

    async def lock_link(self, link_id: LinkId) -> Link | None:
        """Return a link; its holder may change it, it is nobody else's."""
        if self._inserted is not None and self._inserted.id == link_id:
            return self._inserted
        return await self._look.lock_link(link_id)

    async def lock_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Return the link of an entity."""
        if self._holds(side, connection_id, entity_id):
            return self._inserted
        return await self._look.lock_entity(side, connection_id, entity_id)

    async def share_entity(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> Link | None:
        """Return the link of a parent."""
        if self._holds(side, connection_id, entity_id):
            return self._inserted
        parent = await self._look.share_entity(side, connection_id, entity_id)
        if not self.assumes_parents or (parent is not None and parent.entity_id(side.other) is not None):
            return parent
        return self._stand_in(side, entity_id)

    async def counterparts(
        self, source: Side, connections: Mapping[Side, ConnectionId], entity_ids: Sequence[EntityId]
    ) -> Mapping[EntityId, EntityId]:
        """Return the other ends of links."""
        return await self._look.counterparts(source, connections, entity_ids)

    async def insert(self, link: Link) -> bool:
        """Keep a new link."""
        self._inserted = link
        self._keep(link)
        return True

    async def save(self, link: Link) -> None:
        """Keep a changed link."""
        self._keep(link)

    async def waiting_children(
        self, connection_id: ConnectionId, parent_id: EntityId, origin: Side
    ) -> Sequence[LinkId]:
        """Return who waits for an entity."""
        return await self._look.waiting_children(connection_id, parent_id, origin)

    async def open_creates(self, target: Side, connection_id: ConnectionId) -> Sequence[Operation]:
        """Return open creates towards a connection."""
        return await self._look.open_creates(target, connection_id)

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return the draft in place of the current revision of its integration."""
        return self._draft if integration_id == self._draft.id else await self._look.integration(integration_id)

    async def integrations_of(self, connection_id: ConnectionId) -> Sequence[Integration]:
        """Return a connection's integrations, with the draft in place of what it would replace."""
        others = [i for i in await self._look.integrations_of(connection_id) if i.id != self._draft.id]
        uses = connection_id in (self._draft.jira_connection, self._draft.craft_connection)
        return [*others, self._draft] if uses else others

    async def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return the current revision of a connection."""
        return await self._look.connection(connection_id)

    async def after_commit_status(self, status: SyncStatus) -> None:
        """Keep the status."""
        self.status = status

    async def park(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Note that the item would have to wait."""
        del side, connection_id, entity_id, event, until
        self.waits_for_creates = True

    async def parked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> datetime | None:
        """Return since when an entity has been parked."""
        return await self._look.parked(side, connection_id, entity_id)

    async def unpark(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Leave what is parked where it is."""

    async def flag_stray(
        self, side: Side, connection_id: ConnectionId, entity_id: EntityId, link_id: LinkId | None, reason: str
    ) -> None:
        """Note why the item would be flagged."""
        del side, connection_id, entity_id, link_id
        self.stray = reason

    async def unflag_stray(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Leave what is flagged as it is."""

    async def answer(self, asked: Asked) -> None:
        """Answer nobody: nothing was asked for."""

    async def people(
        self, connection_id: ConnectionId, accounts: Sequence[str] = (), emails: Sequence[str] = ()
    ) -> Sequence[Person]:
        """Return who is known; those whom the item itself shows come with it."""
        return await self._look.people(connection_id, accounts, emails)

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Leave the directory as it is."""

    def _holds(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> bool:
        link = self._inserted
        return link is not None and link.entity_id(side) == entity_id and link.connection(side) == connection_id

    def _stand_in(self, side: Side, entity_id: EntityId) -> Link:
        """Return a link in place of that of a parent that has no counterpart yet."""
        other = EntityId(f"counterpart of {entity_id}")
        return Link(
            id=LinkId(""),
            integration_id=self._draft.id,
            jira_connection=self._draft.jira_connection,
            craft_connection=self._draft.craft_connection,
            origin=side,
            state=LinkState.ACTIVE,
            created_at=datetime.min.replace(tzinfo=UTC),
            jira_id=entity_id if side is Side.JIRA else other,
            craft_id=entity_id if side is Side.CRAFT else other,
        )

    def _keep(self, link: Link) -> None:
        self.link = link
        self.conflicts += link.new_conflicts
        self.history += link.new_history
        link.new_conflicts.clear()
        link.new_history.clear()
