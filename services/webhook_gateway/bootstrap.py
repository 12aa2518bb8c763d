"""The one place that builds the gateway: from ports (`wire`, also called by the simulation) or from real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from services.webhook_gateway.adapters.cached_senders import CachedSenders
from services.webhook_gateway.adapters.workshop import BoundedWorkshop
from services.webhook_gateway.entrypoint import GatewayService
from services.webhook_gateway.handlers import Gateway
from services.webhook_gateway.ports import Ports
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import open_kafka_log
from shared.runtime.publisher import Publisher
from shared.store.postgres import open_postgres


def wire(settings: GatewaySettings, ports: Ports) -> GatewayService:
    """Return the service on these ports. Does no I/O."""
    senders = CachedSenders(ports.store, ports.clock, interval_s=settings.webhook_config_interval_s)
    publisher = Publisher(ports.log, source=GatewayService.name, clock=ports.clock, dice=ports.dice, fits=False)
    gateway = Gateway(
        senders,
        publisher,
        BoundedWorkshop(settings.webhook_max_worked_bytes, ports.threads),
        ports.clock,
        ports.dice,
        most_bytes=settings.webhook_max_bytes,
        publish_timeout_s=settings.webhook_publish_timeout_s,
        retry_after_s=settings.webhook_retry_after_s,
    )
    return GatewayService(gateway, senders, ports, settings)


@asynccontextmanager
async def open_service(settings: GatewaySettings) -> AsyncIterator[GatewayService]:
    """Yield the service on Kafka and Postgres. Raises `StoreUnavailable` if the connections cannot be read at all."""
    # One thread: it is there so that others need not wait, not to be fast.
    with ThreadPoolExecutor(1, thread_name_prefix="workshop") as threads:
        async with (
            open_kafka_log(settings, client=GatewayService.name) as log,
            open_postgres(settings.current_database_url, settings.secret_key, most_connections=2) as store,
        ):
            yield wire(settings, Ports(log, store, SystemClock(), SeededDice(), threads))
