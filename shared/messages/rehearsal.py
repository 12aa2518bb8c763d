"""Rehearsal: one item of a dry run, read afresh. Produced by the reconciler, answered by the mapper in the store."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from shared.domain.dry_run import DryRunId
from shared.domain.ids import IntegrationId
from shared.messages.base import Message
from shared.messages.change import ChangeEvent


class Rehearsal(Message):
    """Say what a draft would do to this item, and change nothing.

    `jira` and `craft` are what the two sides show now: both of a link, or the only one of an item that has no
    counterpart. The draft is in the store, under the dry run.
    """

    TYPE: ClassVar[str] = "tandem.rehearsal.v1"

    dry_run_id: DryRunId
    item: int
    """The number of the item within the dry run."""
    integration_id: IntegrationId
    read_at: datetime
    """Our clock, when the reading began."""
    jira: ChangeEvent | None = None
    craft: ChangeEvent | None = None

    def key(self) -> str:
        """Return `{dry_run_id}:{item}`."""
        return f"{self.dry_run_id}:{self.item}"
