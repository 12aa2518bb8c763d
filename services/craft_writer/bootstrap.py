"""The one place that builds the Craft.io writer: on ports (`wire`, for the simulation too) or on real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.craft_writer.adapters.hands import CraftHands
from services.craft_writer.entrypoint import CraftWriterService
from services.craft_writer.ports import Ports
from services.craft_writer.settings import CraftWriterSettings
from shared.clients.aiohttp_transport import open_transport
from shared.clients.pool import ClientPool
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import open_kafka_log
from shared.runtime.publisher import Publisher
from shared.store.postgres import open_postgres
from shared.writing.writer import Writer


def wire(settings: CraftWriterSettings, ports: Ports) -> CraftWriterService:
    """Return the service on these ports. Does no I/O."""
    timing = settings.timing()
    pool = ClientPool(ports.config, ports.transport, ports.clock, ports.dice, timeout_s=timing.http_timeout_s)
    publisher = Publisher(ports.log, source=CraftWriterService.NAME, clock=ports.clock, dice=ports.dice)
    writer = Writer(
        CraftHands(pool, settings),
        pool,
        ports.claims,
        ports.pauser,
        publisher,
        ports.clock,
        ports.dice,
        timing=timing,
        instance=settings.instance,
    )
    return CraftWriterService(writer, publisher, ports)


@asynccontextmanager
async def open_service(settings: CraftWriterSettings) -> AsyncIterator[CraftWriterService]:
    """Open the real log, store and transport, and yield the service on them."""
    async with (
        open_kafka_log(settings, client=CraftWriterService.NAME) as log,
        open_postgres(settings.current_database_url, settings.secret_key) as store,
        open_transport(settings.egress()) as transport,
    ):
        clock, dice = SystemClock(), SeededDice()
        yield wire(settings, Ports(log, store, store, store, store, transport, clock, dice))
