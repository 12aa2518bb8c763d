"""What came of the webhooks of one connection. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from shared.domain.ids import ConnectionId

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The last webhook that was accepted, and the refusals since. `because` is a reason of the gateway's list."""

    connection_id: ConnectionId
    accepted_at: datetime | None = None
    refused_since: datetime | None = None
    """The first refusal after the last accepted webhook; None: there was none."""
    refused_at: datetime | None = None
    because: str | None = None
    silent_since: datetime | None = None
    """When something changed of which no webhook told, as the sweep found. Over once a webhook is accepted after it."""

    @property
    def last_at(self) -> datetime:
        """Return when the last request came, of whatever kind."""
        return max(self.accepted_at or _NEVER, self.refused_at or _NEVER)

    @property
    def silent(self) -> bool:
        """Tell whether something changed since the last accepted webhook, which then should have told of it."""
        return self.silent_since is not None and (self.accepted_at is None or self.accepted_at < self.silent_since)

    def after(self, known: Arrivals | None) -> Arrivals:
        """Return what is true after both reports; several gateways report of one connection, each what it saw."""
        if known is None:
            return self
        silent = known.silent_since
        accepted = max((at for at in (known.accepted_at, self.accepted_at) if at is not None), default=None)
        refusals = [
            each
            for each in (self, known)
            if each.refused_at is not None and (accepted is None or each.refused_at > accepted)
        ]
        if not refusals:
            return Arrivals(self.connection_id, accepted, silent_since=silent)
        last = max(refusals, key=lambda each: each.refused_at or _NEVER)
        since = min(each.refused_since for each in refusals if each.refused_since is not None)
        since = since if accepted is None else max(since, accepted)
        return Arrivals(self.connection_id, accepted, since, last.refused_at, last.because, silent)
