"""What a consumer says of its messages: one line and one count at the end of each, with the ids to find it by."""

from __future__ import annotations

import asyncio

import structlog
from structlog.testing import capture_logs

from shared.domain.errors import Poison
from shared.messages.base import Message
from shared.observability.metrics import REGISTRY
from shared.runtime.topics import Topic
from shared.runtime.trace import traced
from shared.store.port import StoreUnavailable
from tests.unit.runtime.bench import GROUP, Bench, Hasty, named, until

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"component": "other", **labels}) or 0.0


async def test_each_message_leaves_one_canonical_line_with_its_ids_and_its_fate() -> None:
    bench = Bench(dice=Hasty())
    with traced(f"00-{TRACE_ID}-b7ad6b7169203331-01"):
        await bench.ask(("good", "1"), ("bad", "2"), ("later", "3"))
    tried: list[str] = []

    async def handle(message: Message) -> None:
        link, _ = named(message)
        tried.append(link)
        if link == "bad":
            raise Poison("never")
        if link == "later" and tried.count("later") == 1:
            raise StoreUnavailable("busy")

    with capture_logs() as lines:
        async with bench.consuming(handle):
            await until(lambda: bench.log.lag(GROUP) == 0)
    ends = {line["link_id"]: line for line in lines if line["event"] == "message"}
    assert {link: line["fate"] for link, line in ends.items()} == {
        "good": "handled",
        "bad": "poison",
        "later": "handled",
    }
    assert len([line for line in lines if line["event"] == "message"]) == 3
    assert {line["trace"] for line in ends.values()} == {TRACE_ID}
    assert (ends["bad"]["log_level"], ends["bad"]["reason"]) == ("error", "never")
    assert ends["good"].keys() >= {
        "consumer",
        "topic",
        "partition",
        "offset",
        "key",
        "attempt",
        "seconds",
        "request_id",
    }
    (again,) = [line for line in lines if line["event"] == "message again"]
    assert (again["link_id"], again["error"]) == ("later", "StoreUnavailable: busy")


async def test_the_handlers_own_lines_carry_the_ids_of_its_message_and_of_no_other() -> None:
    bench = Bench()
    await bench.ask(("one", "1"), ("two", "2"))
    seen: dict[str, dict[str, object]] = {}
    together = asyncio.Barrier(2)

    async def handle(message: Message) -> None:
        await together.wait()
        seen[named(message)[0]] = dict(structlog.contextvars.get_contextvars())

    async with bench.consuming(handle):
        await until(lambda: len(seen) == 2)
    assert {link: (ids["link_id"], ids["request_id"]) for link, ids in seen.items()} == {
        "one": ("one", "1"),
        "two": ("two", "2"),
    }
    assert all(ids["trace"] for ids in seen.values())
    assert structlog.contextvars.get_contextvars() == {}


async def test_messages_are_counted_by_fate_and_what_is_unfinished_is_shown_with_its_age() -> None:
    bench = Bench()
    topic = Topic.REQUESTS.value
    before = count("tandem_messages_total", topic=topic, fate="handled")
    await bench.ask(("slow", "1"), ("quick", "2"))
    go_on = asyncio.Event()

    async def handle(message: Message) -> None:
        if named(message)[0] == "slow":
            await go_on.wait()

    async with bench.consuming(handle):
        await until(lambda: count("tandem_messages_total", topic=topic, fate="handled") == before + 1)
        await until(lambda: count("tandem_messages_oldest_unfinished_age_seconds") > 0.05)
        assert count("tandem_messages_unfinished") == 1
        go_on.set()
        await until(lambda: count("tandem_messages_total", topic=topic, fate="handled") == before + 2)
        assert count("tandem_messages_unfinished") == 0
        assert count("tandem_messages_oldest_unfinished_age_seconds") == 0.0
