"""What people and clocks ask for (PROTOCOL, Request). Each request of a person's is answered, also by a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from services.mapper.domain.context import Context
from services.mapper.domain.requests import adopt, carry_out, is_single, rehome, resync
from services.mapper.handlers.answers import NO_INTEGRATION, NO_LINK, answer, came_to
from services.mapper.handlers.conclusion import Conclusion
from services.mapper.handlers.successors import Successors
from shared.domain.clock import Clock, Dice
from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Absence, Link, LinkState
from shared.domain.mapping import Integration
from shared.domain.requests import Refused, RequestKind, Step, judge
from shared.messages.base import Message
from shared.messages.request import SyncRequest
from shared.store.port import LinkTransaction

log = structlog.get_logger(__name__)


class Requests:
    """Handles `SyncRequest`."""

    def __init__(self, conclusion: Conclusion, clock: Clock, dice: Dice) -> None:
        self._conclusion = conclusion
        self._clock = clock
        self._successors = Successors(conclusion, clock, dice)

    async def handle(self, tx: LinkTransaction, request: SyncRequest) -> list[Message]:
        """Carry out a request or refuse it, and decide; return what is to be published after the commit."""
        if request.kind is RequestKind.LINK:
            return await self._link(tx, request)
        link = await tx.lock_link(request.link_id) if request.link_id else None
        if link is None:
            return await self._refuse(tx, request, NO_LINK)
        if request.kind is not RequestKind.DECIDE and not link.use_up(request.request_id):
            return []  # told twice
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return await self._refuse(tx, request, NO_INTEGRATION)
        cell = carry_out(link, request, ctx)
        if cell is Step.BEGIN_ANEW:
            return await self._begin_anew(tx, request, link, ctx)
        if isinstance(cell, Refused) and link.state is LinkState.HELD and request.kind is RequestKind.CARRY:
            link.held_since = ctx.now  # it was let go in vain: it waits anew
        effects = await self._conclusion.conclude(tx, link, ctx)
        if cell is Step.CREATE:
            cell = came_to(cell, link, ctx)
        await answer(tx, request, cell, link.id, ctx.now)
        return effects

    async def _refuse(
        self, tx: LinkTransaction, request: SyncRequest, refused: Refused, link_id: LinkId | None = None
    ) -> list[Message]:
        log.info("request_refused", kind=request.kind, code=refused.code, link_id=request.link_id)
        await answer(tx, request, refused, link_id, self._clock.now())
        return []

    async def _begin_anew(self, tx: LinkTransaction, request: SyncRequest, link: Link, ctx: Context) -> list[Message]:
        """Have a counterpart created for the item that is left, in a link of its own."""
        side = next((side for side in Side if _is_there(link, side)), None)
        if side is None:
            return await self._refuse(tx, request, NO_LINK, link.id)
        anew, effects = await begin_anew(self._successors, tx, link, side, ctx)
        anew_ctx = replace(ctx, now=self._clock.now())
        effects += await self._conclusion.wake_children(tx, anew)
        effects += await self._conclusion.conclude(tx, anew, anew_ctx)
        await answer(tx, request, came_to(Step.BEGIN_ANEW, anew, anew_ctx), anew.id, ctx.now)
        return effects

    async def _link(self, tx: LinkTransaction, request: SyncRequest) -> list[Message]:
        """Join two existing items, whatever rows they are in, unless the table says no (PROTOCOL F7)."""
        integration = await tx.integration(request.integration_id or IntegrationId(""))
        if integration is None or request.jira_id is None or request.craft_id is None:
            return await self._refuse(tx, request, NO_INTEGRATION)
        items = {Side.JIRA: request.jira_id, Side.CRAFT: request.craft_id}
        rows: dict[Side, Link] = {}
        for side, entity_id in items.items():
            row = await tx.lock_entity(side, integration.connection(side), entity_id)
            if row is not None:
                rows[side] = row
        if len(rows) == len(items) and rows[Side.JIRA] is rows[Side.CRAFT]:
            return await self._same_row(tx, request, rows[Side.JIRA])
        for side, row in rows.items():
            refused = _refuses(row, side)
            if refused is not None:
                return await self._refuse(tx, request, refused, row.id)
        return await self._join(tx, request, integration, items, rows)

    async def _same_row(self, tx: LinkTransaction, request: SyncRequest, link: Link) -> list[Message]:
        """Join the two items of one link again, if they were kept apart; asked for twice, it is done once."""
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return await self._refuse(tx, request, NO_INTEGRATION, link.id)
        cell = judge(link, RequestKind.RESYNC) if link.state is LinkState.UNSYNCED else Step.LOOK
        if cell is Step.COMPARE:
            resync(link, ctx)
        await answer(tx, request, cell, link.id, ctx.now)
        return await self._conclusion.conclude(tx, link, ctx)

    async def _join(
        self,
        tx: LinkTransaction,
        request: SyncRequest,
        integration: Integration,
        items: Mapping[Side, EntityId],
        rows: Mapping[Side, Link],
    ) -> list[Message]:
        link = _taker(rows)
        fresh = link is None
        if link is None:
            link = self._successors.made(integration, items, state=LinkState.UNSYNCED, origin=Side.CRAFT)
        elif link.integration_id != integration.id:
            rehome(link, integration)
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return await self._refuse(tx, request, NO_INTEGRATION)
        former = {side: row for side, row in rows.items() if row is not link}
        effects = await self._successors.take_over(tx, link, former, ctx)
        if fresh:
            resync(link, ctx)
            await self._successors.insert(tx, link)
        else:
            side = next(side for side in Side if link.entity_id(side) is None)
            await tx.unpark(side, link.connection(side), items[side])
            adopt(link, side, items[side], ctx)
        for side, entity_id in items.items():
            await tx.unflag_stray(side, link.connection(side), entity_id)
        effects += await self._conclusion.wake_children(tx, link)
        effects += await self._conclusion.conclude(tx, link, ctx)
        await answer(tx, request, Step.JOIN, link.id, ctx.now)
        return effects


async def begin_anew(
    successors: Successors, tx: LinkTransaction, link: Link, side: Side, ctx: Context
) -> tuple[Link, list[Message]]:
    """Take the item that is left out of a row and return a link of its own for it, with what tells of the old one."""
    entity_id = link.entity_id(side)
    if entity_id is None:
        msg = f"link {link.id} has no item in {side.vendor}"
        raise ValueError(msg)
    anew = successors.made(ctx.integration, {side: entity_id})
    anew.asked = True
    anew.side(side).have_read(ctx.now)
    told = await successors.take_over(tx, anew, {side: link}, ctx)
    await successors.insert(tx, anew)
    return anew, told


def _is_there(link: Link, side: Side) -> bool:
    return link.entity_id(side) is not None and link.side(side).absent is None


def _refuses(row: Link, side: Side) -> Refused | None:
    """Return why an item may not be joined with another one, None if it may."""
    cell = judge(row, RequestKind.LINK)
    if isinstance(cell, Refused):
        return cell
    away = row.side(side).absent
    if away is not None and away.how is Absence.DELETED:
        return Refused(
            "deleted", f"The {side.vendor} item was deleted.", "If it was restored, press retry at its link."
        )
    return None


def _taker(rows: Mapping[Side, Link]) -> Link | None:
    """Return the row that takes the other item: one that never had a counterpart; first one that may still get one."""
    single = [row for row in rows.values() if is_single(row)]
    return next((row for row in single if row.state is LinkState.ASK), next(iter(single), None))
