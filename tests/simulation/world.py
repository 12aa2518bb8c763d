"""One simulated world: two vendors, log, store, all services, people, weather. `simulate` runs it by a seed and asks the oracle."""

from __future__ import annotations

import asyncio
import dataclasses
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import async_solipsism
import structlog

from deploy.local import scene
from sandbox.craft.settings import SYNC_KEY, CraftSiteSettings, CraftWebhook
from sandbox.craft.site import CraftSite
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.site import WebhookDelivery
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
from services.webhook_gateway.ports import Ports as GatewayPorts
from services.webhook_gateway.settings import GatewaySettings
from shared.domain.clock import SeededDice
from shared.domain.ids import AccountId, Side
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, FieldKind, Integration, Policy
from shared.fakes.log import MemoryLog
from shared.runtime.service import Service
from shared.store.memory import MemoryStore
from tests.simulation.network import SimNetwork, Weather
from tests.simulation.oracle import Evidence, violations
from tests.simulation.people import People
from tests.simulation.process import EPOCH, SimClock, SimLog, SimProcess, SimTransport, gate

JIRA_URL, CRAFT_URL = "http://jira.sim", "http://craft.sim"
PROJECT = "TAN"
WORK_S = 60.0
"""How long people edit and things go wrong."""
REST_S = 420.0
"""How long the system then gets to come to rest, in fair weather."""
QUIET_S = 60.0
"""For how long nothing may be written after that."""


@dataclass(slots=True)
class Fate:
    """What one seed decides beforehand."""

    policy: Policy
    craft_webhook: bool
    with_key: bool
    coarse_jira: bool
    coarse_craft: bool
    edits: int
    items: int
    kills: int
    hangs: int
    weather: Weather
    lose_webhooks: float
    repeat_webhooks: float
    late_webhooks: float
    revisions: int


def fate_of(seed: int) -> Fate:
    """Return the fate of a seed: from fair weather with one edit to a storm."""
    dice = Random(seed)
    rough = dice.choice((0.0, 0.02, 0.1))
    return Fate(
        policy=dice.choice(list(Policy)),
        craft_webhook=dice.random() < 0.5,
        with_key=dice.random() < 0.7,
        coarse_jira=dice.random() < 0.4,
        coarse_craft=dice.random() < 0.4,
        edits=dice.choice((4, 8, 16, 30)),
        items=dice.choice((1, 1, 2, 3)),
        kills=dice.choice((0, 0, 1, 3)),
        hangs=dice.choice((0, 0, 1, 2)),
        weather=Weather(refuse=rough, lose_answer=rough, late=rough, busy=rough),
        lose_webhooks=dice.choice((0.0, 0.1)),
        repeat_webhooks=dice.choice((0.0, 0.2)),
        late_webhooks=dice.choice((0.0, 0.3)),
        revisions=dice.choice((0, 0, 0, 1)),
    )


@dataclass(slots=True)
class Report:
    """What became of a seed."""

    seed: int
    violations: list[str]
    history: list[str] = field(default_factory=list)
    virtual_s: float = 0.0
    calls: int = 0
    edits: int = 0


class World:
    """Everything that one seed runs."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.fate = fate_of(seed)
        self.dice = Random(seed * 7919 + 1)
        self.clock = SimClock()
        self.history: list[str] = []
        self.log = MemoryLog(partitions=2)
        self.store = MemoryStore(self.clock, gate)
        self.jira = JiraSite(
            now=self._site_clock(coarse=self.fate.coarse_jira),
            base_url=JIRA_URL,
            seed=seed,
            settings=JiraSiteSettings(index_lag_s=self.dice.choice((0.0, 2.0, 8.0)), html_401_every=0),
        )
        webhook = CraftWebhook("http://tandem.sim/webhooks/craft/craft-demo", "s3") if self.fate.craft_webhook else None
        self.craft = CraftSite(
            now=self._site_clock(coarse=False),
            base_url=CRAFT_URL,
            seed=seed,
            settings=CraftSiteSettings(
                webhook=webhook,
                clock_step=timedelta(seconds=1 if self.fate.coarse_craft else 0.001),
                visibility_lag=timedelta(seconds=self.dice.choice((0.0, 3.0))),
            ),
        )
        self.network = SimNetwork({JIRA_URL: self.jira, CRAFT_URL: self.craft}, Random(seed + 5))
        self.network.after_effect = self._send_webhooks
        self.processes: dict[str, SimProcess] = {}
        self.gateway_handlers: list[gateway.GatewayService] = []
        self.people: People
        self.integration: Integration
        self._deliveries: set[asyncio.Task[None]] = set()
        self._starts: dict[str, Callable[[asyncio.Event], Awaitable[None]]] = {}

    def _site_clock(self, *, coarse: bool) -> Callable[[], datetime]:
        def now() -> datetime:
            moment = self.clock.now()
            return moment.replace(microsecond=0) if coarse else moment

        return now

    def note(self, what: str) -> None:
        """Add a line to the readable history."""
        self.history.append(f"{asyncio.get_running_loop().time():8.2f}  {what}")

    # Setting the scene

    async def prepare(self) -> None:
        """Seed both vendors, save the connections and the integration, and start all services."""
        self.jira.seed_project(PROJECT, "Tandem")
        self.jira.register_webhook("http://tandem.sim/webhooks/jira/jira-demo", secret="s2")  # noqa: S106  # a stand-in's
        self.craft.seed_workspace("Roadmap")
        root = self.craft.person("craft-key-of-ada").create_item(type="product", title="Root")["id"]
        self.craft.drain_webhooks()
        workspaces = self.craft.state()["workspaces"]
        assert isinstance(workspaces, list)
        draft = scene.integration(
            project=PROJECT,
            workspace=workspaces[0],
            craft_root=root,
            with_key=self.fate.with_key,
            policy=self.fate.policy,
        )
        us = {
            Side.JIRA: self.jira.world.account_by_email(SYNC_EMAIL).account_id,
            Side.CRAFT: next(u.id for u in self.craft.account.users.values() if u.name == SYNC_KEY.name),
        }
        now = self.clock.now()
        for ident, kind, url, email, token, secret in (
            (scene.JIRA, ConnectionKind.JIRA_CLOUD, JIRA_URL, SYNC_EMAIL, SYNC_TOKEN, "s2"),
            (scene.CRAFT, ConnectionKind.CRAFT, CRAFT_URL, None, SYNC_KEY.key, "s3"),
        ):
            connection = Connection(
                id=ident, kind=kind, name=ident, url=url, email=email, account_id=AccountId(us[kind.side])
            )
            secrets = ConnectionSecrets(token=token, webhook_secrets=(secret,))
            await self.store.save_connection(connection, secrets, 0, "sim", now)
        self.integration = await self.store.save_integration(draft, 0, "sim", now)
        self.people = People(self.jira, self.craft, self.integration, PROJECT, Random(self.seed + 9), root)
        self._define()
        for name in self._starts:
            self._launch(name)
        await asyncio.sleep(1.0)

    def _define(self) -> None:
        """Say how each service is wired: by its own bootstrap, to ports that take time and may be where it dies."""
        log, store, clock = SimLog(self.log), self.store, self.clock
        common = {"kafka_bootstrap": "sim:9092", "database_url": "postgresql://sim/sim", "secret_key": _KEY}
        number = iter(range(1, 1_000_000))

        def dice() -> SeededDice:
            return SeededDice(self.seed * 1_000_003 + next(number))

        def transport() -> SimTransport:
            return SimTransport(self.network)

        def start(build: Callable[[], Service]) -> Callable[[asyncio.Event], Awaitable[None]]:
            async def run(stop: asyncio.Event) -> None:
                await build().run(stop)

            return run

        def build_gateway() -> Service:
            service = gateway.wire(GatewaySettings(**common), GatewayPorts(log, store, clock, dice()))
            self.gateway_handlers.append(service)
            return service

        self._starts = {
            "gateway": start(build_gateway),
            "mapper-1": start(lambda: mapper.wire(MapperSettings(**common), MapperPorts(log, store, clock, dice()))),
            "mapper-2": start(lambda: mapper.wire(MapperSettings(**common), MapperPorts(log, store, clock, dice()))),
            "jira_writer": start(
                lambda: jira_writer.wire(
                    JiraWriterSettings(**common, instance=dice().token(), **_JIRA_WRITER),
                    JiraWriterPorts(log, store, store, store, store, transport(), clock, dice()),
                )
            ),
            "craft_writer": start(
                lambda: craft_writer.wire(
                    CraftWriterSettings(**common, instance=dice().token(), **_CRAFT_WRITER),
                    CraftWriterPorts(log, store, store, store, store, transport(), clock, dice()),
                )
            ),
            "reconciler": start(
                lambda: reconciler.wire(
                    ReconcilerSettings(**common, **_RECONCILER),
                    ReconcilerPorts(log, store, store, store, transport(), clock, dice()),
                )
            ),
        }

    def _launch(self, name: str) -> None:
        process = SimProcess(name, Random(f"{self.seed}{name}{len(self.history)}"), self._starts[name])
        self.processes[name] = process
        process.launch()

    # What happens to it

    def _send_webhooks(self) -> None:
        """Hand the webhooks that a vendor wants delivered to the gateway: late, twice, or not at all."""
        for site, side in ((self.jira, Side.JIRA), (self.craft, Side.CRAFT)):
            for delivery in site.drain_webhooks():
                fate, dice = self.fate, self.dice
                copies = 0 if dice.random() < fate.lose_webhooks else 1 + (dice.random() < fate.repeat_webhooks)
                for _ in range(copies):
                    late = dice.random() < fate.late_webhooks
                    task = asyncio.get_running_loop().create_task(
                        self._deliver(side, delivery, dice.uniform(1, 40) if late else dice.uniform(0.02, 1.5))
                    )
                    self._deliveries.add(task)
                    task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, side: Side, delivery: WebhookDelivery, delay_s: float) -> None:
        for attempt in range(1 + (delivery.max_retries if side is Side.JIRA else 0)):
            await asyncio.sleep(delay_s if attempt == 0 else self.dice.uniform(5, 30))
            process = self.processes["gateway"]
            if process.dead or not self.gateway_handlers:
                continue
            service = self.gateway_handlers[-1]
            connection = delivery.url.rpartition("/")[2]
            reply = await service.gateway.accept(side, connection, dict(delivery.headers), {}, delivery.body)
            if reply.status not in delivery.retry_statuses:
                return

    async def trouble(self) -> None:
        """Kill and hang services at random moments; each killed one is started again, as Kubernetes would."""
        names = [name for name in self._starts if name != "gateway"]
        moments = [(self.dice.uniform(2, WORK_S), "kill") for _ in range(self.fate.kills)]
        moments += [(self.dice.uniform(2, WORK_S), "hang") for _ in range(self.fate.hangs)]
        start = asyncio.get_running_loop().time()
        for at, what in sorted(moments):
            await asyncio.sleep(max(0.0, start + at - asyncio.get_running_loop().time()))
            name = self.dice.choice(names)
            process = self.processes[name]
            self.note(f"{what} {name}")
            if what == "kill":
                process.kill()
                self._launch(name)
            else:
                process.hang()
                self._launch(name)
                loop, frozen_s = asyncio.get_running_loop(), self.dice.uniform(5, 120)
                loop.call_later(frozen_s, process.thaw)  # a zombie: it goes on where it stood, beside its successor
                loop.call_later(frozen_s + self.dice.uniform(5, 60), process.kill)

    async def work(self) -> None:
        """Let people create items and edit them on both sides, at random moments."""
        dice, people = self.dice, self.people
        for _ in range(self.fate.items):
            self._create()
        self._send_webhooks()
        pairs = [p for p in self.integration.pairs if p.kind not in (FieldKind.STATUS, FieldKind.PARENT)]
        pairs = dice.sample(pairs, dice.choice((1, 2, 4)))
        for _ in range(self.fate.edits):
            await asyncio.sleep(dice.choice((0.0, 0.05, 0.5, 3.0)) * dice.random())
            side = dice.choice(list(Side))
            entities = people.entities(side)
            if entities and dice.random() < 0.93:
                entity, pair = dice.choice(entities), dice.choice(pairs)
                if people.edit(side, entity, pair):
                    edit = people.edits[-1]
                    self.note(f"{side} {entity}: {pair.id} {edit.replaced!r} -> {edit.value!r}")
            else:
                self._create()
            self._send_webhooks()
        for _ in range(self.fate.revisions):
            await asyncio.sleep(dice.uniform(0, 5))
            await self._new_revision()

    def _create(self) -> None:
        side = self.dice.choice(list(Side))
        if side is Side.JIRA:
            kind = self.dice.choice(("Epic", "Story", "Bug"))
            epics = [i for i, issue in self.jira.world.issues.items() if issue.values["issuetype"] == "10000"]
            parent = self.dice.choice(epics) if epics and kind == "Story" else None
        else:
            kind, parent = "epic", None
        made = self.people.create(side, kind, parent)
        self.note(f"{side}: a person creates {kind} {made}")

    async def _new_revision(self) -> None:
        """Turn the value map of importance around, so that agreed values are no longer equivalent."""
        pairs = []
        for pair in self.integration.pairs:
            if pair.id == "importance":
                values = (*pair.values[1:], pair.values[0])
                pairs.append(pair.model_copy(update={"values": values, "policy": Policy.JIRA}))
            else:
                pairs.append(pair)
        draft = self.integration.model_copy(update={"pairs": tuple(pairs)})
        saved = await self.store.save_integration(draft, self.integration.revision, "sim", self.clock.now())
        self.integration = self.people.integration = saved
        self.note(f"mapping revision {saved.revision}")

    async def run(self) -> Report:
        """Play the fate and return the report."""
        await self.prepare()
        self.network.weather = self.fate.weather
        await asyncio.gather(self.trouble(), self.work())
        self.network.weather = Weather()
        self.fate = dataclasses.replace(self.fate, lose_webhooks=0.0, late_webhooks=0.0)
        self.note("people stop, the weather clears")
        await asyncio.sleep(REST_S)
        quiet_since = asyncio.get_running_loop().time()
        await asyncio.sleep(QUIET_S)
        views = await self._views()
        evidence = Evidence(
            self.jira, self.craft, self.integration, self.people, self.network, views, quiet_since
        )
        found = list(violations(evidence))
        for name, process in self.processes.items():
            if process.task is not None and process.task.done():
                error = process.task.exception() if not process.task.cancelled() else "cancelled"
                found.append(f"(f) the process {name} ended by itself: {error!r}")
        report = Report(self.seed, found, self.history, asyncio.get_running_loop().time())
        report.calls, report.edits = len(self.network.calls), len(self.people.edits)
        for process in self.processes.values():
            process.kill()
        return report

    async def _views(self) -> list:  # type: ignore[type-arg]
        statuses = await self.store.list_statuses(integration_id=None, state=None, after="", limit=10_000)
        views = [await self.store.link_view(status.link_id) for status in statuses]
        return [view for view in views if view is not None]


def simulate(seed: int) -> Report:
    """Run one seed to its end. Deterministic: the same seed gives the same report."""
    warnings.simplefilter("ignore", async_solipsism.ResolutionWarning)  # a sleep of less than a microsecond
    structlog.configure(processors=[structlog.testing.LogCapture()], wrapper_class=structlog.make_filtering_bound_logger(50))
    loop = async_solipsism.EventLoop()
    try:
        return loop.run_until_complete(_run(seed))
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()


async def _run(seed: int) -> Report:
    return await World(seed).run()


_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
_JIRA_WRITER = {"jira_index_lag_s": 20.0}
_CRAFT_WRITER = {"craft_index_lag_s": 20.0}
_RECONCILER = {
    "feed_interval_s": 10.0,
    "sweep_interval_s": 60.0,
    "clock_interval_s": 2.0,
    "fresh_interval_s": 1.0,
    "health_interval_s": 120.0,
    "backlog_interval_s": 600.0,
    "config_interval_s": 5.0,
}
