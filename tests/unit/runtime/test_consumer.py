"""The laws of the consumer: order, concurrency, fates, commits, and how it ends."""

from __future__ import annotations

import asyncio
import re

import pytest

from shared.domain.errors import Poison, Transient
from shared.fakes.log import MemoryLog
from shared.messages.base import Message
from shared.messages.request import SyncRequest
from shared.runtime.consumer import Limits
from shared.runtime.fate import MAX_ATTEMPTS, DeadLetterLimitReached
from shared.runtime.log import LogUnavailable
from shared.runtime.topics import Topic
from shared.runtime.trace import current_traceparent, trace_id, traced
from shared.store.port import Contended, StoreUnavailable
from tests.patience import HANGS_S
from tests.unit.runtime.bench import GROUP, Bench, Hasty, named, request, until

KEYS = [f"L{number}" for number in range(12)]


async def test_messages_of_one_key_are_handled_one_after_the_other_in_their_order() -> None:
    bench = Bench()
    await bench.ask(*((key, str(number)) for number in range(10) for key in KEYS))
    under_way: set[str] = set()
    handled: list[tuple[str, str]] = []

    async def handle(message: Message) -> None:
        key, number = named(message)
        assert key not in under_way
        under_way.add(key)
        await asyncio.sleep(0.001)
        under_way.remove(key)
        handled.append((key, number))

    async with bench.consuming(handle):
        await until(lambda: len(handled) == 120)
    for key in KEYS:
        assert [number for found, number in handled if found == key] == [str(number) for number in range(10)]


async def test_messages_of_different_keys_are_handled_at_the_same_time() -> None:
    bench = Bench()
    await bench.ask(*((key, "1") for key in KEYS))
    all_there = asyncio.Barrier(len(KEYS))

    async def handle(_: Message) -> None:
        # Passes only when all of them are in here together.
        await all_there.wait()

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0)


async def test_no_more_handlers_run_than_allowed() -> None:
    bench = Bench()
    await bench.ask(*((key, "1") for key in KEYS))
    running, most, done = 0, 0, 0

    async def handle(_: Message) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        done += 1

    async with bench.consuming(handle, max_in_flight=3):
        await until(lambda: done == len(KEYS))
    assert most == 3


async def test_a_slow_key_holds_back_nobody_else() -> None:
    bench = Bench()
    await bench.ask(*((key, str(number)) for number in range(5) for key in KEYS))
    handled: list[tuple[str, str]] = []
    go_on = asyncio.Event()

    async def handle(message: Message) -> None:
        if named(message)[0] == KEYS[0]:
            await go_on.wait()
        handled.append(named(message))

    async with bench.consuming(handle):
        await until(lambda: len(handled) == 55)
        assert not [key for key, _ in handled if key == KEYS[0]]
        go_on.set()
        await until(lambda: len(handled) == 60)


async def test_keys_that_wait_for_their_next_attempt_take_no_place_from_others() -> None:
    bench = Bench()
    await bench.ask(*((key, "1") for key in KEYS))
    handled: set[str] = set()

    async def handle(message: Message) -> None:
        if named(message)[0] != KEYS[-1]:
            raise Transient("not now", retry_after_s=60.0)
        handled.add(named(message)[0])

    async with bench.consuming(handle, max_in_flight=2):
        await until(lambda: handled == {KEYS[-1]})


async def test_poison_is_dead_lettered_at_once_with_its_reason_and_where_it_came_from() -> None:
    bench = Bench()
    await bench.ask(("bad", "1"), ("good", "2"), ("bad", "3"))
    attempts: list[tuple[str, str]] = []

    async def handle(message: Message) -> None:
        attempts.append(named(message))
        if named(message) == ("bad", "1"):
            raise Poison("the moon is in the wrong phase")

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0)
    (letter,) = bench.dead()
    (original,) = [one for one in bench.log.records(Topic.REQUESTS) if one.headers["ce_subject"] == "bad"][:1]
    assert sorted(attempts) == [("bad", "1"), ("bad", "3"), ("good", "2")]
    assert (letter.key, letter.value) == (original.key, original.value)
    assert letter.headers.items() >= original.headers.items()
    assert letter.headers["dead_reason"] == "the moon is in the wrong phase"
    assert letter.headers["dead_by"] == "bench"
    where = [letter.headers[name] for name in ("dead_topic", "dead_partition", "dead_offset")]
    assert where == [original.topic, str(original.partition), str(original.offset)]


async def test_what_is_no_message_is_dead_lettered_as_it_was_and_never_reaches_the_handler() -> None:
    bench = Bench()
    await bench.put_raw("k", b"\xff\x00 not json")
    await bench.ask(("k", "1"))
    handled: list[Message] = []

    async def handle(message: Message) -> None:
        handled.append(message)

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0)
    (letter,) = bench.dead()
    assert letter.value == b"\xff\x00 not json"
    assert letter.headers["origin"] == "elsewhere"
    assert "ce_type" in letter.headers["dead_reason"]
    assert [named(message) for message in handled] == [("k", "1")]


@pytest.mark.parametrize(
    "passing",
    [Transient("busy"), StoreUnavailable("gone"), Contended("deadlock"), LogUnavailable("away")],
    ids=lambda error: type(error).__name__,
)
async def test_what_will_pass_is_tried_until_it_works_however_often(passing: Exception) -> None:
    bench = Bench(dice=Hasty())
    await bench.ask(("k", "1"), ("k", "2"))
    attempts: list[str] = []

    async def handle(message: Message) -> None:
        attempts.append(named(message)[1])
        if len(attempts) <= MAX_ATTEMPTS + 1:
            if isinstance(passing, Transient):
                raise Transient("busy", retry_after_s=0.001)
            raise passing

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0)
    assert attempts == ["1"] * (MAX_ATTEMPTS + 2) + ["2"]
    assert not bench.dead()


async def test_an_unknown_failure_is_tried_five_times_and_dead_lettered_with_type_and_place() -> None:
    bench = Bench(dice=Hasty())
    await bench.ask(("k", "1"), ("k", "2"))
    attempts: list[str] = []

    async def handle(message: Message) -> None:
        attempts.append(named(message)[1])
        if named(message)[1] == "1":
            raise ZeroDivisionError("division by zero")

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0)
    assert attempts == ["1"] * 5 + ["2"]
    (letter,) = bench.dead()
    told, _, place = letter.headers["dead_reason"].partition(" at ")
    assert told == "failed 5 times, last with ZeroDivisionError"
    assert re.fullmatch(r"unit/runtime/test_consumer\.py:\d+ in handle", place)


async def test_a_cancellation_inside_the_handler_is_a_failure_and_loses_no_message() -> None:
    bench = Bench()
    await bench.ask(("k", "1"))
    attempts = 0

    async def handle(_: Message) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            inner = asyncio.create_task(asyncio.sleep(60))
            inner.cancel()
            await inner

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0)
    assert attempts == 2


async def test_only_what_is_done_is_committed_up_to_the_first_that_is_not() -> None:
    bench = Bench(MemoryLog(partitions=1))
    await bench.ask(("a", "0"), ("b", "1"), ("slow", "2"), ("c", "3"), ("d", "4"))
    go_on = asyncio.Event()
    handled: list[str] = []

    async def handle(message: Message) -> None:
        if named(message)[0] == "slow":
            await go_on.wait()
        handled.append(named(message)[1])

    async with bench.consuming(handle):
        await until(lambda: len(handled) == 4 and bench.log.committed(GROUP))
        assert bench.log.committed(GROUP) == {(Topic.REQUESTS.value, 0): 2}
        go_on.set()
        await until(lambda: bench.log.committed(GROUP) == {(Topic.REQUESTS.value, 0): 5})


async def test_after_a_kill_nothing_is_lost_and_what_was_committed_is_not_handled_again() -> None:
    bench = Bench()
    await bench.ask(*((f"L{number}", str(number)) for number in range(30)))
    first: list[str] = []
    second: list[str] = []

    async def doomed(message: Message) -> None:
        if len(first) >= 10:
            await asyncio.Event().wait()
        first.append(named(message)[1])

    run = await bench.start(doomed, max_in_flight=4)
    await until(lambda: len(first) >= 10)
    await run.killed()
    committed_at_death = dict(bench.log.committed(GROUP))
    for member in list(bench.log._groups[GROUP].members):
        bench.log.expire(member)

    async def heir(message: Message) -> None:
        second.append(named(message)[1])

    async with bench.consuming(heir):
        await until(lambda: bench.log.lag(GROUP) == 0)
    assert {*first, *second} == {str(number) for number in range(30)}
    assert len(second) == 30 - sum(committed_at_death.values())


async def test_stop_finishes_what_runs_begins_nothing_new_commits_what_is_done_and_leaves() -> None:
    bench = Bench()
    await bench.ask(*((f"L{number}", str(number)) for number in range(20)))
    begun: list[str] = []
    finished: list[str] = []
    go_on = asyncio.Event()

    async def handle(message: Message) -> None:
        begun.append(named(message)[1])
        await go_on.wait()
        finished.append(named(message)[1])

    run = await bench.start(handle, max_in_flight=5)
    await until(lambda: len(begun) == 5)
    run.stop.set()
    await asyncio.sleep(0)
    go_on.set()
    await run.stopped()
    assert len(begun) == len(finished) == 5
    assert not bench.log._groups[GROUP].members
    rest: list[str] = []

    async def heir(message: Message) -> None:
        rest.append(named(message)[1])

    async with bench.consuming(heir):
        await until(lambda: bench.log.lag(GROUP) == 0)
    assert {*finished, *rest} == {str(number) for number in range(20)}
    # Handled twice is only what was done behind a message that was not.
    assert len(finished) + len(rest) < 20 + 5


async def test_stop_commits_what_was_done_since_the_last_commit() -> None:
    bench = Bench(MemoryLog(partitions=1))
    handled: list[str] = []

    async def handle(message: Message) -> None:
        handled.append(named(message)[1])

    await bench.ask(("k", "0"))
    async with bench.consuming(handle, limits=Limits(commit_every_s=3600.0)):
        await until(lambda: bench.log.committed(GROUP) == {(Topic.REQUESTS.value, 0): 1})
        await bench.ask(*(("k", str(number)) for number in range(1, 6)))
        await until(lambda: len(handled) == 6)
        assert bench.log.committed(GROUP) == {(Topic.REQUESTS.value, 0): 1}
    assert bench.log.committed(GROUP) == {(Topic.REQUESTS.value, 0): 6}


async def test_a_handler_that_outlasts_the_grace_time_is_cancelled_and_its_message_comes_again() -> None:
    bench = Bench()
    await bench.ask(("k", "1"))
    begun = asyncio.Event()

    async def hangs(_: Message) -> None:
        begun.set()
        await asyncio.Event().wait()

    run = await bench.start(hangs, limits=Limits(grace_s=0.05))
    await begun.wait()
    await run.stopped()
    handled: list[tuple[str, str]] = []

    async def handle(message: Message) -> None:
        handled.append(named(message))

    async with bench.consuming(handle):
        await until(lambda: handled == [("k", "1")])


async def test_stop_does_not_wait_for_the_next_attempt_of_anything() -> None:
    bench = Bench()
    await bench.ask(("k", "1"))
    tried = asyncio.Event()

    async def handle(_: Message) -> None:
        tried.set()
        raise Transient("come back in an hour", retry_after_s=3600.0)

    run = await bench.start(handle)
    await tried.wait()
    await run.stopped()
    assert bench.log.committed(GROUP) == {}


async def test_more_dead_letters_than_allowed_stop_the_consumer_and_leave_the_rest_on_the_topic() -> None:
    bench = Bench()
    await bench.ask(*((f"L{number}", str(number)) for number in range(50)))

    async def handle(_: Message) -> None:
        raise Poison("everything is bad after this deploy")

    run = await bench.start(handle, limits=Limits(dead_per_minute=7))
    with pytest.raises(DeadLetterLimitReached, match="7 messages"):
        async with asyncio.timeout(HANGS_S):
            await run.task
    assert len(bench.dead()) <= 7
    seen: set[str] = set()

    async def repaired(message: Message) -> None:
        seen.add(named(message)[1])

    async with bench.consuming(repaired):
        await until(lambda: bench.log.lag(GROUP) == 0)
    dead = {request_id for letter in bench.dead() for request_id in [_request_id(letter.value or b"")]}
    assert seen | dead == {str(number) for number in range(50)}


async def test_while_the_log_is_away_nothing_is_given_up_and_it_goes_on_by_itself() -> None:
    bench = Bench()
    await bench.ask(("k", "1"))
    handled: list[str] = []

    async def handle(message: Message) -> None:
        handled.append(named(message)[1])
        if named(message)[1] == "1":
            bench.log.available = False

    async with bench.consuming(handle) as run:
        await until(lambda: handled == ["1"])
        await asyncio.sleep(0.3)
        assert not run.task.done()
        bench.log.available = True
        await bench.ask(("k", "2"))
        await until(lambda: handled == ["1", "2"] and bench.log.lag(GROUP) == 0)


async def test_a_dead_letter_that_cannot_be_written_is_not_committed_away() -> None:
    bench = Bench()
    await bench.ask(("k", "1"))
    tried = 0

    async def handle(_: Message) -> None:
        nonlocal tried
        tried += 1
        bench.log.available = tried > 2
        raise Poison("never")

    async with bench.consuming(handle, limits=Limits(dead_per_minute=1)):
        await until(lambda: bench.log.lag(GROUP) == 0)
    assert len(bench.dead()) == 1


async def test_after_a_rebalance_reading_goes_on_at_the_commit_and_nothing_is_handled_twice_at_a_time() -> None:
    bench = Bench(MemoryLog(partitions=1))
    await bench.ask(*(("k", str(number)) for number in range(6)))
    handled: list[str] = []
    under_way = 0
    go_on = asyncio.Event()

    async def handle(message: Message) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        handled.append(named(message)[1])
        if named(message)[1] == "2":
            await go_on.wait()
        under_way -= 1

    async with bench.consuming(handle):
        await until(lambda: handled == ["0", "1", "2"] and bench.log.committed(GROUP))
        # Somebody joins and leaves: the partition is dealt anew.
        passing_by = await bench.log.subscribe(GROUP, [Topic.REQUESTS])
        await passing_by.close()
        (position,) = bench.log.committed(GROUP).values()
        await until(lambda: bench.log._groups[GROUP].members[0].positions[Topic.REQUESTS.value, 0] == 6)
        go_on.set()
        await until(lambda: bench.log.lag(GROUP) == 0)
    # What had waited its turn is not doubled: it was dropped, because the log would show it again.
    assert handled == ["0", "1", "2", *(str(number) for number in range(position, 6))]


async def test_buffers_are_bounded_in_number_and_bytes() -> None:
    bench = Bench()
    await bench.ask(*((f"L{number}", str(number)) for number in range(100)))
    go_on = asyncio.Event()
    handled: list[str] = []

    async def handle(message: Message) -> None:
        await go_on.wait()
        handled.append(named(message)[1])

    async with bench.consuming(handle, max_in_flight=2, limits=Limits(buffered=10)):
        (member,) = bench.log._groups[GROUP].members
        await until(lambda: sum(member.positions.values()) == 10)
        await asyncio.sleep(0.05)
        assert sum(member.positions.values()) == 10
        go_on.set()
        await until(lambda: len(handled) == 100)
    go_on.clear()
    bench = Bench()
    await bench.ask(*((f"L{number}", str(number)) for number in range(100)))
    async with bench.consuming(handle, limits=Limits(buffered_bytes=1, buffered=10)):
        (member,) = bench.log._groups[GROUP].members
        await until(lambda: sum(member.positions.values()) == 10)
        await asyncio.sleep(0.05)
        assert sum(member.positions.values()) == 10
        go_on.set()
        await until(lambda: len(handled) == 200)


async def test_a_trace_is_carried_from_message_to_message_and_begun_where_there_is_none() -> None:
    bench = Bench()
    edge = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with traced(edge):
        await bench.ask(("given", "1"))
    await bench.ask(("begun", "1"))
    inside: dict[str, str] = {}

    async def handle(message: Message) -> None:
        link, number = named(message)
        inside[link] = current_traceparent() or ""
        if number == "1":
            await bench.publisher.publish(request(link, "2"))

    async with bench.consuming(handle):
        await until(lambda: bench.log.lag(GROUP) == 0 and len(bench.log.records(Topic.REQUESTS)) == 4)
    parents = [one.headers["traceparent"] for one in bench.log.records(Topic.REQUESTS) if one.key == "given"]
    begun = [one.headers["traceparent"] for one in bench.log.records(Topic.REQUESTS) if one.key == "begun"]
    assert [trace_id(parent) for parent in parents] == [trace_id(edge)] * 2
    assert len({*parents, edge}) == 3, "each hop has a parent id of its own"
    assert len({trace_id(parent) for parent in begun}) == 1
    assert current_traceparent() is None


def _request_id(value: bytes) -> str:
    return SyncRequest.model_validate_json(value).request_id
