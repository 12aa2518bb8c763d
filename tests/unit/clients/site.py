"""The clients on stand-ins in the same process, on virtual time; and a vendor that answers whatever a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final

import async_solipsism

from sandbox.craft.settings import SYNC_KEY, CraftSiteSettings
from sandbox.craft.site import CraftSite
from sandbox.jira.edition import data_center
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.inprocess import SiteTransport
from shared.clients.craft.client import CraftClient
from shared.clients.jira.client import JiraClient
from shared.clients.jira.data_center import DataCenterClient
from shared.clients.transport import HttpRequest, HttpResponse, Transport
from shared.domain.clock import SeededDice
from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets

EPOCH: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
JIRA_URL, CRAFT_URL = "http://jira.test", "http://craft.test"


def on_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on a loop whose time jumps ahead whenever everybody waits."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class LoopClock:
    """The loop's time, from a fixed day on."""

    def now(self) -> datetime:
        """Return the wall clock."""
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        """Wait on the loop."""
        await asyncio.sleep(delay_s)


CLOCK: Final = LoopClock()


def jira_site(**settings: Any) -> JiraSite:
    """Return a stand-in of Jira with one project."""
    site = JiraSite(now=CLOCK.now, base_url=JIRA_URL, settings=JiraSiteSettings(**settings))
    site.seed_project("TAN", "Tandem")
    return site


def data_center_site(version: str = "9.12.15", **settings: Any) -> JiraSite:
    """Return a stand-in of Jira Data Center with one project."""
    edition = data_center(version)
    site = JiraSite(now=CLOCK.now, base_url=JIRA_URL, settings=JiraSiteSettings(**settings), edition=edition)
    site.seed_project("TAN", "Tandem")
    return site


def craft_site(**settings: Any) -> CraftSite:
    """Return a stand-in of Craft.io with one workspace."""
    site = CraftSite(now=CLOCK.now, base_url=CRAFT_URL, settings=CraftSiteSettings(**settings))
    site.seed_workspace("Roadmap")
    return site


def jira_client(transport: JiraSite | Transport, **connection: Any) -> JiraClient:
    """Return a client of a site, or of any transport."""
    way = SiteTransport({JIRA_URL: transport}, CLOCK) if isinstance(transport, JiraSite) else transport
    of: dict[str, Any] = {"id": ConnectionId("j"), "name": "Jira", "url": JIRA_URL, "email": SYNC_EMAIL, **connection}
    secrets = ConnectionSecrets(token=SYNC_TOKEN)
    return JiraClient(Connection(kind=ConnectionKind.JIRA_CLOUD, **of), secrets, way, CLOCK, SeededDice(1))


def data_center_client(transport: JiraSite | Transport, token: str = SYNC_TOKEN, **connection: Any) -> DataCenterClient:
    """Return a client of a Data Center with a personal access token (with `username`, a password)."""
    way = SiteTransport({JIRA_URL: transport}, CLOCK) if isinstance(transport, JiraSite) else transport
    of: dict[str, Any] = {"id": ConnectionId("j"), "name": "Jira", "url": JIRA_URL, **connection}
    made = Connection(kind=ConnectionKind.JIRA_DATA_CENTER, requests_per_second=1000, **of)
    return DataCenterClient(made, ConnectionSecrets(token=token), way, CLOCK, SeededDice(1))


def craft_client(transport: CraftSite | Transport, **connection: Any) -> CraftClient:
    """Return a client of a site, or of any transport."""
    way = SiteTransport({CRAFT_URL: transport}, CLOCK) if isinstance(transport, CraftSite) else transport
    of: dict[str, Any] = {"id": ConnectionId("c"), "name": "Craft", "url": CRAFT_URL, **connection}
    secrets = ConnectionSecrets(token=SYNC_KEY.key)
    return CraftClient(Connection(kind=ConnectionKind.CRAFT, **of), secrets, way, CLOCK, SeededDice(1))


class Scripted:
    """A vendor that gives the answers that it was told, in turn and the last one for ever; an exception is raised."""

    def __init__(self, *answers: HttpResponse | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[HttpRequest] = []
        self.at: list[float] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Give the next answer."""
        self.requests.append(request)
        self.at.append(CLOCK.monotonic())
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return an answer with a JSON body (or these very bytes)."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return HttpResponse(status, dict(headers or {}), raw)
