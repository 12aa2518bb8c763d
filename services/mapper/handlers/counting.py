"""What was decided, counted once the transaction is committed: by what is published then."""

from __future__ import annotations

from collections.abc import Iterable

from shared.messages.base import Message
from shared.messages.status import SyncStatus
from shared.messages.write import WriteCommand
from shared.observability.catalogue.flow import DECISIONS


def count_decisions(effects: Iterable[Message]) -> None:
    """Count what became of each link: the write that was opened, else the state that it is left in."""
    published = tuple(effects)
    opened = {each.link_id: each.kind for each in published if isinstance(each, WriteCommand)}
    for each in published:
        if isinstance(each, SyncStatus):
            DECISIONS.inc(integration=each.integration_id, outcome=opened.get(each.link_id, each.state))
