"""Rules about what the manifests say of Kafka: its topics and users are the code's."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.k8s.checks.objects import Objects, title
from deploy.k8s.generate import kafka_user
from shared.runtime.access import ACCESS
from shared.runtime.topics import DEFAULT_PREFIX, POLICIES


def findings(objects: Objects) -> Iterator[str]:
    """Yield topics that the code does not have or has otherwise, and users that no service is."""
    yield from _topics(objects)
    users = {user["metadata"]["name"] for user in objects.of("KafkaUser")}
    for workload in objects.workloads():
        for each in workload.container.get("env", ()):
            if each["name"] == "TANDEM_KAFKA_USERNAME" and each["value"] != kafka_user(workload.service):
                yield f"{workload.name} is {each['value']} to Kafka, not {kafka_user(workload.service)}"
    if users:
        for service in ACCESS:
            if kafka_user(service) not in users:
                yield f"there is no KafkaUser {kafka_user(service)}"


def _topics(objects: Objects) -> Iterator[str]:
    found = {topic["metadata"]["name"]: topic for topic in objects.of("KafkaTopic")}
    if not found:
        return
    wanted = {DEFAULT_PREFIX + topic: policy for topic, policy in POLICIES.items()}
    for name in sorted(found.keys() - wanted.keys()):
        yield f"{title(found[name])} is no topic of the code"
    for name in sorted(wanted.keys() - found.keys()):
        yield f"there is no KafkaTopic {name}"
    for name in sorted(wanted.keys() & found.keys()):
        spec = found[name]["spec"]
        if spec["partitions"] != wanted[name].partitions or spec["config"] != wanted[name].configuration():
            yield f"{title(found[name])} is not laid out as the code says (shared/runtime/topics.py)"
