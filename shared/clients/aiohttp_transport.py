"""The real transport: vendor requests over aiohttp. Built by the bootstraps of the services that talk to vendors.

Must never repeat a request by itself. aiohttp does so once with a PUT or DELETE whose connection ended without an
answer, even a fresh one, as HTTP calls them idempotent; `_send_once` prevents that. Writes also go over connections
of their own, each used once, so that none meets one that the server had closed meanwhile.

Where a request may go is checked twice: by its address before anything is asked for, and at the socket, with the very
address that it is about to be connected to (`_guarded`). Nothing lies between that check and the connection, so a name
that leads elsewhere by then, or by the next request, changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType, SocketFactoryType
from yarl import URL

from shared.clients.egress import Egress, kind_of
from shared.clients.transport import HttpRequest, HttpResponse, NotAllowed, NotSent, Unclear
from shared.observability.catalogue.vendors import ADDRESSES_REFUSED

CONNECT_TIMEOUT_S: Final = 5.0
_MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_SAFE: Final = frozenset({"GET", "HEAD"})

log = structlog.get_logger(__name__)


class _Refused(OSError):
    """The address of a connection is not allowed. An OSError, so that another address of the same name is tried."""


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Turn the errors after which aiohttp would send a request again into one that it passes on."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Unclear(_words(error)) from error


class AiohttpTransport:
    """Implements `shared.clients.transport.Transport` on two aiohttp sessions; see `open_transport`."""

    def __init__(self, reading: aiohttp.ClientSession, writing: aiohttp.ClientSession, egress: Egress) -> None:
        self._reading = reading
        self._writing = writing
        self._egress = egress

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request; see the port. Bodies of answers above 64 MB count as `Unclear`."""
        self._egress.check_url(request.url)
        if not all(_writable(value) for value in request.headers.values()):
            raise NotSent("a header of it, such as the credentials, holds a line end or another control character")
        session = self._reading if request.method in _SAFE else self._writing
        timeout = aiohttp.ClientTimeout(total=request.timeout_s, sock_connect=min(CONNECT_TIMEOUT_S, request.timeout_s))
        try:
            async with session.request(
                request.method,
                URL(request.url).extend_query(list(request.query)),
                headers=dict(request.headers),
                data=request.body or None,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _body(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(response.status, headers, body)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Refused):
                raise NotAllowed(str(error.os_error)) from error
            raise NotSent(_words(error)) from error
        except (aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSent(_words(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unclear(_words(error)) from error


@asynccontextmanager
async def open_transport(
    egress: Egress, *, resolver: AbstractResolver | None = None
) -> AsyncIterator[AiohttpTransport]:
    """Open the transport of one process, to what `egress` allows; all its connections are closed on leaving.

    `resolver` None: the system's. Proxies of the environment are not used: what a proxy connects to cannot be checked.
    """
    guarded = _guarded(egress)
    reads = aiohttp.TCPConnector(limit=0, keepalive_timeout=15, resolver=resolver, socket_factory=guarded)
    writes = aiohttp.TCPConnector(limit=0, force_close=True, resolver=resolver, socket_factory=guarded)
    async with (
        aiohttp.ClientSession(connector=reads, cookie_jar=aiohttp.DummyCookieJar()) as reading,
        aiohttp.ClientSession(
            connector=writes, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_send_once,)
        ) as writing,
    ):
        yield AiohttpTransport(reading, writing, egress)


def _guarded(egress: Egress) -> SocketFactoryType:
    """Return what makes the socket of each connection, for an address that is resolved and connected to next."""

    def make(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, where = info
        address = str(where[0])
        try:
            egress.check_address(address)
        except NotAllowed as error:
            what = kind_of(address)
            ADDRESSES_REFUSED.inc(kind=what)
            log.warning("address_refused", address=address, kind=what)
            raise _Refused(str(error)) from error
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def _writable(value: str) -> bool:
    try:
        return min(value.encode(), default=32) >= 32
    except UnicodeEncodeError:
        return False


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(1 << 16):
        size += len(part)
        if size > _MAX_BODY_BYTES:
            response.close()
            raise Unclear(f"the answer has more than {_MAX_BODY_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _words(error: BaseException) -> str:
    """Return what happened, for people: the system's own words where there are any, without those of Python."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"there is no host {error.host}"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {error.host} is not valid"
        case aiohttp.ClientConnectorSSLError():
            return f"no secure connection to {error.host}:{error.port} comes about"
        case aiohttp.ClientConnectorError():
            cause = error.os_error.strerror or ""
            refused = isinstance(error.os_error, ConnectionRefusedError)
            words = "the connection is refused" if refused else cause.split(" [", 1)[0] or "no connection comes about"
            return f"{words} by {error.host}:{error.port}" if refused else f"{words} ({error.host}:{error.port})"
        case TimeoutError():
            return "it took too long"
        case _:
            pass
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
