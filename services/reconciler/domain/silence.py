"""Whether a connection's webhooks are silent: something changed, and none came since that could have told of it. Pure.

A single webhook that is lost is nobody's concern (the sweep finds what it should have told); that none comes at all is
an admin's. So whatever is accepted after a change ends the silence, and what changed before anybody watched begins
none: then the webhook may not have been set up yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.domain.arrivals import Arrivals

_SAME_MOMENT: Final = timedelta(seconds=30)
"""The vendor's clock and ours are compared by the second, and a webhook may be faster than the change is dated."""


class Silence:
    """Of one connection."""

    def __init__(self, watched_since: datetime, known: Arrivals | None, grace: timedelta) -> None:
        self._from = watched_since
        self._grace = grace
        self._since = known.silent_since if known is not None and known.silent else None
        self._changes: set[datetime] = set()

    def saw(self, changed_at: datetime) -> None:
        """Note when something changed, by our clock."""
        if changed_at > self._from:
            self._changes.add(changed_at)

    def since(self, known: Arrivals | None, now: datetime) -> datetime | None:
        """Return since when webhooks are silent, None if they are not, or if one may still come."""
        heard = known.accepted_at if known is not None else None
        told = heard + _SAME_MOMENT if heard is not None else None
        unheard = {at for at in (*self._changes, self._since) if at is not None and (told is None or at > told)}
        self._changes.clear()
        self._since = min(unheard, default=None)
        return self._since if self._since is not None and now - self._since >= self._grace else None
