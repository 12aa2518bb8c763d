"""All services, each wired by its own bootstrap to the simulation's ports: log, store, vendors, clock, dice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from services.craft_writer import bootstrap as craft_writer
from services.craft_writer.ports import Ports as CraftWriterPorts
from services.craft_writer.settings import CraftWriterSettings
from services.jira_writer import bootstrap as jira_writer
from services.jira_writer.ports import Ports as JiraWriterPorts
from services.jira_writer.settings import JiraWriterSettings
from services.mapper import bootstrap as mapper
from services.mapper.ports import Ports as MapperPorts
from services.mapper.settings import MapperSettings
from services.reconciler import bootstrap as reconciler
from services.reconciler.ports import Ports as ReconcilerPorts
from services.reconciler.settings import ReconcilerSettings
from services.webhook_gateway import bootstrap as gateway
from services.webhook_gateway.entrypoint import GatewayService
from services.webhook_gateway.handlers import Gateway
from services.webhook_gateway.ports import Ports as GatewayPorts
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.clock import SeededDice
from shared.fakes.log import MemoryLog
from shared.runtime.log import LogUnavailable
from shared.runtime.service import Service
from shared.store.memory import MemoryStore
from tests.simulation.fate import Fate
from tests.simulation.network import SimNetwork
from tests.simulation.process import SimClock, SimLog, SimProcess, SimTransport

GATEWAY = "gateway"
_COMMON: dict[str, Any] = {
    "kafka_bootstrap": "sim:9092",
    "database_url": "postgresql://sim/sim",
    "secret_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
LONGEST_INDEX_LAG_S = 20.0
_JIRA_WRITER: dict[str, Any] = {"jira_index_lag_s": LONGEST_INDEX_LAG_S}
_CRAFT_WRITER: dict[str, Any] = {"craft_index_lag_s": LONGEST_INDEX_LAG_S}
_RECONCILER: dict[str, Any] = {
    "sweep_interval_s": 60.0,
    "clock_interval_s": 3.0,
    "fresh_interval_s": 2.0,
    "health_interval_s": 300.0,
    "census_interval_s": 600.0,
    "config_interval_s": 15.0,
}


class Plant:
    """The processes that run, and how to start each of them anew."""

    def __init__(self, seed: int, fate: Fate, log: MemoryLog, store: MemoryStore, network: SimNetwork) -> None:
        self.processes: dict[str, SimProcess] = {}
        self.past: list[SimProcess] = []
        """Those that were killed or left hanging when their successor started."""
        self._seed = seed
        self._started = 0
        self._diced = 0
        self._gateways: dict[str, Gateway] = {}
        self._builders = self._define(fate, SimLog(log), store, network)

    @property
    def names(self) -> list[str]:
        """Return the names of all services."""
        return list(self._builders)

    def launch(self, name: str) -> None:
        """Start a service, beside its predecessor if that one still lives."""
        self._started += 1
        if name in self.processes:
            self.past.append(self.processes[name])
        ident = f"{name}#{self._started}"

        async def run(stop: asyncio.Event) -> None:
            service = self._builders[name]()
            if isinstance(service, GatewayService):
                self._gateways[ident] = service.gateway
            try:
                await service.run(stop)
            except LogUnavailable:
                # nothing to subscribe to: it exits, and Kubernetes starts it again
                await asyncio.sleep(1.0)
                if self.processes[name].ident == ident and not self.processes[name].dead:
                    self.launch(name)

        start: Callable[[asyncio.Event], Awaitable[None]] = run
        process = SimProcess(name, ident, Random(f"{self._seed}{ident}"), start)
        self.processes[name] = process
        process.launch()

    def gateway(self) -> tuple[SimProcess, Gateway] | None:
        """Return the gateway that takes webhooks now, None while there is none."""
        process = self.processes.get(GATEWAY)
        found = self._gateways.get(process.ident) if process is not None and not process.dead else None
        return (process, found) if process is not None and found is not None else None

    def end(self) -> None:
        """Kill everything."""
        for process in (*self.past, *self.processes.values()):
            process.kill()

    def _dice(self) -> SeededDice:
        self._diced += 1
        return SeededDice(self._seed * 1_000_003 + self._diced)

    def _define(
        self, fate: Fate, log: SimLog, store: MemoryStore, network: SimNetwork
    ) -> dict[str, Callable[[], Service]]:
        clock = SimClock()
        eyes: dict[str, Any] = {
            **_RECONCILER,
            "compare_interval_s": 60.0 if fate.steps_back else 86_400.0,
            "feed_interval_s": 2.0 if fate.coarse_craft and not fate.craft_webhook else 10.0,
            "id_sweep_interval_s": 60.0 if fate.deletes else 3_600.0,
        }

        def build_mapper(batches_at_once: int) -> Service:
            settings = MapperSettings(**_COMMON, batches_at_once=batches_at_once)
            return mapper.wire(settings, MapperPorts(log, store, clock, self._dice()))

        def build_jira_writer() -> Service:
            settings = JiraWriterSettings(**_COMMON, instance=self._dice().token(), **_JIRA_WRITER)
            transport = SimTransport(network)
            return jira_writer.wire(
                settings, JiraWriterPorts(log, store, store, store, store, transport, clock, self._dice())
            )

        def build_craft_writer() -> Service:
            settings = CraftWriterSettings(**_COMMON, instance=self._dice().token(), **_CRAFT_WRITER)
            transport = SimTransport(network)
            return craft_writer.wire(
                settings, CraftWriterPorts(log, store, store, store, store, transport, clock, self._dice())
            )

        def build_reconciler() -> Service:
            settings, transport = ReconcilerSettings(**_COMMON, **eyes), SimTransport(network)
            return reconciler.wire(settings, ReconcilerPorts(log, store, store, store, transport, clock, self._dice()))

        def build_gateway() -> Service:
            return gateway.wire(GatewaySettings(**_COMMON), GatewayPorts(log, store, clock, self._dice()))

        return {
            GATEWAY: build_gateway,
            "mapper-1": lambda: build_mapper(1),  # so that what comes meanwhile is put together
            "mapper-2": lambda: build_mapper(2),  # so that batches meet
            "jira_writer": build_jira_writer,
            "craft_writer": build_craft_writer,
            "reconciler": build_reconciler,
        }
