"""WriteCommand (mapper or clock to writer) and WriteOutcome (writer to mapper).

A command is a wake-up: the writer acts on the operation in Postgres, the payload is for people. An operation ends
only by an
outcome; an unclear answer of a vendor gives none (PROTOCOL F12).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.domain.ids import EntityId, IntegrationId, LinkId, OperationId, PairId, Side
from shared.domain.link import OperationKind, Result
from shared.messages.base import Message
from shared.messages.change import ChangelogEntry


class WriteCommand(Message):
    """Do (or look after) operation `op_id`."""

    TYPE: ClassVar[str] = "tandem.write.v1"

    op_id: OperationId
    link_id: LinkId
    integration_id: IntegrationId
    target: Side
    kind: OperationKind
    revision: int
    fields: dict[str, Any] = {}
    """Pair id to value, for people who read the topic."""

    def key(self) -> str:
        """Return the link id."""
        return self.link_id


class WriteOutcome(Message):
    """How an operation ended.

    `snapshot` is the target after (or instead of) the write, `updated` its vendor time, `read_at` the vendor time at
    which the
    target was read before the write, `write_at` that of the write. `ticket` is the target's mark at the claim.
    """

    TYPE: ClassVar[str] = "tandem.outcome.v1"

    op_id: OperationId
    link_id: LinkId
    target: Side
    attempt: int
    result: Result
    ended_at: datetime
    """Our clock."""
    ticket: int | None = None
    snapshot: dict[str, Any] | None = None
    updated: datetime | None = None
    read_at: datetime | None = None
    write_at: datetime | None = None
    changelog: tuple[ChangelogEntry, ...] = ()
    untouched: tuple[PairId, ...] = ()
    """Pairs that no request of the operation can have set: what the target shows of them is others' doing."""
    unsure: tuple[PairId, ...] = ()
    """Pairs that were found as wanted, after a request that may have set them or not: a person may have."""
    entity_id: EntityId | None = None
    """Creates: the new or adopted entity."""
    ambiguous: tuple[EntityId, ...] = ()
    """Creates without a key: entities that may already be ours; a person has to tell (state ask)."""
    errors: dict[PairId, str] = {}
    """Rejected: the vendor's own words by pair at fault."""
    message: str | None = None
    """Rejected and deferred: what happened, in words that end with what to do."""
    status: int | None = None
    not_before: datetime | None = None
    """Deferred: when to look again."""

    def key(self) -> str:
        """Return the link id."""
        return self.link_id
