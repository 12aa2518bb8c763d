"""The one place that builds the console: from ports (`wire`) or from real adapters (`open_service`)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from services.console.adapters.mounted_folder import MountedFolder
from services.console.adapters.vendor_metadata import VendorMetadata
from services.console.entrypoint import ConsoleService
from services.console.entrypoint.api import Api
from services.console.handlers.configuration import Configuration
from services.console.handlers.dry_runs import DryRuns
from services.console.handlers.evaluation import Evaluations
from services.console.handlers.held import HeldItemsDesk
from services.console.handlers.history import History
from services.console.handlers.links import Links
from services.console.handlers.mappings import Mappings
from services.console.handlers.people import PeopleDesk
from services.console.handlers.provisioned import ProvisionedDesk
from services.console.handlers.provisioning import Provisioner
from services.console.handlers.refused import RefusedItemsDesk
from services.console.handlers.requests import Requests
from services.console.handlers.vendors import Vendors
from services.console.ports import Ports
from services.console.settings import ConsoleSettings
from shared.as_code.secret_places import SecretPlaces
from shared.clients.aiohttp_transport import open_transport
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import open_kafka_log
from shared.runtime.publisher import Publisher
from shared.store.postgres import open_postgres
from shared.store.secrets import content_digests

ADMIN = "admin"
"""Who the holder of the static token is, in the audit trail and in requests."""
PROVISIONING = "provisioning"
"""Who saves what mounted files say."""


def wire(settings: ConsoleSettings, ports: Ports) -> ConsoleService:
    """Return the service on these ports. Does no I/O."""
    publish = Publisher(ports.log, source=ConsoleService.name, clock=ports.clock, dice=ports.dice)
    vendors = Vendors(ports, settings.console_vendor_timeout_s)
    links = Links(ports.reader, ports.config, vendors)
    requests = Requests(ports, links, vendors, publish, ADMIN)
    metadata = VendorMetadata(
        ports.transport,
        ports.clock,
        ports.dice,
        timeout_s=settings.console_vendor_timeout_s,
        whole_timeout_s=settings.console_metadata_timeout_s,
    )
    mappings = Mappings(ports.config, metadata)
    configuration = Configuration(ports, vendors, mappings, publish, settings.egress(), ADMIN)
    people = PeopleDesk(ports.reader, ports.config)
    api = Api(
        links,
        requests,
        configuration,
        mappings,
        people,
        History(ports.reader),
        DryRuns(ports, mappings, ADMIN),
        Evaluations(ports, ADMIN),
        HeldItemsDesk(ports, ADMIN),
        RefusedItemsDesk(ports, ADMIN),
        ProvisionedDesk(ports),
    )
    folder = settings.provisioning_folder
    if folder is None:
        return ConsoleService(api, ports, settings, None)
    provisioner = Provisioner(
        ports,
        Configuration(ports, vendors, mappings, publish, settings.egress(), PROVISIONING),
        MountedFolder(folder),
        lambda: SecretPlaces(os.environ, folder),
        partial(content_digests, settings.secret_key),
        owner=settings.instance,
        interval_s=settings.provisioning_interval_s,
    )
    return ConsoleService(api, ports, settings, provisioner)


@asynccontextmanager
async def open_service(settings: ConsoleSettings) -> AsyncIterator[ConsoleService]:
    """Open Kafka, Postgres and the way to the vendors, and yield the service on them."""
    async with (
        open_kafka_log(settings, client=ConsoleService.name) as log,
        open_postgres(settings.current_database_url, settings.secret_key) as store,
        open_transport(settings.egress()) as transport,
    ):
        yield wire(settings, Ports(log, store, store, store, transport, SystemClock(), SeededDice()))
