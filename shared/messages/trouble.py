"""Trouble (writer or reconciler to mapper): what keeps something from coming to an end just now, in words for people.

It ends nothing and decides nothing (PROTOCOL F12): without it an operation or a read would go on as well, but nobody
could see why it takes so long.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from shared.domain.ids import LinkId, OperationId, Side
from shared.messages.base import Message


class Trouble(Message):
    """An attempt at operation `op_id`, or (None) a fresh read of a side, that did not come to its end.

    Told again with other words, a later one replaces an earlier one; harmless to repeat.
    """

    TYPE: ClassVar[str] = "tandem.trouble.v1"

    link_id: LinkId
    side: Side
    op_id: OperationId | None = None
    words: str
    """What happened, as the vendor said it or as it looks from here; never a vendor's page, never a value."""
    at: datetime
    """Our clock."""

    def key(self) -> str:
        """Return the link id."""
        return self.link_id
