"""What a transaction that only looks refuses, in memory and on Postgres alike: every write of `LinkTransaction`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn, Protocol

from shared.domain.ids import ConnectionId, EntityId, LinkId, Side
from shared.domain.link import Link
from shared.domain.person import Person
from shared.messages.status import SyncStatus
from shared.store.port import InvariantBroken
from shared.store.requests import Asked


class _Looks(Protocol):
    def _fail(self, error: Exception) -> Exception: ...

    def _refuse(self, *what: str) -> NoReturn: ...


class OnlyLooks:
    """Goes before the transaction of a store, whose writes it refuses with `InvariantBroken`."""

    async def insert(self: _Looks, link: Link) -> bool:
        """Refuse."""
        self._refuse(link.id)

    async def save(self: _Looks, link: Link) -> None:
        """Refuse."""
        self._refuse(link.id)

    async def after_commit_status(self: _Looks, status: SyncStatus) -> None:
        """Refuse."""
        self._refuse(status.link_id)

    async def park(
        self: _Looks, side: Side, connection_id: ConnectionId, entity_id: EntityId, event: bytes, until: datetime
    ) -> None:
        """Refuse."""
        del event, until
        self._refuse(side, connection_id, entity_id)

    async def unpark(self: _Looks, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Refuse."""
        self._refuse(side, connection_id, entity_id)

    async def flag_stray(
        self: _Looks, side: Side, connection_id: ConnectionId, entity_id: EntityId, link_id: LinkId | None, reason: str
    ) -> None:
        """Refuse."""
        del link_id, reason
        self._refuse(side, connection_id, entity_id)

    async def unflag_stray(self: _Looks, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> None:
        """Refuse."""
        self._refuse(side, connection_id, entity_id)

    async def remember_people(self: _Looks, people: Sequence[Person]) -> None:
        """Refuse."""
        self._refuse(*(person.account_id for person in people[:3]))

    async def answer(self: _Looks, asked: Asked) -> None:
        """Refuse."""
        self._refuse(asked.id)

    def _refuse(self: _Looks, *what: str) -> NoReturn:
        raise self._fail(InvariantBroken(f"this transaction only looks; it does not write {' '.join(what)}"))
