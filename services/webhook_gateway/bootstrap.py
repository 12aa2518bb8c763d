"""The one place that builds the gateway: from ports (`wire`, also called by the simulation) or from real adapters."""

from __future__ import annotations

from services.webhook_gateway.adapters.cached_senders import CachedSenders
from services.webhook_gateway.entrypoint import GatewayService
from services.webhook_gateway.handlers import Gateway
from services.webhook_gateway.ports import Ports
from services.webhook_gateway.settings import GatewaySettings
from shared.runtime.publisher import Publisher


def wire(settings: GatewaySettings, ports: Ports) -> GatewayService:
    """Return the service on these ports. Does no I/O."""
    senders = CachedSenders(ports.config, ports.clock, interval_s=settings.webhook_config_interval_s)
    publisher = Publisher(ports.log, source=GatewayService.name, clock=ports.clock, dice=ports.dice)
    gateway = Gateway(
        senders,
        publisher,
        ports.clock,
        ports.dice,
        publish_timeout_s=settings.webhook_publish_timeout_s,
        retry_after_s=settings.webhook_retry_after_s,
    )
    return GatewayService(gateway, senders, ports.log, settings)
