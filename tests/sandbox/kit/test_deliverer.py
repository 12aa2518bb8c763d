"""Delivery of webhooks: the vendor's retries and the faults, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import async_solipsism

from sandbox.kit.deliverer import PostError, WebhookDeliverer
from sandbox.kit.fault_rules import parse_rules
from sandbox.kit.faults import FaultPlan
from sandbox.kit.site import WebhookDelivery
from shared.domain.clock import SeededDice, SystemClock

RETRY_HEADER = "X-Atlassian-Webhook-Retry"
RETRIED = frozenset({408, 409, 425, 429, 500, 503})


class Receiver:
    """A gateway that answers from a script (200 when it is over) and remembers what came when."""

    def __init__(self, *script: int | str, takes_s: float = 0.0) -> None:
        self.script = list(script)
        self.takes_s = takes_s
        self.came: list[tuple[float, str, str | None]] = []
        self.most_at_once = 0
        self._at_once = 0

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        assert url == "http://gateway/hook"
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.came.append((asyncio.get_running_loop().time(), body.decode(), headers.get(RETRY_HEADER)))
        await asyncio.sleep(self.takes_s)
        self._at_once -= 1
        answer = self.script.pop(0) if self.script else 200
        if isinstance(answer, str):
            raise PostError(answer)
        return answer

    @property
    def bodies(self) -> list[str]:
        return [body for _, body, _ in self.came]


def _webhook(name: str, *, retries: int = 5, retried: frozenset[int] = RETRIED) -> WebhookDelivery:
    return WebhookDelivery("http://gateway/hook", {"x-id": name}, name.encode(), f"id-{name}", retried, retries)


def _deliver(
    receiver: Receiver, *webhooks: WebhookDelivery, rules: object = (), retry_wait_s: tuple[float, float] = (10, 20)
) -> WebhookDeliverer:
    """Deliver all of it on virtual time and return the deliverer afterwards."""

    async def run() -> WebhookDeliverer:
        deliverer = WebhookDeliverer(
            receiver,
            clock=SystemClock(),
            dice=SeededDice(1),
            plan=FaultPlan(parse_rules(rules)),
            retry_wait_s=retry_wait_s,
            retry_header=RETRY_HEADER,
        )
        deliverer.submit(webhooks)
        running = asyncio.create_task(deliverer.run())
        await _until(lambda: deliverer.pending == 0)
        running.cancel()
        await asyncio.wait({running})
        return deliverer

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        return runner.run(run())


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(360_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("an hour of virtual time was not enough")


def test_what_the_receiver_takes_is_delivered_once_and_without_retry_header() -> None:
    receiver = Receiver()
    deliverer = _deliver(receiver, _webhook("a"), _webhook("b"))
    assert receiver.bodies == ["a", "b"]
    assert [header for _, _, header in receiver.came] == [None, None]
    assert [(each.identifier, each.attempt, each.status) for each in deliverer.journal.after()] == [
        ("id-a", 1, 200),
        ("id-b", 1, 200),
    ]


def test_a_retried_status_or_no_answer_is_tried_again_with_the_same_identifier_and_a_count() -> None:
    receiver = Receiver(503, "connection refused", 202)
    deliverer = _deliver(receiver, _webhook("a"))
    assert [header for _, _, header in receiver.came] == [None, "1", "2"]
    waits = [after - before for (before, *_), (after, *_) in zip(receiver.came, receiver.came[1:], strict=False)]
    assert all(10 <= wait <= 20 for wait in waits)
    attempts = deliverer.journal.after()
    assert [(each.attempt, each.status, each.error) for each in attempts] == [
        (1, 503, ""),
        (2, None, "connection refused"),
        (3, 202, ""),
    ]
    assert {each.identifier for each in attempts} == {"id-a"}


def test_the_vendor_gives_up_after_its_retries() -> None:
    receiver = Receiver(*[500] * 50)
    _deliver(receiver, _webhook("a", retries=5))
    assert len(receiver.came) == 6


def test_another_status_loses_the_event_for_good() -> None:
    for status in (400, 401, 404, 413, 302):
        receiver = Receiver(status)
        _deliver(receiver, _webhook("a"))
        assert len(receiver.came) == 1


def test_a_vendor_without_retries_tries_once_even_without_an_answer() -> None:
    receiver = Receiver("reset")
    _deliver(receiver, _webhook("a", retries=5, retried=frozenset()))
    assert len(receiver.came) == 1


def test_a_lost_webhook_never_comes_and_the_journal_says_so() -> None:
    receiver = Receiver()
    deliverer = _deliver(receiver, _webhook("a"), _webhook("b"), rules=[{"effect": "lose", "next": 1}])
    assert receiver.bodies == ["b"]
    lost = deliverer.journal.after()[0]
    assert (lost.identifier, lost.attempt, lost.status, lost.effects) == ("id-a", 0, None, ("lose",))


def test_a_repeated_webhook_comes_as_often_as_asked() -> None:
    receiver = Receiver()
    _deliver(receiver, _webhook("a"), _webhook("b"), rules=[{"effect": "repeat", "times": 2, "contains": "a"}])
    assert sorted(receiver.bodies) == ["a", "a", "a", "b"]


def test_a_reordered_webhook_comes_after_the_one_that_follows_it() -> None:
    receiver = Receiver(takes_s=0.5)
    _deliver(receiver, _webhook("a"), _webhook("b"), rules=[{"effect": "reorder", "next": 1, "delay_s": 60}])
    assert receiver.bodies == ["b", "a"]
    assert receiver.came[1][0] < 5


def test_a_reordered_webhook_that_nothing_follows_comes_all_the_same() -> None:
    receiver = Receiver()
    _deliver(receiver, _webhook("a"), rules=[{"effect": "reorder", "delay_s": 60}])
    assert receiver.bodies == ["a"]
    assert 60 <= receiver.came[0][0] < 61


def test_a_reordered_webhook_also_follows_one_that_is_refused_for_now() -> None:
    receiver = Receiver(503)
    _deliver(receiver, _webhook("a"), _webhook("b"), rules=[{"effect": "reorder", "next": 1, "delay_s": 600}])
    assert receiver.bodies == ["b", "a", "b"]


def test_a_delayed_webhook_holds_nobody_up() -> None:
    receiver = Receiver()
    rules = [{"on": "webhook", "effect": "delay", "delay_s": 30, "next": 1}]
    _deliver(receiver, _webhook("a"), _webhook("b"), rules=rules)
    assert receiver.bodies == ["b", "a"]
    assert 30 <= receiver.came[1][0] < 31


def test_no_more_posts_are_in_flight_than_the_vendor_has_at_once() -> None:
    receiver = Receiver(takes_s=1.0)
    _deliver(receiver, *(_webhook(f"{n}") for n in range(50)))
    assert len(receiver.came) == 50
    assert receiver.most_at_once == 20
