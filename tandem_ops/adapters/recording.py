"""A Kafka as something to read again, and to put copies on: implements `tandem_ops.handlers.replay.Recording`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.runtime.access import TOOLS
from shared.runtime.kafka import KafkaLog
from shared.runtime.kafka_greeting import AccessMissing, greeting
from shared.runtime.log import LogUnavailable, ReceivedRecord, Record
from shared.runtime.settings import ServiceSettings
from tandem_ops.domain.replay import Kept, Partition, Recorded

NAME: Final = "replay"
_ACK_S: Final = 30.0
_WAIT_MS: Final = 2_000


@asynccontextmanager
async def open_recording(settings: ServiceSettings) -> AsyncIterator[KafkaRecording]:
    """Yield the log of an installation. Raises `LogUnavailable`, whose words say what is wrong or not allowed."""
    security, prefix, client = settings.kafka_security(), settings.topic_prefix, f"tandem-{NAME}"
    async with greeting(settings.kafka_bootstrap, security, client) as broker:
        try:
            await broker.check(TOOLS[NAME], prefix, settings.kafka_username)
        except AccessMissing as error:
            raise LogUnavailable(str(error)) from error
    log = KafkaLog(
        settings.kafka_bootstrap,
        prefix=prefix,
        client_id=client,
        security=security,
        create_topics=False,
        ack_timeout_s=_ACK_S,
    )
    with _translated():
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap,
            client_id=client,
            group_id=prefix + NAME,
            enable_auto_commit=False,
            auto_offset_reset="none",
            **security.arguments(),
        )
        try:
            await consumer.start()
            yield KafkaRecording(consumer, log, prefix)
        finally:
            await consumer.stop()
            await log.close()


class KafkaRecording:
    """See `Recording`. Partitions are read by hand: no group is joined, only its positions are used."""

    def __init__(self, consumer: AIOKafkaConsumer, log: KafkaLog, prefix: str) -> None:
        self._consumer = consumer
        self._log = log
        self._prefix = prefix

    async def kept(self, topics: Sequence[str]) -> Mapping[Partition, Kept]:
        """Return what all partitions have."""
        found: dict[Partition, Kept] = {}
        for topic in topics:
            name = self._prefix + topic
            await self._consumer._client.add_topic(name)  # noqa: SLF001  # else it asks for no topic's partitions
            numbers = self._consumer.partitions_for_topic(name)
            if not numbers:
                raise LogUnavailable(f"there is no topic {name}, or this user may not see it")
            partitions = [TopicPartition(name, number) for number in sorted(numbers)]
            firsts = await self._consumer.beginning_offsets(partitions)
            ends = await self._consumer.end_offsets(partitions)
            found |= {(topic, each.partition): Kept(firsts[each], ends[each]) for each in partitions}
        self._consumer.assign([self._partition(partition) for partition in found])
        return found

    async def at(self, time: datetime, partitions: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
        """Return the offsets of a time."""
        asked = {self._partition(each): int(time.timestamp() * 1000) for each in partitions}
        answer = await self._consumer.offsets_for_times(asked)
        return {
            each: kept.end if (found := answer.get(self._partition(each))) is None else found.offset
            for each, kept in partitions.items()
        }

    async def stopped_at(self, partitions: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
        """Return the positions of the group."""
        found = {each: await self._consumer.committed(self._partition(each)) for each in partitions}
        return {each: position for each, position in found.items() if position is not None}

    async def read(self, spans: Mapping[Partition, Kept], lot: int) -> AsyncIterator[Sequence[Recorded]]:
        """Return what lies within, partition by partition: none is held back by a slower one."""
        for each, span in spans.items():
            partition = self._partition(each)
            others = [other for other in self._consumer.assignment() if other != partition]
            self._consumer.pause(*others)
            self._consumer.resume(partition)
            self._consumer.seek(partition, span.first)
            while await self._consumer.position(partition) < span.end:
                found = await self._consumer.getmany(partition, timeout_ms=_WAIT_MS, max_records=lot)
                records = [self._recorded(one) for one in found.get(partition, ()) if one.offset < span.end]
                if records:
                    yield records

    async def put(self, records: Sequence[Record]) -> None:
        """Append copies."""
        await self._log.publish(records)

    async def keep_position(self, positions: Mapping[Partition, int]) -> None:
        """Commit in the name of the group."""
        await self._consumer.commit({self._partition(each): position for each, position in positions.items()})

    def _partition(self, partition: Partition) -> TopicPartition:
        topic, number = partition
        return TopicPartition(self._prefix + topic, number)

    def _recorded(self, record: ConsumerRecord[bytes, bytes]) -> Recorded:
        received = ReceivedRecord(
            topic=record.topic.removeprefix(self._prefix),
            partition=record.partition,
            offset=record.offset,
            key=(record.key or b"").decode("utf-8", "backslashreplace"),
            value=record.value,
            headers={name: (value or b"").decode("utf-8", "backslashreplace") for name, value in record.headers},
        )
        return Recorded(received, datetime.fromtimestamp(record.timestamp / 1000, UTC))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise LogUnavailable(f"Kafka: {error}") from error
