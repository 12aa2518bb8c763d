"""Delivery of a site's webhooks, as the vendor would: asynchronously, concurrently, with its retries, and with faults.

Called by `sandbox.kit.server` with a real HTTP client, by the simulation with a call into the gateway on virtual time.
Keeps no promise of order (no vendor does), and never tells the site how a delivery ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from sandbox.kit.faults import FaultPlan, WebhookDecision
from sandbox.kit.journal import Attempt, Journal
from sandbox.kit.site import WebhookDelivery
from shared.domain.clock import Clock, Dice


class PostError(Exception):
    """The receiver did not answer: no connection, a reset or a timeout."""


class Post(Protocol):
    """Sends one HTTP POST."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the answer. Raises `PostError`, within the vendor's own timeout."""
        ...


class WebhookDeliverer:
    """Delivers webhooks as tasks of its own while `run` runs; `submit` may be called before.

    `retry_wait_s` is the range of the random wait between attempts (Jira's real one is 300 to 900 s). `retry_header`
    carries the number of the retry as a string and is absent on the first attempt (Jira: X-Atlassian-Webhook-Retry).
    At most `concurrency` posts are in flight (Jira's Primary flow: 20 per receiver).
    """

    def __init__(
        self,
        post: Post,
        *,
        clock: Clock,
        dice: Dice,
        plan: FaultPlan | None = None,
        journal: Journal[Attempt] | None = None,
        retry_wait_s: tuple[float, float] = (1.0, 3.0),
        retry_header: str | None = None,
        concurrency: int = 20,
    ) -> None:
        self._post = post
        self._clock = clock
        self._dice = dice
        self._plan = plan or FaultPlan()
        self.journal: Journal[Attempt] = journal or Journal()
        self._retry_wait_s = retry_wait_s
        self._retry_header = retry_header
        self._free = asyncio.Semaphore(concurrency)
        self._queue: asyncio.Queue[WebhookDelivery] = asyncio.Queue()
        self._held: list[asyncio.Event] = []
        self._under_way = 0

    def submit(self, deliveries: Iterable[WebhookDelivery]) -> None:
        """Take webhooks for delivery, oldest first. Returns at once."""
        for delivery in deliveries:
            self._queue.put_nowait(delivery)

    @property
    def pending(self) -> int:
        """How many webhooks are neither delivered, nor given up, nor lost."""
        return self._queue.qsize() + self._under_way

    async def run(self) -> None:
        """Deliver until cancelled; deliveries under way are then given up, as a vendor's outage would."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                delivery = await self._queue.get()
                decision = self._plan.decide_webhook(delivery)
                if decision.copies == 0:
                    self._note(delivery, 0, None, "lost on purpose", decision)
                    continue
                released, self._held = self._held, []
                turn = asyncio.Event()
                if decision.behind_next:
                    self._held.append(turn)
                self._under_way += decision.copies
                for _ in range(decision.copies):
                    tasks.create_task(self._deliver(delivery, decision, turn, released))

    async def _deliver(
        self, delivery: WebhookDelivery, decision: WebhookDecision, turn: asyncio.Event, released: list[asyncio.Event]
    ) -> None:
        """Deliver one copy: wait as decided, try as often as the vendor does, then let those held behind it go."""
        try:
            if decision.behind_next:
                await self._wait_for_turn(turn, decision.delay_s)
            elif decision.delay_s:
                await self._clock.sleep(decision.delay_s)
            for attempt in range(1, delivery.max_retries + 2):
                if not await self._again(delivery, attempt, decision):
                    return
                for event in released:
                    event.set()
                await self._clock.sleep(self._dice.uniform(*self._retry_wait_s))
        finally:
            self._under_way -= 1
            for event in released:
                event.set()

    async def _again(self, delivery: WebhookDelivery, attempt: int, decision: WebhookDecision) -> bool:
        """Make one attempt; return whether the vendor makes another one."""
        headers = dict(delivery.headers)
        if attempt > 1 and self._retry_header is not None:
            headers[self._retry_header] = str(attempt - 1)
        try:
            async with self._free:
                status = await self._post(delivery.url, headers, delivery.body)
        except PostError as failure:
            self._note(delivery, attempt, None, str(failure) or "no answer", decision)
            retry = bool(delivery.retry_statuses)
        else:
            self._note(delivery, attempt, status, "", decision)
            retry = status in delivery.retry_statuses
        return retry and attempt <= delivery.max_retries

    async def _wait_for_turn(self, turn: asyncio.Event, at_most_s: float) -> None:
        """Wait until the webhook that follows was delivered, or until `at_most_s` is over on our own clock."""
        waits = {asyncio.ensure_future(turn.wait()), asyncio.ensure_future(self._clock.sleep(at_most_s))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _note(
        self, delivery: WebhookDelivery, attempt: int, status: int | None, error: str, decision: WebhookDecision
    ) -> None:
        self.journal.add(
            Attempt(
                number=self.journal.next_number,
                time=self._clock.now(),
                url=delivery.url,
                identifier=delivery.identifier,
                attempt=attempt,
                status=status,
                error=error,
                effects=decision.effects,
            )
        )
