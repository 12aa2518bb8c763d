"""The log in memory: topics with partitions, groups with generations, positions that outlive the members.

Used by unit tests and by the simulation, which puts delays and deaths around it. A `MemoryLog` is the broker: it lives
on when the services that use it die. It passes the same conformance suite as Kafka (`tests/conformance`).
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.errors import Poison
from shared.runtime.log import Behind, Follower, Left, LogUnavailable, ReceivedRecord, Record, Subscription
from shared.runtime.topics import MAX_RECORD_BYTES

Partition = tuple[str, int]


@dataclass(eq=False, slots=True)
class _Group:
    """One consumer group: its members in the order of joining, and the positions that they committed."""

    generation: int = 0
    members: list[MemorySubscription] = field(default_factory=list)
    committed: dict[Partition, int] = field(default_factory=dict)


class MemoryLog:
    """Implements `shared.runtime.log.Log`. Deterministic; for one event loop; nothing is ever deleted."""

    def __init__(self, *, partitions: int = 4, most_bytes: int = MAX_RECORD_BYTES) -> None:
        """Every topic exists, with that many partitions."""
        self._count = partitions
        self.most_bytes = most_bytes
        self._partitions: dict[Partition, list[ReceivedRecord]] = {}
        self._groups: dict[str, _Group] = {}
        self._followers = 0
        self.available = True
        """False: everything raises `LogUnavailable`, as with Kafka away."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Append all records, or none."""
        self.check_available()
        for record in records:
            size = len(record.value)
            if size > self.most_bytes:
                raise Poison(f"a record of {size} bytes is larger than the log takes ({self.most_bytes})")
        touched = set()
        for record in records:
            key = record.key.encode("utf-8", "backslashreplace")
            partition = zlib.crc32(key) % self._count
            stored = self._partitions.setdefault((record.topic, partition), [])
            # A StrEnum is stored as the plain text that Kafka would give back.
            topic = str(record.topic)
            stored.append(
                ReceivedRecord(topic, partition, len(stored), key.decode(), record.value, dict(record.headers))
            )
            touched.add(topic)
        for group in self._groups.values():
            for member in group.members:
                if touched & member.topics:
                    member.wake()

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join a group. Every join and leave deals all partitions anew."""
        self.check_available()
        member = MemorySubscription(self, group, frozenset(str(topic) for topic in topics))
        joined = self._groups.setdefault(group, _Group())
        joined.members.append(member)
        self._deal(joined)
        return member

    async def follow(self, topics: Sequence[str]) -> Follower:
        """Read what is published from now on, as the only member of a group that nobody else knows."""
        self.check_available()
        self._followers += 1
        group = f"(follower {self._followers})"
        ends = {
            (str(topic), n): len(self._partitions.get((topic, n), ())) for topic in topics for n in range(self._count)
        }
        self._groups[group] = _Group(committed=ends)
        return await self.subscribe(group, topics)

    async def behind(self, groups: Mapping[str, Sequence[str]], kept: Sequence[str]) -> Behind:
        """Tell how far groups are behind."""
        self.check_available()
        numbers = range(self._count)
        left = {
            (group, str(topic), number): self._left(group, (str(topic), number))
            for group, topics in groups.items()
            for topic in topics
            for number in numbers
        }
        return Behind(
            left, {topic: sum(len(self._partitions.get((str(topic), n), ())) for n in numbers) for topic in kept}
        )

    def _left(self, group: str, partition: Partition) -> Left:
        joined = self._groups.get(group)
        position = joined.committed.get(partition, 0) if joined is not None else 0
        waiting = self._partitions.get(partition, [])[position:]
        told = waiting[0].headers.get("ce_time") if waiting else None
        return Left(len(waiting), datetime.fromisoformat(told) if told else None)

    async def healthy(self) -> bool:
        """Tell whether the log is available."""
        return self.available

    # for tests and the simulation

    def records(self, topic: str) -> list[ReceivedRecord]:
        """Return all records of a topic, by partition and offset."""
        return [record for number in range(self._count) for record in self._partitions.get((topic, number), [])]

    def committed(self, group: str) -> Mapping[Partition, int]:
        """Return the committed positions of a group; it may never have been joined."""
        return dict(self._groups.setdefault(group, _Group()).committed)

    def lag(self, group: str) -> int:
        """Return how many records on the topics of a group's members are not below the committed positions."""
        joined = self._groups.setdefault(group, _Group())
        topics = frozenset[str]().union(*(member.topics for member in joined.members))
        return sum(
            len(stored) - joined.committed.get(partition, 0)
            for partition, stored in self._partitions.items()
            if partition[0] in topics
        )

    def expire(self, member: Subscription) -> None:
        """Put a silent member out of its group, as the broker does when no heartbeat came. It may try to go on."""
        for group in self._groups.values():
            if member in group.members:
                group.members = [other for other in group.members if other is not member]
                self._deal(group)

    # for MemorySubscription

    def check_available(self) -> None:
        """Raise `LogUnavailable` when it is away."""
        if not self.available:
            raise LogUnavailable("the log in memory is switched off")

    def read(self, partition: Partition, position: int, count: int) -> Sequence[ReceivedRecord]:
        """Return up to `count` records from `position`."""
        return self._partitions.get(partition, [])[position : position + count]

    def commit(self, group: str, member: MemorySubscription, positions: Mapping[Partition, int]) -> None:
        """Store positions of partitions that the member holds, unless they go back behind where it was dealt them."""
        joined = self._groups[group]
        if member not in joined.members:
            return
        for partition, position in positions.items():
            if position >= member.dealt.get(partition, position + 1):
                joined.committed[partition] = position

    def _deal(self, group: _Group) -> None:
        group.generation += 1
        for member in group.members:
            member.dealt = {}
        topics = sorted(frozenset[str]().union(*(member.topics for member in group.members)))
        for topic in topics:
            takers = [member for member in group.members if topic in member.topics]
            for number in range(self._count):
                partition = (topic, number)
                takers[number % len(takers)].dealt[partition] = group.committed.get(partition, 0)
        for member in group.members:
            member.positions = dict(member.dealt)
            member.wake()


class MemorySubscription:
    """One member of a group. Implements `shared.runtime.log.Subscription`."""

    def __init__(self, log: MemoryLog, group: str, topics: frozenset[str]) -> None:
        self._log = log
        self._group = group
        self._news = asyncio.Event()
        self.topics = topics
        self.dealt: dict[Partition, int] = {}
        """The partitions of this generation, each with the position at which it was dealt."""
        self.positions: dict[Partition, int] = {}
        """Where reading goes on."""

    def wake(self) -> None:
        """Tell that there may be something to read."""
        self._news.set()

    async def receive(self, max_records: int, timeout_s: float) -> Sequence[ReceivedRecord]:
        """Return the next records; partitions take turns."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self._log.check_available()
                    self._news.clear()
                    found = self._next(max_records)
                    if found:
                        return found
                    await self._news.wait()
        except TimeoutError:
            return ()

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Commit positions of partitions that are still held."""
        self._log.check_available()
        self._log.commit(self._group, self, positions)

    async def close(self) -> None:
        """Leave the group. Idempotent."""
        self._log.expire(self)
        self.dealt, self.positions = {}, {}

    def _next(self, max_records: int) -> list[ReceivedRecord]:
        found: list[ReceivedRecord] = []
        for partition in list(self.positions):
            records = self._log.read(partition, self.positions[partition], max_records - len(found))
            if records:
                found += records
                # To the end of the line: no partition starves.
                self.positions[partition] = self.positions.pop(partition) + len(records)
            if len(found) >= max_records:
                break
        return found
