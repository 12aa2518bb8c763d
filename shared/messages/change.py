"""ChangeEvent: what was seen of one entity, by webhook, poll or fresh read. Produced by the gateway and the
reconciler.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from pydantic import Field

from shared.domain.ids import AccountId, ConnectionId, EntityId, IntegrationId, OperationId, Side
from shared.messages.base import Message, Part

LEFT_OUT: Final = "tandem:left_out"
"""A property of our own in a snapshot that was too large for the log: what was left out of it, by the name that a
mapping has for it, with its size in bytes (null: nested too deep). Such a field was not seen, and is not empty.
"""


class ChangeKind(StrEnum):
    """What happened. What is not SEEN counts only once a read of the item has told so (origin FRESH, with a ticket)."""

    SEEN = "seen"
    DELETED = "deleted"
    HIDDEN = "hidden"
    """Not found by a read, which may also mean that our account may not see it."""


class Origin(StrEnum):
    """How it became known."""

    WEBHOOK = "webhook"
    POLL = "poll"
    FRESH = "fresh"
    """A read of this one entity by id, with `ticket` = the side's mark before the read."""
    COMPARE = "compare"
    """A full compare by id: differences make the side dirty."""
    REQUEST = "request"


class ChangelogItem(Part):
    """One field of a Jira changelog entry. `field` is the field id where Jira tells it, else its (localised) name."""

    field: str
    old: str | None
    old_label: str | None = None
    new: str | None
    new_label: str | None = None


class ChangelogEntry(Part):
    """One entry of Jira's changelog. `op` is the operation that our `historyMetadata` named."""

    id: str
    at: datetime | None
    by: AccountId | None
    op: OperationId | None = None
    items: tuple[ChangelogItem, ...] = ()


class ChangeEvent(Message):
    """One observation of one entity.

    `snapshot` is the vendor's own JSON (a Jira issue with `fields` in v2 shapes, a Craft item); a property that is
    missing in
    it was not seen, null means empty. `updated` is the vendor's time of the state. `by` is the account that caused
    it, if told.
    """

    TYPE: ClassVar[str] = "tandem.change.v1"

    change_id: str
    """Stable across redeliveries of the same vendor event."""
    side: Side
    connection_id: ConnectionId
    entity_id: EntityId
    kind: ChangeKind
    origin: Origin
    observed_at: datetime
    """When it was accepted, by our clock; of a webhook that had to be completed by a read, when that was accepted."""
    updated: datetime | None = None
    snapshot: dict[str, Any] | None = None
    by: AccountId | None = None
    created_by: AccountId | None = None
    ticket: int | None = None
    changelog: tuple[ChangelogEntry, ...] = ()
    correlation_key: str | None = Field(default=None, max_length=200)
    """The link id that the entity carries (Jira property `tandem`, Craft key field), if it was read."""
    correlation_read: bool = False
    """True when the key was looked for, so that None means: it has none."""
    integration_id: IntegrationId | None = None
    """REQUEST: the integration that a person chose for it, if it is in no link yet."""

    replayed: bool = False
    """True for a copy that `tandem replay` made: what it shows was seen a while ago, and may be long gone."""

    @property
    def request_id(self) -> str | None:
        """Return which request of a person's this look at an item is, None if it is none."""
        name, _, ident = self.change_id.partition(":")
        return ident if self.origin is Origin.REQUEST and name == "request" and ident else None

    def key(self) -> str:
        """Return `{connection_id}:{entity_id}`."""
        return f"{self.connection_id}:{self.entity_id}"
