"""Two questions of Kafka's protocol that aiokafka's clients do not ask: what the user that asks may do with topics and
with groups (KIP-430). Brokers since 2.3 answer. Without access control everything is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

_TEXT: Final = String("utf-8")
OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}
"""Which bit of the answer stands for which operation."""
NOT_TOLD: Final = -(2**31)
"""The answer where nothing is told, such as for what we may not even see."""


def allowed(bits: int) -> frozenset[str]:
    """Return the operations that the bits of an answer stand for."""
    return frozenset(name for name, code in OPERATIONS.items() if bits != NOT_TOLD and bits & (1 << code))


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT))),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", _TEXT),
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


class _MetadataRequest(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(_TEXT)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class TopicsWithRights(Request[_MetadataRequest]):  # type: ignore[misc]
    """Asks for topics by name, and what we may do with each."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        """Return the request."""
        return request_struct_class(self._topics, False, False, True)


class _GroupsRequest(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(_TEXT)), ("include_authorized_operations", Boolean))


class GroupsWithRights(Request[_GroupsRequest]):  # type: ignore[misc]
    """Asks a coordinator for groups by name, and what we may do with each."""

    API_KEY = 15

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = list(groups)

    def build(self, request_struct_class: type[_GroupsRequest]) -> _GroupsRequest:
        """Return the request."""
        return request_struct_class(self._groups, True)
