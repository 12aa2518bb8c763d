"""The gateway's one use case: from a request to an answer, with the event on the log in between.

Called by the HTTP routes of `entrypoint` and, in the simulation, directly. Knows no HTTP server, no mapping, no vendor.
Every request ends in exactly one answer, one count and one log line.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from services.webhook_gateway.domain.body import NotJson, parse
from services.webhook_gateway.domain.craft import read_craft
from services.webhook_gateway.domain.jira import read_jira
from services.webhook_gateway.domain.verdict import Forward, Ignored, Verdict
from services.webhook_gateway.domain.verify import Refused, verify
from services.webhook_gateway.metrics import SECONDS, UNKNOWN, WEBHOOKS, Outcome
from services.webhook_gateway.ports import Sender, Senders
from shared.domain.clock import Clock, Dice
from shared.domain.errors import Poison
from shared.domain.ids import Side
from shared.runtime.error_words import told
from shared.runtime.log import LogUnavailable
from shared.runtime.publisher import Publisher
from shared.runtime.trace import new_traceparent, trace_id, traced, valid_traceparent

TOKEN_PARAMETER: Final = "token"  # noqa: S105  # the name of a parameter
_SHOWN: Final = 200
_TOLD_HEADERS: Final = {
    "delivery": "x-atlassian-webhook-identifier",
    "retry": "x-atlassian-webhook-retry",
    "flow": "x-atlassian-webhook-flow",
}
_SLOWEST_BYTES_PER_S: Final = 4 * 1024 * 1024
"""A large event gets more time: 25 MB must be able to pass a slow network."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Header names are lower case; the body is JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended: what is counted, logged and answered."""

    status: int
    outcome: Outcome
    reason: str
    words: str
    verdict: Verdict | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class Gateway:
    """Accepts webhooks. Any number of calls may run at once."""

    def __init__(
        self,
        senders: Senders,
        publisher: Publisher,
        clock: Clock,
        dice: Dice,
        *,
        publish_timeout_s: float = 0.95,
        retry_after_s: int = 5,
    ) -> None:
        self._senders = senders
        self._publisher = publisher
        self._clock = clock
        self._dice = dice
        self._publish_timeout_s = publish_timeout_s
        self._retry_after_s = retry_after_s

    async def accept(
        self, side: Side, connection_id: str, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes
    ) -> Reply:
        """Return the answer to one request; 202 only once every in-sync replica has the event, or if it is none for us.

        `headers` in any case, `query` decoded, `raw` exactly as sent. The same event may be published more than once.
        Never raises for anything that a sender can send.
        """
        begun = self._clock.monotonic()
        lower = {name.lower(): value for name, value in headers.items()}
        trace = valid_traceparent(lower.get("traceparent")) or new_traceparent(self._dice)
        with traced(trace):
            ending = await self._end(side, connection_id, lower, query, raw)
        # Only of who has shown to be the vendor: what anybody else sends has no place in a log.
        told = {} if ending.verdict is None else {name: lower.get(header) for name, header in _TOLD_HEADERS.items()}
        self._report(
            side,
            connection_id,
            ending,
            bytes=len(raw),
            seconds=round(self._clock.monotonic() - begun, 4),
            trace=trace_id(trace),
            **{name: value[:_SHOWN] for name, value in told.items() if value},
        )
        SECONDS.labels(ending.outcome).observe(max(0.0, self._clock.monotonic() - begun))
        return self._reply(ending)

    def turn_away(self, side: Side, connection_id: str, status: int, reason: str, words: str) -> Reply:
        """Return the answer to a request whose body was not taken in: too large, too slow, too much at once."""
        outcome: Outcome = "unavailable" if status in (408, 429, 503) else "refused"
        ending = Ending(status, outcome, reason, words)
        self._report(side, connection_id, ending)
        return self._reply(ending)

    async def _end(
        self, side: Side, connection_id: str, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes
    ) -> Ending:
        sender = self._senders.find(connection_id)
        if sender is None:
            # Saved a moment ago, perhaps: a vendor does not repeat what was answered 404.
            if not await self._senders.look():
                words = "the connections cannot be read at the moment; send it again"
                return Ending(503, "unavailable", "connections_not_read", words)
            sender = self._senders.find(connection_id)
        if sender is None or sender.side is not side:
            return Ending(404, "refused", "unknown_connection", f"there is no {side.vendor} connection of this id")
        refused = self._not_from(sender, headers, raw, query)
        if refused is not None and refused.status == 401 and await self._senders.look():
            # Signed with a secret that was saved a moment ago, perhaps: 401 is not repeated either.
            sender = self._senders.find(connection_id) or sender
            refused = self._not_from(sender, headers, raw, query)
        if refused is not None:
            return refused
        body = parse(raw)
        if isinstance(body, NotJson):
            return Ending(400, "refused", "not_json", body.words)
        verdict = self._read(side, body, headers, sender)
        if isinstance(verdict, Ignored):
            return Ending(202, "ignored", verdict.because, verdict.words, verdict)
        return await self._forward(verdict, len(raw))

    def _not_from(
        self, sender: Sender, headers: Mapping[str, str], raw: bytes, query: Mapping[str, str]
    ) -> Ending | None:
        """Return how a request ends that does not show that it is from the sender; None if it does."""
        if sender.secrets is None:
            words = "the credentials of this connection cannot be read at the moment; send it again"
            return Ending(503, "unavailable", "credentials_not_read", words)
        shown = verify(sender.side, headers, raw, sender.secrets, query.get(TOKEN_PARAMETER))
        return Ending(401, "refused", shown.because, shown.because.words) if isinstance(shown, Refused) else None

    def _read(self, side: Side, body: object, headers: Mapping[str, str], sender: Sender) -> Verdict:
        now = self._clock.now()
        if side is Side.JIRA:
            return read_jira(body, headers, sender.connection_id, sender.kind, now)
        return read_craft(body, sender.connection_id, now)

    async def _forward(self, verdict: Forward, size: int) -> Ending:
        try:
            async with asyncio.timeout(self._publish_timeout_s + size / _SLOWEST_BYTES_PER_S):
                verdict = await self._publish(verdict)
        except (LogUnavailable, TimeoutError) as error:
            words = "the event could not be made durable; send it again"
            details = {"error": told(error)}
            return Ending(503, "unavailable", "log_unavailable", words, verdict, details)
        reason = "thin" if verdict.thin else "whole"
        return Ending(202, "forwarded", reason, "accepted", verdict)

    async def _publish(self, verdict: Forward) -> Forward:
        try:
            await self._publisher.publish(verdict.event)
        except Poison:
            # The snapshot cannot be carried: too large once it is written, or of a shape that no message takes. The
            # change itself is not lost: without a snapshot, the item is read at its vendor.
            verdict = verdict.without_snapshot()
            await self._publisher.publish(verdict.event)
        return verdict

    def _report(self, side: Side, connection_id: str, ending: Ending, **more: object) -> None:
        verdict = ending.verdict
        known = self._senders.find(connection_id) is not None
        kind = UNKNOWN if verdict is None else verdict.kind
        WEBHOOKS.labels(connection_id if known else UNKNOWN, kind, ending.outcome, ending.reason).inc()
        ids: dict[str, object] = {}
        if isinstance(verdict, Forward):
            ids = {"entity": f"{side}:{verdict.event.entity_id}", "change_id": verdict.event.change_id}
        say = _log.info if ending.status == 202 else _log.warning
        say(
            "webhook",
            side=side,
            connection_id=connection_id if known else UNKNOWN,
            kind=kind,
            status=ending.status,
            outcome=ending.outcome,
            reason=ending.reason,
            words=ending.words,
            **ids,
            **ending.details,
            **more,
        )

    def _reply(self, ending: Ending) -> Reply:
        headers = {"content-type": "application/json"}
        if ending.outcome == "unavailable":
            headers["retry-after"] = str(self._retry_after_s)
        body: dict[str, str] = {"outcome": ending.outcome, "reason": ending.reason, "message": ending.words}
        if isinstance(ending.verdict, Forward):
            body["change_id"] = ending.verdict.event.change_id
        return Reply(ending.status, headers, json.dumps(body).encode())
