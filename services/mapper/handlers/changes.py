"""What a vendor shows: of an item in a link, of a new one, of one that a create of ours made (PROTOCOL, Change and
Create).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from services.mapper.domain.context import Context
from services.mapper.domain.create import begin_create, created
from services.mapper.domain.entities import candidates_of, correlation_key_of, has_no_key, is_by_us, taker_of
from services.mapper.domain.labels import label
from services.mapper.domain.names import keep_names
from services.mapper.domain.observation import from_change
from services.mapper.domain.order import observe
from services.mapper.domain.requests import give_up
from services.mapper.handlers.conclusion import Conclusion
from shared.domain.clock import Clock, Dice
from shared.domain.ids import LinkId, Side
from shared.domain.link import Link, LinkState, OperationKind, Result
from shared.domain.mapping import Integration, Mode
from shared.messages.base import Message
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.status import Cause
from shared.store.port import Contended, LinkTransaction

PARK_FOR = timedelta(seconds=5)
"""How long an entity of our own making without link waits before it is looked at again."""

log = structlog.get_logger(__name__)


class Changes:
    """Handles `ChangeEvent`."""

    def __init__(self, conclusion: Conclusion, clock: Clock, dice: Dice) -> None:
        self._conclusion = conclusion
        self._clock = clock
        self._dice = dice

    async def handle(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        """Observe a change and decide; return what is to be published after the commit."""
        link = await tx.lock_entity(event.side, event.connection_id, event.entity_id)
        if link is None:
            return await self._new_entity(tx, event)
        await self._conclusion.no_longer_parked(tx, link, event.side, event.entity_id)
        ctx = await self._conclusion.context(tx, link, event)
        if ctx is None:
            return []
        if event.kind is ChangeKind.DELETED:
            _told_deleted(link, event, ctx)
        elif event.snapshot is None:
            link.side(event.side).doubt(ctx.now)
        else:
            _look(link, event, event.snapshot, ctx)
        return await self._conclusion.conclude(tx, link, ctx)

    async def _new_entity(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        """PROTOCOL, Create 1 and 2: an entity that is in no link yet."""
        if event.kind is ChangeKind.DELETED:
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            return []
        if event.snapshot is None:
            return []  # nothing to create; a thin event is read by the reconciler and comes again
        connection = await tx.connection(event.connection_id)
        everywhere = await tx.integrations_of(event.connection_id)
        integrations = candidates_of(event, everywhere)
        if connection is None or not integrations:
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            log.info("change_skipped", reason=Cause.NO_INTEGRATION, entity_id=event.entity_id)
            return []
        if is_by_us(event, connection):
            key, known = correlation_key_of(event, everywhere)
            if key is not None:
                return await self._one_of_ours(tx, event, LinkId(key))
            keyless = has_no_key(event, integrations)
            if keyless or not known:
                return await self._park(tx, event, keyless=keyless)
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        taking = taker_of(event, integrations)
        if taking is None:
            log.info("change_skipped", reason=Cause.NO_INTEGRATION, entity_id=event.entity_id)
            return []
        mode = taking.mode_towards(event.side.other)
        if mode is Mode.OFF or (mode is Mode.MANUAL and event.origin is not Origin.REQUEST):
            log.info("change_skipped", reason=Cause.DIRECTION_MANUAL, mode=mode, entity_id=event.entity_id)
            return []
        return await self._insert(tx, event, taking)

    async def _insert(self, tx: LinkTransaction, event: ChangeEvent, integration: Integration) -> list[Message]:
        now = self._clock.now()
        link = Link(
            id=LinkId(self._dice.token()),
            integration_id=integration.id,
            jira_connection=integration.jira_connection,
            craft_connection=integration.craft_connection,
            origin=event.side,
            state=LinkState.WAITING,
            created_at=now,
        )
        if event.side is Side.JIRA:
            link.jira_id = event.entity_id
        else:
            link.craft_id = event.entity_id
        ctx = await self._conclusion.context(tx, link, event)
        if ctx is None:
            return []
        _look(link, event, event.snapshot or {}, ctx)
        ctx = await self._conclusion.with_parents(tx, link, ctx)
        op = begin_create(link, ctx)
        if not await tx.insert(link):
            raise Contended("another input inserted the link of this entity meanwhile")
        await self._conclusion.remember(tx, ctx)
        return await self._conclusion.publishable(tx, link, ctx, op)

    async def _one_of_ours(self, tx: LinkTransaction, event: ChangeEvent, link_id: LinkId) -> list[Message]:
        """An entity that carries the key of one of our creates: adopt it, or flag a duplicate (PROTOCOL F1, F8)."""
        link = await tx.lock_link(link_id)
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        if link is None or link.connection(event.side) != event.connection_id:
            await tx.flag_stray(
                event.side, event.connection_id, event.entity_id, None, "carries the key of an unknown link"
            )
            return []
        joined = link.entity_id(event.side)
        if joined is not None and joined != event.entity_id:
            reason = f"second counterpart of one item; the linked one is {joined}"
            await tx.flag_stray(event.side, event.connection_id, event.entity_id, link.id, reason)
            return []
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return []
        effects: list[Message] = []
        if joined is None:
            op = next((o for o in reversed(link.operations) if o.kind is OperationKind.CREATE), None)
            if op is None:
                reason = "carries the key of a link that has created nothing lately"
                await tx.flag_stray(event.side, event.connection_id, event.entity_id, link.id, reason)
                return []
            op.result = Result.ALREADY
            created(link, op, event.entity_id, ctx)
            effects += await self._conclusion.wake_children(tx, link)
        _look(link, event, event.snapshot or {}, ctx)
        return effects + await self._conclusion.conclude(tx, link, ctx)

    async def _park(self, tx: LinkTransaction, event: ChangeEvent, *, keyless: bool) -> list[Message]:
        """Wait until the creates that may have made this entity are settled; then flag it, never create from it."""
        since = await tx.parked(event.side, event.connection_id, event.entity_id)
        creates = await tx.open_creates(event.side, event.connection_id)
        if keyless and since is not None and not creates:
            if await tx.lock_entity(event.side, event.connection_id, event.entity_id) is not None:
                raise Contended("the create that made this entity was settled meanwhile")
            await tx.flag_stray(
                event.side,
                event.connection_id,
                event.entity_id,
                None,
                "made by Tandem's account, but no create of Tandem's",
            )
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            return []
        until = self._clock.now() + PARK_FOR
        await tx.park(event.side, event.connection_id, event.entity_id, event.model_dump_json().encode(), until)
        return []


def _look(link: Link, event: ChangeEvent, snapshot: Mapping[str, Any], ctx: Context) -> None:
    """Take in what an event shows of its item."""
    observation = from_change(event, ctx.integration)
    observed = observe(link, observation, ctx)
    label(link, observation, snapshot, ctx.now, fresh=observation.fresh and observed.fresh)
    keep_names(link, event.side, ctx.integration, snapshot)


def _told_deleted(link: Link, event: ChangeEvent, ctx: Context) -> None:
    """Believe that an item is gone only if a read says so, begun after all else that was heard of its side.

    What a webhook or a sweep tells may be late: the item may have been put back or linked anew since (PROTOCOL F20).
    """
    state = link.side(event.side)
    if event.origin is Origin.FRESH and state.is_current(event.ticket):
        state.dirty_since = None
        _delete(link, event.side, ctx)
    elif link.state not in (LinkState.UNSYNCED, LinkState.GONE):
        state.doubt(ctx.now)


def _delete(link: Link, side: Side, ctx: Context) -> None:
    if link.state not in (LinkState.UNSYNCED, LinkState.GONE):
        give_up(link, ctx)
        link.state, link.reason = LinkState.GONE, Cause.DELETED
        link.reason_text = f"The item was deleted in {side.vendor}. Tandem keeps the other one and deletes nothing."
