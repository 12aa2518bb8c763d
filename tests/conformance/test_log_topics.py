"""The topics of the system on a real Kafka: created once, whoever asks, and with every refusal told."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local.ports import free_port
from shared.runtime.log import LogUnavailable
from shared.runtime.topics import POLICIES, Topic, TopicsNotReady, ensure_topics
from tests.conformance.log_worlds import DEADLINE_S
from tests.conftest import Endpoints

pytestmark = pytest.mark.stack


async def test_topics_are_created_once_with_their_policies_whoever_asks(stack: Endpoints, topic_prefix: str) -> None:
    every = await asyncio.gather(*(ensure_topics(stack.kafka_bootstrap, topic_prefix) for _ in range(3)))
    created = [name for names in every for name in names]
    assert sorted(created) == sorted(topic_prefix + topic for topic in Topic)
    assert list(await ensure_topics(stack.kafka_bootstrap, topic_prefix)) == []

    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    try:
        await admin.start()
        described = await admin.describe_topics([topic_prefix + topic for topic in Topic])
        policies: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            while len(policies) < len(Topic):  # a broker knows of a new topic a moment before it knows its settings
                policies = await _policies(admin, topic_prefix)
    finally:
        await admin.close()
    partitions = {one["topic"]: len(one["partitions"]) for one in described}
    for topic, policy in POLICIES.items():
        assert partitions[topic_prefix + topic] == policy.partitions
        assert policies[topic_prefix + topic] == ("compact" if policy.compacted else "delete")


async def _policies(admin: AIOKafkaAdminClient, topic_prefix: str) -> dict[str, str]:
    """Return the clean-up policy by topic, of those whose settings the broker tells."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic_prefix + topic) for topic in Topic]
    answers = await admin.describe_configs(resources)
    return {
        name: entry[1]
        for answer in answers
        for _, _, _, name, entries in answer.resources
        for entry in entries
        if entry[0] == "cleanup.policy"
    }


async def test_a_topic_that_kafka_refuses_is_told_with_its_reason(stack: Endpoints, topic_prefix: str) -> None:
    with pytest.raises(TopicsNotReady, match=r"changes\.jira\.v1: InvalidReplicationFactor"):
        await ensure_topics(stack.kafka_bootstrap, topic_prefix, replication_factor=3)


async def test_a_kafka_that_is_not_there_is_told_as_unavailable() -> None:
    with pytest.raises(LogUnavailable):
        await ensure_topics(f"127.0.0.1:{free_port()}", "never.")
