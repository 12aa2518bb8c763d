"""What a vendor shows: of an item in a link, of a new one, of one that a create of ours made (PROTOCOL, Change and
Create).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from services.mapper.domain import reasons
from services.mapper.domain.absence import counts, not_found, shown
from services.mapper.domain.context import Context
from services.mapper.domain.create import begin_create, created, leave_out
from services.mapper.domain.entities import candidates_of, correlation_key_of, has_no_key, is_by_us
from services.mapper.domain.home import Home, home_of, is_asked_of_its_parent, parent_of, root_of
from services.mapper.domain.labels import label
from services.mapper.domain.names import keep_names
from services.mapper.domain.observation import from_change
from services.mapper.domain.order import Observed, observe
from services.mapper.domain.requests import create_now, follows_by_itself, is_single, rehome
from services.mapper.handlers.answers import (
    NO_INTEGRATION,
    NOT_COVERED,
    NOT_SETTLED,
    POSSIBLE_DUPLICATE,
    answer_look,
    came_to,
)
from services.mapper.handlers.conclusion import Conclusion
from services.mapper.handlers.requests import begin_anew
from services.mapper.handlers.successors import Successors
from shared.domain.clock import Clock, Dice
from shared.domain.ids import IntegrationId, LinkId
from shared.domain.link import Link, LinkState, OperationKind, Result
from shared.domain.mapping import Integration
from shared.domain.requests import RequestKind, Situation, Step, judge, situation_of
from shared.messages.base import Message
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.status import Cause
from shared.observability.catalogue.flow import DRIFT
from shared.store.port import Contended, LinkTransaction

PARK_FOR = timedelta(seconds=5)
"""How long an entity of our own making without link waits before it is looked at again."""

_NOT_BY_ITS_OWN = frozenset({Cause.DIRECTION_OFF, Cause.TYPE_NOT_MAPPED})
"""Reasons why an item waits that another integration may not have."""

log = structlog.get_logger(__name__)


class Changes:
    """Handles `ChangeEvent`."""

    def __init__(self, conclusion: Conclusion, clock: Clock, dice: Dice) -> None:
        self._conclusion = conclusion
        self._clock = clock
        self._successors = Successors(conclusion, clock, dice)

    async def handle(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        """Observe a change and decide; return what is to be published after the commit."""
        link = await tx.lock_entity(event.side, event.connection_id, event.entity_id)
        if link is None:
            return await self._new_entity(tx, event)
        await self._conclusion.no_longer_parked(tx, link, event.side, event.entity_id)
        await self._find_a_home(tx, link, event)
        ctx = await self._conclusion.context(tx, link, event)
        if ctx is None:
            await answer_look(tx, event, NO_INTEGRATION, link.id, self._clock.now())
            return []
        if event.kind is not ChangeKind.SEEN:
            not_found(link, event, ctx)
        elif event.snapshot is None:
            link.side(event.side).doubt(min(event.observed_at, ctx.now))
        else:
            read = counts(link, event)
            unread = link.side(event.side).dirty
            observed = _look(link, event, event.snapshot, ctx)
            shown(link, event, ctx, read=read)
            if event.origin is Origin.COMPARE and (observed.accepted or link.side(event.side).dirty > unread):
                DRIFT.inc(integration=link.integration_id, system=event.side)
        if event.origin is Origin.REQUEST and event.snapshot is not None:
            return await self._asked_for(tx, link, event, ctx)
        return await self._conclusion.conclude(tx, link, ctx)

    async def _asked_for(self, tx: LinkTransaction, link: Link, event: ChangeEvent, ctx: Context) -> list[Message]:
        """Carry out a push or pull, or answer why not."""
        cell = judge(link, RequestKind.CARRY)
        if cell is Step.BEGIN_ANEW or (cell is Step.CREATE and link.origin.other in link.successors):
            anew, effects = await begin_anew(self._successors, tx, link, event.side, ctx)
            _look(anew, event, event.snapshot or {}, ctx)
            effects += await self._conclusion.wake_children(tx, anew)
            link, cell = anew, Step.BEGIN_ANEW
        else:
            effects = []
            if cell is Step.CREATE:
                create_now(link, ctx)
        effects += await self._conclusion.conclude(tx, link, ctx)
        await answer_look(tx, event, came_to(cell, link, ctx), link.id, ctx.now)
        return effects

    async def _find_a_home(self, tx: LinkTransaction, link: Link, event: ChangeEvent) -> None:
        """Give an item of which nothing was carried yet to the integration that a person chose for it, or that its
        parent or a rule says by now; or to one that creates items of it where its own does not.
        """
        if event.snapshot is None or not is_single(link) or link.origin is not event.side:
            return
        untaken = situation_of(link) is Situation.NOT_TAKEN
        chosen = event.integration_id is not None and (untaken or event.integration_id != link.integration_id)
        if not chosen and not follows_by_itself(link):
            return
        home = await self._home(tx, event, candidates_of(event, await tx.integrations_of(event.connection_id)))
        if home is None or (home.integration.id == link.integration_id and not untaken):
            return
        if untaken:
            link.enter(LinkState.CREATING)
        if home.integration.id != link.integration_id and (home.said or untaken or link.reason in _NOT_BY_ITS_OWN):
            rehome(link, home.integration)

    @staticmethod
    async def _home(tx: LinkTransaction, event: ChangeEvent, candidates: Sequence[Integration]) -> Home | None:
        """Return where an item belongs; its parent's link is held still until that is decided."""
        above: IntegrationId | None = None
        if event.integration_id is None and is_asked_of_its_parent(candidates, event.side):
            parent = parent_of(event, candidates)
            if parent is not None and parent != event.entity_id:
                above = root_of(parent, event.side, candidates)
                linked = await tx.share_entity(event.side, event.connection_id, parent) if above is None else None
                above = linked.integration_id if linked is not None else above
        return home_of(event, candidates, above)

    async def _new_entity(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        """PROTOCOL, Create 1 and 2: an entity that is in no link yet."""
        if event.kind is not ChangeKind.SEEN:
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            if event.kind is ChangeKind.DELETED:
                # Whoever looked at a possible duplicate has deleted it; one that is still there is flagged again.
                await tx.unflag_stray(event.side, event.connection_id, event.entity_id)
            return []
        if event.snapshot is None:
            return []  # nothing to create; a thin event is read by the reconciler and comes again
        connection = await tx.connection(event.connection_id)
        everywhere = await tx.integrations_of(event.connection_id)
        integrations = candidates_of(event, everywhere)
        if connection is None or not integrations:
            return await self._leave(tx, event)
        if is_by_us(event, connection):
            key, known = correlation_key_of(event, everywhere)
            if key is not None:
                await answer_look(tx, event, POSSIBLE_DUPLICATE, None, self._clock.now())
                return await self._one_of_ours(tx, event, LinkId(key))
            keyless = has_no_key(event, integrations)
            if keyless or not known:
                await answer_look(tx, event, NOT_SETTLED, None, self._clock.now())
                return await self._park(tx, event, keyless=keyless)
        home = await self._home(tx, event, integrations)
        if home is None and event.integration_id is not None:
            return await self._leave(tx, event)
        if event.replayed:
            # Nothing is made of what may be long gone or changed: the reconciler looks at it first, and tells.
            await tx.park(event.side, event.connection_id, event.entity_id, _body(event), self._clock.now())
            return []
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        if home is None:
            return await self._insert(tx, event, integrations[0], taken=False)
        return await self._insert(tx, event, home.integration)

    async def _leave(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        """Leave an item alone that no integration covers, or not the one that a person chose."""
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        await answer_look(tx, event, NOT_COVERED, None, self._clock.now())
        log.info("change_skipped", reason=Cause.NO_INTEGRATION, entity_id=event.entity_id)
        return []

    async def _insert(
        self, tx: LinkTransaction, event: ChangeEvent, integration: Integration, *, taken: bool = True
    ) -> list[Message]:
        """Give an item a row from the moment it is seen, whatever becomes of it (P13); also one that no rule takes."""
        link = self._successors.made(integration, {event.side: event.entity_id}, state=LinkState.WAITING)
        link.asked = event.origin is Origin.REQUEST
        ctx = await self._conclusion.context(tx, link, event)
        if ctx is None:
            return []
        _look(link, event, event.snapshot or {}, ctx)
        shown(link, event, ctx, read=False)
        ctx = await self._conclusion.with_parents(tx, link, ctx)
        if not taken:
            leave_out(link, ctx)
        op = begin_create(link, ctx)
        if not await tx.insert(link):
            raise Contended("another input inserted the link of this entity meanwhile")
        await self._conclusion.remember(tx, ctx)
        await answer_look(tx, event, came_to(Step.CREATE, link, ctx), link.id, ctx.now)
        return await self._conclusion.publishable(tx, link, ctx, op)

    async def _one_of_ours(self, tx: LinkTransaction, event: ChangeEvent, link_id: LinkId) -> list[Message]:
        """An entity that carries the key of one of our creates: adopt it, or flag a duplicate (PROTOCOL F1, F8)."""
        link = await tx.lock_link(link_id)
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        if link is None or link.connection(event.side) != event.connection_id:
            await tx.flag_stray(event.side, event.connection_id, event.entity_id, None, reasons.UNKNOWN_MARK)
            return []
        joined = link.entity_id(event.side)
        if (joined is not None and joined != event.entity_id) or link.successors:
            reason = reasons.SECOND_COUNTERPART if joined else reasons.MADE_FOR_ANOTHER
            await tx.flag_stray(event.side, event.connection_id, event.entity_id, link.id, reason)
            return []
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return []
        effects: list[Message] = []
        if joined is None:
            op = next((o for o in reversed(link.operations) if o.kind is OperationKind.CREATE), None)
            if op is None:
                await tx.flag_stray(event.side, event.connection_id, event.entity_id, link.id, reasons.FORGOTTEN_MARK)
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
                reasons.NOT_BY_SYNCING,
            )
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            return []
        until = self._clock.now() + PARK_FOR
        await tx.park(event.side, event.connection_id, event.entity_id, _body(event), until)
        return []


def _body(event: ChangeEvent) -> bytes:
    return event.model_dump_json(exclude_defaults=True).encode()


def _look(link: Link, event: ChangeEvent, snapshot: Mapping[str, Any], ctx: Context) -> Observed:
    """Take in what an event shows of its item, and return what that moved."""
    observation = from_change(event, ctx.integration)
    observed = observe(link, observation, ctx)
    label(link, observation, snapshot, ctx.now, fresh=observation.fresh and observed.fresh)
    keep_names(link, event.side, ctx.integration, snapshot)
    return observed
