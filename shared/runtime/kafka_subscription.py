"""One member of a Kafka consumer group, that joins again by itself and never commits for partitions that it has lost.

Made by `shared.runtime.kafka.KafkaLog.subscribe` only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.runtime.error_words import told
from shared.runtime.kafka_security import KafkaSecurity
from shared.runtime.log import LogUnavailable, ReceivedRecord

Partition = tuple[str, int]

_COMMIT_TIMEOUT_S: Final = 2.0
_STOP_TIMEOUT_S: Final = 4.0
_CONNECT_PAUSE_S: Final = 0.2
LOOK_AT_FILES_S: Final = 5.0
"""How often password and certificates are looked at, in case they were replaced."""
# A member is alive as long as its event loop answers heartbeats. How long handlers take is no sign of its health: the
# consumer of shared/runtime/consumer.py may have to stop receiving for as long as the store is away.
_MAX_POLL_INTERVAL_MS: Final = 24 * 60 * 60 * 1000
_REBALANCE_TIMEOUT_MS: Final = 15_000
# Joining a group takes up to the rebalance timeout.
_REQUEST_TIMEOUT_MS: Final = 20_000

_log = structlog.get_logger(__name__)


class KafkaSubscription:
    """Implements `shared.runtime.log.Subscription`, and without a group `Follower`.

    For one task that receives; commits may come from another one.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        prefix: str,
        group: str | None,
        topics: Sequence[str],
        client_id: str,
        security: KafkaSecurity,
        session_timeout_s: float,
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._in_group = group
        self._group = group or "(none)"
        self._topics = [prefix + topic for topic in topics]
        self._client_id = client_id
        self._security = security
        self._proved_with = security.state()
        self._looked_at = 0.0
        self._session_timeout_ms = int(session_timeout_s * 1000)
        self._joining: asyncio.Task[AIOKafkaConsumer] | None = None
        self._trouble: str | None = None
        """Why joining has failed so far; None once joined, or while nothing speaks against it."""
        self._first: dict[Partition, int] = {}
        """By partition that is ours, the first offset received since it was assigned. Empty while partitions are
        dealt.
        """
        self._committing = asyncio.Lock()
        self._closed = False

    async def receive(self, max_records: int, timeout_s: float) -> Sequence[ReceivedRecord]:
        """Return the next records. Raises `LogUnavailable` when trying to join the group has failed so far."""
        if self._closed:
            raise LogUnavailable("the subscription is closed")
        if self._credentials_replaced():
            _log.info("credentials of Kafka were replaced; joining anew", group=self._group)
            joining, self._joining = self._joining, None
            await self._stop(joining)
        if self._joining is None:
            self._joining = asyncio.create_task(self._join(), name=f"{self._group} joins")
        try:
            async with asyncio.timeout(timeout_s):
                consumer = await asyncio.shield(self._joining)
                found = await consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        except TimeoutError:
            if self._trouble is not None:
                raise LogUnavailable(f"group {self._group} cannot be joined: {self._trouble}") from None
            return ()
        except KafkaError as error:
            # The member cannot go on (its coordination task has ended): leave and join anew.
            joining, self._joining = self._joining, None
            await self._stop(joining)
            raise LogUnavailable(f"group {self._group}: {error!r}") from error
        return [self._received(record) for records in found.values() for record in records]

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Commit positions of partitions that are ours. Raises `LogUnavailable` after 2 s without an answer.

        Held against `_lose`: aiokafka takes the generation at the moment of sending, and the broker does not check who
        owns a partition. A commit that waited over a rebalance would be accepted for partitions of others.
        """
        async with self._committing:
            ours = {
                TopicPartition(self._prefix + topic, number): position
                for (topic, number), position in positions.items()
                if position > self._first.get((topic, number), position)
            }
            if not ours or self._joining is None or not self._joining.done():
                return
            try:
                async with asyncio.timeout(_COMMIT_TIMEOUT_S):
                    await self._joining.result().commit(ours)
            except (CommitFailedError, IllegalStateError) as error:
                _log.info("commit refused: partitions are being dealt anew", group=self._group, error=told(error))
            except (TimeoutError, KafkaError) as error:
                raise LogUnavailable(f"group {self._group}: commit not acknowledged: {error!r}") from error

    async def close(self) -> None:
        """Leave the group, so that others take over at once. Idempotent, in bounded time."""
        self._closed = True
        joining, self._joining = self._joining, None
        await self._stop(joining)

    async def _join(self) -> AIOKafkaConsumer:
        """Join the group, trying until it works."""
        while True:
            self._proved_with = self._security.state()
            try:
                security = self._security.arguments()
            except LogUnavailable as error:
                await self._say_and_wait(error)
                continue
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=self._in_group,
                client_id=self._client_id,
                enable_auto_commit=False,
                auto_offset_reset="earliest" if self._in_group else "latest",
                session_timeout_ms=self._session_timeout_ms,
                heartbeat_interval_ms=self._session_timeout_ms // 4,
                max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
                rebalance_timeout_ms=_REBALANCE_TIMEOUT_MS,
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
                metadata_max_age_ms=60_000,
                **security,
            )
            consumer.subscribe(self._topics, listener=_Losses(self))
            try:
                await consumer.start()
            except (KafkaError, OSError, TimeoutError) as error:
                await consumer.stop()
                await self._say_and_wait(error)
            except BaseException:
                await consumer.stop()
                raise
            else:
                self._trouble = None
                _log.info("joined the group", group=self._group, topics=self._topics)
                return consumer

    async def _say_and_wait(self, error: Exception) -> None:
        if self._trouble != told(error):
            self._trouble = told(error)
            _log.warning("cannot join the group; trying on", group=self._group, error=self._trouble)
        await asyncio.sleep(_CONNECT_PAUSE_S)

    def _credentials_replaced(self) -> bool:
        """Tell, looking every few seconds, whether the files were replaced by which the member has proved itself."""
        now = asyncio.get_running_loop().time()
        if self._joining is None or not self._joining.done() or now - self._looked_at < LOOK_AT_FILES_S:
            return False
        self._looked_at = now
        return self._security.state() != self._proved_with

    async def _stop(self, joining: asyncio.Task[AIOKafkaConsumer] | None) -> None:
        if joining is None:
            return
        if not joining.done():
            joining.cancel()
            await asyncio.wait((joining,), timeout=_STOP_TIMEOUT_S)
            return
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await joining.result().stop()
        except (TimeoutError, KafkaError) as error:
            _log.warning("left the group without a word", group=self._group, error=told(error))

    async def lose(self) -> None:
        """Forget all partitions, once a commit under way has ended. Called before partitions are dealt anew."""
        async with self._committing:
            self._first.clear()

    def _received(self, record: ConsumerRecord[bytes, bytes]) -> ReceivedRecord:
        topic = record.topic.removeprefix(self._prefix)
        self._first.setdefault((topic, record.partition), record.offset)
        return ReceivedRecord(
            topic=topic,
            partition=record.partition,
            offset=record.offset,
            key=(record.key or b"").decode("utf-8", "backslashreplace"),
            value=record.value,
            headers={name: (value or b"").decode("utf-8", "backslashreplace") for name, value in record.headers},
        )


class _Losses(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped
    """Tells a subscription that its partitions are about to be dealt anew; aiokafka waits for it before it joins
    again.
    """

    def __init__(self, subscription: KafkaSubscription) -> None:
        self._subscription = subscription

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        del revoked  # All are: aiokafka's rebalances are eager.
        await self._subscription.lose()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        # Nothing: records of the new assignment may have been received already.
        del assigned
