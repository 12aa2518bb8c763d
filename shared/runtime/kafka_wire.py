"""Two questions of Kafka's protocol that aiokafka does not put: what we are allowed to do with topics and with groups.

Asked by `shared.runtime.kafka_greeting` and by what operators run. Without access control everything is allowed.
https://kafka.apache.org/protocol.html (Metadata 8, DescribeGroups 3; KIP-430).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from shared.runtime.access import Operation

_METADATA: Final = 3
_TOPICS_VERSION: Final = 8
_DESCRIBE_GROUPS: Final = 15
_GROUPS_VERSION: Final = 3
BITS: Final[Mapping[Operation, int]] = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}
"""Kafka's codes of operations, which are the bits of an answer."""


def operations(bits: int) -> frozenset[Operation]:
    """Return the operations that the bits of an answer stand for; none for -2**31, by which Kafka tells nothing."""
    return frozenset(operation for operation, bit in BITS.items() if bits & (1 << bit))


class _TopicsResponse(Response):  # type: ignore[misc]  # untyped
    API_KEY = _METADATA
    API_VERSION = _TOPICS_VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _TopicsRequest(RequestStruct):  # type: ignore[misc]  # untyped
    API_KEY = _METADATA
    API_VERSION = _TOPICS_VERSION
    RESPONSE_TYPE = _TopicsResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


_TopicsStruct: TypeAlias = _TopicsRequest


class TopicsWithRights(Request[_TopicsStruct]):  # type: ignore[misc]  # untyped
    """What topics there are of these, and what we may do with each (Metadata, from Kafka 2.3 on)."""

    API_KEY = _METADATA
    VERSION = _TOPICS_VERSION

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[_TopicsStruct]) -> _TopicsStruct:
        """Return the request of the one version that we know."""
        return request_struct_class(self._topics, False, False, True)  # positions of the wire format


class _GroupsRequest(RequestStruct):  # type: ignore[misc]  # untyped
    API_KEY = _DESCRIBE_GROUPS
    API_VERSION = _GROUPS_VERSION
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(String("utf-8"))), ("include_authorized_operations", Boolean))


_GroupsStruct: TypeAlias = _GroupsRequest


class GroupsWithRights(Request[_GroupsStruct]):  # type: ignore[misc]  # untyped
    """What we may do with these consumer groups (DescribeGroups, from Kafka 2.3 on)."""

    API_KEY = _DESCRIBE_GROUPS
    VERSION = _GROUPS_VERSION

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = list(groups)

    def build(self, request_struct_class: type[_GroupsStruct]) -> _GroupsStruct:
        """Return the request of the one version that we know."""
        return request_struct_class(self._groups, True)
