"""SyncRequest: what a person or a clock asks for. Produced by the console and the reconciler, handled by the mapper."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import model_validator

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, PairId, Side
from shared.messages.base import Message


class RequestKind(StrEnum):
    """What is asked for. DECIDE is a clock's "look again": it changes nothing by itself."""

    DECIDE = "decide"
    PUSH = "push"
    PULL = "pull"
    RESYNC = "resync"
    UNSYNC = "unsync"
    LINK = "link"
    RESOLVE = "resolve"
    RETRY = "retry"
    REEVALUATE = "reevaluate"
    PAUSE = "pause"
    RESUME = "resume"


class SyncRequest(Message):
    """One request. Names a link, or (push, pull, link) entities: `jira_id`, `craft_id` with their integration."""

    TYPE: ClassVar[str] = "tandem.request.v1"

    request_id: str
    kind: RequestKind
    requested_by: str
    """An account of the console, or `clock`."""
    requested_at: datetime
    link_id: LinkId | None = None
    integration_id: IntegrationId | None = None
    side: Side | None = None
    connection_id: ConnectionId | None = None
    jira_id: EntityId | None = None
    craft_id: EntityId | None = None
    pair: PairId | None = None
    winner: Side | None = None
    """RESOLVE: the side whose value is taken."""
    snapshot: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.link_id is None and self.jira_id is None and self.craft_id is None:
            msg = "a request names a link_id, a jira_id or a craft_id"
            raise ValueError(msg)
        return self

    def key(self) -> str:
        """Return the link, or the entity as in ChangeEvent."""
        return self.link_id or f"{self.connection_id}:{self.jira_id or self.craft_id}"
