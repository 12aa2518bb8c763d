"""One service in a process of its own, on a log and a store in memory: `python -m tests.attacks.victim NAME`.

Its HTTP server is the real one; only what is behind it is not there. Settings come from the environment, as always.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from services.console import bootstrap as console
from services.console.ports import Ports as ConsolePorts
from services.console.settings import ConsoleSettings
from services.mapper import bootstrap as mapper
from services.mapper.ports import Ports as MapperPorts
from services.mapper.settings import MapperSettings
from services.webhook_gateway import bootstrap as gateway
from services.webhook_gateway.ports import Ports as GatewayPorts
from services.webhook_gateway.settings import GatewaySettings
from shared.clients.aiohttp_transport import open_transport
from shared.domain.clock import SeededDice, SystemClock
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.fakes.log import MemoryLog
from shared.runtime.log import Record
from shared.runtime.service import Service, main
from shared.store.memory import MemoryStore
from tests.unit.gateway.harness import CRAFT, JIRA, NOW, SECRET, URL_TOKEN


class ForgetfulLog(MemoryLog):
    """Acknowledges everything and keeps nothing: what stays in memory is then the service's own doing."""

    async def publish(self, records: Sequence[Record]) -> None:
        del records
        await asyncio.sleep(0)


@asynccontextmanager
async def _gateway(settings: GatewaySettings) -> AsyncIterator[Service]:
    store = MemoryStore()
    for ident, kind, secrets in (
        (JIRA, ConnectionKind.JIRA_CLOUD, ConnectionSecrets(token="t", webhook_secrets=(SECRET,))),
        (CRAFT, ConnectionKind.CRAFT, ConnectionSecrets(token="t", url_token=URL_TOKEN)),
    ):
        connection = Connection(id=ident, kind=kind, name=ident, url="https://orchard.example")
        await store.save_connection(connection, secrets, 0, "admin", NOW)
    with ThreadPoolExecutor(1) as threads:
        yield gateway.wire(settings, GatewayPorts(ForgetfulLog(), store, SystemClock(), SeededDice(), threads))


@asynccontextmanager
async def _console(settings: ConsoleSettings) -> AsyncIterator[Service]:
    store = MemoryStore()
    async with open_transport(settings.egress()) as transport:
        ports = ConsolePorts(MemoryLog(), store, store, store, transport, SystemClock(), SeededDice())
        yield console.wire(settings, ports)


@asynccontextmanager
async def _mapper(settings: MapperSettings) -> AsyncIterator[Service]:
    store = MemoryStore()
    yield mapper.wire(settings, MapperPorts(MemoryLog(), store, SystemClock(), SeededDice()))


VICTIMS: dict[str, tuple[Any, Any]] = {
    "webhook_gateway": (GatewaySettings, _gateway),
    "console": (ConsoleSettings, _console),
    "mapper": (MapperSettings, _mapper),
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], *VICTIMS[sys.argv[1]]))
