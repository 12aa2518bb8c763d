"""Kafka as an operator's tools look at it: reads only, and never anything that a message holds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
)
from aiokafka.structs import TopicPartition

from shared.messages.status import SyncStatus
from shared.runtime.envelope import FromNewerRelease, Undecodable, decode
from shared.runtime.kafka_wire import BITS, GroupsWithRights, TopicsWithRights, operations
from shared.runtime.log import LogUnavailable, ReceivedRecord
from shared.runtime.settings import ServiceSettings
from shared.runtime.topics import POLICIES, Topic
from tandem_ops.domain.kafka import ClusterFacts, GroupFacts, PartitionFacts, TopicFacts
from tandem_ops.domain.rights import Granted
from tandem_ops.ports import CannotReach, Letter

_REQUEST_TIMEOUT_MS: Final = 5_000
_CLOSE_TIMEOUT_S: Final = 2.0
_TRIES: Final = 8
_PAUSE_S: Final = 0.5
_NOBODY: Final = -1
_GROUP_HIDDEN: Final = 30
_TOPIC_HIDDEN: Final = 29
_PRODUCE: Final = 0


class Kafka:
    """One connection to the brokers. Everything raises `CannotReach` when they cannot be asked."""

    def __init__(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self._admin = admin
        self._consumer = consumer
        self._prefix = prefix

    async def cluster(self) -> ClusterFacts:
        """Return the brokers and our topics."""
        names = [self._prefix + topic for topic in POLICIES]
        answer = await self._ask(TopicsWithRights(names))
        topics = {}
        hidden = set()
        for code, name, _, partitions, _ in answer.topics:
            short = name.removeprefix(self._prefix)
            if code == _TOPIC_HIDDEN:
                hidden.add(short)
            elif not code:
                facts = [
                    PartitionFacts(number, None if leader == _NOBODY else leader, len(replicas), len(in_sync))
                    for _, number, leader, _, replicas, in_sync, _ in sorted(partitions, key=lambda each: each[1])
                ]
                topics[short] = TopicFacts(short, facts, await self._settings(name))
        return ClusterFacts(len(answer.brokers), topics, frozenset(hidden))

    async def granted(self, groups: Sequence[str]) -> Granted:
        """Return what our user may do with our topics and these groups (all without prefix)."""
        names = [self._prefix + topic for topic in POLICIES]
        answer = await self._ask(TopicsWithRights(names))
        topics = {
            each[1].removeprefix(self._prefix): operations(each[-1]) if not each[0] else frozenset()
            for each in answer.topics
            if each[0] in (0, _TOPIC_HIDDEN)
        }
        rights: dict[str, frozenset[str]] = {}
        for group in groups:
            rights[group] = await self._group_rights(self._prefix + group)
        return Granted(topics, rights)

    async def group(self, name: str, topics: Sequence[str]) -> GroupFacts:
        """Return a group's members, and how far it is behind on these topics (all without prefix)."""
        full = self._prefix + name
        try:
            coordinator = await self._coordinator(full)
            (answer,) = await self._admin.describe_consumer_groups([full], coordinator)
            _, _, state, _, _, members, *_ = answer.groups[0]
            partitions = await self._partitions(topics)
            committed = await self._admin.list_consumer_group_offsets(full, coordinator, partitions)
            ends = await self._consumer.end_offsets(partitions)
            begins = await self._consumer.beginning_offsets(partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            raise CannotReach(_words(error)) from error
        lag: dict[tuple[str, int], int | None] = {}
        for place in partitions:
            position = committed[place].offset if place in committed else -1
            behind = ends[place] - max(position, begins[place])
            short = place.topic.removeprefix(self._prefix)
            # Without a commit reading begins at the oldest record: all of them wait.
            lag[short, place.partition] = behind if position >= 0 or behind else None
        return GroupFacts(name, state or "unknown", len(members), lag)

    async def since(self, topic: str, at: datetime) -> int:
        """Return how many records of a topic (without prefix) are as new as that, or newer."""
        try:
            partitions = await self._partitions([topic])
            if not partitions:
                return 0
            found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, int(at.timestamp() * 1000)))
            ends = await self._consumer.end_offsets(partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            raise CannotReach(_words(error)) from error
        return sum(ends[place] - offset.offset for place, offset in found.items() if offset is not None)

    async def dead_letters(self, most: int) -> Sequence[Letter]:
        """Return what the newest dead letters say of themselves in their headers, the oldest first."""
        letters = [_letter(record) async for record in self._read(Topic.DEAD, most)]
        return sorted(letters, key=lambda letter: letter.at)[-most:]

    async def statuses(self) -> AsyncIterator[SyncStatus]:
        """Yield all that the topic of statuses still holds, and is understood; of a link, the last one counts."""
        async for record in self._read(Topic.STATUS, None):
            headers = {name: value.decode(errors="replace") for name, value in record.headers}
            key = (record.key or b"").decode(errors="replace")
            try:
                received = ReceivedRecord(Topic.STATUS, record.partition, record.offset, key, record.value, headers)
                message = decode(received).message
            except (Undecodable, FromNewerRelease):
                continue
            if isinstance(message, SyncStatus):
                yield message

    async def _read(self, topic: str, most: int | None) -> AsyncIterator[Any]:
        """Yield the records of a topic that are there now; of each partition the newest `most` (None: all)."""
        try:
            places = await self._partitions([topic])
            self._consumer.assign(places)
            ends = await self._consumer.end_offsets(places) if places else {}
            begins = await self._consumer.beginning_offsets(places) if places else {}
            for each in places:
                self._consumer.seek(each, begins[each] if most is None else max(begins[each], ends[each] - most))
            while any([await self._consumer.position(each) < ends[each] for each in places]):
                for records in (await self._consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        yield record
        except (KafkaError, OSError, TimeoutError) as error:
            raise CannotReach(_words(error)) from error

    async def speaks(self) -> int:
        """Return up to which version the brokers understand a produce request, which tells their release."""
        connection = next(iter(self._admin._client._conns.values()))  # noqa: SLF001  # shown nowhere else
        return int(connection._versions.get(_PRODUCE, (0, 0))[1])  # noqa: SLF001

    async def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        answer = await self._ask(TopicsWithRights([self._prefix + topic for topic in topics]))
        return [TopicPartition(each[1], part[1]) for each in answer.topics for part in each[3]]

    async def _settings(self, name: str) -> Mapping[str, str] | None:
        try:
            answers = await self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        except (KafkaError, OSError, TimeoutError) as error:
            raise CannotReach(_words(error)) from error
        code, _, _, _, entries = answers[0].resources[0]
        return None if code else {entry[0]: entry[1] or "" for entry in entries}

    async def _group_rights(self, name: str) -> frozenset[str]:
        try:
            coordinator = await self._coordinator(name)
            answer = await self._admin._client.send(coordinator, GroupsWithRights([name]))  # noqa: SLF001
        except GroupAuthorizationFailedError:
            return frozenset()
        except (KafkaError, OSError, TimeoutError) as error:
            raise CannotReach(_words(error)) from error
        code, *_, bits = answer.groups[0]
        if code == _GROUP_HIDDEN:
            return frozenset()
        # A coordinator that is being elected tells no rights, but that the group is not ours to see it would tell.
        return frozenset(BITS) if code else operations(bits)

    async def _coordinator(self, group: str) -> int:
        """Return who coordinates a group. The first group of all on new brokers has none for a moment."""
        for _ in range(_TRIES):
            try:
                return int(await self._admin.find_coordinator(group))
            except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
                await asyncio.sleep(_PAUSE_S)
        return int(await self._admin.find_coordinator(group))

    async def _ask(self, request: Any) -> Any:
        client = self._admin._client  # noqa: SLF001  # its public methods ask other questions
        try:
            return await client.send(client.get_random_node(), request)
        except (KafkaError, OSError, TimeoutError) as error:
            raise CannotReach(_words(error)) from error


def _letter(record: Any) -> Letter:
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Letter(headers.get("dead_topic", ""), headers.get("dead_by", ""), headers.get("dead_reason", ""), at)


@asynccontextmanager
async def open_kafka(settings: ServiceSettings) -> AsyncIterator[Kafka]:
    """Yield a connection. Raises `CannotReach` with what is wrong with each server."""
    security = _security(settings)
    await _knock(settings.kafka_bootstrap, security)
    shared = {"bootstrap_servers": settings.kafka_bootstrap, "client_id": "tandem-doctor", **security}
    admin = AIOKafkaAdminClient(request_timeout_ms=_REQUEST_TIMEOUT_MS, **shared)
    consumer = AIOKafkaConsumer(request_timeout_ms=_REQUEST_TIMEOUT_MS, enable_auto_commit=False, **shared)
    try:
        await admin.start()
        await consumer.start()
        yield Kafka(admin, consumer, settings.topic_prefix)
    except (KafkaError, OSError, TimeoutError) as error:
        raise CannotReach(_words(error)) from error
    finally:
        with suppress(KafkaError, OSError, TimeoutError):
            await consumer.stop()
        await admin.close()


def _security(settings: ServiceSettings) -> Mapping[str, Any]:
    try:
        return settings.kafka_security().arguments()
    except LogUnavailable as error:
        raise CannotReach(str(error)) from error


async def _knock(bootstrap: str, security: Mapping[str, Any]) -> None:
    """Connect and log in to each server, and raise with the words of all if none works: aiokafka's clients do not tell
    a refused password from a server that is away.
    """
    told = []
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_REQUEST_TIMEOUT_MS, **security
            )
        except (KafkaError, OSError, TimeoutError) as error:
            told.append(f"{server}: {_words(error)}")
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.close(), _CLOSE_TIMEOUT_S)
            return
    raise CannotReach("; ".join(told))


def _words(error: BaseException) -> str:
    match error:
        case AuthenticationFailedError():
            return "the user or the password is refused (TANDEM_KAFKA_USERNAME, TANDEM_KAFKA_PASSWORD)"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}); see TANDEM_KAFKA_CA_FILE"
        case ssl.SSLError():
            return "no TLS there; see TANDEM_KAFKA_SECURITY_PROTOCOL and the port"
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "the connection is refused: nothing listens there"
        case OSError() if error.strerror:
            return error.strerror
        case KafkaError() if error.__cause__ is not None:
            return _words(error.__cause__)
        case _:
            return type(error).__name__
