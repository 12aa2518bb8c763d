"""The network between Tandem and the vendors, and its weather: delays, refused connections, lost answers, late effects.

Also the oracle's witness: it knows what every write of Tandem replaced, and when it was sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import unquote, urlsplit

from sandbox.kit.faults import AnswerInstead, FaultPlan
from sandbox.kit.site import Site, SiteRequest
from shared.clients.transport import HttpRequest, HttpResponse, NotSent, Unclear

MARK = "!"
"""What a normalising Jira adds to titles, and a normalising Craft.io takes off."""


@dataclass(slots=True)
class Weather:
    """How often what goes wrong, as probabilities per request. All zero is fair weather."""

    refuse: float = 0.0
    lose_answer: float = 0.0
    late: float = 0.0
    busy: float = 0.0
    slow: float = 0.0
    """How often the answer to a write comes long after its effect, though in time."""
    slow_by_s: tuple[float, float] = (4.0, 14.0)
    late_by_s: tuple[float, float] = (1.0, 36.0)
    very_late_by_s: tuple[float, float] = (60.0, 150.0)
    """For some late edits: later than the next attempt. Never creates: that is W4 of PROTOCOL."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached a vendor."""

    asked_s: float
    """When its process gave it away, in time by its own clock; a process that hangs right then sends it much later."""
    sent_s: float
    done_s: float
    site: str
    method: str
    path: str
    status: int
    body: bytes
    by: str
    """The process and task that sent it: one attempt's calls have the same."""
    made: str | None = None
    """The id of what it created."""


@dataclass(slots=True)
class SimNetwork:
    """Carries requests to the sites in the same process. Implements `Transport`."""

    sites: Mapping[str, Site]
    dice: Random
    weather: Weather = field(default_factory=Weather)
    calls: list[Call] = field(default_factory=list)
    after_effect: Callable[[Call], None] = lambda _: None
    normalises: bool = False
    ignores: float = 0.0
    page_limit: int | None = None
    """Most items on a page of Craft.io's lists, whatever was asked for."""
    faults: FaultPlan = field(default_factory=FaultPlan)
    """What the vendors answer to Tandem instead of doing what they are asked; other effects are the weather's."""
    under_way: int = 0
    """Writes that were sent and have not had their effect yet."""
    lost_answers: int = 0
    """Writes whose answer never came: refused connections are not among them."""

    async def send(self, request: HttpRequest, asked_s: float, by: str) -> HttpResponse:
        """Send one request; its effect does not depend on whether anybody still waits for the answer."""
        dice, weather = self.dice, self.weather
        if dice.random() < weather.refuse:
            await asyncio.sleep(dice.random() * 0.1)
            raise NotSent("connection refused")
        writes = request.method != "GET"
        if writes and dice.random() < weather.busy:
            return HttpResponse(429, {"retry-after": "1", "content-type": "application/json"}, b'{"message":"busy"}')
        loop = asyncio.get_running_loop()
        delay = dice.uniform(0.01, 0.4)
        if writes and dice.random() < weather.late:
            very = request.method == "PUT" and dice.random() < 0.4
            delay = dice.uniform(*(weather.very_late_by_s if very else weather.late_by_s))
        lost = writes and dice.random() < weather.lose_answer
        flight = loop.create_task(self._arrive(request, delay, asked_s, loop.time(), by))
        try:
            async with asyncio.timeout(request.timeout_s):
                answer = await asyncio.shield(flight)
        except TimeoutError:
            self.lost_answers += writes
            flight.add_done_callback(look_at)
            raise Unclear("no answer in time") from None
        if lost:
            self.lost_answers += 1
            raise Unclear("connection reset")
        slow = writes and weather.slow > 0 and dice.random() < weather.slow
        await asyncio.sleep(dice.uniform(*weather.slow_by_s) if slow else dice.uniform(0.005, 0.2))
        return answer

    async def _arrive(self, request: HttpRequest, delay: float, asked_s: float, sent_s: float, by: str) -> HttpResponse:
        self.under_way += request.method != "GET"
        await asyncio.sleep(delay)
        self.under_way -= request.method != "GET"
        parts = urlsplit(request.url)
        base = f"{parts.scheme}://{parts.netloc}"
        dice, query, body = self.dice, request.query, request.body
        if self.page_limit is not None:
            query = tuple((k, str(min(int(v), self.page_limit)) if k == "limit" else v) for k, v in query)
        if self.normalises and request.method in ("PUT", "POST") and body:
            body = _normalised(body)
        told = request.body
        if self.ignores and request.method == "PUT" and body and dice.random() < self.ignores:
            told = body = _without_title(body)
        asked = SiteRequest(request.method, unquote(parts.path), query, request.headers, body)
        instead = self.faults.decide(asked, base).action
        answer = instead.response if isinstance(instead, AnswerInstead) else self.sites[base].handle(asked)
        now = asyncio.get_running_loop().time()
        made = _made(answer.body) if request.method == "POST" and answer.status in (200, 201) else None
        call = Call(asked_s, sent_s, now, base, request.method, parts.path, answer.status, told, by, made)
        self.calls.append(call)
        self.after_effect(call)
        return HttpResponse(answer.status, answer.headers, answer.body)

    def writes_since(self, since_s: float) -> list[Call]:
        """Return the calls after a time that changed something at a vendor."""
        return [c for c in self.calls if c.done_s > since_s and c.method in ("PUT", "POST", "DELETE") and is_write(c)]


def is_write(call: Call) -> bool:
    """Tell a write from a POST that only asks (searches)."""
    return not (
        call.method == "POST" and ("/search" in call.path or "/match" in call.path or "/approximate" in call.path)
    )


def _normalised(body: bytes) -> bytes:
    """Write titles as these vendors keep them: Jira's with a mark at the end, Craft.io's without (PROTOCOL F18)."""
    sent = json.loads(body)
    fields = sent.get("fields") if isinstance(sent, dict) else None
    if isinstance(fields, dict) and isinstance(fields.get("summary"), str):
        fields["summary"] = fields["summary"].rstrip(MARK) + MARK
    elif isinstance(sent, dict) and isinstance(sent.get("title"), str):
        sent["title"] = sent["title"].rstrip(MARK)
    return json.dumps(sent).encode()


def _without_title(body: bytes) -> bytes:
    """Leave out what the vendor takes without a word and does nothing with."""
    sent = json.loads(body)
    if isinstance(sent, dict):
        sent.pop("title", None)
        fields = sent.get("fields")
        if isinstance(fields, dict):
            fields.pop("summary", None)
    return json.dumps(sent).encode()


def look_at(flight: asyncio.Task[HttpResponse]) -> None:
    """Take note of an answer that nobody waits for any more."""
    if not flight.cancelled():
        flight.exception()


def _made(body: bytes) -> str | None:
    """Return the id that an answer to a POST names, None if that created nothing."""
    answer = json.loads(body) if body else None
    return answer.get("id") if isinstance(answer, dict) else None


def body_of(call: Call) -> object:
    """Return the JSON of a call's body."""
    return json.loads(call.body) if call.body else None
