"""The HTTP server of every service: routes on aiohttp, with the manners that strangers are held to.

Called by `shared.runtime.service`. Nothing is unpacked here, and no body is read that no handler asks for: what a
request carries is touched by whoever knows its sender.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from shared.runtime.http_guard import READ_BYTES, ConnectionLimits, Door, guard_of, guarded
from shared.runtime.http_server import HttpRunner

_BACKLOG: Final = 128
_SEE_OFF_BYTES: Final = 1024 * 1024
_SEE_OFF_S: Final = 2.0
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


@asynccontextmanager
async def serving(
    service: str,
    routes: Sequence[web.RouteDef],
    host: str,
    port: int,
    *,
    limits: ConnectionLimits | None = None,
    grace_s: float = 5.0,
) -> AsyncIterator[list[tuple[str, int]]]:
    """Serve `routes` within the block and yield the addresses; at its end, requests under way are finished."""
    app = web.Application(middlewares=[_in_hand])
    app.add_routes([_uninvited(route) for route in routes])
    runner = HttpRunner(
        app,
        shutdown_timeout=grace_s,
        auto_decompress=False,
        read_bufsize=READ_BYTES,
        # A body that nobody asked for is not read to its end; how long a connection may be idle is the guard's.
        lingering_time=0,
    )
    await runner.setup()
    try:
        if runner.server is None:
            raise RuntimeError("aiohttp has set up no server")
        door = Door(service, limits or ConnectionLimits())
        server = await asyncio.get_running_loop().create_server(
            guarded(runner.server, door), host, port, backlog=_BACKLOG, reuse_address=True
        )
        try:
            yield [socket.getsockname()[:2] for socket in server.sockets]
        finally:
            server.close()
    finally:
        await runner.cleanup()


@web.middleware
async def _in_hand(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep the guard of the connection told, and leave no body half read behind."""
    guard = guard_of(request)
    if guard is not None:
        guard.begin(request)
    try:
        response = await _answer(request, handler)
        if not request.content.is_eof():
            # What still comes is nothing that we wait for: the connection is good for nothing more.
            response.force_close()
            if request.method in _WITH_BODY:
                await _see_off(request, response)
        return response
    finally:
        if guard is not None:
            guard.done()


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        # As a value: aiohttp would keep the exception in a frame that the exception keeps, and the request with it.
        return web.Response(status=error.status, reason=error.reason, text=error.text, headers=error.headers)


async def _see_off(request: web.Request, response: web.StreamResponse) -> None:
    """Answer before the body is through, and let a little of it pass by: else it is the reset that many senders see,
    and not the answer.
    """
    with suppress(TimeoutError, ConnectionError, web.RequestPayloadError):
        async with asyncio.timeout(_SEE_OFF_S):
            await response.prepare(request)
            await response.write_eof()
            passed = 0
            while passed < _SEE_OFF_BYTES and (piece := await request.content.readany()):
                passed += len(piece)


def _uninvited(route: web.RouteDef) -> web.RouteDef:
    """Return a route that does not ask for a body by itself (`Expect: 100-continue`): its handler does, if it wants
    one.
    """
    return web.RouteDef(route.method, route.path, route.handler, {**route.kwargs, "expect_handler": _wait_and_see})


async def _wait_and_see(_: web.Request) -> None:
    return None
