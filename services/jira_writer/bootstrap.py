"""The one place that builds the Jira writer: on ports (`wire`, for the simulation too) or on real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.jira_writer.adapters.hands import JiraHands
from services.jira_writer.entrypoint import JiraWriterService
from services.jira_writer.ports import Ports
from services.jira_writer.settings import JiraWriterSettings
from shared.clients.aiohttp_transport import open_transport
from shared.clients.pool import ClientPool
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import open_kafka_log
from shared.runtime.publisher import Publisher
from shared.store.postgres import open_postgres
from shared.writing.writer import Writer


def wire(settings: JiraWriterSettings, ports: Ports) -> JiraWriterService:
    """Return the service on these ports. Does no I/O."""
    timing = settings.timing()
    pool = ClientPool(ports.config, ports.transport, ports.clock, ports.dice, timeout_s=timing.http_timeout_s)
    publisher = Publisher(ports.log, source=JiraWriterService.NAME, clock=ports.clock, dice=ports.dice)
    writer = Writer(
        JiraHands(pool, settings),
        pool,
        ports.claims,
        ports.pauser,
        publisher,
        ports.clock,
        ports.dice,
        timing=timing,
        instance=settings.instance,
    )
    return JiraWriterService(writer, publisher, ports)


@asynccontextmanager
async def open_service(settings: JiraWriterSettings) -> AsyncIterator[JiraWriterService]:
    """Open the real log, store and transport, and yield the service on them."""
    async with (
        open_kafka_log(settings, client=JiraWriterService.NAME) as log,
        open_postgres(settings.current_database_url, settings.secret_key) as store,
        open_transport(settings.egress()) as transport,
    ):
        clock, dice = SystemClock(), SeededDice()
        yield wire(settings, Ports(log, store, store, store, store, transport, clock, dice))
