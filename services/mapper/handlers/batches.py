"""Inputs that wait at the same moment share one transaction: its round trips and its commit (ADR 0015).

An input that cannot be handled with others (its link is held elsewhere, or it fails) gets a transaction of its own,
where it may wait and fail without any other. What a batch decided is given out only after its commit.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.messages.request import SyncRequest
from shared.messages.trouble import Trouble
from shared.messages.write import WriteOutcome
from shared.observability.catalogue.flow import BATCH_INPUTS, HANDLED_ALONE
from shared.runtime.error_words import told
from shared.runtime.gather import Gatherer
from shared.store.port import BatchTransaction, LinkStore, LinkTransaction, Name, StoreUnavailable

Decide = Callable[[LinkTransaction, Message], Awaitable[list[Message]]]

ALONE_AT_ONCE: Final = 4
"""Most inputs that have a transaction of their own at a time: the store's connections have to do for batches too."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is put together."""

    inputs: int = 64
    """Most inputs of one batch: bounds how long one of them waits for the others."""
    at_once: int = 2
    """Most batches under way: while one waits for the store, the next one decides."""


@dataclass(eq=False, slots=True)
class _Input:
    message: Message
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    """Whose the log lines of its handler are."""


class _Undo(Exception):
    """Some inputs of this batch failed: it is rolled back, and begun again without them."""


class Batches:
    """Runs `decide` on messages within transactions. Safe to call many times over in parallel."""

    def __init__(self, links: LinkStore, decide: Decide, limits: Limits) -> None:
        self._links = links
        self._decide = decide
        self._gatherer = Gatherer(self._together, most=limits.inputs, at_once=limits.at_once)
        self._alone = asyncio.Semaphore(ALONE_AT_ONCE)

    async def handle(self, message: Message) -> list[Message]:
        """Return what `decide` returned for a message, once its transaction is committed. Raises what it raised."""
        effects = await self._gatherer.submit(_Input(message))
        if effects is not None:
            return effects
        async with self._alone, self._links.transaction() as tx:
            return await self._decide(tx, message)

    async def _together(self, inputs: Sequence[_Input]) -> Sequence[list[Message] | None]:
        """Return the effects of each input, None for those to be handled alone."""
        BATCH_INPUTS.observe(len(inputs))
        effects: dict[_Input, list[Message]] = {}
        left = await self._attempt(inputs, effects)
        if left:
            await self._attempt(left, effects)
        return [effects.get(each) for each in inputs]

    async def _attempt(self, inputs: Sequence[_Input], effects: dict[_Input, list[Message]]) -> Sequence[_Input]:
        """Handle these in one transaction; add the effects if it is committed, else return those worth another try.

        A failure is not judged here: alone, the input meets it again, and its class decides. Raises `StoreUnavailable`.
        """
        done: dict[_Input, list[Message]] = {}
        try:
            async with self._links.batch() as tx:
                await self._decide_each(tx, inputs, done)
        except _Undo:
            return list(done)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whose failure it is cannot be told
            log.info("batch taken apart", inputs=len(done), error=told(error))
            _count("failed", len(done))
            return ()
        effects.update(done)
        return ()

    async def _decide_each(
        self, tx: BatchTransaction, inputs: Sequence[_Input], done: dict[_Input, list[Message]]
    ) -> None:
        """Handle those whose links are free, one after the other. Raises `_Undo` at the end if any of them failed."""
        names = {each: _names_of(each.message) for each in inputs}
        held = await tx.foresee({name for each in inputs for name in names[each]})
        free = [each for each in inputs if held.isdisjoint(names[each])]
        for each in free:
            try:
                done[each] = await self._in_context(tx, each)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # alone it is met again
                log.info("input taken out of a batch", error=told(error))
        _count("held", len(inputs) - len(free))
        _count("failed", len(free) - len(done))
        if len(done) < len(free):
            raise _Undo

    async def _in_context(self, tx: LinkTransaction, each: _Input) -> list[Message]:
        async def decide() -> list[Message]:
            return await self._decide(tx, each.message)

        return await asyncio.get_running_loop().create_task(decide(), context=each.context)


def _names_of(message: Message) -> Sequence[Name]:
    """Return the links that a message is about, as far as it tells."""
    match message:
        case ChangeEvent():
            return [(message.side, message.connection_id, message.entity_id)]
        case WriteOutcome() | Trouble():
            return [message.link_id]
        case SyncRequest():
            return [message.link_id] if message.link_id else []
        case _:
            return []


def _count(why: Literal["held", "failed"], inputs: int) -> None:
    if inputs:
        HANDLED_ALONE.inc(inputs, why=why)
