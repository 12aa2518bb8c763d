"""A consumer on a log in memory, with what a test needs to watch it: the bench on which the laws are tested."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import LinkId
from shared.fakes.log import MemoryLog
from shared.messages.base import Message
from shared.messages.request import RequestKind, SyncRequest
from shared.runtime.consumer import Handler, Limits, consume
from shared.runtime.log import ReceivedRecord, Record
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic
from tests.patience import HANGS_S

GROUP = "readers"
DEADLINE_S = HANGS_S


class Hasty(SeededDice):
    """Dice by which every wait is cut to nothing."""

    def uniform(self, low: float, high: float) -> float:
        del low, high
        return 0.0


@dataclass
class Bench:
    """A log, a publisher, and consumers that run until they are stopped."""

    log: MemoryLog = field(default_factory=MemoryLog)
    clock: SystemClock = field(default_factory=SystemClock)
    dice: SeededDice = field(default_factory=lambda: SeededDice(7))

    @property
    def publisher(self) -> Publisher:
        return Publisher(self.log, source="bench", clock=self.clock, dice=self.dice)

    async def ask(self, *requests: tuple[str, str]) -> None:
        """Publish requests: pairs of link and request id."""
        await self.publisher.publish(*(request(link, number) for link, number in requests))

    async def put_raw(self, key: str, value: bytes) -> None:
        """Publish what is no message."""
        await self.log.publish([Record(Topic.REQUESTS, key, value, {"origin": "elsewhere"})])

    @asynccontextmanager
    async def consuming(
        self, handle: Handler, *, max_in_flight: int = 256, limits: Limits | None = None
    ) -> AsyncIterator[Run]:
        """Run a consumer within the block; stop it at the end and wait for it."""
        run = await self.start(handle, max_in_flight=max_in_flight, limits=limits)
        try:
            yield run
            await run.stopped()
        finally:
            run.task.cancel()
            await asyncio.gather(run.task, return_exceptions=True)

    async def start(self, handle: Handler, *, max_in_flight: int = 256, limits: Limits | None = None) -> Run:
        """Start a consumer, which the caller stops or kills."""
        stop = asyncio.Event()
        subscription = await self.log.subscribe(GROUP, [Topic.REQUESTS])
        working = consume(
            subscription,
            handle,
            publisher=self.publisher,
            clock=self.clock,
            dice=self.dice,
            stop=stop,
            name="bench",
            max_in_flight=max_in_flight,
            limits=limits,
        )
        return Run(asyncio.create_task(working), stop)

    def dead(self) -> Sequence[ReceivedRecord]:
        """Return the dead letters."""
        return self.log.records(Topic.DEAD)


@dataclass(frozen=True)
class Run:
    """A consumer that runs."""

    task: asyncio.Task[None]
    stop: asyncio.Event

    async def stopped(self) -> None:
        """Stop it and wait until it has returned; raise what it raised."""
        self.stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await self.task

    async def killed(self) -> None:
        """End it without a chance to finish or commit, as `kill -9` does."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def request(link: str, number: str) -> SyncRequest:
    """Return a request for a link that asks for nothing."""
    return SyncRequest(
        request_id=number,
        kind=RequestKind.DECIDE,
        requested_by="clock",
        requested_at=datetime(2026, 1, 5, tzinfo=UTC),
        link_id=LinkId(link),
    )


def named(message: Message) -> tuple[str, str]:
    """Return link and request id of a message."""
    assert isinstance(message, SyncRequest)
    return str(message.link_id), message.request_id


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition. Raises TimeoutError after ten seconds."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.005)
