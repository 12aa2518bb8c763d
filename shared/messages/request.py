"""SyncRequest: what a person or a clock asks for. Produced by the console and the reconciler, handled by the mapper."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import model_validator

from shared.domain.ids import EntityId, IntegrationId, LinkId, PairId, Side
from shared.messages.base import Message


class RequestKind(StrEnum):
    """What is asked for. DECIDE is a clock's "look again": it changes nothing by itself."""

    DECIDE = "decide"
    RESYNC = "resync"
    UNSYNC = "unsync"
    LINK = "link"
    RESOLVE = "resolve"
    RETRY = "retry"


class SyncRequest(Message):
    """One request. Names a link, or (LINK) both entities with their integration."""

    TYPE: ClassVar[str] = "tandem.request.v1"

    request_id: str
    kind: RequestKind
    requested_by: str
    """An account of the console, or `clock`."""
    requested_at: datetime
    link_id: LinkId | None = None
    integration_id: IntegrationId | None = None
    jira_id: EntityId | None = None
    craft_id: EntityId | None = None
    pair: PairId | None = None
    winner: Side | None = None
    """RESOLVE: the side whose value is taken."""
    conflict_at: datetime | None = None
    """RESOLVE: since when the conflict has stood that was shown to the person; another one is not settled by it."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        entities = (self.integration_id, self.jira_id, self.craft_id)
        if self.kind is RequestKind.LINK:
            if None in entities:
                msg = "a link request names integration_id, jira_id and craft_id"
                raise ValueError(msg)
        elif self.link_id is None:
            msg = f"a {self.kind} request names a link_id"
            raise ValueError(msg)
        return self

    def key(self) -> str:
        """Return the link, or for LINK the integration and the issue."""
        return self.link_id or f"{self.integration_id}:{self.jira_id}"
