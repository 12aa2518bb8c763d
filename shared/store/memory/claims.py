"""What writers may do, in memory. Called by the writers through `shared.store.port.ClaimStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.ids import ConnectionId, EntityId, LinkId, OperationId, Side
from shared.domain.link import Operation, OperationKind
from shared.store.codec import values_hash
from shared.store.memory.copies import copy_operation
from shared.store.memory.tables import Core, claimable
from shared.store.port import Claim


class Claims(Core):
    """Implements `ClaimStore`; see there for each method's contract."""

    async def claim(self, op_id: OperationId, owner: str, lease: timedelta) -> Claim | None:
        """Take the lease of an open operation."""
        holder = await self.autocommit("claim", ("operation", op_id))
        claim = self._claim(op_id, owner, self.clock.now(), lease)
        await self.done("claim", holder)
        return claim

    def _claim(self, op_id: OperationId, owner: str, now: datetime, lease: timedelta) -> Claim | None:
        op = self.tables.operations.get(op_id)
        if op is None or (op.lease_until is not None and op.lease_until > now):
            return None
        link = self.tables.links[op.link_id]
        integration = self.tables.current_integration(link.integration_id)
        if integration is None or not claimable(op, link):
            return None
        op = replace(op, attempts=op.attempts + 1, lease_until=now + lease, owner=owner)
        self.tables.operations[op_id] = op
        return Claim(
            operation=copy_operation(op),
            link_id=link.id,
            integration=integration,
            connection_id=link.connection(op.target),
            entity_id=None if op.kind is OperationKind.CREATE else link.entity_id(op.target),
            source_entity_id=link.entity_id(op.target.other),
            ticket=link.side(op.target).mark,
            late_possible=op.attempts > 1,
        )

    async def still_owner(self, op_id: OperationId, owner: str) -> bool:
        """Tell whether the lease is still the caller's."""
        await self.call("still_owner")
        return self._owned(op_id, owner) is not None

    async def start_post(self, op_id: OperationId, owner: str, at: datetime) -> bool:
        """Commit `post_started_at`."""
        holder = await self.autocommit("start_post", ("operation", op_id))
        op = self._owned(op_id, owner)
        if op is not None:
            self.tables.operations[op_id] = replace(op, post_started_at=at)
        await self.done("start_post", holder)
        return op is not None

    async def store_result(self, op_id: OperationId, entity_id: EntityId) -> None:
        """Commit `result_id`; the first one stays."""
        holder = await self.autocommit("store_result", ("operation", op_id))
        op = self.tables.operations.get(op_id)
        if op is not None and op.result_id is None:
            self.tables.operations[op_id] = replace(op, result_id=entity_id)
        await self.done("store_result", holder)

    async def release(self, op_id: OperationId, owner: str, after: timedelta | None = None) -> None:
        """Give the lease back, at once or after a time."""
        holder = await self.autocommit("release", ("operation", op_id))
        op = self._owned(op_id, owner)
        until = self.clock.now() + after if after is not None else None
        if op is not None:
            self.tables.operations[op_id] = replace(op, lease_until=until, owner=None)
        await self.done("release", holder)

    async def entity_linked(self, side: Side, connection_id: ConnectionId, entity_id: EntityId) -> LinkId | None:
        """Return the link that an entity is in."""
        await self.call("entity_linked")
        return self.tables.entities.get((side, connection_id, entity_id))

    async def open_twins(self, op_id: OperationId) -> Sequence[OperationId]:
        """Return older open creates of the same."""
        await self.call("open_twins")
        op = self.tables.operations.get(op_id)
        if op is None:
            return []
        connection_id = self.tables.links[op.link_id].connection(op.target)
        wanted = values_hash(op)
        older = [
            other
            for other in (self.tables.operations[i] for i in self.tables.open_operations)
            if other.kind is OperationKind.CREATE
            and (other.target, other.type_id) == (op.target, op.type_id)
            and (other.created_at, other.id) < (op.created_at, op.id)
            and self.tables.links[other.link_id].connection(op.target) == connection_id
            and values_hash(other) == wanted
        ]
        return [other.id for other in sorted(older, key=lambda other: (other.created_at, other.id))]

    def _owned(self, op_id: OperationId, owner: str) -> Operation | None:
        op = self.tables.operations.get(op_id)
        return op if op is not None and op.open and op.owner == owner else None
