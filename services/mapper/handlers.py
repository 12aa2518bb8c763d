"""The mapper's use cases: one message, one transaction under the link's row lock; messages are published after the
commit.

Every handler may be run again with the same message at any time. What it raises (`Contended`, `StoreUnavailable`,
`LogUnavailable`) makes the consumer run it again; nothing is lost if the publishing fails, since the clocks find
work by state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import structlog

from services.mapper.domain.apply import apply
from services.mapper.domain.context import Context
from services.mapper.domain.create import begin_create, created, facts_of, label, refused, wants_create
from services.mapper.domain.decide import decide
from services.mapper.domain.entities import candidates_of, correlation_key_of, is_by_us
from services.mapper.domain.observation import from_change
from services.mapper.domain.order import observe
from services.mapper.domain.outcome import end_operation, first_look, observe_other
from services.mapper.domain.people import maps_people, people_of
from services.mapper.domain.requests import adopt, carry_out, give_up, resync
from services.mapper.domain.revision import follow
from services.mapper.domain.status import describe
from services.mapper.ports import Ports
from shared.clients.people import people_in
from shared.domain.errors import Poison
from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link, LinkState, Operation, OperationKind, Result
from shared.domain.mapping import FieldKind, Integration, Mode
from shared.domain.person import Person
from shared.fields.people import NO_PEOPLE
from shared.fields.translate import Parents
from shared.messages.base import Message
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause
from shared.messages.write import WriteCommand, WriteOutcome
from shared.runtime.publisher import Publisher
from shared.store.people import look_up
from shared.store.port import Contended, LinkTransaction

PARK_FOR = timedelta(seconds=5)
"""How long an entity of our own making without link waits before it is looked at again."""

_ADOPTS = frozenset({LinkState.ASK, LinkState.WAITING, LinkState.EXCLUDED, LinkState.UNSYNCED})
"""States in which a link without counterpart takes one that a person names."""

log = structlog.get_logger(__name__)


class Mapper:
    """Handles changes, outcomes and requests. Idempotent per message; safe to run many times over in parallel."""

    def __init__(self, ports: Ports, publisher: Publisher) -> None:
        self._links = ports.links
        self._clock = ports.clock
        self._dice = ports.dice
        self._publisher = publisher

    async def handle(self, message: Message) -> None:
        """Handle one message of any kind that the mapper subscribes to. Raises `Poison` for any other kind."""
        async with self._links.transaction() as tx:
            match message:
                case ChangeEvent():
                    effects = await self._on_change(tx, message)
                case WriteOutcome():
                    effects = await self._on_outcome(tx, message)
                case SyncRequest():
                    effects = await self._on_request(tx, message)
                case _:
                    raise Poison(f"the mapper does not handle {type(message).__name__}")
        if effects:
            await self._publisher.publish(*effects)

    async def _on_change(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        link = await tx.lock_entity(event.side, event.connection_id, event.entity_id)
        if link is None:
            return await self._new_entity(tx, event)
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        ctx = await self._context(tx, link, event)
        if ctx is None:
            return []
        if event.kind is ChangeKind.DELETED:
            _delete(link, event.side, ctx)
        elif event.snapshot is None:
            link.side(event.side).dirty_since = link.side(event.side).dirty_since or ctx.now
        else:
            observe(link, from_change(event, ctx.integration), ctx)
            label(link, event.side, event.snapshot)
        return await self._conclude(tx, link, ctx)

    async def _new_entity(self, tx: LinkTransaction, event: ChangeEvent) -> list[Message]:
        """PROTOCOL, Create 1 and 2: an entity that is in no link yet."""
        if event.kind is ChangeKind.DELETED:
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            return []
        if event.snapshot is None:
            return []  # nothing to create; a thin event is read by the reconciler and comes again
        connection = await tx.connection(event.connection_id)
        integrations = candidates_of(event, await tx.integrations_of(event.connection_id))
        if connection is None or not integrations:
            await tx.unpark(event.side, event.connection_id, event.entity_id)
            log.info("change_skipped", reason=Cause.NO_INTEGRATION, entity_id=event.entity_id)
            return []
        integration = integrations[0]
        if is_by_us(event, connection):
            key, known = correlation_key_of(event, integration)
            if key is not None:
                return await self._one_of_ours(tx, event, LinkId(key))
            if not known:
                keyless = event.side is Side.CRAFT and integration.craft_key_field is None
                return await self._park(tx, event, keyless=keyless)
        await tx.unpark(event.side, event.connection_id, event.entity_id)
        mode = integration.mode_towards(event.side.other)
        if mode is Mode.OFF or (mode is Mode.MANUAL and event.origin is not Origin.REQUEST):
            log.info("change_skipped", reason=Cause.DIRECTION_MANUAL, mode=mode, entity_id=event.entity_id)
            return []
        return await self._insert(tx, event, integration)

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
        ctx = await self._context(tx, link, event)
        if ctx is None:
            return []
        observe(link, from_change(event, ctx.integration), ctx)
        label(link, event.side, event.snapshot or {})
        ctx = await self._with_parents(tx, link, ctx)
        op = begin_create(link, ctx)
        if not await tx.insert(link):
            raise Contended("another input inserted the link of this entity meanwhile")
        await self._remember(tx, ctx)
        return await self._publishable(tx, link, ctx, op)

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
        ctx = await self._context(tx, link)
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
            effects += await self._wake_children(tx, link)
        observe(link, from_change(event, ctx.integration), ctx)
        label(link, event.side, event.snapshot or {})
        return effects + await self._conclude(tx, link, ctx)

    async def _park(self, tx: LinkTransaction, event: ChangeEvent, *, keyless: bool) -> list[Message]:
        """Wait until the creates that may have made this entity are settled; then flag it, never create from it."""
        since = await tx.parked(event.side, event.connection_id, event.entity_id)
        creates = await tx.open_creates(event.side, event.connection_id)
        if keyless and since is not None and not creates:
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

    async def _on_outcome(self, tx: LinkTransaction, outcome: WriteOutcome) -> list[Message]:
        link = await tx.lock_link(outcome.link_id)
        if link is None:
            raise Poison(f"there is no link {outcome.link_id}")
        ctx = await self._context(tx, link)
        if ctx is None:
            return []
        op = link.open_operation
        effects: list[Message] = []
        if op is None or op.id != outcome.op_id:
            effects += await self._other_outcome(tx, link, outcome, ctx)
        elif op.kind is OperationKind.CREATE:
            if outcome.result in (Result.APPLIED, Result.ALREADY) and outcome.entity_id is not None:
                effects += await self._created(tx, link, op, outcome.entity_id, ctx)
            elif outcome.ambiguous:
                _ask(link, op, outcome.ambiguous, ctx)
            elif outcome.result is Result.DEFERRED:
                end_operation(link, op, outcome, ctx)
            else:
                refused(link, op, outcome.errors, outcome.message, ctx)
            first_look(link, outcome, ctx)
        else:
            end_operation(link, op, outcome, ctx)
        if outcome.snapshot is not None:
            label(link, outcome.target, outcome.snapshot)
        return effects + await self._conclude(tx, link, ctx)

    async def _other_outcome(
        self, tx: LinkTransaction, link: Link, outcome: WriteOutcome, ctx: Context
    ) -> list[Message]:
        joined = link.entity_id(outcome.target)
        if outcome.entity_id is not None and joined is not None and outcome.entity_id != joined:
            reason = f"created late by {outcome.op_id}; the linked one is {joined}"
            await tx.flag_stray(outcome.target, link.connection(outcome.target), outcome.entity_id, link.id, reason)
            return []
        ended = next((op for op in link.operations if op.id == outcome.op_id), None)
        if (
            outcome.entity_id is not None
            and joined is None
            and ended is not None
            and ended.kind is OperationKind.CREATE
        ):
            return await self._created_after_all(tx, link, ended, outcome, outcome.entity_id, ctx)
        observe_other(link, outcome, ctx)
        return []

    async def _created_after_all(
        self,
        tx: LinkTransaction,
        link: Link,
        ended: Operation,
        outcome: WriteOutcome,
        entity_id: EntityId,
        ctx: Context,
    ) -> list[Message]:
        """Join what a create made that had already been given up; if another one is under way, that one is joined."""
        if link.op_id is not None:
            reason = f"created by {ended.id}, which had been given up; {link.op_id} is under way"
            await tx.flag_stray(outcome.target, link.connection(outcome.target), entity_id, link.id, reason)
            return []
        effects = await self._created(tx, link, ended, entity_id, ctx)
        first_look(link, outcome, ctx)
        return effects

    async def _created(
        self, tx: LinkTransaction, link: Link, op: Operation, entity_id: EntityId, ctx: Context
    ) -> list[Message]:
        taken = await tx.lock_entity(op.target, link.connection(op.target), entity_id)
        if taken is not None and taken.id != link.id:
            _ask(link, op, (entity_id,), ctx)
            return []
        await tx.unpark(op.target, link.connection(op.target), entity_id)
        op.result = Result.APPLIED
        created(link, op, entity_id, ctx)
        return await self._wake_children(tx, link)

    async def _wake_children(self, tx: LinkTransaction, link: Link) -> list[Message]:
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

    async def _on_request(self, tx: LinkTransaction, request: SyncRequest) -> list[Message]:
        if request.kind is RequestKind.LINK:
            return await self._link(tx, request)
        link = await tx.lock_link(request.link_id) if request.link_id else None
        if link is None:
            raise Poison(f"there is no link {request.link_id}")
        ctx = await self._context(tx, link)
        if ctx is None:
            return []
        carry_out(link, request, ctx)
        return await self._conclude(tx, link, ctx)

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
        ctx = await self._context(tx, link)
        if ctx is None:
            return []
        resync(link, ctx)
        if not await tx.insert(link):
            raise Contended("another input inserted a link of one of these items meanwhile")
        return [*await self._wake_children(tx, link), *await self._publishable(tx, link, ctx, None)]

    async def _adopt(self, tx: LinkTransaction, link: Link, side: Side, entity_id: EntityId) -> list[Message]:
        """Join an item to a link that lacks one: a person's answer to state ask, or instead of a create."""
        ctx = await self._context(tx, link)
        if ctx is None:
            return []
        await tx.unpark(side, link.connection(side), entity_id)
        adopt(link, side, entity_id, ctx)
        return [*await self._wake_children(tx, link), *await self._conclude(tx, link, ctx)]

    async def _context(self, tx: LinkTransaction, link: Link, event: ChangeEvent | None = None) -> Context | None:
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
        shown: tuple[Person, ...] = ()
        if event is not None and event.snapshot is not None and maps_people(integration):
            shown = people_in(event.side, event.connection_id, event.snapshot, now)
        ctx = Context(integration, accounts, now, shown=shown)
        follow(link, ctx)
        return ctx

    async def _with_parents(self, tx: LinkTransaction, link: Link, ctx: Context) -> Context:
        """Look up the counterparts of the parents that both sides show, and hold them still (PROTOCOL F21)."""
        known: dict[tuple[Side, EntityId], EntityId] = {}
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
                if counterpart is not None:
                    known[(side, parent_id)] = counterpart
        people = NO_PEOPLE
        if maps_people(ctx.integration):
            connections = {side: link.connection(side) for side in Side}
            people = await look_up(tx, people_of(link, ctx.integration), connections, ctx.shown)
        return replace(ctx, parents=Parents(known, ctx.integration.craft_root, people, facts_of(link)))

    async def _remember(self, tx: LinkTransaction, ctx: Context) -> None:
        """Store the people that were shown, as the last thing: nothing is waited for with their rows locked."""
        if ctx.shown:
            await tx.remember_people(ctx.shown)

    async def _conclude(self, tx: LinkTransaction, link: Link, ctx: Context) -> list[Message]:
        """Decide, save, and return what is to be published once the transaction is committed."""
        ctx = await self._with_parents(tx, link, ctx)
        op = begin_create(link, ctx) if wants_create(link) else apply(link, decide(link, ctx), ctx)
        await tx.save(link)
        await self._remember(tx, ctx)
        return await self._publishable(tx, link, ctx, op)

    async def _publishable(self, tx: LinkTransaction, link: Link, ctx: Context, op: Operation | None) -> list[Message]:
        status = describe(link, ctx)
        await tx.after_commit_status(status)
        return [*_commands(link, op), status]


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


def _delete(link: Link, side: Side, ctx: Context) -> None:
    if link.state not in (LinkState.UNSYNCED, LinkState.GONE):
        give_up(link, ctx)
        link.state, link.reason = LinkState.GONE, Cause.DELETED
        link.reason_text = f"The item was deleted in {side.vendor}. Tandem keeps the other one and deletes nothing."


def _ask(link: Link, op: Operation, entity_ids: Iterable[EntityId], ctx: Context) -> None:
    op.open, op.result, op.done_at, link.op_id = False, Result.REJECTED, ctx.now, None
    link.state, link.reason = LinkState.ASK, Cause.MAYBE_DUPLICATE
    link.reason_text = f"One of these may already be the counterpart, but that cannot be told: {', '.join(entity_ids)}."


def _pause(link: Link, down: str | None) -> None:
    """Follow the health of the connections: writes wait while one is down, and go on by themselves afterwards."""
    if link.state is LinkState.ACTIVE and down is not None:
        link.state, link.reason, link.reason_text = LinkState.PAUSED, Cause.CONNECTION_PAUSED, down
    elif link.state is LinkState.PAUSED and link.reason == Cause.CONNECTION_PAUSED and down is None:
        link.state, link.reason, link.reason_text = LinkState.ACTIVE, None, None
