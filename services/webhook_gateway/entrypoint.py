"""The gateway as a service: its HTTP routes, the reloading of its connections, and what it is ready on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from aiohttp import web

from services.webhook_gateway.adapters.cached_senders import CachedSenders
from services.webhook_gateway.handlers import Gateway
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.ids import Side
from shared.runtime.log import Log
from shared.runtime.revisions import RevisionBell

_CHUNK_BYTES = 64 * 1024


class NotTaken(Exception):
    """A body that is not taken in whole: the status, reason and words of the answer."""

    def __init__(self, status: int, reason: str, words: str) -> None:
        super().__init__(words)
        self.status, self.reason, self.words = status, reason, words


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
        """Count bytes that are about to be held. Raises `NotTaken`."""
        if self._held + count > self._max_bytes:
            raise NotTaken(429, "too_much_at_once", "too many large bodies at once; send it again")
        self._held += count


class Share:
    """What one request holds of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def take(self, count: int) -> None:
        """Take more. Raises `NotTaken`."""
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
        bell = RevisionBell(self._log)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bell.listen(stop))
            tasks.create_task(self._senders.run(stop, bell))

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
            except NotTaken as not_taken:
                return self._turn_away(side, connection_id, not_taken)
            except TimeoutError:
                late = NotTaken(408, "body_timeout", "the body did not arrive in time; send it again")
                return self._turn_away(side, connection_id, late)
            except (web.RequestPayloadError, ConnectionError) as error:
                # Undecodable chunks or compression; or nobody is there any more to read this.
                words = f"the body broke off or cannot be decoded ({type(error).__name__})"
                return self._turn_away(side, connection_id, NotTaken(400, "broken_body", words))
            reply = await self.gateway.accept(side, connection_id, dict(request.headers), dict(request.query), raw)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    def _turn_away(self, side: Side, connection_id: str, why: NotTaken) -> web.Response:
        reply = self.gateway.turn_away(side, connection_id, why.status, why.reason, why.words)
        response = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        # The rest of the body is still to come, or what came is broken: this connection is good for nothing more.
        response.force_close()
        return response

    async def _body(self, request: web.Request, share: Share) -> bytes:
        """Return the raw body; gives up as soon as it is known to be too large, not at its end."""
        limit = self._settings.webhook_max_bytes
        too_large = NotTaken(413, "too_large", f"the body is over {limit} bytes")
        if request.content_length is not None and request.content_length > limit:
            raise too_large
        body = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
            if len(body) + len(chunk) > limit:
                raise too_large
            share.take(len(chunk))
            body += chunk
        return bytes(body)
