"""Identifiers. All are strings: vendor ids may lie beyond 2^53, and ours carry meaning only for people."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

ConnectionId = NewType("ConnectionId", str)
IntegrationId = NewType("IntegrationId", str)
LinkId = NewType("LinkId", str)
OperationId = NewType("OperationId", str)
"""`{link_id}:{seq}`; see `operation_id`."""
EntityId = NewType("EntityId", str)
"""A Jira issue id (never the key, which changes when an issue moves) or a Craft item id."""
PairId = NewType("PairId", str)
AccountId = NewType("AccountId", str)


class Side(StrEnum):
    """One of the two systems that a link joins."""

    JIRA = "jira"
    CRAFT = "craft"

    @property
    def other(self) -> Side:
        """Return the opposite side."""
        return Side.CRAFT if self is Side.JIRA else Side.JIRA

    @property
    def vendor(self) -> str:
        """Return the name that people know the system by."""
        return "Jira" if self is Side.JIRA else "Craft.io"


def operation_id(link_id: LinkId, seq: int) -> OperationId:
    """Return the id of the `seq`-th operation of a link."""
    return OperationId(f"{link_id}:{seq}")
