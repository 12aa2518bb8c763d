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

from sandbox.kit.site import Site, SiteRequest
from shared.clients.transport import HttpRequest, HttpResponse, NotSent, Unclear


@dataclass(slots=True)
class Weather:
    """How often what goes wrong, as probabilities per request. All zero is fair weather."""

    refuse: float = 0.0
    lose_answer: float = 0.0
    late: float = 0.0
    busy: float = 0.0
    late_by_s: tuple[float, float] = (1.0, 36.0)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached a vendor."""

    sent_s: float
    done_s: float
    site: str
    method: str
    path: str
    status: int
    body: bytes


@dataclass(slots=True)
class SimNetwork:
    """Carries requests to the sites in the same process. Implements `Transport`."""

    sites: Mapping[str, Site]
    dice: Random
    weather: Weather = field(default_factory=Weather)
    calls: list[Call] = field(default_factory=list)
    after_effect: Callable[[], None] = lambda: None

    async def send(self, request: HttpRequest) -> HttpResponse:
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
            delay = dice.uniform(*weather.late_by_s)
        lost = writes and dice.random() < weather.lose_answer
        flight = loop.create_task(self._arrive(request, delay, loop.time()))
        try:
            async with asyncio.timeout(request.timeout_s):
                answer = await asyncio.shield(flight)
        except TimeoutError:
            raise Unclear("no answer in time") from None
        if lost:
            raise Unclear("connection reset")
        await asyncio.sleep(dice.uniform(0.005, 0.2))
        return answer

    async def _arrive(self, request: HttpRequest, delay: float, sent_s: float) -> HttpResponse:
        await asyncio.sleep(delay)
        parts = urlsplit(request.url)
        base = f"{parts.scheme}://{parts.netloc}"
        answer = self.sites[base].handle(
            SiteRequest(request.method, unquote(parts.path), request.query, request.headers, request.body)
        )
        now = asyncio.get_running_loop().time()
        self.calls.append(Call(sent_s, now, base, request.method, parts.path, answer.status, request.body))
        self.after_effect()
        return HttpResponse(answer.status, answer.headers, answer.body)

    def writes_since(self, since_s: float) -> list[Call]:
        """Return the calls after a time that changed something at a vendor."""
        return [c for c in self.calls if c.done_s > since_s and c.method in ("PUT", "POST", "DELETE") and is_write(c)]


def is_write(call: Call) -> bool:
    """Tell a write from a POST that only asks (searches)."""
    return not (call.method == "POST" and ("/search" in call.path or "/match" in call.path or "/approximate" in call.path))


def body_of(call: Call) -> object:
    """Return the JSON of a call's body."""
    return json.loads(call.body) if call.body else None
