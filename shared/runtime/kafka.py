"""The log on Apache Kafka: an idempotent producer that waits for all in-sync replicas, and what becomes of it in an
outage.

Opened by each service's bootstrap with `open_kafka_log`; passes the conformance suite of `tests/conformance`. The only
modules that know aiokafka are this one, `kafka_greeting`, `kafka_lag`, `kafka_subscription` and `topics`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import RecordMetadata

from shared.domain.clock import SystemClock
from shared.domain.errors import Poison
from shared.runtime.access import ACCESS, Access
from shared.runtime.error_words import told
from shared.runtime.kafka_greeting import AccessMissing, greeting
from shared.runtime.kafka_lag import LagReader
from shared.runtime.kafka_security import PLAINTEXT, KafkaSecurity
from shared.runtime.kafka_subscription import LOOK_AT_FILES_S, KafkaSubscription
from shared.runtime.log import Behind, Follower, LogUnavailable, Record, Subscription
from shared.runtime.settings import ServiceSettings
from shared.runtime.topics import MAX_RECORD_BYTES, POLICIES, TopicsNotReady, ensure_topics

_ACK_TIMEOUT_S: Final = 0.9
_SLOWEST_BYTES_PER_S: Final = 4 * 1024 * 1024
"""A large record gets more time: a 25 MB webhook must be able to pass a slow network."""
_HEALTH_TIMEOUT_S: Final = 0.9
_CONNECT_PAUSE_S: Final = 0.2
_REFUSED_PAUSE_S: Final = 2.0
"""Rights and topics are somebody's to give; asking ten times a second does not hasten it."""
_REQUEST_TIMEOUT_MS: Final = 10_000
_STOP_TIMEOUT_S: Final = 3.0

_log = structlog.get_logger(__name__)
Partition = tuple[str, int]

_partition_of: Final = DefaultPartitioner()


@asynccontextmanager
async def open_kafka_log(settings: ServiceSettings, *, client: str) -> AsyncIterator[KafkaLog]:
    """Yield the log of a service; `client` is its name, shown by Kafka. Returns at once, also with Kafka away."""
    log = KafkaLog(
        settings.kafka_bootstrap,
        prefix=settings.topic_prefix,
        client_id=f"{client}-{settings.instance}",
        security=settings.kafka_security(),
        access=ACCESS[client],
        create_topics=settings.kafka_create_topics,
        replication_factor=settings.kafka_replication_factor,
        session_timeout_s=settings.kafka_session_timeout_s,
    )
    try:
        yield log
    finally:
        await log.close()


class KafkaLog:
    """Implements `shared.runtime.log.Log`. Connects in the background, and again whenever Kafka comes back.

    A record that was not acknowledged in time stays with the producer, which goes on trying so that no sequence number
    is left out: it may well appear later. Until it has, its partition takes nothing new. So an outage costs no more
    memory than the records of its first second, and the order within a key holds.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        prefix: str,
        client_id: str = "tandem",
        security: KafkaSecurity = PLAINTEXT,
        access: Access | None = None,
        create_topics: bool = True,
        replication_factor: int = -1,
        session_timeout_s: float = 10.0,
        ack_timeout_s: float = _ACK_TIMEOUT_S,
    ) -> None:
        self._bootstrap = bootstrap
        self._ack_timeout_s = ack_timeout_s
        self._prefix = prefix
        self._client_id = client_id
        self._security = security
        self._access = access
        """What we need to be allowed; None: nothing is checked when connecting."""
        self._proved_with = security.state()
        self._looked_at = 0.0
        self._create_topics = create_topics
        self._replication_factor = replication_factor
        self._session_timeout_s = session_timeout_s
        self._connecting: asyncio.Task[AIOKafkaProducer] | None = None
        self._overdue: dict[Partition, set[asyncio.Future[RecordMetadata]]] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._subscriptions: set[KafkaSubscription] = set()
        self._closed = False
        self._lag = LagReader(
            bootstrap, prefix=prefix, client_id=client_id, security=self._security, clock=SystemClock()
        )

    @property
    def most_bytes(self) -> int:
        """Return the size of the largest value that topics are made for."""
        return MAX_RECORD_BYTES

    async def publish(self, records: Sequence[Record]) -> None:
        """Append all records and return once each is acknowledged by all in-sync replicas.

        Raises `LogUnavailable` within a second (and 0.25 s for each MB), `Poison` for a record larger than Kafka takes.
        """
        size = sum(len(record.value) for record in records)
        sent: dict[asyncio.Future[RecordMetadata], Partition] = {}
        try:
            async with asyncio.timeout(self._ack_timeout_s + size / _SLOWEST_BYTES_PER_S):
                producer = await self._producer()
                for record in records:
                    future, partition = await self._send(producer, record)
                    sent[future] = partition
                # Not gather: a timeout must not cancel them, they are still on their way.
                await asyncio.wait(sent)
        except TimeoutError:
            self._note_overdue(sent)
            raise LogUnavailable(f"Kafka at {self._bootstrap} did not acknowledge in time") from None
        except BaseException:
            self._note_overdue(sent)
            raise
        for future in sent:
            error = future.exception()
            if error is not None:
                raise self._translated(error) from error

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join a group, in the background: `receive` waits for it. Never raises."""
        return self._subscribed(f"{self._prefix}{group}", topics)

    async def follow(self, topics: Sequence[str]) -> Follower:
        """Read what is published from about now on; connects in the background. Never raises."""
        return self._subscribed(None, topics)

    def _subscribed(self, group: str | None, topics: Sequence[str]) -> KafkaSubscription:
        subscription = KafkaSubscription(
            self._bootstrap,
            prefix=self._prefix,
            group=group,
            topics=topics,
            client_id=self._client_id,
            security=self._security,
            session_timeout_s=self._session_timeout_s,
        )
        self._subscriptions.add(subscription)
        # Topics that do not exist yet are waited for; somebody has to create them, also if nothing is ever published.
        _ = self._connect()
        return subscription

    async def behind(self, groups: Mapping[str, Sequence[str]], kept: Sequence[str]) -> Behind:
        """Tell how far groups are behind, and how many records topics keep. Raises `LogUnavailable`."""
        if self._closed:
            raise LogUnavailable("the log is closed")
        return await self._lag.read(groups, kept)

    async def healthy(self) -> bool:
        """Tell within a second whether Kafka answers."""
        try:
            async with asyncio.timeout(_HEALTH_TIMEOUT_S):
                producer = await self._producer()
                return bool(await producer.client.force_metadata_update())
        except (TimeoutError, LogUnavailable):
            return False

    async def close(self) -> None:
        """Close all that is open, in bounded time. Idempotent."""
        self._closed = True
        for subscription in self._subscriptions:
            await subscription.close()
        await self._lag.close()
        if self._connecting is not None:
            self._retire(self._connecting)
            self._connecting = None
        if self._retiring:
            await asyncio.wait(self._retiring)

    # sending

    async def _send(
        self, producer: AIOKafkaProducer, record: Record
    ) -> tuple[asyncio.Future[RecordMetadata], Partition]:
        topic = self._prefix + record.topic
        key = record.key.encode("utf-8", "backslashreplace")
        headers = [(name, value.encode("utf-8", "backslashreplace")) for name, value in record.headers.items()]
        try:
            partitions = sorted(await producer.partitions_for(topic))
            partition = _partition_of(key, partitions, [])
            while overdue := self._overdue.get((topic, partition)):
                await asyncio.wait(overdue)
            future = await producer.send(topic, record.value, key=key, partition=partition, headers=headers)
        except KafkaError as error:
            raise self._translated(error) from error
        return future, (topic, partition)

    def _note_overdue(self, sent: Mapping[asyncio.Future[RecordMetadata], Partition]) -> None:
        for future, partition in sent.items():
            if not future.done():
                self._overdue.setdefault(partition, set()).add(future)
                future.add_done_callback(functools.partial(self._settle_overdue, partition))

    def _settle_overdue(self, partition: Partition, future: asyncio.Future[RecordMetadata]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._give_up_if_spoilt(error)
        waiting = self._overdue[partition]
        waiting.discard(future)
        if not waiting:
            del self._overdue[partition]

    def _translated(self, error: BaseException) -> Exception:
        if isinstance(error, MessageSizeTooLargeError | RecordTooLargeError):
            return Poison(f"a record is larger than the log takes ({MAX_RECORD_BYTES} bytes): {error}")
        self._give_up_if_spoilt(error)
        return LogUnavailable(f"Kafka at {self._bootstrap}: {error!r}")

    def _give_up_if_spoilt(self, error: BaseException) -> None:
        """Let a new producer take over after an error that this one cannot get past, such as a gap in its numbers."""
        if isinstance(error, KafkaError) and error.retriable:
            return
        if self._connecting is not None and self._connecting.done():
            _log.error("a new Kafka producer takes over", bootstrap=self._bootstrap, error=told(error))
            self._retire(self._connecting)
            self._connecting = None

    # connecting

    async def _producer(self) -> AIOKafkaProducer:
        """Return the producer once it is connected; the caller has a timeout."""
        if self._closed:
            raise LogUnavailable("the log is closed")
        self._notice_new_credentials()
        return await asyncio.shield(self._connect())

    def _notice_new_credentials(self) -> None:
        """Let a new producer take over where password or certificates were replaced: the old one knows its own only."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < LOOK_AT_FILES_S:
            return
        self._looked_at = now
        if self._connecting is not None and self._connecting.done() and self._security.state() != self._proved_with:
            _log.info("credentials of Kafka were replaced; a new producer takes over", bootstrap=self._bootstrap)
            self._retire(self._connecting)
            self._connecting = None

    def _connect(self) -> asyncio.Task[AIOKafkaProducer]:
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect_until_there(), name=f"{self._client_id} connects")
        return self._connecting

    async def _connect_until_there(self) -> AIOKafkaProducer:
        """Create topics and connect, until it works."""
        said: str | None = None
        while True:
            self._proved_with = self._security.state()
            try:
                producer = await self._connected()
            except (KafkaError, OSError, TimeoutError, LogUnavailable, TopicsNotReady, AccessMissing) as error:
                if said != (said := told(error)):
                    _log.warning("cannot connect to Kafka; trying on", bootstrap=self._bootstrap, error=said)
                refused = isinstance(error, TopicsNotReady | AccessMissing)
                await asyncio.sleep(_REFUSED_PAUSE_S if refused else _CONNECT_PAUSE_S)
            else:
                _log.info("connected to Kafka", bootstrap=self._bootstrap)
                return producer

    async def _connected(self) -> AIOKafkaProducer:
        """Create what topics are missing, find that we may do what we have to, and connect."""
        security = self._security.arguments()
        async with greeting(self._bootstrap, self._security, self._client_id) as broker:
            if self._create_topics:
                await self._create(await broker.absent([self._prefix + topic for topic in POLICIES]))
            if self._access is not None:
                await broker.check(self._access, self._prefix, self._security.username)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=128 * 1024,
            # Counted before compression, with key and headers.
            max_request_size=MAX_RECORD_BYTES + 256 * 1024,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            metadata_max_age_ms=60_000,
            **security,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _create(self, absent: Sequence[str]) -> None:
        created = await ensure_topics(
            self._bootstrap,
            self._prefix,
            only=absent,
            replication_factor=self._replication_factor,
            security=self._security.arguments(),
        )
        if created:
            _log.info("topics created", topics=sorted(created))

    def _retire(self, connecting: asyncio.Task[AIOKafkaProducer]) -> None:
        task = asyncio.create_task(_stop_producer(connecting))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


async def _stop_producer(connecting: asyncio.Task[AIOKafkaProducer]) -> None:
    if not connecting.done():
        connecting.cancel()
        await asyncio.wait((connecting,))
        return
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await connecting.result().stop()
    except (TimeoutError, KafkaError) as error:
        _log.warning("the Kafka producer was left with records that were not acknowledged", error=told(error))
