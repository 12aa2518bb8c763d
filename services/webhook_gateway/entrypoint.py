"""The gateway as a service: its HTTP routes, what it does beside them, and what it is ready on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog
from aiohttp import web

from services.webhook_gateway.adapters.cached_senders import CachedSenders
from services.webhook_gateway.domain.ending import Reply
from services.webhook_gateway.domain.room import Room, Share
from services.webhook_gateway.handlers import Gateway
from services.webhook_gateway.ports import Ports
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.ids import Side
from shared.runtime.error_words import told
from shared.runtime.http_body import NotTaken, Pace, read_body
from shared.runtime.http_client_address import client_address
from shared.runtime.revisions import RevisionBell
from shared.store.port import StoreUnavailable

_NO_ROOM = NotTaken(429, "too_much_at_once", "too many large bodies at once; send it again")

_log = structlog.get_logger(__name__)


class GatewayService:
    """Serves the webhook endpoints. `gateway` is what the simulation calls instead of HTTP."""

    name = "webhook_gateway"

    def __init__(self, gateway: Gateway, senders: CachedSenders, ports: Ports, settings: GatewaySettings) -> None:
        self.gateway = gateway
        self._senders = senders
        self._ports = ports
        self._settings = settings
        self._room = Room(settings.webhook_max_held_bytes, settings.webhook_max_held_bytes_each)
        idle_s = settings.webhook_body_idle_s
        self._pace = Pace(whole_s=settings.webhook_body_timeout_s, idle_s=idle_s, grace_s=idle_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the connections current until `stop` is set. Requests in hand are finished by the HTTP server."""
        bell = RevisionBell(self._ports.log)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bell.listen(stop))
            tasks.create_task(self._senders.run(stop, bell))
            tasks.create_task(self._keep_telling(stop))

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether the log answers, and whether the connections were ever read.

        Postgres being away later makes nothing unready: the gateway goes on with the connections that it knows.
        """
        return {"kafka": await self._ports.log.healthy(), "connections": self._senders.loaded}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the webhook endpoints (DESIGN section 8)."""
        return (web.post("/webhooks/{side:jira|craft}/{connection_id}", self._on_webhook),)

    async def tell(self) -> None:
        """Tell the store what came of webhooks, if there is news. What it could not be told now, it is told later."""
        ledger = self.gateway.ledger
        if news := ledger.news(self._ports.clock.now()):
            try:
                await self._ports.store.report_arrivals(news)
            except StoreUnavailable as error:
                _log.warning("arrivals not told", error=told(error))
            except Exception:  # noqa: BLE001  # whatever it is, webhooks go on
                _log.exception("arrivals not told")
            else:
                ledger.told(news)

    async def _keep_telling(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.webhook_report_interval_s):
                    await stop.wait()
            await self.tell()

    async def _on_webhook(self, request: web.Request) -> web.Response:
        side, connection_id = Side(request.match_info["side"]), request.match_info["connection_id"]
        headers, query = dict(request.headers), dict(request.query)
        client = client_address(request, self._settings.http_proxies)
        refused = await self.gateway.admit(side, connection_id, headers, query, client)
        if refused is not None:
            return _response(refused)
        with self._room.share(connection_id) as share:
            why = await read_body(request, _into(share), most_bytes=self._settings.webhook_max_bytes, pace=self._pace)
            if why is not None:
                turned = self.gateway.turn_away(side, connection_id, why.status, why.reason, why.words, client)
                return _response(turned, last=True)
            share.whole()
            return _response(await self.gateway.accept(side, connection_id, headers, query, share.body, client))


def _into(share: Share) -> Callable[[bytes], NotTaken | None]:
    return lambda piece: None if share.take(piece) else _NO_ROOM


def _response(reply: Reply, *, last: bool = False) -> web.Response:
    response = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
    if last:
        # What came is broken, or the rest is still to come: this connection is good for nothing more.
        response.force_close()
    return response
