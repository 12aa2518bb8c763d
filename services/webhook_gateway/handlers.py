"""The gateway's one use case: from a request to an answer, with the event on the log in between.

Called by the HTTP routes of `entrypoint` and, in the simulation, directly. Knows no HTTP server, no mapping, no vendor.
Every request ends in exactly one answer, one count and one log line. What costs anything comes after the question who
sends: `admit` is asked before a body is read, `accept` believes nobody before the signature over it is right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog

from services.webhook_gateway.domain.arrivals import Ledger
from services.webhook_gateway.domain.body import NotJson, parse
from services.webhook_gateway.domain.craft import read_craft
from services.webhook_gateway.domain.ending import NOT_READ, TOO_MANY_STRANGERS, Arrival, Ending, Reply, outcome_of
from services.webhook_gateway.domain.jira import read_jira
from services.webhook_gateway.domain.packing import NotUnpacked, budget, packing_of, unpack
from services.webhook_gateway.domain.verdict import Forward, Ignored, Verdict
from services.webhook_gateway.domain.verify import Refused, introduce, verify
from services.webhook_gateway.ports import Sender, Senders, Workshop
from shared.domain.clock import Clock, Dice
from shared.domain.errors import Poison
from shared.domain.ids import Side
from shared.observability.bounds import UNKNOWN
from shared.observability.catalogue.flow import WEBHOOK_SECONDS, WEBHOOKS
from shared.runtime.error_words import told
from shared.runtime.log import LogUnavailable
from shared.runtime.publisher import Publisher
from shared.runtime.trace import new_traceparent, trace_id, traced, valid_traceparent

TOKEN_PARAMETER: Final = "token"  # noqa: S105  # the name of a parameter
_STRANGERS_AT_ONCE: Final = 50
_SHOWN: Final = 200
_TOLD_HEADERS: Final = {
    "delivery": "x-atlassian-webhook-identifier",
    "retry": "x-atlassian-webhook-retry",
    "flow": "x-atlassian-webhook-flow",
}
_SLOWEST_BYTES_PER_S: Final = 4 * 1024 * 1024
"""A large event gets more time: 25 MB must be able to pass a slow network."""

_log = structlog.get_logger(__name__)


class Gateway:
    """Accepts webhooks. Any number of calls may run at once."""

    def __init__(
        self,
        senders: Senders,
        publisher: Publisher,
        workshop: Workshop,
        clock: Clock,
        dice: Dice,
        *,
        most_bytes: int,
        publish_timeout_s: float = 0.95,
        retry_after_s: int = 5,
    ) -> None:
        self._senders = senders
        self._publisher = publisher
        self._workshop = workshop
        self._clock = clock
        self._dice = dice
        self._most_bytes = most_bytes
        self._publish_timeout_s = publish_timeout_s
        self._retry_after_s = retry_after_s
        self._looking = 0
        self.ledger = Ledger()

    async def admit(
        self,
        side: Side,
        connection_id: str,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        client: str | None = None,
    ) -> Reply | None:
        """Return the answer to a request whose body is not to be read; None if it may be: it is signed, or its token is
        right. Asked before a byte of the body counts; never raises for anything that a sender can send.
        """
        arrival = Arrival(side, connection_id, _lower(headers), query, client)
        known = await self._known(arrival, None)
        if isinstance(known, Sender):
            packing = packing_of(arrival.headers.get("content-encoding", ""))
            if not isinstance(packing, NotUnpacked):
                return None
            known = Ending(packing.status, "refused", packing.reason, packing.words)
        self._report(arrival, known)
        return known.reply(self._retry_after_s)

    async def accept(
        self,
        side: Side,
        connection_id: str,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw: bytes | bytearray,
        client: str | None = None,
    ) -> Reply:
        """Return the answer to one request; 202 only once every in-sync replica has the event, or if it is none for us.

        `headers` in any case, `query` decoded, `raw` exactly as sent. The same event may be published more than once.
        Never raises for anything that a sender can send.
        """
        begun = self._clock.monotonic()
        arrival = Arrival(side, connection_id, _lower(headers), query, client)
        trace = valid_traceparent(arrival.headers.get("traceparent")) or new_traceparent(self._dice)
        with traced(trace):
            ending = await self._end(arrival, raw)
        # Only of who has shown to be the vendor: what anybody else sends has no place in a log.
        lower = arrival.headers if ending.verdict is not None else {}
        told = {name: lower.get(header, "") for name, header in _TOLD_HEADERS.items()}
        self._report(
            arrival,
            ending,
            bytes=len(raw),
            seconds=round(self._clock.monotonic() - begun, 4),
            trace=trace_id(trace),
            **{name: value[:_SHOWN] for name, value in told.items() if value},
        )
        with traced(trace):
            WEBHOOK_SECONDS.observe(self._clock.monotonic() - begun, outcome=ending.outcome)
        return ending.reply(self._retry_after_s)

    def turn_away(
        self, side: Side, connection_id: str, status: int, reason: str, words: str, client: str | None = None
    ) -> Reply:
        """Return the answer to a request whose body was not taken in: too large, too slow, too much at once."""
        ending = Ending(status, outcome_of(status), reason, words)
        self._report(Arrival(side, connection_id, {}, {}, client), ending)
        return ending.reply(self._retry_after_s)

    async def _end(self, arrival: Arrival, raw: bytes | bytearray) -> Ending:
        sender = await self._known(arrival, raw)
        if isinstance(sender, Ending):
            return sender
        packing = packing_of(arrival.headers.get("content-encoding", ""))
        if isinstance(packing, NotUnpacked):
            return Ending(packing.status, "refused", packing.reason, packing.words)
        size = budget(packing, len(raw), self._most_bytes)
        try:
            async with asyncio.timeout(self._patience_s(size)) as waiting, self._workshop.place(size):
                waiting.reschedule(None)
                return await self._work(arrival, sender, packing, raw, size)
        except TimeoutError:
            return Ending(503, "unavailable", "busy", "too many large events at once; send it again")

    async def _known(self, arrival: Arrival, raw: bytes | bytearray | None) -> Sender | Ending:
        """Return who sends, as far as the body (None: not read yet) shows it; or how the request ends."""
        sender = self._senders.find(arrival.connection_id)
        if sender is None:
            # Saved a moment ago, perhaps: a vendor does not repeat what was answered 404.
            looked = await self._look()
            if looked is not True:
                return looked or NOT_READ
            sender = self._senders.find(arrival.connection_id)
        if sender is None or sender.side is not arrival.side:
            words = f"there is no {arrival.side.vendor} connection of this id"
            return Ending(404, "refused", "unknown_connection", words)
        refused = await self._not_from(sender, arrival, raw)
        if refused is not None and refused.status == 401:
            # Signed with a secret that was saved a moment ago, perhaps: 401 is not repeated either.
            looked = await self._look()
            if isinstance(looked, Ending):
                return looked
            if looked:
                sender = self._senders.find(arrival.connection_id) or sender
                refused = await self._not_from(sender, arrival, raw)
        return refused or sender

    async def _look(self) -> bool | Ending:
        """Have the latest connections known, if they can be read; or say how a request ends when too many wait for it.

        Whoever is not known waits here, and nowhere else: so many at once is all the room that strangers have.
        """
        if self._looking >= _STRANGERS_AT_ONCE:
            return TOO_MANY_STRANGERS
        self._looking += 1
        try:
            return await self._senders.look()
        finally:
            self._looking -= 1

    async def _not_from(self, sender: Sender, arrival: Arrival, raw: bytes | bytearray | None) -> Ending | None:
        """Return how a request ends that does not show that it is from the sender; None if it does."""
        secrets, token = sender.secrets, arrival.query.get(TOKEN_PARAMETER)
        if secrets is None:
            words = "the credentials of this connection cannot be read at the moment; send it again"
            return Ending(503, "unavailable", "credentials_not_read", words)
        shown = (
            introduce(sender.side, arrival.headers, secrets, token)
            if raw is None
            else await self._workshop.run(len(raw), lambda: verify(sender.side, arrival.headers, raw, secrets, token))
        )
        return Ending(401, "refused", shown.because, shown.because.words) if isinstance(shown, Refused) else None

    async def _work(self, arrival: Arrival, sender: Sender, packing: str, raw: bytes | bytearray, size: int) -> Ending:
        now = self._clock.now()

        def read() -> tuple[Verdict | NotJson | NotUnpacked, int]:
            unpacked = unpack(packing, raw, self._most_bytes)
            if isinstance(unpacked, NotUnpacked):
                return unpacked, 0
            body = parse(unpacked)
            if isinstance(body, NotJson):
                return body, 0
            return _read(body, arrival, sender, now), len(unpacked)

        verdict, meant = await self._workshop.run(size, read)
        match verdict:
            case NotUnpacked():
                return Ending(verdict.status, "refused", verdict.reason, verdict.words)
            case NotJson():
                return Ending(400, "refused", "not_json", verdict.words)
            case Ignored():
                return Ending(202, "ignored", verdict.because, verdict.words, verdict)
            case Forward():
                return await self._forward(verdict, meant)

    async def _forward(self, verdict: Forward, size: int) -> Ending:
        try:
            async with asyncio.timeout(self._patience_s(size)):
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

    def _patience_s(self, size: int) -> float:
        return self._publish_timeout_s + size / _SLOWEST_BYTES_PER_S

    def _report(self, arrival: Arrival, ending: Ending, **more: object) -> None:
        verdict = ending.verdict
        sender = self._senders.find(arrival.connection_id)
        kind = UNKNOWN if verdict is None else verdict.kind
        label = UNKNOWN if sender is None else sender.connection_id
        WEBHOOKS.inc(system=arrival.side, connection=label, event=kind, outcome=ending.outcome, reason=ending.reason)
        if sender is not None and sender.side is arrival.side:
            self._note(sender, ending)
        ids: dict[str, object] = {}
        if isinstance(verdict, Forward):
            ids = {"entity": f"{arrival.side}:{verdict.event.entity_id}", "change_id": verdict.event.change_id}
        say = _log.info if ending.status == 202 else _log.warning
        say(
            "webhook",
            side=arrival.side,
            connection_id=label,
            kind=kind,
            status=ending.status,
            outcome=ending.outcome,
            reason=ending.reason,
            words=ending.words,
            client=arrival.client,
            **ids,
            **ending.details,
            **more,
        )

    def _note(self, sender: Sender, ending: Ending) -> None:
        """Keep account of what comes for a connection, for the people who set it up."""
        if ending.outcome == "refused":
            self.ledger.refused(sender.connection_id, self._clock.now(), ending.reason)
        elif ending.status == 202:
            self.ledger.accepted(sender.connection_id, self._clock.now())


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _read(body: object, arrival: Arrival, sender: Sender, now: datetime) -> Verdict:
    if arrival.side is Side.JIRA:
        return read_jira(body, arrival.headers, sender.connection_id, sender.kind, now)
    return read_craft(body, sender.connection_id, now)
