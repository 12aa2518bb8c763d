"""The one place that builds the reconciler: from ports (`wire`, also called by the simulation) or from real
adapters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.reconciler.adapters.prometheus_board import PrometheusBoard
from services.reconciler.adapters.prometheus_meter import PrometheusMeter
from services.reconciler.entrypoint import ReconcilerService
from services.reconciler.handlers.directory import Directory
from services.reconciler.ports import Ports
from services.reconciler.settings import ReconcilerSettings
from shared.clients.aiohttp_transport import open_transport
from shared.clients.pool import ClientPool
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import open_kafka_log
from shared.store.postgres import open_postgres


def wire(settings: ReconcilerSettings, ports: Ports) -> ReconcilerService:
    """Return the service on these ports. Does no I/O."""
    pool = ClientPool(ports.config, ports.transport, ports.clock, ports.dice)
    return ReconcilerService(settings, ports, Directory(pool), PrometheusMeter(ports.clock), PrometheusBoard())


@asynccontextmanager
async def open_service(settings: ReconcilerSettings) -> AsyncIterator[ReconcilerService]:
    """Open Kafka, Postgres and the way to the vendors, and yield the service on them."""
    async with (
        open_kafka_log(settings, client=ReconcilerService.name) as log,
        open_postgres(settings.current_database_url, settings.secret_key) as store,
        open_transport(settings.egress()) as transport,
    ):
        yield wire(settings, Ports(log, store, store, store, transport, SystemClock(), SeededDice()))
