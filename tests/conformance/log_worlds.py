"""The worlds in which the laws of the log are tested: the log in memory, and a real Kafka.

A world is the broker's side: it makes clients, silences them as `kill -9` of their process would, and takes the broker
away.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import KafkaServer
from shared.fakes.log import MemoryLog
from shared.runtime.kafka import KafkaLog
from shared.runtime.log import Log, LogUnavailable, ReceivedRecord, Record, Subscription
from shared.runtime.topics import POLICIES
from tests.patience import HANGS_S

PARTITIONS = 4
DEADLINE_S = HANGS_S


class World(Protocol):
    """One broker with one topic of four partitions for this test alone."""

    topic: str

    async def client(self) -> Log:
        """Return a client of its own, as a process would have."""
        ...

    async def silence(self, member: Subscription) -> None:
        """End a member as a killed process ends: without a word, and found out by the broker after a while."""
        ...

    async def take_away(self) -> None:
        """Kill the broker with -9."""
        ...

    async def bring_back(self) -> None:
        """Start it again on what it had stored."""
        ...

    async def close(self) -> None:
        """Close all clients."""
        ...


class MemoryWorld:
    """The broker is one `MemoryLog`, shared by all clients."""

    def __init__(self) -> None:
        self._log = MemoryLog(partitions=PARTITIONS)
        self.topic = "laws.v1"

    async def client(self) -> Log:
        return self._log

    async def silence(self, member: Subscription) -> None:
        self._log.expire(member)

    async def take_away(self) -> None:
        self._log.available = False

    async def bring_back(self) -> None:
        self._log.available = True

    async def close(self) -> None:
        """Nothing is open."""


class KafkaWorld:
    """A real broker. `server` is given only where a test may kill it."""

    def __init__(self, bootstrap: str, prefix: str, server: KafkaServer | None) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._server = server
        self._clients: list[KafkaLog] = []
        self.topic = f"laws-{uuid.uuid4().hex[:8]}.v1"

    async def prepare(self) -> None:
        """Create the topic of this test; the real ones, with their dozens of partitions, are not needed."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            size = {"max.message.bytes": str(40 * 1024 * 1024)}
            answer = await admin.create_topics([NewTopic(self._prefix + self.topic, PARTITIONS, 1, topic_configs=size)])
        finally:
            await admin.close()
        assert [code for _, code, *_ in answer.topic_errors] == [0], answer

    async def client(self) -> KafkaLog:
        log = KafkaLog(
            self._bootstrap,
            prefix=self._prefix,
            client_id=f"client-{len(self._clients)}",
            create_topics=False,
            session_timeout_s=6.0,
            # Where nobody kills the broker, an acknowledgement that takes long is the machine's.
            ack_timeout_s=0.9 if self._server is not None else 60.0,
        )
        self._clients.append(log)
        return log

    async def silence(self, member: Subscription) -> None:
        """Cut its connections under it; its tasks may go on trying, as a process would that is cut off."""
        # There is no public way to make aiokafka forget its manners.
        joining = vars(member)["_joining"]
        consumer = joining.result()
        vars(member)["_joining"] = None
        for task in (consumer._coordinator._heartbeat_task, consumer._coordinator._coordination_task):
            task.cancel()
        await asyncio.gather(
            consumer._coordinator._heartbeat_task, consumer._coordinator._coordination_task, return_exceptions=True
        )
        consumer._closed = True
        await consumer._fetcher.close()
        await consumer._client.close()

    async def take_away(self) -> None:
        assert self._server is not None
        await self._server.kill()

    async def bring_back(self) -> None:
        assert self._server is not None
        await self._server.restart()

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


def record(topic: str, key: str, text: str) -> Record:
    """Return a record with `text` as its value."""
    return Record(topic=topic, key=key, value=text.encode(), headers={"n": text[:40]})


async def receive_until(
    member: Subscription, enough: Callable[[Sequence[ReceivedRecord]], bool], *, deadline_s: float = DEADLINE_S
) -> list[ReceivedRecord]:
    """Receive until `enough` says so of all that was received. Raises TimeoutError."""
    received: list[ReceivedRecord] = []
    async with asyncio.timeout(deadline_s):
        while not enough(received):
            try:
                received += await member.receive(100, 1.0)
            except LogUnavailable:
                await asyncio.sleep(0.05)
    return received


def texts(records: Sequence[ReceivedRecord]) -> list[str]:
    """Return the values in the order given."""
    return [(one.value or b"").decode() for one in records]


def next_positions(records: Sequence[ReceivedRecord]) -> dict[tuple[str, int], int]:
    """Return the positions after these records."""
    positions: dict[tuple[str, int], int] = {}
    for one in records:
        place = (one.topic, one.partition)
        positions[place] = max(positions.get(place, 0), one.offset + 1)
    return positions


TOPICS_OF_THE_SYSTEM = len(POLICIES)
