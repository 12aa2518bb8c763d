"""The log as a port: durable, partitioned by key, read by groups that commit. Kafka in a deployment, memory in a
simulation.

Both adapters (`shared.runtime.kafka`, `shared.fakes.log`) pass the same conformance suite. Guarantees: per key in
order; at least once; a record counts as published only once all in-sync replicas have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.errors import OwnWords


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish. Topics are named without the prefix."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """One record as read. `offset` counts within (topic, partition)."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Left:
    """What a group has still to handle of one partition: how many records, and when the first of them was published
    (None: there is none, or that is not known).
    """

    messages: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Behind:
    """How far all groups are behind, by group, topic and partition; and how many records a topic keeps."""

    groups: Mapping[tuple[str, str, int], Left]
    kept: Mapping[str, int]


class LogUnavailable(OwnWords):
    """The log cannot be reached or did not acknowledge in time. The records may or may not be there: publish again."""


class Producer(Protocol):
    """Appends records."""

    @property
    def most_bytes(self) -> int:
        """Return the size of the largest value that is taken; a larger one is `Poison`."""
        ...

    async def publish(self, records: Sequence[Record]) -> None:
        """Append all records and return once each is acknowledged by all in-sync replicas.

        Records of one key keep their order. Raises `LogUnavailable` when that did not happen in time.
        """
        ...


class Subscription(Protocol):
    """One member of a consumer group."""

    async def receive(self, max_records: int, timeout_s: float) -> Sequence[ReceivedRecord]:
        """Return the next records in offset order per partition, empty after `timeout_s`. Cancellable.

        A record is returned once per membership; after a rebalance or restart reading goes on at the committed
        position.
        """
        ...

    async def commit(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Commit next offsets to read by (topic, partition). A member that lost the partition commits nothing,
        silently.
        """
        ...

    async def close(self) -> None:
        """Leave the group."""
        ...


class Follower(Protocol):
    """One reader of what is published from now on."""

    async def receive(self, max_records: int, timeout_s: float) -> Sequence[ReceivedRecord]:
        """Return the next records, empty after `timeout_s`. Cancellable. Raises `LogUnavailable`."""
        ...

    async def close(self) -> None:
        """Read no more."""
        ...


class Log(Producer, Protocol):
    """The whole port."""

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join `group` on `topics`; reading starts at the committed position, or at the oldest record."""
        ...

    async def follow(self, topics: Sequence[str]) -> Follower:
        """Read what is published from about now on, in no group: each follower gets all, and nothing is committed.

        For hints only: what is published while the log cannot be reached, or before reading has begun, may be missed.
        """
        ...

    async def behind(self, groups: Mapping[str, Sequence[str]], kept: Sequence[str]) -> Behind:
        """Tell how far groups are behind on the topics that they read, and how many records other topics keep.

        A group that never read a topic is as far behind as there are records. Raises `LogUnavailable`.
        """
        ...

    async def healthy(self) -> bool:
        """Tell within a second whether the log answers."""
        ...
