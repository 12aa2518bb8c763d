"""What is right and wrong with Kafka: brokers, topics, consumer groups, dead letters. Pure.

The facts are what `tandem_ops.adapters.kafka` reads; what is wanted is `shared.runtime.topics`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.runtime.topics import MAX_RECORD_BYTES, POLICIES, Topic, TopicPolicy
from tandem_ops.domain.report import Finding, failed, ok, skipped, warning

SAFE_REPLICAS: Final = 3
SAFE_IN_SYNC: Final = 2
MUCH_LAG: Final = 1000


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """One partition. `leader` None: nobody leads it, so that nothing can be read or written."""

    number: int
    leader: int | None
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One topic, without prefix. `settings` None: we may not see them."""

    name: str
    partitions: Sequence[PartitionFacts]
    settings: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """One consumer group, without prefix. `lag` by (topic, partition); None: it has never committed there."""

    name: str
    state: str
    members: int
    lag: Mapping[tuple[str, int], int | None]


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What the brokers tell."""

    brokers: int
    topics: Mapping[str, TopicFacts]
    """By name, without prefix: what there is, and we may see."""
    hidden: frozenset[str]
    """Topics of ours that this user may not see, whether they are there or not."""


def topic_findings(facts: ClusterFacts, prefix: str, needed: Collection[str]) -> Iterator[Finding]:
    """Judge all topics, in the order of the design. Whoever is looked at for needs these of them."""
    for topic, policy in POLICIES.items():
        found = facts.topics.get(topic)
        if found is not None:
            problems = list(_topic_problems(prefix + topic, policy, found, facts.brokers))
            yield from problems or [ok("topics", f"{prefix}{topic}: {len(found.partitions)} partitions")]
        elif topic in facts.hidden and topic not in needed:
            yield skipped("topics", f"{prefix}{topic} may not be seen by this user of Kafka, who does not need it")
        elif topic in facts.hidden:
            yield failed(
                "topics",
                f"{prefix}{topic} may not be seen by this user of Kafka",
                "Grant it Describe on the topic (an ACL), or check TANDEM_TOPIC_PREFIX.",
            )
        else:
            yield failed(
                "topics",
                f"{prefix}{topic} is missing",
                f"Create it with {policy.partitions} partitions and {_written(policy)}, or let a service create it "
                "(TANDEM_KAFKA_CREATE_TOPICS=true, with the right to). If the topics have another prefix, set "
                "TANDEM_TOPIC_PREFIX.",
            )


def _written(policy: TopicPolicy) -> str:
    return ", ".join(f"{name}={value}" for name, value in policy.configuration().items())


def _topic_problems(name: str, policy: TopicPolicy, found: TopicFacts, brokers: int) -> Iterator[Finding]:
    if len(found.partitions) < policy.partitions:
        yield warning(
            "topics",
            f"{name} has {len(found.partitions)} partitions instead of {policy.partitions}: fewer replicas of a "
            "service can work at once",
            "Add partitions while all services are stopped and have no lag: keys move to other partitions.",
        )
    least = min((each.in_sync for each in found.partitions), default=0)
    leaderless = [each.number for each in found.partitions if each.leader is None]
    if leaderless:
        yield failed(
            "topics",
            f"{name}: nobody leads partition {_numbers(leaderless)}",
            "Bring the brokers back that hold them.",
        )
    yield from _replication_problems(name, found, brokers, least)
    if found.settings is None:
        yield warning(
            "topics",
            f"the settings of {name} may not be seen by this user of Kafka, so that they are not checked",
            "Grant it DescribeConfigs on the topic, or run the doctor as a user who has it.",
        )
        return
    yield from _setting_problems(name, policy, found.settings, found, least)


def _replication_problems(name: str, found: TopicFacts, brokers: int, least: int) -> Iterator[Finding]:
    replicas = min((each.replicas for each in found.partitions), default=0)
    if replicas < min(SAFE_REPLICAS, brokers):
        yield warning(
            "topics",
            f"{name} is kept {_times(replicas)} although there are {brokers} brokers: what is lost with one is lost",
            f"Raise its replication factor to {min(SAFE_REPLICAS, brokers)} (kafka-reassign-partitions.sh).",
        )
    if least < replicas:
        behind = [each.number for each in found.partitions if each.in_sync < each.replicas]
        yield warning(
            "topics",
            f"{name}: replicas of partition {_numbers(behind)} are not in sync",
            "Look at the brokers: one is down, slow or full.",
        )


def _setting_problems(
    name: str, policy: TopicPolicy, settings: Mapping[str, str], found: TopicFacts, least: int
) -> Iterator[Finding]:
    wanted = policy.configuration()["cleanup.policy"]
    policies = settings.get("cleanup.policy", wanted)
    if set(policies.split(",")) != {wanted}:
        loss = "old statuses of items that did not change get lost" if policy.compacted else "events get lost"
        yield failed(
            "topics",
            f"{name} has cleanup.policy={policies} instead of {wanted}: {loss}",
            f"kafka-configs.sh --alter --topic {name} --add-config cleanup.policy={wanted}",
        )
    largest = int(settings.get("max.message.bytes", MAX_RECORD_BYTES))
    if largest < MAX_RECORD_BYTES:
        yield failed(
            "topics",
            f"{name} takes records of {largest} bytes at most, and webhooks may have {MAX_RECORD_BYTES}",
            f"kafka-configs.sh --alter --topic {name} --add-config "
            f"max.message.bytes={policy.configuration()['max.message.bytes']}",
        )
    kept = int(settings.get("retention.ms", -1))
    if policy.retention_ms is not None and 0 <= kept < policy.retention_ms:
        yield warning(
            "topics",
            f"{name} forgets after {_hours(kept)} instead of {_hours(policy.retention_ms)}: a service that is down for "
            "longer misses events, and replays go back no further",
            f"kafka-configs.sh --alter --topic {name} --add-config retention.ms={policy.retention_ms}",
        )
    replicas = min((each.replicas for each in found.partitions), default=0)
    needed = int(settings.get("min.insync.replicas", 1))
    if needed > least:
        yield failed(
            "topics",
            f"{name} needs {needed} replicas in sync (min.insync.replicas) and has {least}: nothing can be written",
            "Bring the missing brokers back, or lower min.insync.replicas below the number of replicas.",
        )
    elif needed < SAFE_IN_SYNC and replicas >= SAFE_REPLICAS:
        yield warning(
            "topics",
            f"{name} has min.insync.replicas={needed}: what one broker alone acknowledged is lost with it",
            f"kafka-configs.sh --alter --topic {name} --add-config min.insync.replicas={SAFE_IN_SYNC}",
        )
    elif needed == replicas > 1:
        yield warning(
            "topics",
            f"{name} has min.insync.replicas={needed} and as many replicas: with one broker down nothing can be "
            "written",
            "Keep one replica more than min.insync.replicas.",
        )


def group_findings(facts: GroupFacts, prefix: str) -> Iterator[Finding]:
    """Judge one consumer group."""
    name = prefix + facts.name
    behind = {place: lag for place, lag in facts.lag.items() if lag}
    total = sum(behind.values())
    waiting = f"{total} record{'' if total == 1 else 's'} wait{'s' if total == 1 else ''}"
    if not facts.members:
        tell = failed if total else warning
        yield tell(
            "groups",
            f"nobody reads as {name}: it has no member, {waiting}",
            "Start the service; if it runs, look at its log and its /readyz.",
        )
    elif total > MUCH_LAG:
        (topic, partition), most = max(behind.items(), key=lambda each: each[1])
        yield warning(
            "groups",
            f"{name} is behind: {waiting}, {most} of them on {prefix}{topic} partition {partition}; "
            f"{facts.members} members, {facts.state}",
            "See whether the number falls. If it does not, look at the service's log; if it falls slowly, run more "
            "replicas. A rate limit of a vendor holds writers back too.",
        )
    else:
        yield ok("groups", f"{name}: {facts.members} member{'' if facts.members == 1 else 's'}, {waiting}")


def dead_letter_finding(recent: int, prefix: str) -> Finding:
    """Judge how many letters died within a day."""
    if not recent:
        return ok("dead letters", "none within a day")
    return warning(
        "dead letters",
        f"{recent} message{'' if recent == 1 else 's'} could not be handled within a day; they are on "
        f"{prefix}{Topic.DEAD}",
        "Read the header dead_reason of each. After a mended cause they can be replayed.",
    )


def unreachable(check: str) -> Finding:
    """Return that Kafka, which is told of already, is needed for a check."""
    return skipped(check, "Kafka cannot be asked")


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{shown} and {len(numbers) - 5} more" if len(numbers) > 5 else shown


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _hours(ms: int) -> str:
    hours = ms / 3_600_000
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:.3g} hours"
