"""One simulated world: two vendors, log, store, all services, people, weather.

`simulate` runs it by a seed and asks the oracle.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import structlog

from deploy.local import scene
from sandbox.craft.account import CUSTOM_FIELDS, RICH_CATALOGUES, RICH_FIELDS
from sandbox.craft.settings import SYNC_KEY, CraftSiteSettings, CraftWebhook
from sandbox.craft.site import CraftSite
from sandbox.jira.catalog import SUBTASK
from sandbox.jira.edition import CLOUD, data_center
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL, GRACE_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from shared.domain.ids import AccountId, LinkId, PairId, Side
from shared.domain.link import Json, LinkState
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, Direction, Integration
from shared.fakes.log import MemoryLog
from shared.store.memory import MemoryStore
from shared.store.port import LinkView
from tests.simulation.evidence import Evidence
from tests.simulation.fate import Fate, fate_of
from tests.simulation.loop import VirtualLoop
from tests.simulation.mail import CRAFT_SECRET, JIRA_SECRET, Mail
from tests.simulation.mapping import Atlas, atlas_of, drawn
from tests.simulation.network import Call, SimNetwork, Weather
from tests.simulation.oracle import violations
from tests.simulation.people import People
from tests.simulation.process import SimClock, gate
from tests.simulation.story import Story
from tests.simulation.wiring import Plant
from tests.simulation.witness import Witness

Told = TypeVar("Told")
JIRA_URL, CRAFT_URL = "http://jira.sim", "http://craft.sim"
PROJECT = "TAN"
LEAST_REST_S = 150.0
"""How long the system gets at least to come to rest in fair weather: two sweeps, and longer than any lease."""
REST_S = 600.0
"""How long it gets at most."""
SETTLED_S = 45.0
"""For how long nothing may be under way before it counts as at rest."""
QUIET_S = 60.0
"""For how long nothing may be written after that."""


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

    def __init__(self, seed: int, fate: Fate | None = None) -> None:
        self.seed = seed
        self.fate: Fate = fate or fate_of(seed)
        self.clock = SimClock()
        self.history: list[str] = []
        self.slow_by = {side: timedelta(0) for side in Side}
        """By how much each vendor's clock has stepped back."""
        self.log = MemoryLog(partitions=2)
        self.store = MemoryStore(self.clock, gate)
        self.witness = Witness()
        self.store.tables.links = self.witness
        self.jira, self.craft = self._sites(Random(seed * 7919 + 1))
        self.network = SimNetwork({JIRA_URL: self.jira, CRAFT_URL: self.craft}, Random(seed + 5))
        self.network.normalises = self.fate.normalises
        self.network.ignores = self.fate.ignores
        self.network.page_limit = 2 if self.fate.small_pages else None
        self.plant = Plant(seed, self.fate, self.log, self.store, self.network)
        self.mail = Mail(self.jira, self.craft, Random(seed + 13), self.fate, self.plant.gateway)
        self.people: People
        self.reshape: Mapping[str, Mapping[str, Any]] = {}
        """What is other in the first mapping than in the demo's, by the pair's id."""

    def _sites(self, dice: Random) -> tuple[JiraSite, CraftSite]:
        fate = self.fate
        jira = JiraSite(
            now=self._site_clock(Side.JIRA, coarse=fate.coarse_jira),
            base_url=JIRA_URL,
            seed=self.seed,
            edition=data_center("10.3.2") if fate.data_center else CLOUD,
            settings=JiraSiteSettings(
                index_lag_s=fate.index_lag_s,
                html_401_every=0,
                rich_fields=fate.any_mapping,
                return_issue_fields=dice.choice(("all", "all", "edited")),
            ),
        )
        webhook = CraftWebhook("http://tandem.sim/webhooks/craft/craft-demo", CRAFT_SECRET)
        craft = CraftSite(
            now=self._site_clock(Side.CRAFT, coarse=False),
            base_url=CRAFT_URL,
            seed=self.seed,
            settings=CraftSiteSettings(
                webhook=webhook if fate.craft_webhook else None,
                clock_step=timedelta(seconds=2 if fate.coarse_craft else 0.001),
                visibility_lag=timedelta(seconds=fate.visibility_lag_s),
            ),
        )
        return jira, craft

    def _site_clock(self, side: Side, *, coarse: bool) -> Callable[[], datetime]:
        def now() -> datetime:
            moment = self.clock.now() - self.slow_by[side]
            return moment.replace(microsecond=0) if coarse else moment

        return now

    def note(self, what: str) -> None:
        """Add a line to the readable history."""
        self.history.append(f"{asyncio.get_running_loop().time():8.2f}  {what}")

    async def prepare(self) -> None:
        """Seed both vendors, save the connections and the integration, and start all services."""
        draft, atlas = self.mapping()
        self.jira.register_webhook("http://tandem.sim/webhooks/jira/jira-demo", secret=JIRA_SECRET)
        us = {
            Side.JIRA: self.jira.world.account_by_email(SYNC_EMAIL).account_id,
            Side.CRAFT: next(u.id for u in self.craft.account.users.values() if u.name == SYNC_KEY.name),
        }
        for ident, kind, url, email, token, secret in (
            (scene.JIRA, *self._jira_login(), SYNC_TOKEN, JIRA_SECRET),
            (scene.CRAFT, ConnectionKind.CRAFT, CRAFT_URL, None, SYNC_KEY.key, CRAFT_SECRET),
        ):
            connection = Connection(
                id=ident, kind=kind, name=ident, url=url, email=email, account_id=AccountId(us[kind.side])
            )
            secrets = ConnectionSecrets(token=token, webhook_secrets=(secret,))
            await self.store.save_connection(connection, secrets, 0, "sim", self.clock.now())
        draft = _reshaped(draft, self.reshape)
        integration = await self.store.save_integration(draft, 0, "sim", self.clock.now())
        self.people = People(
            self.jira, self.craft, integration, atlas, PROJECT, Random(self.seed + 9), str(integration.craft_root)
        )
        self.people.follow(integration)
        if self.fate.off_screen:
            points = self.jira.world.field_named("Story Points").id
            for kind_name in ("Epic", "Story", "Task"):
                self.jira.screen(PROJECT, kind_name, "edit").remove(points)
        for name in self.plant.names:
            self.plant.launch(name)
        await asyncio.sleep(1.0)

    def _jira_login(self) -> tuple[ConnectionKind, str, str | None]:
        if self.fate.data_center:
            return ConnectionKind.JIRA_DATA_CENTER, JIRA_URL, None
        return ConnectionKind.JIRA_CLOUD, JIRA_URL, SYNC_EMAIL

    def mapping(self) -> tuple[Integration, Atlas]:
        """Seed both vendors; return the first mapping, and all that could be mapped."""
        project = self.jira.seed_project(PROJECT, "Tandem")
        self.craft.account.seed_workspace(
            "Roadmap",
            custom_fields=RICH_FIELDS if self.fate.any_mapping else CUSTOM_FIELDS,
            catalogues=RICH_CATALOGUES if self.fate.any_mapping else None,
        )
        root = self.craft.person("craft-key-of-ada").create_item(type="product", title="Root")["id"]
        self.craft.drain_webhooks()
        workspaces = self.craft.state()["workspaces"]
        assert isinstance(workspaces, list)
        plain = scene.integration(
            project=PROJECT,
            workspace=workspaces[0],
            craft_root=root,
            with_key=self.fate.with_key,
            policy=self.fate.policy,
            status=Direction.BOTH if self.fate.status_both else Direction.TO_CRAFT,
        )
        more = {"jira_project_id": project.id, "jira_subtasks": (SUBTASK.id,)}
        plain = type(plain).model_validate({**dict(plain), **more, "jira_markup": self._jira_login()[0].markup})
        if not self.fate.any_mapping:
            return plain, Atlas(plain.pairs)
        fields = {field.name: field.id for field in self.jira.world.customs}
        accounts = [self.jira.world.account_by_email(email).account_id for email in (ADA_EMAIL, GRACE_EMAIL)]
        users = [user.id for user in self.craft.account.users.values() if user.name != SYNC_KEY.name]
        atlas = atlas_of(plain, fields, workspaces[0], list(zip(accounts, users, strict=False)))
        always = ("title", "type") if self.fate.conversions else ("title",)
        return drawn(plain, atlas, Random(self.seed * 17 + 11), always=[PairId(name) for name in always]), atlas

    async def run(self) -> Report:
        """Play the fate and return the report."""
        await self.prepare()
        story = Story(self, Random(self.seed * 31 + 3))

        def after_effect(call: Call) -> None:
            self.mail.post()
            story.put_back(call)
            story.snipe(call)

        self.network.after_effect = after_effect
        self.network.weather = self.fate.weather
        await story.play()
        self.network.weather = Weather()
        self.mail.fate = replace(self.fate, lose_webhooks=0.0, late_webhooks=0.0, partial_webhooks=0.0)
        self.mail.fate.false_deletes = 0.0
        self.network.after_effect = lambda _: self.mail.post()
        self.note("people stop, the weather clears")
        await self._rest(story)
        quiet_since = asyncio.get_running_loop().time()
        self.note("quiet")
        await asyncio.sleep(QUIET_S)
        return await self._report(quiet_since)

    async def _rest(self, story: Story) -> None:
        """Wait until nothing has been under way for a while; people answer what Tandem asks them meanwhile."""
        loop = asyncio.get_running_loop()
        began = settled = loop.time()
        while loop.time() < began + REST_S:
            await asyncio.sleep(5.0)
            if loop.time() > began + LEAST_REST_S / 2:
                await story.answer_questions()
            if (
                self.mail.pending
                or self.network.under_way
                or self.busy_links()
                or any(p.task and not p.dead and not p.task.done() for p in self.plant.past)
            ):
                settled = loop.time()
            elif loop.time() > max(settled + SETTLED_S, began + LEAST_REST_S):
                return

    def busy_links(self) -> bool:
        """Tell whether anything is in flight, unsure or a question, or is tried again before the quiet is over."""
        soon = self.clock.now() + timedelta(seconds=QUIET_S + 5.0)
        return any(
            link.op_id is not None
            or (link.retry_at is not None and link.retry_at < soon)
            or link.state in (LinkState.CREATING, LinkState.ASK, LinkState.PAUSED)
            or (link.state is LinkState.ACTIVE and (link.jira.dirty or link.craft.dirty))
            for link in self.store.tables.links.values()
        )

    async def _report(self, quiet_since: float) -> Report:
        views = await self.views()
        strays = self.store.tables.strays.items()
        flagged = {(side, entity_id): _link_of(stray) for (side, _, entity_id), stray in strays}
        people, network = self.people, self.network
        everybody = list(self.store.tables.people.values())
        evidence = Evidence(
            self.jira,
            self.craft,
            people.integration,
            people,
            network,
            self.fate,
            views,
            flagged,
            quiet_since,
            everybody,
            self.witness,
        )
        found = list(violations(evidence))
        for name, process in self.plant.processes.items():
            if process.task is not None and process.task.done():
                error = process.task.exception() if not process.task.cancelled() else "cancelled"
                found.append(f"(f) the process {name} ended by itself: {error!r}")
        report = Report(self.seed, found, self.history, asyncio.get_running_loop().time())
        report.calls, report.edits = len(self.network.calls), len(self.people.edits)
        self.plant.end()
        return report

    async def views(self) -> list[LinkView]:
        """Return all links with their records."""
        statuses = await self.store.list_statuses(integration_id=None, state=None, after="", limit=10_000)
        views = [await self.store.link_view(status.link_id) for status in statuses]
        return [view for view in views if view is not None]


def _reshaped(draft: Integration, changes: Mapping[str, Mapping[str, Any]]) -> Integration:
    """Return a mapping with some pairs changed or added."""
    kept = {str(pair.id): pair.model_dump() for pair in draft.pairs}
    pairs = [{**kept.get(name, {}), **changes.get(name, {})} for name in {**kept, **changes}]
    return Integration.model_validate({**draft.model_dump(), "pairs": pairs}) if changes else draft


def _link_of(stray: Mapping[str, Json]) -> LinkId | None:
    """Return the link for which a flagged item was made, None if that cannot be told."""
    return LinkId(str(stray["link_id"])) if stray["link_id"] is not None else None


def simulate(seed: int) -> Report:
    """Run one seed to its end. Deterministic: the same seed gives the same report."""
    return in_virtual_time(lambda: World(seed).run())


def in_virtual_time(story: Callable[[], Coroutine[Any, Any, Told]]) -> Told:
    """Run a story on a loop of its own whose time goes by at once, and end all that it left behind."""
    structlog.configure(
        processors=[structlog.testing.LogCapture()], wrapper_class=structlog.make_filtering_bound_logger(50)
    )
    collecting = gc.isenabled()
    gc.disable()  # a seed lives for less than a second; what it leaves is collected at once afterwards
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(story())
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
        if collecting:
            gc.enable()
        structlog.reset_defaults()
