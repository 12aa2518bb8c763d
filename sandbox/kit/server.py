"""A real HTTP server around a site: faults before and after it, the journal, webhook delivery, and the control surface.

Called by `python -m sandbox`, by the tests and by the demo. The site stays synchronous, so that each request is done at
once and completely; everything that takes time happens here. Binds to loopback unless it is told otherwise.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from sandbox.kit.control_surface import ControlSurface
from sandbox.kit.controllable import ControllableSite
from sandbox.kit.deliverer import Post, PostError, WebhookDeliverer
from sandbox.kit.faults import ActLate, AnswerInstead, FaultDecision, FaultPlan, LoseAnswer, Proceed, Refuse
from sandbox.kit.journal import Attempt, Call, Journal
from sandbox.kit.site import SiteRequest, SiteResponse
from shared.domain.clock import Clock, SeededDice, SystemClock

CONTROL = "/_control"
MAX_BODY_BYTES = 32 * 1024 * 1024
_KEPT_BODY_CHARS = 2_000
_DRAIN_EVERY_S = 0.05


class AiohttpPost:
    """Posts webhooks with aiohttp. The default timeouts are Jira's (connect 5 s, answer 20 s)."""

    def __init__(self, client: aiohttp.ClientSession, *, connect_s: float = 5.0, total_s: float = 20.0) -> None:
        self._client = client
        self._timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post and return the status; redirects are not followed. Raises `PostError`."""
        try:
            async with self._client.post(
                url, data=body, headers=dict(headers), timeout=self._timeout, allow_redirects=False
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise PostError(f"{type(error).__name__}: {error}") from error


def open_listener(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """Return a listening socket, on a free port unless one is given: a site can so know its URL before it serves."""
    return socket.create_server((host, port))


def url_of(listener: socket.socket, name: str | None = None) -> str:
    """Return the base URL that a listening socket serves, without a slash at the end. `name`: what others call it."""
    host, port = listener.getsockname()[:2]
    return f"http://{name or host}:{port}"


class SandboxServer:
    """Serves one site on a loopback port while entered as an async context manager; once only.

    It takes and closes `listener`, or opens one on a free port; `name` is what others call its host. What is done
    inside the process (`site.person(...)`) is served too: its webhooks go out within 50 ms.
    """

    def __init__(
        self,
        site: ControllableSite,
        *,
        listener: socket.socket | None = None,
        name: str | None = None,
        seed: int = 0,
        clock: Clock | None = None,
        post: Post | None = None,
        retry_wait_s: tuple[float, float] = (1.0, 3.0),
        retry_header: str | None = None,
    ) -> None:
        self.site = site
        self.plan = FaultPlan(seed=seed)
        self.calls: Journal[Call] = Journal()
        self.attempts: Journal[Attempt] = Journal()
        self.control_surface = ControlSurface(
            site,
            plan=self.plan,
            calls=self.calls,
            attempts=self.attempts,
        )
        self._listener = listener or open_listener()
        self._url = url_of(self._listener, name)
        self._clock = clock or SystemClock()
        self._dice = SeededDice(seed)
        self._post = post
        self._retry_wait_s = retry_wait_s
        self._retry_header = retry_header
        self._stack = AsyncExitStack()
        self._late: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The base URL of the vendor's API, without a slash at the end."""
        return self._url

    @property
    def control(self) -> str:
        """The base URL of the control surface."""
        return self.url + CONTROL

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            post = self._post or AiohttpPost(await stack.enter_async_context(aiohttp.ClientSession()))
            self.deliverer = WebhookDeliverer(
                post,
                clock=self._clock,
                dice=self._dice,
                plan=self.plan,
                journal=self.attempts,
                retry_wait_s=self._retry_wait_s,
                retry_header=self._retry_header,
            )
            for name, work in (("deliver", self.deliverer.run()), ("drain", self._drain())):
                task = asyncio.create_task(work, name=f"sandbox-{name}")
                stack.push_async_callback(_end, task)
            runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(self._end_late)
            await web.SockSite(runner, self._listener).start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _drain(self) -> None:
        """Take what was done inside the process to the deliverer."""
        while True:
            self.deliverer.submit(self.site.drain_webhooks())
            await asyncio.sleep(_DRAIN_EVERY_S)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read(MAX_BODY_BYTES + 1)
        while len(body) <= MAX_BODY_BYTES and not request.content.at_eof():
            body += await request.content.read(MAX_BODY_BYTES + 1 - len(body))
        if len(body) > MAX_BODY_BYTES:
            return web.Response(status=413)
        asked = SiteRequest(
            method=request.method,
            path=request.path,
            query=tuple(request.query.items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        if asked.path == CONTROL or asked.path.startswith(CONTROL + "/"):
            control = SiteRequest(asked.method, asked.path[len(CONTROL) :], asked.query, asked.headers, asked.body)
            answer: SiteResponse | None = self.control_surface.handle(control)
        else:
            answer = await self._vendor(asked)
        if answer is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # nobody gets it: the connection is gone
        return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)

    async def _vendor(self, request: SiteRequest) -> SiteResponse | None:
        """Do a vendor request with its faults; None means that the caller gets no answer."""
        who = self.site.who(request)
        decision = self.plan.decide(request, who)
        if decision.delay_s:
            await self._clock.sleep(decision.delay_s)
        match decision.action:
            case Proceed():
                return self._act(request, who, decision, answered=True)
            case LoseAnswer():
                self._act(request, who, decision, answered=False)
                return None
            case Refuse():
                self._note(request, who, None, decision, answered=False)
                return None
            case AnswerInstead(response):
                self._note(request, who, response.status, decision, answered=True)
                return response
            case ActLate(after_s, cut_after_s):
                task = asyncio.create_task(self._act_late(request, who, decision, after_s))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
                await self._clock.sleep(cut_after_s)
                return None

    async def _act_late(self, request: SiteRequest, who: str, decision: FaultDecision, after_s: float) -> None:
        await self._clock.sleep(after_s)
        self._act(request, who, decision, answered=False)

    def _act(self, request: SiteRequest, who: str, decision: FaultDecision, *, answered: bool) -> SiteResponse:
        """Let the site do the request, note it, and take its webhooks; without an await, so that it is one step."""
        answer = self.site.handle(request)
        self._note(request, who, answer.status, decision, answered=answered)
        self.deliverer.submit(self.site.drain_webhooks())
        return answer

    def _note(
        self, request: SiteRequest, who: str, status: int | None, decision: FaultDecision, *, answered: bool
    ) -> None:
        self.calls.add(
            Call(
                number=self.calls.next_number,
                time=self._clock.now(),
                method=request.method,
                path=request.path,
                query=request.query,
                status=status,
                who=who,
                answered=answered,
                effects=decision.effects,
                body=request.body[: 4 * _KEPT_BODY_CHARS].decode(errors="replace")[:_KEPT_BODY_CHARS],
            )
        )

    async def _end_late(self) -> None:
        for task in tuple(self._late):
            await _end(task)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task of ours and wait for its end; an error it had is raised here."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
