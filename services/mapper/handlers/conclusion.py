"""What all inputs have in common: the circumstances before, the decision, the saving and the messages after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import structlog

from services.mapper.domain.apply import apply
from services.mapper.domain.blocked import lift
from services.mapper.domain.context import Context
from services.mapper.domain.create import begin_create, wants_create
from services.mapper.domain.decide import decide
from services.mapper.domain.labels import facts_of
from services.mapper.domain.lag import settle_lag
from services.mapper.domain.names import called
from services.mapper.domain.people import maps_people, people_of
from services.mapper.domain.requests import follows_by_itself, rehome
from services.mapper.domain.revision import follow
from services.mapper.domain.settling import resume
from services.mapper.domain.status import describe
from services.mapper.domain.trouble import forget_troubles
from shared.clients.people import people_in
from shared.domain.clock import Clock, Dice
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import Link, LinkState, Operation
from shared.domain.mapping import FieldKind, Integration
from shared.domain.person import Person
from shared.domain.requests import Situation, situation_of
from shared.fields.links import other_ends
from shared.fields.people import NO_PEOPLE
from shared.fields.translate import Parents
from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause
from shared.messages.write import WriteCommand
from shared.observability.catalogue.flow import BREAKER_TRIPS
from shared.store.people import look_up
from shared.store.port import LinkTransaction

log = structlog.get_logger(__name__)


class Conclusion:
    """Called by the handlers of each kind of input, within its transaction."""

    def __init__(self, clock: Clock, dice: Dice) -> None:
        self._clock = clock
        self._dice = dice

    async def context(self, tx: LinkTransaction, link: Link, event: ChangeEvent | None = None) -> Context | None:
        """Read the current revision in the deciding transaction (PROTOCOL F16); a connection that is down pauses the
        link.
        """
        integration = await tx.integration(link.integration_id)
        if integration is None:
            log.error("integration_missing", integration_id=link.integration_id, link_id=link.id)
            return None
        connections = {side: await tx.connection(link.connection(side)) for side in Side}
        accounts = {side: (c.account_id if c else None) for side, c in connections.items()}
        down = next((c for c in connections.values() if c is not None and c.paused_reason), None)
        _pause(link, f"{down.name}: {down.paused_reason}" if down else None)
        now = self._clock.now()
        resume(link, now)
        shown: tuple[Person, ...] = ()
        if event is not None and event.snapshot is not None and maps_people(integration):
            shown = people_in(event.side, event.connection_id, event.snapshot, now)
        ctx = Context(integration, accounts, now, shown=shown)
        follow(link, ctx)
        return ctx

    async def no_longer_parked(self, tx: LinkTransaction, link: Link, side: Side, entity_id: EntityId) -> None:
        """Forget what was parked of an entity that is in a link now; a fresh read follows.

        What was parked may be newer than what is at hand, and no feed shows it again.
        """
        if await tx.parked(side, link.connection(side), entity_id) is None:
            return
        await tx.unpark(side, link.connection(side), entity_id)
        link.side(side).doubt(self._clock.now())

    async def with_parents(self, tx: LinkTransaction, link: Link, ctx: Context) -> Context:
        """Look up the counterparts of the parents that both sides show, and hold them still (PROTOCOL F21).

        Those of dependencies are not held: two items that depend on each other would wait for each other.
        """
        known, apart = await _dependencies(tx, link, ctx), dict[tuple[Side, EntityId], str]()
        for pair in ctx.integration.pairs:
            if pair.kind is not FieldKind.PARENT:
                continue
            for side in Side:
                seen = link.side(side).pair(pair.id).seen
                if seen is None or seen.value is None:
                    continue
                parent_id = EntityId(str(seen.value))
                parent = await tx.share_entity(side, link.connection(side), parent_id)
                counterpart = parent.entity_id(side.other) if parent is not None else None
                if parent is None or counterpart is None:
                    continue
                known[(side, parent_id)] = counterpart
                there = await self._elsewhere(tx, parent, ctx.integration, side.other)
                if there is not None:
                    apart[(side, parent_id)] = there
        people = NO_PEOPLE
        if maps_people(ctx.integration):
            connections = {side: link.connection(side) for side in Side}
            people = await look_up(tx, people_of(link, ctx.integration), connections, ctx.shown)
        parents = Parents(known, ctx.integration.craft_root, people, facts_of(link), called(link))
        return replace(ctx, parents=parents, apart=apart)

    @staticmethod
    async def _elsewhere(tx: LinkTransaction, parent: Link, own: Integration, side: Side) -> str | None:
        """Return by what integration a parent is synced whose counterpart is in another project or workspace."""
        if parent.integration_id == own.id:
            return None
        there = await tx.integration(parent.integration_id)
        return None if there is None or _same_home(own, there, side) else there.name

    async def _at_home(self, tx: LinkTransaction, link: Link, ctx: Context) -> Context:
        """Have an item that is to be created go where its parent has gone by now: they were seen in any order.

        It is read afresh then: what was seen of it was seen by the fields of another integration.
        """
        if not follows_by_itself(link) or not wants_create(link):
            return ctx
        pair = next((each for each in ctx.integration.pairs if each.kind is FieldKind.PARENT), None)
        seen = link.side(link.origin).pair(pair.id).seen if pair is not None else None
        if seen is None or seen.value is None:
            return ctx
        connection_id, own = link.connection(link.origin), link.entity_id(link.origin)
        parent = await tx.share_entity(link.origin, connection_id, EntityId(str(seen.value)))
        if parent is None or parent.id == link.id or parent.integration_id == link.integration_id:
            return ctx
        there = await tx.integration(parent.integration_id)
        if there is None or not _same_home(ctx.integration, there, link.origin) or there.craft_root == own:
            return ctx
        rehome(link, there)
        link.side(link.origin).have_read(ctx.now)
        return await self.context(tx, link) or ctx

    async def remember(self, tx: LinkTransaction, ctx: Context) -> None:
        """Store the people that were shown, as the last thing: nothing is waited for with their rows locked."""
        if ctx.shown:
            await tx.remember_people(ctx.shown)

    async def conclude(self, tx: LinkTransaction, link: Link, ctx: Context) -> list[Message]:
        """Decide, save, and return what is to be published once the transaction is committed."""
        ctx = await self._at_home(tx, link, ctx)
        ctx = await self.with_parents(tx, link, ctx)
        lift(link, ctx.now)
        if situation_of(link) is Situation.NOT_TAKEN and link.revision_seen != ctx.integration.revision:
            link.revision_seen = ctx.integration.revision
            link.side(link.origin).doubt(ctx.now)  # what it shows, the rules as they are now may name
        tripped = len(link.tripped)
        op = begin_create(link, ctx) if wants_create(link) else apply(link, decide(link, ctx), ctx)
        if len(link.tripped) > tripped:
            BREAKER_TRIPS.inc(integration=link.integration_id)
        forget_troubles(link)
        settle_lag(link)
        await tx.save(link)
        await self.remember(tx, ctx)
        return await self.publishable(tx, link, ctx, op)

    async def publishable(self, tx: LinkTransaction, link: Link, ctx: Context, op: Operation | None) -> list[Message]:
        """Store the status that people see, and return it with the command of an operation that was opened."""
        status = describe(link, ctx)
        await tx.after_commit_status(status)
        return [*_commands(link, op), status]

    async def wake_children(self, tx: LinkTransaction, link: Link) -> list[Message]:
        """Have every item decided again that waits for one of these two."""
        waiting: set[LinkId] = set()
        for side in Side:
            entity_id = link.entity_id(side)
            if entity_id is not None:
                waiting.update(await tx.waiting_children(link.connection(side), entity_id, side))
        return [self._look_again(child) for child in sorted(waiting)]

    def _look_again(self, link_id: LinkId) -> SyncRequest:
        return SyncRequest(
            request_id=self._dice.token(),
            kind=RequestKind.DECIDE,
            requested_by="mapper",
            requested_at=self._clock.now(),
            link_id=link_id,
        )


def _same_home(one: Integration, other: Integration, side: Side) -> bool:
    return one.connection(side) == other.connection(side) and one.container(side) == other.container(side)


async def _dependencies(tx: LinkTransaction, link: Link, ctx: Context) -> dict[tuple[Side, EntityId], EntityId]:
    """Look up the issues of what an item depends on, and depended on when both sides last agreed."""
    others: set[EntityId] = set()
    for pair in ctx.integration.pairs:
        if pair.kind is FieldKind.LINKS:
            record = link.craft.pair(pair.id)
            for held in (record.seen, record.base):
                others |= other_ends(held.value) if held is not None else set()
    if not others:
        return {}
    connections = {side: link.connection(side) for side in Side}
    found = await tx.counterparts(Side.CRAFT, connections, sorted(others))
    return {(Side.CRAFT, item): issue for item, issue in found.items()}


def _commands(link: Link, op: Operation | None) -> Iterable[WriteCommand]:
    if op is None:
        return
    yield WriteCommand(
        op_id=op.id,
        link_id=link.id,
        integration_id=link.integration_id,
        target=op.target,
        kind=op.kind,
        revision=op.revision,
        fields={pair_id: write.value for pair_id, write in op.pairs.items()},
    )


def _pause(link: Link, down: str | None) -> None:
    """Follow the health of the connections: writes and creates wait while one is down, as a state and not as
    operations, and go on by themselves afterwards.
    """
    to_create = link.state in (LinkState.WAITING, LinkState.CREATING) and link.op_id is None
    if down is not None and (link.state is LinkState.ACTIVE or to_create):
        link.state, link.reason, link.reason_text = LinkState.PAUSED, Cause.CONNECTION_PAUSED, down
    elif link.state is LinkState.PAUSED and link.reason == Cause.CONNECTION_PAUSED and down is None:
        whole = link.jira_id is not None and link.craft_id is not None
        link.state, link.reason, link.reason_text = LinkState.ACTIVE if whole else LinkState.CREATING, None, None
