"""Vendor requests to sites in the same process: for tests, and for the simulation on virtual time.

`SiteTransport` answers at once; `FaultyTransport` puts the faults of a `FaultPlan` around any transport, as
`sandbox.kit.server` does over real HTTP. Both implement `shared.clients.transport.Transport`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from sandbox.kit.faults import ActLate, AnswerInstead, FaultPlan, LoseAnswer, Proceed, Refuse
from sandbox.kit.site import Site, SiteRequest
from shared.clients.transport import HttpRequest, HttpResponse, NotSent, Transport, Unclear
from shared.domain.clock import Clock


class SiteTransport:
    """Sends each request to the site whose base URL it begins with. Adds a `Date` header where a site gives none."""

    def __init__(self, site_by_base_url: Mapping[str, Site], clock: Clock) -> None:
        self._sites = {base.rstrip("/"): site for base, site in site_by_base_url.items()}
        self._clock = clock

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Let the site do the request in one step. Raises `NotSent` when no site has that address."""
        await asyncio.sleep(0)
        found = next((base for base in self._sites if request.url.startswith(base + "/")), None)
        if found is None:
            raise NotSent(f"no site at {request.url}")
        answer = self._sites[found].handle(site_request(request, found))
        headers = {"date": format_datetime(self._clock.now(), usegmt=True), **answer.headers}
        return HttpResponse(answer.status, headers, answer.body)


def site_request(request: HttpRequest, base_url: str) -> SiteRequest:
    """Return a request as the site at `base_url` sees it."""
    path = unquote(urlsplit(request.url[len(base_url.rstrip("/")) :]).path)
    return SiteRequest(request.method, path, tuple(request.query), dict(request.headers), request.body)


class FaultyTransport:
    """Puts the faults of a plan around a transport. Time is the clock's; what happens late happens in tasks of its own.

    `on_effect`, if given, is called with each request that was done, in the order of the effects.
    """

    def __init__(
        self,
        inner: Transport,
        plan: FaultPlan,
        clock: Clock,
        *,
        on_effect: Callable[[HttpRequest, HttpResponse], None] | None = None,
    ) -> None:
        self._inner = inner
        self._plan = plan
        self._clock = clock
        self._on_effect = on_effect
        self._late: set[asyncio.Task[HttpResponse]] = set()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Do a request with its faults. Past `timeout_s` the caller gets `Unclear`; the effect still comes."""
        parts = urlsplit(request.url)
        asked = SiteRequest(
            request.method, unquote(parts.path), tuple(request.query), dict(request.headers), request.body
        )
        decision = self._plan.decide(asked)
        delay_s = decision.delay_s
        in_time = delay_s < request.timeout_s
        match decision.action:
            case Proceed():
                if not delay_s:
                    return await self._act(request, 0)
                doing = self._start(request, delay_s)
                if in_time:
                    return await asyncio.shield(doing)
            case LoseAnswer():
                doing = self._start(request, delay_s)
                if in_time:
                    await asyncio.shield(doing)
                    raise Unclear("connection reset")
            case AnswerInstead(response):
                if in_time:
                    await self._clock.sleep(delay_s)
                    return HttpResponse(response.status, response.headers, response.body)
            case Refuse():
                await self._clock.sleep(min(delay_s, request.timeout_s))
                raise NotSent("connection refused")
            case ActLate(after_s, cut_after_s):
                doing = self._start(request, delay_s + after_s)
                await self._clock.sleep(min(delay_s + cut_after_s, request.timeout_s))
                raise Unclear("connection reset")
        await self._clock.sleep(request.timeout_s)
        raise Unclear(f"no answer within {request.timeout_s:g} s")

    async def settle(self) -> None:
        """Wait until everything that is to happen late has happened."""
        while self._late:
            await asyncio.wait(set(self._late))

    def _start(self, request: HttpRequest, delay_s: float) -> asyncio.Task[HttpResponse]:
        task = asyncio.create_task(self._act(request, delay_s))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return task

    async def _act(self, request: HttpRequest, delay_s: float) -> HttpResponse:
        if delay_s:
            await self._clock.sleep(delay_s)
        answer = await self._inner.send(request)
        if self._on_effect is not None:
            self._on_effect(request, answer)
        return answer
