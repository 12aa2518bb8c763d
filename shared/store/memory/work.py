"""How work is found by state, in memory. Called by the reconciler through `shared.store.port.WorkStore`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.domain.ids import ConnectionId, EntityId, LinkId, Side
from shared.domain.link import Json, Link, LinkState
from shared.messages.status import Cause
from shared.store.memory.copies import copy_json, copy_operation
from shared.store.memory.tables import Core, claimable
from shared.store.port import DirtySide, DueLink, OpenOperation, ParkedEvent, Pruned

REVISED = frozenset({LinkState.ACTIVE, LinkState.CREATING, LinkState.EXCLUDED, LinkState.HELD})
"""States in which another revision of the mapping may change what is decided."""


class Work(Core):
    """Implements `WorkStore`; see there for each method's contract."""

    async def stale_operations(self, now: datetime, unclaimed_for: timedelta, limit: int) -> Sequence[OpenOperation]:
        """Return open operations whose command has to be produced again."""
        await self.call("stale_operations")
        found = []
        for op in (self.tables.operations[op_id] for op_id in self.tables.open_operations):
            leased = op.lease_until
            over = leased <= self.clock.now() if leased is not None else op.created_at <= now - unclaimed_for
            link = self.tables.links[op.link_id]
            if over and claimable(op, link):
                found.append(OpenOperation(copy_operation(op), link.integration_id))
        taken: Counter[ConnectionId] = Counter()
        chosen = []
        for each in sorted(found, key=lambda o: (o.operation.created_at, o.operation.id)):
            connection = self.tables.links[each.operation.link_id].connection(each.operation.target)
            taken[connection] += 1
            if taken[connection] <= limit:
                chosen.append(each)
        return chosen

    async def dirty_sides(self, limit: int, connection_id: ConnectionId | None = None) -> Sequence[DirtySide]:
        """Return dirty sides, oldest first."""
        await self.call("dirty_sides")
        wanted = [side for side in self._dirty() if connection_id is None or side.connection_id == connection_id]
        return sorted(wanted, key=lambda d: (d.dirty_since, d.link_id, d.side))[:limit]

    def _dirty(self) -> Iterator[DirtySide]:
        for link in self.tables.links.values():
            for side in Side:
                state, entity_id = link.side(side), link.entity_id(side)
                if state.dirty_since is not None and entity_id is not None:
                    connection = link.connection(side)
                    yield DirtySide(
                        link.id, link.integration_id, side, connection, entity_id, state.mark, state.dirty_since
                    )

    async def due_links(self, now: datetime, waiting_for: timedelta, limit: int) -> Sequence[DueLink]:
        """Return links to decide again, those not looked at for longest first."""
        await self.call("due_links")
        looked = {link.id: self.tables.looked_at.get(link.id, link.created_at) for link in self.tables.links.values()}
        due = [
            link.id for link in self.tables.links.values() if self._due(link, now, now - waiting_for, looked[link.id])
        ]
        chosen = sorted(due, key=lambda link_id: (looked[link_id], link_id))[:limit]
        self.tables.looked_at.update(dict.fromkeys(chosen, now))
        links = [self.tables.links[link_id] for link_id in chosen]
        return [
            DueLink(
                link.id,
                self._revision(link) or 0,
                link.not_before,
                carry=self._let_go(link),
                retry=self._asked_again(link, looked[link.id]),
            )
            for link in links
        ]

    def _let_go(self, link: Link) -> bool:
        until = self.tables.let_go.get((link.integration_id, link.origin.other))
        return link.held_since is not None and until is not None and link.held_since <= until

    def _asked_again(self, link: Link, looked_at: datetime) -> bool:
        asked = self.tables.retry_asked.get(link.integration_id)
        refused = link.retry_at is not None and link.state in (LinkState.ACTIVE, LinkState.EXCLUDED)
        return refused and asked is not None and looked_at < asked

    def _due(self, link: Link, now: datetime, long_ago: datetime, looked_at: datetime) -> bool:
        if (link.not_before is not None and link.not_before <= now) or self._let_go(link):
            return True
        if link.state in (LinkState.ACTIVE, LinkState.EXCLUDED) and link.retry_at is not None and link.retry_at <= now:
            return True
        if self._asked_again(link, looked_at):
            return True
        if link.state is LinkState.PAUSED and link.reason == Cause.CONNECTION_PAUSED:
            return not any(self._down(link.connection(side)) for side in Side)
        waits = link.state is LinkState.WAITING or (link.state is LinkState.ACTIVE and link.waits_for is not None)
        if waits and looked_at <= long_ago:
            return True
        revision = self._revision(link)
        if revision is None or link.state not in REVISED or link.not_before is not None:
            return False
        agreed = self.tables.agreed.get(link.integration_id, 0)
        return link.revision_seen < (revision if link.state is LinkState.EXCLUDED else agreed)

    async def due_parked(
        self, now: datetime, limit: int, connection_id: ConnectionId | None = None
    ) -> Sequence[ParkedEvent]:
        """Return parked events whose time has come."""
        await self.call("due_parked")
        due = sorted(
            (parked.until, key)
            for key, parked in self.tables.parked.items()
            if parked.until <= now and connection_id in (None, key[1])
        )
        return [ParkedEvent(*key, self.tables.parked[key].event) for _, key in due[:limit]]

    async def cursor(self, name: str) -> Json | None:
        """Return a stored cursor."""
        await self.call("cursor")
        return copy_json(self.tables.cursors.get(name))

    async def store_cursor(self, name: str, value: Json) -> None:
        """Store a cursor."""
        holder = await self.autocommit("store_cursor")
        self.tables.cursors[name] = copy_json(value)
        await self.done("store_cursor", holder)

    async def linked_entities(
        self, side: Side, connection_id: ConnectionId, after: str, limit: int, *, held: bool = False
    ) -> Sequence[tuple[LinkId, EntityId]]:
        """Return linked entities of a connection in id order."""
        await self.call("linked_entities")
        left_out = {LinkState.GONE} if held else {LinkState.GONE, LinkState.HELD}
        found = [
            (entity_id, link_id)
            for (a_side, a_connection, entity_id), link_id in self.tables.entities.items()
            if a_side is side
            and a_connection == connection_id
            and entity_id > after
            and self.tables.links[link_id].state not in left_out
        ]
        return [(link_id, entity_id) for entity_id, link_id in sorted(found)[:limit]]

    async def absent_entities(
        self, side: Side, connection_id: ConnectionId, after: str, limit: int
    ) -> Sequence[tuple[LinkId, EntityId]]:
        """Return entities that are not there for us for now."""
        await self.call("absent_entities")
        found = [
            (entity_id, link.id)
            for link in self.tables.links.values()
            if link.state is LinkState.ABSENT
            and link.side(side).absent is not None
            and link.connection(side) == connection_id
            and (entity_id := link.entity_id(side)) is not None
            and entity_id > after
        ]
        return [(link_id, entity_id) for entity_id, link_id in sorted(found)[:limit]]

    async def prune_ledgers(self, now: datetime, after: str, limit: int) -> Pruned:
        """Delete what no ledger needs any more."""
        await self.call("prune_ledgers")
        looked_at = sorted(link_id for link_id in self.tables.links if link_id > after)[:limit]
        pruned = sum(self.tables.prune_ledger(link_id, now) for link_id in looked_at)
        return Pruned(pruned, looked_at[-1] if looked_at else None)

    def _revision(self, link: Link) -> int | None:
        current = self.tables.current_integration(link.integration_id)
        return current.revision if current else None

    def _down(self, connection_id: ConnectionId) -> bool:
        connection = self.tables.current_connection(connection_id)
        return connection is not None and connection.paused_reason is not None
