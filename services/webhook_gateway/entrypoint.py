"""The gateway as a service: its HTTP routes, the reloading of its connections, and what it is ready on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from aiohttp import web

from services.webhook_gateway.adapters.cached_senders import CachedSenders
from services.webhook_gateway.handlers import Gateway, Reply
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.ids import Side
from shared.runtime.log import Log

_CHUNK_BYTES = 64 * 1024


class TooLarge(Exception):
    """A body beyond the limit of one, noticed before it was taken in."""


class TooMuchHeld(Exception):
    """All bodies in hand together are beyond the limit."""


class Room:
    """How many bytes of bodies are in hand, and the most that may be."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give one request its share; what it took is free again afterwards."""
        share = Share(self)
        try:
            yield share
        finally:
            self._held -= share.taken

    def take(self, count: int) -> None:
        """Count bytes that are about to be held. Raises `TooMuchHeld`."""
        if self._held + count > self._max_bytes:
            raise TooMuchHeld
        self._held += count


class Share:
    """What one request holds of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def take(self, count: int) -> None:
        """Take more. Raises `TooMuchHeld`."""
        self._room.take(count)
        self.taken += count


class GatewayService:
    """Serves the webhook endpoints. `gateway` is what the simulation calls instead of HTTP."""

    name = "webhook_gateway"

    def __init__(self, gateway: Gateway, senders: CachedSenders, log: Log, settings: GatewaySettings) -> None:
        self.gateway = gateway
        self._senders = senders
        self._log = log
        self._settings = settings
        self._room = Room(settings.webhook_max_held_bytes)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the connections current until `stop` is set. Requests in hand are finished by the HTTP server."""
        await self._senders.run(stop)

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether the log answers, and whether the connections were ever read.

        Postgres being away later makes nothing unready: the gateway goes on with the connections that it knows.
        """
        return {"kafka": await self._log.healthy(), "connections": self._senders.loaded}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the webhook endpoints (DESIGN section 8)."""
        return (web.post("/webhooks/{side:jira|craft}/{connection_id}", self._on_webhook),)

    async def _on_webhook(self, request: web.Request) -> web.Response:
        side, connection_id = Side(request.match_info["side"]), request.match_info["connection_id"]
        with self._room.share() as share:
            try:
                async with asyncio.timeout(self._settings.webhook_body_timeout_s):
                    raw = await self._body(request, share)
            except TooLarge:
                limit = self._settings.webhook_max_bytes
                return _response(
                    self.gateway.turn_away(side, connection_id, 413, "too_large", f"the body is over {limit} bytes")
                )
            except TooMuchHeld:
                words = "too many large bodies at once; send it again"
                return _response(self.gateway.turn_away(side, connection_id, 429, "too_much_at_once", words))
            except TimeoutError:
                words = "the body did not arrive in time; send it again"
                return _response(self.gateway.turn_away(side, connection_id, 408, "body_timeout", words))
            reply = await self.gateway.accept(side, connection_id, dict(request.headers), dict(request.query), raw)
        return _response(reply)

    async def _body(self, request: web.Request, share: Share) -> bytes:
        """Return the raw body; gives up as soon as it is known to be too large, not at its end."""
        limit = self._settings.webhook_max_bytes
        if request.content_length is not None and request.content_length > limit:
            raise TooLarge
        body = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
            if len(body) + len(chunk) > limit:
                raise TooLarge
            share.take(len(chunk))
            body += chunk
        return bytes(body)


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
