"""What is known of the webhooks of each connection: when the last good one came, and since when others are refused.

Pure. Kept in memory for each request, told to the store now and then: a stranger who is refused as often as they like
has one row changed every few seconds, and that of a connection that exists.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId

_SAME_NEWS_AFTER: Final = timedelta(minutes=1)
"""That it goes on as before is told this often; the sweep takes what was not told for silence (`webhook_grace_s`)."""


class Ledger:
    """The arrivals of all connections since this process began."""

    def __init__(self) -> None:
        self._known: dict[ConnectionId, Arrivals] = {}
        self._told: dict[ConnectionId, Arrivals] = {}

    def accepted(self, connection_id: ConnectionId, at: datetime) -> None:
        """Note a webhook that was accepted: whatever was refused before is over."""
        self._known[connection_id] = Arrivals(connection_id, accepted_at=at)

    def refused(self, connection_id: ConnectionId, at: datetime, because: str) -> None:
        """Note a request that was refused for good."""
        before = self._known.get(connection_id) or Arrivals(connection_id)
        since = before.refused_since or at
        self._known[connection_id] = replace(before, refused_since=since, refused_at=at, because=because)

    def refused_since(self) -> dict[ConnectionId, datetime | None]:
        """Return since when nothing but refusals came, by connection; None: the last one was accepted."""
        return {ident: each.refused_since for ident, each in self._known.items()}

    def news(self, now: datetime) -> list[Arrivals]:
        """Return what is worth telling: what is different in kind from what was told, or a minute on.

        Whatever came is told within that minute, even if nothing comes after it.
        """
        return [each for ident, each in self._known.items() if _is_news(self._told.get(ident), each, now)]

    def told(self, arrivals: list[Arrivals]) -> None:
        """Note that the store knows this."""
        self._told |= {each.connection_id: each for each in arrivals}


def _is_news(told: Arrivals | None, known: Arrivals, now: datetime) -> bool:
    if told is None or (told.refused_since is None) != (known.refused_since is None) or told.because != known.because:
        return True
    return known.last_at > told.last_at and now - told.last_at >= _SAME_NEWS_AFTER
