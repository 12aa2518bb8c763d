"""The loop between a subscription and a handler: order per key, concurrency across keys, commits, fates.

Called by every service that reads a topic. At least once: a handler is idempotent. What becomes of a message whose
handler failed is decided by `shared.runtime.fate`; how far may be committed by `shared.runtime.progress`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from shared.domain.clock import Clock, Dice
from shared.messages.base import Message
from shared.observability.catalogue.process import OLDEST_UNFINISHED_SECONDS, UNFINISHED
from shared.runtime.envelope import Envelope, decode
from shared.runtime.error_words import told
from shared.runtime.fate import Again, DeadLetterBudget, judge
from shared.runtime.log import LogUnavailable, ReceivedRecord, Subscription
from shared.runtime.logs import correlation
from shared.runtime.progress import Entry, Progress
from shared.runtime.publisher import Publisher
from shared.runtime.reports import Reports
from shared.runtime.stopping import FINISH_S
from shared.runtime.trace import new_traceparent, trace_id, traced

Handler = Callable[[Message], Awaitable[None]]

_POLL_S: Final = 5.0
_AWAY_PAUSE_S: Final = 0.5
_LAST_COMMIT_S: Final = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a consumer takes on, besides `max_in_flight`, which limits the handlers that run."""

    buffered: int = 4096
    """Messages received and not at their end. Far above `max_in_flight`, so that some stuck keys stop nobody else."""
    buffered_bytes: int = 64 * 1024 * 1024
    dead_per_minute: int = 100
    grace_s: float = FINISH_S
    """How long running handlers may go on after stop; those that take longer are cancelled, and redelivered later."""
    commit_every_s: float = 0.2


async def consume(
    subscription: Subscription,
    handle: Handler,
    *,
    publisher: Publisher,
    clock: Clock,
    dice: Dice,
    stop: asyncio.Event,
    name: str,
    max_in_flight: int = 256,
    limits: Limits | None = None,
) -> None:
    """Give each message to `handle` until `stop` is set; then finish what runs, commit, close the subscription, return.

    Messages of one topic and key are handled one after the other, others concurrently, at most `max_in_flight` at a
    time. A message that waits for its next attempt holds back its own key only. Offsets are committed once everything
    before them is handled or dead-lettered. Raises `DeadLetterLimitReached`; the log being away is waited out. When
    cancelled it leaves everything as it is, like a crash.
    """
    run = _Run(subscription, handle, publisher, clock, dice, stop, name, max_in_flight, limits or Limits())
    await run.until_stopped()


class _Run:
    """One call of `consume`."""

    def __init__(
        self,
        subscription: Subscription,
        handle: Handler,
        publisher: Publisher,
        clock: Clock,
        dice: Dice,
        stop: asyncio.Event,
        name: str,
        max_in_flight: int,
        limits: Limits,
    ) -> None:
        self._subscription = subscription
        self._handle = handle
        self._publisher = publisher
        self._clock = clock
        self._dice = dice
        self._stop = stop
        self._name = name
        self._limits = limits
        self._slots = asyncio.Semaphore(max_in_flight)
        self._budget = DeadLetterBudget(limits.dead_per_minute, clock)
        self._progress = Progress()
        self._reports = Reports(name, clock)
        self._lanes: dict[tuple[str, str], deque[Entry]] = {}
        """Unfinished messages by topic and key; each lane has one task that works on it."""
        self._workers: set[asyncio.Task[None]] = set()
        self._buffered = 0
        self._buffered_bytes = 0
        self._room = asyncio.Event()
        self._finished = asyncio.Event()

    async def until_stopped(self) -> None:
        # The last consumer of a service is the one that is asked.
        UNFINISHED.watch(lambda: float(self._buffered), component=self._name)
        OLDEST_UNFINISHED_SECONDS.watch(lambda: self._progress.oldest(self._reports.age_s), component=self._name)
        try:
            async with asyncio.TaskGroup() as tasks:
                committing = tasks.create_task(self._keep_committing(), name=f"{self._name} commits")
                await self._receive_until_stopped(tasks)
                await self._finish_running()
                committing.cancel()
        except ExceptionGroup as failures:
            await self._leave()
            # The first failure cancelled everything else; it is the one to act on.
            raise failures.exceptions[0] from None
        await self._leave()

    # receiving

    async def _receive_until_stopped(self, tasks: asyncio.TaskGroup) -> None:
        stopped = tasks.create_task(self._stop.wait(), name=f"{self._name} stop")
        while not self._stop.is_set():
            room = self._limits.buffered - self._buffered
            if room <= 0 or self._buffered_bytes >= self._limits.buffered_bytes:
                self._room.clear()
                await _either(tasks.create_task(self._room.wait()), stopped)
                continue
            receiving = tasks.create_task(self._receive(room), name=f"{self._name} receives")
            if await _either(receiving, stopped):
                for record in receiving.result():
                    self._enqueue(record, tasks)

    async def _receive(self, room: int) -> Sequence[ReceivedRecord]:
        try:
            return await self._subscription.receive(room, _POLL_S)
        except LogUnavailable as error:
            _log.warning("log unavailable", consumer=self._name, error=told(error))
            await asyncio.sleep(_AWAY_PAUSE_S)
            return ()

    def _enqueue(self, record: ReceivedRecord, tasks: asyncio.TaskGroup) -> None:
        entry = self._progress.begin(record, self._clock.monotonic())
        self._buffered += 1
        self._buffered_bytes += len(record.value or b"")
        key = (record.topic, record.key)
        if key in self._lanes:
            self._lanes[key].append(entry)
            return
        self._lanes[key] = deque([entry])
        worker = tasks.create_task(self._work(key), name=f"{self._name} {record.topic} {record.key}")
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    # handling

    async def _work(self, key: tuple[str, str]) -> None:
        """Handle the messages of one lane in order, until it is empty or stop is set."""
        lane = self._lanes[key]
        while lane and not self._stop.is_set():
            entry = lane[0]
            if await self._see_through(entry):
                self._progress.finish(entry)
                self._finished.set()
            lane.popleft()
            self._buffered -= 1
            self._buffered_bytes -= len(entry.record.value or b"")
            self._room.set()
        del self._lanes[key]

    async def _see_through(self, entry: Entry) -> bool:
        """Bring a message to its end. False: left as it was, because of stop or because the log will show it again."""
        attempt = 0
        while True:
            attempt += 1
            async with self._slots:
                if self._stop.is_set() or entry.superseded:
                    return False
                again = await self._attempt(entry, attempt)
            if again is None:
                return True
            if await self._stopped_within(again.delay_s):
                return False

    async def _attempt(self, entry: Entry, attempt: int) -> Again | None:
        """Handle a message once, or put it away for good: then None."""
        record = entry.record
        envelope: Envelope | None = None
        try:
            envelope = decode(record)
            await self._call_handler(envelope)
        except Exception as error:  # noqa: BLE001  # every failure gets its fate, by its class
            verdict = judge(error, attempt, self._dice)
            if not isinstance(verdict, Again):
                verdict = await self._bury(record, verdict.reason, attempt) or verdict
            if isinstance(verdict, Again):
                self._reports.again(entry, envelope, attempt, error, verdict.delay_s)
                return verdict
            self._reports.end(entry, envelope, attempt, verdict.fate, verdict.reason)
            return None
        self._reports.end(entry, envelope, attempt, "handled", None)
        return None

    async def _call_handler(self, envelope: Envelope) -> None:
        traceparent = envelope.traceparent or new_traceparent(self._dice)
        ids = {**correlation(envelope.message), "trace": trace_id(traceparent)}
        with traced(traceparent), structlog.contextvars.bound_contextvars(**ids):
            try:
                await self._handle(envelope.message)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Not we were cancelled but something that the handler waited for: a failure like any other.
                raise RuntimeError("something that the handler waited for was cancelled") from None

    async def _bury(self, record: ReceivedRecord, reason: str, attempt: int) -> Again | None:
        """Write a dead letter. `Again` if the log does not take it now."""
        self._budget.spend()
        try:
            await self._publisher.dead(record, reason)
        except LogUnavailable as error:
            self._budget.refund()
            verdict = judge(error, attempt, self._dice)
            return verdict if isinstance(verdict, Again) else None
        return None

    # committing

    async def _keep_committing(self) -> None:
        while True:
            await self._finished.wait()
            self._finished.clear()
            await self._commit()
            await asyncio.sleep(self._limits.commit_every_s)

    async def _commit(self) -> None:
        positions = self._progress.positions()
        if not positions:
            return
        try:
            await self._subscription.commit(positions)
        except LogUnavailable as error:
            self._finished.set()
            _log.warning("commit not possible now", consumer=self._name, error=told(error))
        else:
            self._progress.mark_committed(positions)

    # stopping

    async def _stopped_within(self, delay_s: float) -> bool:
        try:
            async with asyncio.timeout(delay_s):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    async def _finish_running(self) -> None:
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=self._limits.grace_s)
            for worker in late:
                _log.warning("handler took longer than the grace time", consumer=self._name, lane=worker.get_name())
                worker.cancel()

    async def _leave(self) -> None:
        """Commit what is done and leave the group; the log being away only means that more is redelivered later."""
        try:
            async with asyncio.timeout(_LAST_COMMIT_S):
                await self._commit()
                await self._subscription.close()
        except (TimeoutError, LogUnavailable) as error:
            _log.warning("left without a word", consumer=self._name, error=told(error))


async def _either(wanted: asyncio.Task[Any], stopped: asyncio.Task[Any]) -> bool:
    """Wait for one of two tasks; cancel `wanted` if it was not the one. Return whether `wanted` has a result."""
    await asyncio.wait((wanted, stopped), return_when=asyncio.FIRST_COMPLETED)
    if wanted.done():
        return not wanted.cancelled()
    wanted.cancel()
    return False
