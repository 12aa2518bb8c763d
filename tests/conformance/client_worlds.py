"""Two ways to the same stand-ins for the clients' conformance suite: in one process, and over real HTTP by aiohttp;
each to any edition of Jira.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.craft.settings import SYNC_KEY, CraftSiteSettings
from sandbox.craft.site import CraftSite
from sandbox.jira.edition import CLOUD, Edition
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.fault_rules import parse_rules
from sandbox.kit.faults import FaultPlan
from sandbox.kit.inprocess import FaultyTransport, SiteTransport
from sandbox.kit.server import SandboxServer
from shared.clients.aiohttp_transport import open_transport
from shared.clients.craft.client import CraftClient
from shared.clients.egress import Egress, internal_network
from shared.clients.jira.client import JiraClient
from shared.clients.jira.data_center import DataCenterClient
from shared.clients.transport import Transport
from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets

CLOCK = SystemClock()
LOOPBACK = Egress(allowed=(internal_network("127.0.0.0/8"),), plain_http_hosts=frozenset({"127.0.0.1"}))
"""What an operator allows for stand-ins on the same machine."""


@dataclass(frozen=True)
class ClientWorld:
    """Both clients, the sites behind them, and how to make the way there fail."""

    jira: JiraClient
    craft: CraftClient
    jira_site: JiraSite
    craft_site: CraftSite
    transport: Transport
    jira_url: str
    plans: tuple[FaultPlan, ...]

    def fail(self, *rules: Mapping[str, Any]) -> None:
        """Put these faults in force on the way to both vendors."""
        for plan in self.plans:
            plan.replace(parse_rules(list(rules)))


Opener = Callable[[], Any]


def _sites(edition: Edition) -> tuple[JiraSite, CraftSite]:
    settings = JiraSiteSettings(html_401_every=0)
    jira = JiraSite(now=CLOCK.now, base_url="http://jira.test", settings=settings, edition=edition)
    jira.seed_project("TAN", "Tandem")
    craft = CraftSite(now=CLOCK.now, base_url="http://craft.test", settings=CraftSiteSettings())
    craft.seed_workspace("Roadmap")
    return jira, craft


def _world(
    jira: JiraSite, craft: CraftSite, jira_url: str, craft_url: str, transport: Transport, plans: tuple[FaultPlan, ...]
) -> ClientWorld:
    cloud = jira.world.edition is CLOUD
    j = Connection(
        id=ConnectionId("j"),
        kind=ConnectionKind.JIRA_CLOUD if cloud else ConnectionKind.JIRA_DATA_CENTER,
        name="Jira",
        url=jira_url,
        email=SYNC_EMAIL if cloud else None,
        requests_per_second=500,
    )
    c = Connection(
        id=ConnectionId("c"), kind=ConnectionKind.CRAFT, name="Craft", url=craft_url, requests_per_second=500
    )
    dice = SeededDice(1)
    return ClientWorld(
        (JiraClient if cloud else DataCenterClient)(
            j, ConnectionSecrets(token=SYNC_TOKEN), transport, CLOCK, dice, timeout_s=2.0
        ),
        CraftClient(c, ConnectionSecrets(token=SYNC_KEY.key), transport, CLOCK, dice, timeout_s=2.0),
        jira,
        craft,
        transport,
        jira_url,
        plans,
    )


@asynccontextmanager
async def in_process(edition: Edition) -> AsyncIterator[ClientWorld]:
    """Yield clients whose requests are function calls."""
    jira, craft = _sites(edition)
    plan = FaultPlan()
    sites = SiteTransport({"http://jira.test": jira, "http://craft.test": craft}, CLOCK)
    transport = FaultyTransport(sites, plan, CLOCK)
    yield _world(jira, craft, "http://jira.test", "http://craft.test", transport, (plan,))
    await transport.settle()


@asynccontextmanager
async def over_http(edition: Edition) -> AsyncIterator[ClientWorld]:
    """Yield clients whose requests travel over loopback to real servers."""
    jira, craft = _sites(edition)
    async with AsyncExitStack() as stack:
        jira_server = await stack.enter_async_context(SandboxServer(jira))
        craft_server = await stack.enter_async_context(SandboxServer(craft))
        transport = await stack.enter_async_context(open_transport(LOOPBACK))
        plans = (jira_server.plan, craft_server.plan)
        yield _world(jira, craft, jira_server.url, craft_server.url, transport, plans)
