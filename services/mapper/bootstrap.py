"""The one place that builds the mapper: from ports (`wire`, also called by the simulation) or from real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.mapper.entrypoint import MapperService
from services.mapper.handlers.batches import Limits
from services.mapper.ports import Ports
from services.mapper.settings import MapperSettings
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import open_kafka_log
from shared.runtime.service import Service
from shared.store.postgres import open_postgres


def wire(settings: MapperSettings, ports: Ports) -> Service:
    """Return the service on these ports. Does no I/O."""
    return MapperService(ports, Limits(settings.batch_inputs, settings.batches_at_once))


@asynccontextmanager
async def open_service(settings: MapperSettings) -> AsyncIterator[Service]:
    """Yield the service on Kafka and Postgres; close both afterwards."""
    async with (
        open_kafka_log(settings, client=MapperService.name) as log,
        open_postgres(settings.current_database_url, settings.secret_key) as store,
    ):
        yield wire(settings, Ports(log=log, links=store, clock=SystemClock(), dice=SeededDice()))
