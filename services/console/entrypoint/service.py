"""The console as a service: its routes, and what it is ready on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus

from aiohttp import web

from services.console.entrypoint.api import Api
from services.console.entrypoint.http import Gate, handler_of, json_response, no_such_operation
from services.console.entrypoint.openapi import BASE, describe
from services.console.entrypoint.runbooks import runbook_routes
from services.console.handlers.provisioning import Provisioner
from services.console.ports import Ports
from services.console.settings import ConsoleSettings


class ConsoleService:
    """Serves the API."""

    name = "console"

    def __init__(self, api: Api, ports: Ports, settings: ConsoleSettings, provisioner: Provisioner | None) -> None:
        self._operations = api.operations()
        self._ports = ports
        self._settings = settings
        self._provisioner = provisioner

    async def run(self, stop: asyncio.Event) -> None:
        """Provision until `stop`, if there is a folder; all else is done in answer to requests."""
        if self._provisioner is not None:
            await self._provisioner.run(stop)
        await stop.wait()

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether Kafka and Postgres answer."""
        return {"kafka": await self._ports.log.healthy(), "postgres": await self._ports.reader.healthy()}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return all routes. The description needs no token: it holds nothing but shapes."""

        @cache
        def document() -> str:
            return json_response(describe(self._operations), HTTPStatus.OK).text or ""

        async def openapi(_: web.Request) -> web.Response:
            # Made once: anybody may ask for it.
            return web.Response(text=document(), content_type="application/json", headers={"Cache-Control": "no-store"})

        settings = self._settings
        gate = Gate(settings.console_token, settings.http_proxies)
        return [
            web.get(f"{BASE}/openapi.json", openapi),
            *runbook_routes(),
            *(
                web.route(
                    operation.method,
                    BASE + operation.path,
                    handler_of(operation, gate, settings.console_max_body_bytes),
                )
                for operation in self._operations
            ),
            web.route("*", BASE + "/{rest:.*}", no_such_operation(gate)),
        ]
