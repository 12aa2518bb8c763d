"""What every connection to one of our HTTP servers is held to, whoever is at the other end: it gets on, or it ends.

Stands between asyncio's transport and aiohttp's protocol, which has no limit on how long a request's head may take, how
large it may be, or how much may follow before an answer is out. Used by `shared.runtime.http_serving` alone. Knows
nothing of what is asked: whether a sender is known is the service's business, what a body may be that of
`shared.runtime.http_body`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from aiohttp import web

from shared.observability.catalogue.process import HTTP_CONNECTIONS, HTTP_CONNECTIONS_ENDED
from shared.observability.words import ConnectionEnd

READ_BYTES: Final = 16 * 1024
"""Read from a socket at once. What waits unread of a connection is three times this at most (aiohttp stops reading at
twice its buffer), and not the quarter of a megabyte that asyncio reads by itself.
"""
_BODY_SHARE: Final = 16
"""Beside a body of so many bytes, one more may be framing: chunks of a few bytes each cost more than they bring."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of one server."""

    head_timeout_s: float = 10.0
    """From the connection, or from the first byte of a further request, to the end of the request's head."""
    idle_timeout_s: float = 75.0
    """From an answer to the next request; also how long somebody may take to read the answer."""
    most_head_bytes: int = 64 * 1024
    """Request line and headers together; and what may come during a request that is no part of its body."""
    most_connections: int = 500


class Door:
    """The open connections of one server. All of them share one buffer: nothing is kept in it between two calls."""

    def __init__(self, service: str, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.buffer = memoryview(bytearray(READ_BYTES))
        self._service = service
        self._open: set[Guard] = set()
        self._waiting: dict[Guard, None] = {}

    def enter(self, guard: Guard) -> bool:
        """Let a connection in. When there are too many, the one that has said nothing for longest makes room."""
        if len(self._open) >= self.limits.most_connections:
            silent = next(iter(self._waiting), None)
            if silent is None:
                self.count("no_room")
                return False
            silent.end("made_room")
        self._open.add(guard)
        HTTP_CONNECTIONS.set(len(self._open), component=self._service)
        return True

    def leave(self, guard: Guard) -> None:
        """Forget a connection that is gone. Idempotent."""
        self._open.discard(guard)
        self._waiting.pop(guard, None)
        HTTP_CONNECTIONS.set(len(self._open), component=self._service)

    def waits(self, guard: Guard) -> None:
        """Note that a connection has no request in hand from now on."""
        self._waiting[guard] = None

    def works(self, guard: Guard) -> None:
        """Note that a request of the connection is in hand."""
        self._waiting.pop(guard, None)

    def count(self, why: ConnectionEnd) -> None:
        """Count a connection that we ended."""
        HTTP_CONNECTIONS_ENDED.inc(component=self._service, reason=why)


class Guard(asyncio.BufferedProtocol):
    """One connection. Either a request is in hand, and its handler has limits of its own, or there is a deadline."""

    def __init__(self, inner: web.RequestHandler, door: Door) -> None:
        self._inner = inner
        self._door = door
        self._limits = door.limits
        self._transport: asyncio.Transport | None = None
        self._request: web.BaseRequest | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._why: ConnectionEnd = "silent"
        self._come = 0
        """Bytes since the last answer; while a request is in hand, since it was begun."""
        self._body_before = 0

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the connection in, or end it at once."""
        own = cast("asyncio.Transport", transport)
        if not self._door.enter(self):
            own.abort()
            return
        self._transport = own
        self._wait(self._limits.head_timeout_s, "silent")
        self._inner.connection_made(own)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the room for the next bytes."""
        del sizehint
        return self._door.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass bytes on, unless they are more than may come now."""
        if self._transport is None:
            return
        if self._request is None and self._come == 0:
            self._wait(self._limits.head_timeout_s, "half_a_head")
        if self._too_much():
            self.end("too_much")
            return
        self._come += nbytes
        self._inner.data_received(bytes(self._door.buffer[:nbytes]))

    def eof_received(self) -> None:
        """Take the end of what the other side sends: the transport closes."""
        self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._door.leave(self)
        self._stop_timer()
        if self._transport is not None:
            self._transport = None
            self._inner.connection_lost(exc)

    # What the server tells.

    def begin(self, request: web.BaseRequest) -> None:
        """Note that a head is complete and its request in hand."""
        self._stop_timer()
        self._door.works(self)
        self._request = request
        self._come = 0
        self._body_before = request.content.total_bytes

    def done(self) -> None:
        """Note that the request is answered. Whoever does not read the answer is as silent as who asks nothing."""
        self._request = None
        self._come = 0
        if self._transport is not None:
            self._wait(self._limits.idle_timeout_s, "idle")

    def end(self, why: ConnectionEnd) -> None:
        """End the connection now, without an answer: there is nobody to tell, or nothing that they would read."""
        self._door.count(why)
        self._door.leave(self)
        self._stop_timer()
        if self._transport is not None:
            # Not close(): that would wait for what the other side does not read.
            self._transport.abort()

    def _too_much(self) -> bool:
        if self._request is None:
            return self._come > self._limits.most_head_bytes
        body = self._request.content.total_bytes - self._body_before
        return self._come - body > self._limits.most_head_bytes + body // _BODY_SHARE

    def _wait(self, seconds: float, why: ConnectionEnd) -> None:
        self._door.waits(self)
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end, why)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def guarded(inner: Callable[[], web.RequestHandler], door: Door) -> Callable[[], Guard]:
    """Return what makes the protocol of each connection."""
    return lambda: Guard(inner(), door)


def guard_of(request: web.BaseRequest) -> Guard | None:
    """Return the guard of a request's connection; None where it is gone, or served by another server (in tests)."""
    transport = request.transport
    protocol = transport.get_protocol() if transport is not None else None
    return protocol if isinstance(protocol, Guard) else None
