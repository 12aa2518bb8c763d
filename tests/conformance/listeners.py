"""Real servers on loopback that write down what arrives, for tests of what must not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Listener:
    """What came: method, path and headers of each request. Answers everything as who `/myself` and `/me` ask for."""

    url: str = ""
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    redirect: tuple[int, str] | None = None
    """Status and Location of all answers; None: 200."""

    async def answer(self, request: web.Request) -> web.Response:
        """Write a request down and answer it."""
        self.requests.append((request.method, request.path, dict(request.headers)))
        if self.redirect is not None:
            status, target = self.redirect
            return web.Response(status=status, headers={"Location": target})
        return web.json_response({"accountId": "us", "key": "us", "displayName": "Us", "userId": "us"})

    @property
    def headers(self) -> str:
        """Return all that came in headers, to be searched for secrets."""
        return repr([headers for _, _, headers in self.requests])


@asynccontextmanager
async def listening(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Listener]:
    """Run a listener."""
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", listener.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        listener.url = f"http://{host}:{bound}"
        yield listener
    finally:
        await runner.cleanup()
