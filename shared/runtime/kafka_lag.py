"""How far consumer groups are behind, as Kafka itself tells: committed positions, ends of partitions, times of records.

Used by `shared.runtime.kafka` for whoever counts for all. Needs no membership in the groups, only to be allowed to
describe them and their topics. Reads no record: times come from the brokers' index by time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from shared.domain.clock import Clock
from shared.runtime.kafka_security import KafkaSecurity
from shared.runtime.log import Behind, Left, LogUnavailable

_TIMEOUT_S: Final = 4.0
_REQUEST_TIMEOUT_MS: Final = 4_000
_MOST_STEPS: Final = 40
_FIRST_STEP_MS: Final = 1_000
_FORGOTTEN_MS: Final = 90 * 24 * 60 * 60 * 1_000
"""No topic keeps anything that is older."""

Positions = Mapping[TopicPartition, int]


class LagReader:
    """Asks one cluster. Connects when it is first asked, and anew after a failure."""

    def __init__(self, bootstrap: str, *, prefix: str, client_id: str, security: KafkaSecurity, clock: Clock) -> None:
        self._prefix = prefix
        self._clock = clock
        self._how = {
            "bootstrap_servers": bootstrap,
            "client_id": f"{client_id}-lag",
            "request_timeout_ms": _REQUEST_TIMEOUT_MS,
        }
        self._security = security
        self._connected_with = security.state()
        self._open: tuple[AIOKafkaAdminClient, AIOKafkaConsumer] | None = None
        self._asking = asyncio.Lock()

    async def read(self, groups: Mapping[str, Sequence[str]], kept: Sequence[str]) -> Behind:
        """Return how far all groups are behind. Raises `LogUnavailable` within some seconds."""
        async with self._asking:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    return await self._read(groups, kept)
            except (KafkaError, OSError, TimeoutError) as error:
                await self._close()
                raise LogUnavailable(f"Kafka does not tell how far groups are behind: {error!r}") from error

    async def close(self) -> None:
        """Close the connections. Idempotent, in bounded time."""
        async with self._asking:
            await self._close()

    async def _read(self, groups: Mapping[str, Sequence[str]], kept: Sequence[str]) -> Behind:
        admin, consumer = await self._connected()
        partitions = await self._partitions(admin, {*kept, *(topic for topics in groups.values() for topic in topics)})
        everywhere = [each for found in partitions.values() for each in found]
        ends = await consumer.end_offsets(everywhere)
        begins = await consumer.beginning_offsets(everywhere)
        left: dict[tuple[str, TopicPartition], tuple[int, int]] = {}
        for group, topics in groups.items():
            committed = await admin.list_consumer_group_offsets(self._prefix + group)
            for partition in (each for topic in topics for each in partitions.get(topic, ())):
                known = committed.get(partition)
                # What was deleted for its age is not waiting any more.
                position = max(begins[partition], known.offset if known is not None else 0)
                left[group, partition] = (position, max(0, ends[partition] - position))
        wanted = {(partition, position) for (_, partition), (position, count) in left.items() if count}
        times = await self._times(consumer, wanted)
        return Behind(
            {
                (group, partition.topic.removeprefix(self._prefix), partition.partition): Left(
                    count, times.get((partition, position))
                )
                for (group, partition), (position, count) in left.items()
            },
            {topic: sum(ends[each] - begins[each] for each in partitions.get(topic, ())) for topic in kept},
        )

    async def _partitions(self, admin: AIOKafkaAdminClient, topics: set[str]) -> Mapping[str, Sequence[TopicPartition]]:
        found = await admin.describe_topics([self._prefix + topic for topic in sorted(topics)])
        return {
            each["topic"].removeprefix(self._prefix): [
                TopicPartition(each["topic"], part["partition"]) for part in each["partitions"]
            ]
            for each in found
            if not each["error_code"]
        }

    async def _times(
        self, consumer: AIOKafkaConsumer, wanted: set[tuple[TopicPartition, int]]
    ) -> Mapping[tuple[TopicPartition, int], datetime]:
        """Return when the records at these positions were published, by asking for the first record after a moment.

        All are searched for in the same requests: back from now in steps that double, then by halves. Where records are
        far apart in time, that is one request or two.
        """
        now = int(self._clock.now().timestamp() * 1_000)
        searches = {each: _Search(now) for each in wanted}
        for _ in range(_MOST_STEPS):
            going_on = {each: search for each, search in searches.items() if not search.over}
            if not going_on:
                break
            # A partition may be searched for two groups, one after the other: a request has one moment for each.
            turn = {partition: (position, search) for (partition, position), search in going_on.items()}
            answers = await consumer.offsets_for_times({partition: s.moment for partition, (_, s) in turn.items()})
            for partition, (position, search) in turn.items():
                answer = answers.get(partition)
                search.hear(position, None if answer is None else (answer.offset, answer.timestamp))
        return {each: datetime.fromtimestamp(search.found / 1_000, UTC) for each, search in searches.items()}

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._open is not None and self._connected_with != self._security.state():
            await self._close()  # a file of it was replaced
        if self._open is None:
            self._connected_with = self._security.state()
            how = {**self._how, **self._security.arguments()}
            admin, consumer = AIOKafkaAdminClient(**how), AIOKafkaConsumer(**how, enable_auto_commit=False)
            self._open = admin, consumer
            await admin.start()
            await consumer.start()
        return self._open

    async def _close(self) -> None:
        if self._open is None:
            return
        (admin, consumer), self._open = self._open, None
        for client in (admin.close, consumer.stop):
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    await client()
            except (KafkaError, OSError, TimeoutError):
                continue


class _Search:
    """For the time of the record at one position: before it the first record after a moment is that one or an earlier
    one, after it a later one.
    """

    def __init__(self, now_ms: int) -> None:
        self._late = now_ms
        """A moment after which only later records come, as far as is known."""
        self._early = now_ms - _FORGOTTEN_MS
        """A moment after which it, or an earlier one, is the first to come."""
        self._step = _FIRST_STEP_MS
        self._bracketed = False
        self.moment = now_ms - self._step
        self.found = now_ms
        self.over = False

    def hear(self, position: int, answer: tuple[int, int] | None) -> None:
        """Take in which record is the first after the moment: its offset and time; None: there is none."""
        if answer is not None and answer[0] == position:
            self.found, self.over = answer[1], True
            return
        if answer is not None and answer[0] < position:
            self._early, self._bracketed = self.moment, True
        else:
            self._late = self.moment
        self.found = self._early if self._bracketed else self._late
        if self._late - self._early <= 1 or (not self._bracketed and self.moment <= self._early):
            self.over = True
        elif self._bracketed:
            self.moment = (self._early + self._late) // 2
        else:
            self._step *= 2
            self.moment = max(self._early, self._late - self._step)
