"""How writes ended: the open operation's outcome closes it, any other is an observation (PROTOCOL, Outcome)."""

from __future__ import annotations

from collections.abc import Iterable

from services.mapper.domain import reasons
from services.mapper.domain.context import Context
from services.mapper.domain.create import created, refused
from services.mapper.domain.labels import label
from services.mapper.domain.names import keep_names
from services.mapper.domain.observation import from_outcome
from services.mapper.domain.outcome import end_operation, first_look, observe_other
from services.mapper.handlers.conclusion import Conclusion
from shared.domain.errors import Poison
from shared.domain.ids import EntityId
from shared.domain.link import Link, LinkState, Operation, OperationKind, Result
from shared.messages.base import Message
from shared.messages.status import Cause
from shared.messages.write import WriteOutcome
from shared.store.port import LinkTransaction


class Outcomes:
    """Handles `WriteOutcome`."""

    def __init__(self, conclusion: Conclusion) -> None:
        self._conclusion = conclusion

    async def handle(self, tx: LinkTransaction, outcome: WriteOutcome) -> list[Message]:
        """End an operation and decide; return what is to be published after the commit."""
        link = await tx.lock_link(outcome.link_id)
        if link is None:
            raise Poison(f"there is no link {outcome.link_id}")
        ctx = await self._conclusion.context(tx, link)
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
        observation = from_outcome(outcome, ctx.integration)
        if observation is not None:
            label(link, observation, outcome.snapshot or {}, ctx.now, fresh=False)
            keep_names(link, outcome.target, ctx.integration, outcome.snapshot or {})
        return effects + await self._conclusion.conclude(tx, link, ctx)

    async def _other_outcome(
        self, tx: LinkTransaction, link: Link, outcome: WriteOutcome, ctx: Context
    ) -> list[Message]:
        joined = link.entity_id(outcome.target)
        if link.successors and joined is None:
            if outcome.entity_id is not None:
                where = link.connection(outcome.target)
                await tx.flag_stray(outcome.target, where, outcome.entity_id, link.id, reasons.MADE_FOR_ANOTHER)
            return []
        if outcome.entity_id is not None and joined is not None and outcome.entity_id != joined:
            where = link.connection(outcome.target)
            await tx.flag_stray(outcome.target, where, outcome.entity_id, link.id, reasons.MADE_LATE)
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
            where = link.connection(outcome.target)
            await tx.flag_stray(outcome.target, where, entity_id, link.id, reasons.MADE_AFTER_ALL)
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
        await self._conclusion.no_longer_parked(tx, link, op.target, entity_id)
        op.result = Result.APPLIED
        created(link, op, entity_id, ctx)
        return await self._conclusion.wake_children(tx, link)


def _ask(link: Link, op: Operation, entity_ids: Iterable[EntityId], ctx: Context) -> None:
    op.open, op.result, op.done_at, link.op_id = False, Result.REJECTED, ctx.now, None
    words = f"One of these may already be the counterpart, but that cannot be told: {', '.join(entity_ids)}."
    link.enter(LinkState.ASK, Cause.MAYBE_DUPLICATE, words)
