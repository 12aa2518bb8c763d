"""What people and clocks ask for (PROTOCOL, Request)."""

from __future__ import annotations

from services.mapper.domain.requests import adopt, carry_out, resync
from services.mapper.handlers.conclusion import Conclusion
from shared.domain.clock import Clock, Dice
from shared.domain.errors import Poison
from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link, LinkState
from shared.messages.base import Message
from shared.messages.request import RequestKind, SyncRequest
from shared.store.port import Contended, LinkTransaction

_ADOPTS = frozenset({LinkState.ASK, LinkState.WAITING, LinkState.EXCLUDED, LinkState.UNSYNCED})
"""States in which a link without counterpart takes one that a person names."""


class Requests:
    """Handles `SyncRequest`."""

    def __init__(self, conclusion: Conclusion, clock: Clock, dice: Dice) -> None:
        self._conclusion = conclusion
        self._clock = clock
        self._dice = dice

    async def handle(self, tx: LinkTransaction, request: SyncRequest) -> list[Message]:
        """Carry out a request and decide; return what is to be published after the commit."""
        if request.kind is RequestKind.LINK:
            return await self._link(tx, request)
        link = await tx.lock_link(request.link_id) if request.link_id else None
        if link is None:
            raise Poison(f"there is no link {request.link_id}")
        if request.kind is not RequestKind.DECIDE and not link.use_up(request.request_id):
            return []  # told twice
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return []
        carry_out(link, request, ctx)
        return await self._conclusion.conclude(tx, link, ctx)

    async def _link(self, tx: LinkTransaction, request: SyncRequest) -> list[Message]:
        """Join two existing items; refused while one of them is in a link that is not kept apart (PROTOCOL F7)."""
        integration = await tx.integration(request.integration_id or IntegrationId(""))
        if integration is None or request.jira_id is None or request.craft_id is None:
            raise Poison(f"there is no integration {request.integration_id}")
        wanted = {Side.JIRA: request.jira_id, Side.CRAFT: request.craft_id}
        for side, entity_id in wanted.items():
            taken = await tx.lock_entity(side, integration.connection(side), entity_id)
            if taken is None:
                continue
            if taken.entity_id(side.other) == wanted[side.other]:
                return []  # asked for twice
            free = await tx.lock_entity(side.other, integration.connection(side.other), wanted[side.other]) is None
            if free and taken.entity_id(side.other) is None and taken.state in _ADOPTS and taken.op_id is None:
                return await self._adopt(tx, taken, side.other, wanted[side.other])
            raise Poison(f"the {side.vendor} item {entity_id} is already in link {taken.id} ({taken.state})")
        link = Link(
            id=LinkId(self._dice.token()),
            integration_id=integration.id,
            jira_connection=integration.jira_connection,
            craft_connection=integration.craft_connection,
            origin=Side.CRAFT,
            state=LinkState.ACTIVE,
            created_at=self._clock.now(),
            jira_id=request.jira_id,
            craft_id=request.craft_id,
        )
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return []
        resync(link, ctx)
        if not await tx.insert(link):
            raise Contended("another input inserted a link of one of these items meanwhile")
        return [
            *await self._conclusion.wake_children(tx, link),
            *await self._conclusion.publishable(tx, link, ctx, None),
        ]

    async def _adopt(self, tx: LinkTransaction, link: Link, side: Side, entity_id: EntityId) -> list[Message]:
        """Join an item to a link that lacks one: a person's answer to state ask, or instead of a create."""
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return []
        await tx.unpark(side, link.connection(side), entity_id)
        adopt(link, side, entity_id, ctx)
        return [*await self._conclusion.wake_children(tx, link), *await self._conclusion.conclude(tx, link, ctx)]
