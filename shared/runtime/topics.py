"""The topics of DESIGN section 3: their names, their policies, and how they come to exist.

Called by the publisher, by every service that subscribes, and by whatever starts a deployment. Names here are without
the prefix, which only the Kafka adapter knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from shared.domain.errors import OwnWords
from shared.domain.ids import Side
from shared.runtime.log import LogUnavailable

DEFAULT_PREFIX: Final = "tandem."
MAX_RECORD_BYTES: Final = 28 * 1024 * 1024
"""The largest record that is published: a webhook of 25 MB with its envelope. Topics and brokers must allow it."""

_DAY_MS: Final = 24 * 60 * 60 * 1000


class Topic(StrEnum):
    """All topics, without prefix."""

    CHANGES_JIRA = "changes.jira.v1"
    CHANGES_CRAFT = "changes.craft.v1"
    REQUESTS = "requests.v1"
    WRITES_JIRA = "writes.jira.v1"
    WRITES_CRAFT = "writes.craft.v1"
    OUTCOMES = "outcomes.v1"
    STATUS = "status.v1"
    REHEARSALS = "rehearsals.v1"
    CONFIG = "config.v1"
    DEAD = "dead.v1"


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """How a topic is laid out and how long it remembers. `retention_ms` None: the broker's default."""

    partitions: int
    compacted: bool = False
    retention_ms: int | None = None

    def configuration(self) -> dict[str, str]:
        """Return the topic's settings as Kafka takes them."""
        settings = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "max.message.bytes": str(MAX_RECORD_BYTES + 1024 * 1024),
        }
        if self.retention_ms is not None:
            settings["retention.ms"] = str(self.retention_ms)
        return settings


POLICIES: Final[Mapping[Topic, TopicPolicy]] = {
    Topic.CHANGES_JIRA: TopicPolicy(partitions=12, retention_ms=14 * _DAY_MS),
    Topic.CHANGES_CRAFT: TopicPolicy(partitions=12, retention_ms=14 * _DAY_MS),
    Topic.REQUESTS: TopicPolicy(partitions=12, retention_ms=14 * _DAY_MS),
    Topic.WRITES_JIRA: TopicPolicy(partitions=12, retention_ms=14 * _DAY_MS),
    Topic.WRITES_CRAFT: TopicPolicy(partitions=12, retention_ms=14 * _DAY_MS),
    Topic.OUTCOMES: TopicPolicy(partitions=12, retention_ms=14 * _DAY_MS),
    Topic.STATUS: TopicPolicy(partitions=6, compacted=True),
    Topic.REHEARSALS: TopicPolicy(partitions=3, retention_ms=_DAY_MS),
    Topic.CONFIG: TopicPolicy(partitions=1, compacted=True),
    Topic.DEAD: TopicPolicy(partitions=3, retention_ms=90 * _DAY_MS),
}


class TopicsNotReady(OwnWords):
    """A topic could not be created, and not because it is there already. The message names each with Kafka's own
    reason.
    """


def changes_topic(side: Side) -> Topic:
    """Return the topic of what was seen on a side."""
    return Topic.CHANGES_JIRA if side is Side.JIRA else Topic.CHANGES_CRAFT


def writes_topic(target: Side) -> Topic:
    """Return the topic of commands for the writer of a side."""
    return Topic.WRITES_JIRA if target is Side.JIRA else Topic.WRITES_CRAFT


async def ensure_topics(
    bootstrap: str,
    prefix: str = DEFAULT_PREFIX,
    *,
    replication_factor: int = -1,
    only: Collection[str] | None = None,
    security: Mapping[str, object] | None = None,
) -> Collection[str]:
    """Create the topics that are missing and return the full names of those created. Idempotent, safe when several run
    at once.

    Existing topics are left as they are. `only` are full names, None: all topics. `replication_factor` -1 is the
    broker's default; `security` are keyword arguments of aiokafka's clients. Raises `LogUnavailable` when the broker
    cannot be reached, `TopicsNotReady` when it refuses.
    """
    wanted = [
        NewTopic(
            prefix + topic,
            policy.partitions,
            replication_factor,
            # aiokafka takes -1 only beside an assignment, and sends an empty one as none.
            replica_assignments={} if replication_factor == -1 else None,
            topic_configs=policy.configuration(),
        )
        for topic, policy in POLICIES.items()
        if only is None or prefix + topic in only
    ]
    if not wanted:
        return []
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000, **(security or {}))
    try:
        await admin.start()
        answer = await admin.create_topics(wanted)
    except (KafkaError, OSError, TimeoutError) as error:
        raise LogUnavailable(f"cannot create topics at {bootstrap}: {error!r}") from error
    finally:
        await admin.close()
    # The client does not raise for a single topic that failed: the codes in the answer tell.
    outcomes = {name: (for_code(code), words) for name, code, words, *_ in answer.topic_errors}
    refused = [
        f"{name}: {error.__name__} {words or ''}".strip()
        for name, (error, words) in outcomes.items()
        if error not in (NoError, TopicAlreadyExistsError)
    ]
    if refused:
        raise TopicsNotReady(
            f"these topics cannot be created: {'; '.join(refused)}. Let Tandem's user create them, or create them"
            " yourself and set TANDEM_KAFKA_CREATE_TOPICS=false"
        )
    return [name for name, (error, _) in outcomes.items() if error is NoError]
