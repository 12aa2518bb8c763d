"""The laws of `shared.runtime.log`, on the log in memory and on a real Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local.jars import kafka_jars
from deploy.local.kafka import KafkaServer
from deploy.local.progress import SilentProgress
from shared.domain.errors import Poison
from shared.runtime.log import Log, LogUnavailable, ReceivedRecord, Record
from shared.runtime.topics import MAX_RECORD_BYTES
from tests.conformance.log_worlds import (
    DEADLINE_S,
    KafkaWorld,
    MemoryWorld,
    World,
    next_positions,
    receive_until,
    record,
    texts,
)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
async def world(request: pytest.FixtureRequest, topic_prefix: str) -> AsyncIterator[World]:
    made: MemoryWorld | KafkaWorld
    if request.param == "memory":
        made = MemoryWorld()
    else:
        made = KafkaWorld(request.getfixturevalue("stack").kafka_bootstrap, topic_prefix, None)
        await made.prepare()
    yield made
    await made.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=[pytest.mark.stack, pytest.mark.slow])])
async def mortal(request: pytest.FixtureRequest, topic_prefix: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world of the test's own, whose broker it may kill."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    server = KafkaServer(tmp_path / "kafka", await kafka_jars(SilentProgress()))
    world = KafkaWorld(server.bootstrap, topic_prefix, server)
    try:
        await server.start()
        await world.prepare()
        yield world
        await world.close()
    finally:
        await server.kill()


async def test_records_of_one_key_arrive_in_the_order_in_which_they_were_published(world: World) -> None:
    log = await world.client()
    for start in range(0, 60, 20):
        await log.publish([record(world.topic, f"key-{n % 7}", f"{n}") for n in range(start, start + 20)])
    member = await log.subscribe("readers", [world.topic])
    received = await receive_until(member, lambda found: len(found) >= 60)
    for key in {one.key for one in received}:
        numbers = [int((one.value or b"").decode()) for one in received if one.key == key]
        assert numbers == sorted(numbers)
    assert sorted(map(int, texts(received))) == list(range(60))


async def test_key_value_and_headers_arrive_as_they_were_published(world: World) -> None:
    log = await world.client()
    member = await log.subscribe("readers", [world.topic])
    await log.publish([record(world.topic, "ключ:9007199254740993", "wörd ✓")])
    (one,) = await receive_until(member, lambda found: len(found) == 1)
    assert (one.topic, one.key, (one.value or b"").decode(), one.headers) == (
        world.topic,
        "ключ:9007199254740993",
        "wörd ✓",
        {"n": "wörd ✓"},
    )


async def test_text_that_has_no_utf8_does_not_stop_a_record(world: World) -> None:
    log = await world.client()
    member = await log.subscribe("readers", [world.topic])
    await log.publish([record(world.topic, "half \ud800 pair", "1")])
    (one,) = await receive_until(member, lambda found: len(found) == 1)
    assert one.key == "half \\ud800 pair"


async def test_a_new_group_starts_at_the_oldest_record_and_groups_do_not_disturb_one_another(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, "a", "1"), record(world.topic, "b", "2")])
    for group in ("first", "second"):
        member = await log.subscribe(group, [world.topic])
        received = await receive_until(member, lambda found: len(found) == 2)
        assert sorted(texts(received)) == ["1", "2"]
        await member.commit(next_positions(received))


async def test_a_published_record_is_there_for_a_reader_that_comes_later(world: World) -> None:
    writer, reader = await world.client(), await world.client()
    await writer.publish([record(world.topic, "a", "acknowledged")])
    member = await reader.subscribe("readers", [world.topic])
    assert texts(await receive_until(member, lambda found: len(found) == 1)) == ["acknowledged"]


async def test_what_was_not_committed_comes_again_after_a_crash_and_what_was_committed_does_not(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, "one key", f"{n}") for n in range(10)])
    doomed = await (await world.client()).subscribe("readers", [world.topic])
    received = await receive_until(doomed, lambda found: len(found) == 10)
    await doomed.commit(next_positions(received[:4]))
    await world.silence(doomed)

    heir = await (await world.client()).subscribe("readers", [world.topic])
    assert texts(await receive_until(heir, lambda found: len(found) >= 6)) == [f"{n}" for n in range(4, 10)]


async def test_positions_survive_all_members(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, "one key", f"{n}") for n in range(3)])
    first = await log.subscribe("readers", [world.topic])
    await first.commit(next_positions(await receive_until(first, lambda found: len(found) == 3)))
    await first.close()

    await log.publish([record(world.topic, "one key", "3")])
    second = await (await world.client()).subscribe("readers", [world.topic])
    assert texts(await receive_until(second, bool)) == ["3"]


async def test_members_of_a_group_share_the_partitions(world: World) -> None:
    log = await world.client()
    one, other = (
        await (await world.client()).subscribe("readers", [world.topic]),
        await (await world.client()).subscribe("readers", [world.topic]),
    )
    seen: dict[str, set[int]] = {"one": set(), "other": set()}

    async def read(name: str, done: asyncio.Event) -> None:
        member = one if name == "one" else other
        while not done.is_set():
            for found in await member.receive(100, 0.5):
                seen[name].add(found.partition)
            if seen["one"] and seen["other"] and len(seen["one"] | seen["other"]) == 4:
                done.set()

    async with asyncio.timeout(DEADLINE_S):
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read("one", done))
            tasks.create_task(read("other", done))
            while not done.is_set():
                await log.publish([record(world.topic, f"{n}", f"{n}") for n in range(40)])
                await asyncio.sleep(0.1)


async def test_a_commit_of_a_member_that_lost_the_partition_is_ignored_silently(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, f"{n}", f"{n}") for n in range(40)])
    loser = await (await world.client()).subscribe("readers", [world.topic])
    all_of_it = await receive_until(loser, lambda found: len(found) == 40)
    winner = await (await world.client()).subscribe("readers", [world.topic])
    # Both are read until the partitions have been dealt anew, each member has its half, and what each shows is known.
    won: list[ReceivedRecord] = []
    kept: list[ReceivedRecord] = []
    async with asyncio.timeout(DEADLINE_S):
        while not (won and kept and len(next_positions(won)) + len(next_positions(kept)) == 4):
            won += await winner.receive(100, 0.5)
            kept += await loser.receive(100, 0.5)
    lost = set(next_positions(won))

    await loser.commit({place: position for place, position in next_positions(all_of_it).items() if place in lost})
    await winner.close()

    # Nobody has committed anything for them: they come again, from the beginning.
    again = await receive_until(
        loser,
        lambda found: {(one.topic, one.partition) for one in found if one.offset == 0} >= lost,
    )
    assert lost
    assert {(one.topic, one.partition) for one in again} >= lost


async def test_a_late_commit_does_not_turn_back_what_another_member_has_done_meanwhile(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, f"{n}", f"{n}") for n in range(40)])
    slow = await (await world.client()).subscribe("readers", [world.topic])
    await receive_until(slow, lambda found: len(found) == 40)
    quick = await (await world.client()).subscribe("readers", [world.topic])
    ends = await _ends(world)
    done: dict[tuple[str, int], int] = {}
    async with asyncio.timeout(DEADLINE_S):
        while not done or any(done[place] < ends[place] for place in done):
            done |= next_positions(await quick.receive(100, 0.5))
            await slow.receive(100, 0.1)
    await quick.commit(done)
    await quick.close()

    # The partitions come back, and `slow` reads on where `quick` was; only then it tells of what it did long ago.
    await log.publish([record(world.topic, f"{n}", f"new-{n}") for n in range(40)])
    await receive_until(slow, lambda found: all(next_positions(found).get(place, 0) > done[place] for place in done))
    await slow.commit(dict.fromkeys(done, 1))
    await slow.close()

    last = await (await world.client()).subscribe("readers", [world.topic])
    received = await receive_until(last, lambda found: len(next_positions(found)) == len(ends))
    first = {place: min(one.offset for one in received if (one.topic, one.partition) == place) for place in done}
    assert first == done


async def test_a_member_that_does_not_receive_for_longer_than_its_session_keeps_its_partitions(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, "one key", f"{n}") for n in range(3)])
    busy = await (await world.client()).subscribe("readers", [world.topic])
    received = await receive_until(busy, lambda found: len(found) == 3)
    # Its handlers take long. For the log in memory there is no session, so nothing to wait for.
    if isinstance(world, KafkaWorld):
        await asyncio.sleep(7.5)
    await busy.commit(next_positions(received))
    await log.publish([record(world.topic, "one key", "3")])
    assert texts(await receive_until(busy, bool)) == ["3"]
    await busy.close()
    heir = await (await world.client()).subscribe("readers", [world.topic])
    assert texts(await receive_until(heir, bool)) == ["3"]


async def test_receive_returns_nothing_after_its_timeout_and_can_be_cancelled_without_losing_a_record(
    world: World,
) -> None:
    log = await world.client()
    member = await log.subscribe("readers", [world.topic])
    await log.publish([record(world.topic, "a", "0")])
    await receive_until(member, lambda found: len(found) == 1)
    begun = time.monotonic()
    assert list(await member.receive(10, 0.3)) == []
    assert time.monotonic() - begun > 0.25

    for _ in range(5):
        waiting = asyncio.create_task(member.receive(10, 30.0))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await log.publish([record(world.topic, "a", "1")])
    assert texts(await receive_until(member, bool)) == ["1"]


async def test_no_more_than_max_records_are_returned_at_a_time(world: World) -> None:
    log = await world.client()
    await log.publish([record(world.topic, f"{n}", f"{n}") for n in range(30)])
    member = await log.subscribe("readers", [world.topic])
    received: list[ReceivedRecord] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(received) < 30:
            found = await member.receive(7, 5.0)
            assert len(found) <= 7
            received += found
    assert sorted(map(int, texts(received))) == list(range(30))


async def test_a_record_as_large_as_a_whole_webhook_passes_and_one_that_is_larger_is_refused_for_good(
    world: World,
) -> None:
    log = await world.client()
    member = await log.subscribe("readers", [world.topic])
    await log.publish([record(world.topic, "a", "x" * (25 * 1024 * 1024))])
    (one,) = await receive_until(member, lambda found: len(found) == 1)
    assert len(one.value or b"") == 25 * 1024 * 1024
    with pytest.raises(Poison, match="larger"):
        await log.publish([record(world.topic, "a", "x" * (MAX_RECORD_BYTES + 1024 * 1024))])
    await log.publish([record(world.topic, "a", "small")])
    assert texts(await receive_until(member, bool)) == ["small"]


async def test_a_healthy_log_says_so(world: World) -> None:
    log = await world.client()
    async with asyncio.timeout(DEADLINE_S):
        while not await log.healthy():
            await asyncio.sleep(0.05)


async def publish_at_last(log: Log, records: Sequence[Record]) -> None:
    """Publish once the log takes it: a broker that has just begun may need more than one try."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await log.publish(records)
            except LogUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_log_that_is_away_is_told_and_not_waited_for_and_comes_back_by_itself(mortal: World) -> None:
    log = await mortal.client()
    member = await log.subscribe("readers", [mortal.topic])
    await publish_at_last(log, [record(mortal.topic, f"{n}", f"before-{n}") for n in range(8)])
    received = await receive_until(member, lambda found: len(set(texts(found))) == 8)
    await member.commit(next_positions(received))

    await mortal.take_away()
    for n in range(4):
        # The broker stays away until all of this has come back: none of it waits for the broker.
        with pytest.raises(LogUnavailable):
            await log.publish([record(mortal.topic, "one key", f"refused-{n}")])
    assert not await log.healthy()

    await mortal.bring_back()
    await publish_at_last(log, [record(mortal.topic, "after", "after")])
    seen = texts(await receive_until(member, lambda found: "after" in texts(found)))
    # An acknowledged record that was committed does not come again. A refused one may be there after all, but of those
    # that were tried one after the other only the first: an outage does not pile up what nobody waits for any more.
    assert [text for text in seen if text != "refused-0"] == ["after"]
    assert await log.healthy()


async def test_what_was_acknowledged_survives_kill_9_of_the_broker_in_order(mortal: World) -> None:
    log = await mortal.client()
    acknowledged: list[int] = []
    stop = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stop.is_set():
            try:
                await log.publish([record(mortal.topic, "one key", f"{number}")])
            except LogUnavailable:
                await asyncio.sleep(0.02)
                continue
            acknowledged.append(number)
            number += 1
            await asyncio.sleep(0)

    async with asyncio.timeout(2 * DEADLINE_S):
        writing = asyncio.create_task(write())
        for goal in (50, 100):
            while len(acknowledged) < goal:
                await asyncio.sleep(0.01)
            await mortal.take_away()
            await asyncio.sleep(0.1)
            await mortal.bring_back()
        while len(acknowledged) < 150:
            await asyncio.sleep(0.01)
        stop.set()
        await writing

    member = await (await mortal.client()).subscribe("readers", [mortal.topic])
    received = await receive_until(member, lambda found: f"{acknowledged[-1]}" in texts(found))
    numbers = [int(text) for text in texts(received)]
    assert sorted(set(numbers)) == acknowledged
    # Published again after an unclear answer, a record may be there twice, but never after a later one.
    assert numbers == sorted(numbers)


async def _ends(world: World) -> dict[tuple[str, int], int]:
    """Return the end of each partition, as a group of its own sees it."""
    member = await (await world.client()).subscribe("measures", [world.topic])
    ends = next_positions(await receive_until(member, lambda found: len(found) == 40))
    await member.close()
    return ends


async def test_every_follower_gets_what_is_published_from_now_on_and_nothing_older(world: World) -> None:
    log, other = await world.client(), await world.client()
    await log.publish([record(world.topic, "key", "old")])
    followers = [await log.follow([world.topic]), await other.follow([world.topic])]
    heard: list[set[str]] = [set(), set()]
    async with asyncio.timeout(DEADLINE_S):
        number = 0
        # A follower's first look is not awaited: what is published until then is missed.
        while not all(heard):
            number += 1
            await publish_at_last(log, [record(world.topic, "key", f"new {number}")])
            for index, follower in enumerate(followers):
                heard[index] |= set(texts(await follower.receive(100, 0.2)))
        for follower in followers:
            await follower.close()
    assert all(text.startswith("new") for texts_of_one in heard for text in texts_of_one)


async def test_it_tells_how_far_groups_are_behind_and_since_when(world: World) -> None:
    log = await world.client()
    topic = world.topic
    groups = {"reads": [topic], "never-read": [topic]}
    sent_at: list[datetime] = []
    for number in range(5):
        now = datetime.now(UTC)
        sent_at.append(now.replace(microsecond=now.microsecond // 1000 * 1000))
        headers = {"ce_time": sent_at[-1].isoformat()}
        await log.publish([Record(topic, "one key", f"{number}".encode(), headers)])
        await asyncio.sleep(0.02)
    member = await log.subscribe("reads", [topic])
    found = await receive_until(member, lambda received: len(received) == 5)
    await member.commit(next_positions(found[:3]))
    behind = await log.behind(groups, [topic])
    await member.close()
    partition = found[0].partition
    left = behind.groups["reads", topic, partition]
    assert (left.messages, behind.groups["never-read", topic, partition].messages) == (2, 5)
    assert left.oldest is not None
    assert sent_at[3] <= left.oldest < sent_at[4]
    first = behind.groups["never-read", topic, partition].oldest
    assert first is not None
    assert sent_at[0] <= first < sent_at[1]
    others = [each for key, each in behind.groups.items() if key[2] != partition]
    assert {(each.messages, each.oldest) for each in others} <= {(0, None)}
    assert behind.kept == {topic: 5}
