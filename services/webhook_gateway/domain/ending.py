"""How a request to the gateway ends, and what is answered then. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.webhook_gateway.domain.packing import PACKINGS
from services.webhook_gateway.domain.verdict import Forward, Verdict
from shared.domain.ids import Side
from shared.observability.words import WebhookOutcome


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Header names are lower case; the body is JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a request before its body. Header names are lower case; `client`: the address it came from."""

    side: Side
    connection_id: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended: what is counted, logged and answered."""

    status: int
    outcome: WebhookOutcome
    reason: str
    words: str
    verdict: Verdict | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def reply(self, retry_after_s: int) -> Reply:
        """Return the answer."""
        headers = {"content-type": "application/json"}
        if self.outcome == "unavailable":
            headers["retry-after"] = str(retry_after_s)
        if self.status == 415:
            headers["accept-encoding"] = PACKINGS
        body: dict[str, str] = {"outcome": self.outcome, "reason": self.reason, "message": self.words}
        if isinstance(self.verdict, Forward):
            body["change_id"] = self.verdict.event.change_id
        return Reply(self.status, headers, json.dumps(body).encode())


NOT_READ: Final = Ending(
    503, "unavailable", "connections_not_read", "the connections cannot be read at the moment; send it again"
)
TOO_MANY_STRANGERS: Final = Ending(
    503, "unavailable", "too_many_strangers", "too many requests of senders that are not known; send it again"
)


def outcome_of(status: int) -> WebhookOutcome:
    """Return the outcome of a request whose body was not taken in."""
    return "unavailable" if status in (408, 429, 503) else "refused"
