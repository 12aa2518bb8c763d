"""Prometheus, Alertmanager and whoever is paged: real servers on loopback, as direct children, and a receiver of ours.

Called by `performance`. What arrives is what Alertmanager sends to any webhook receiver.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from deploy.local.ports import free_port
from deploy.local.processes import Child, LocalStackError, start_child, wait_until_ready
from deploy.monitoring.__main__ import rules_file
from deploy.monitoring.rules import Tempo

READY_DEADLINE_S: Final = 120.0
STOP_DEADLINE_S: Final = 15.0
PAUSE_S: Final = 0.25
STILL_S: Final = 8.0
"""For so long an alert has to fire no more to be over."""
SCRAPE: Final = "2s"
"""How often, and how long a service may take to answer: as long as it may take to ask what it depends on."""
_PACKAGES: Final = {
    "prometheus": (("prometheus",), "prometheus"),
    "alertmanager": (("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager"),
}
"""By what it is: the names that its program goes by, and Debian's package."""


def missing() -> tuple[str, ...]:
    """Return the Debian packages whose programs are not on this machine."""
    return tuple(package for names, package in _PACKAGES.values() if not any(map(shutil.which, names)))


def _program(what: str) -> str:
    names, package = _PACKAGES[what]
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        raise LocalStackError(f"{what} is not on PATH (Debian: apt install {package})")
    return found


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert as it arrived at the receiver."""

    name: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    at: float
    """By the monotonic clock."""


@dataclass
class Receiver:
    """Keeps what Alertmanager sent, in its order."""

    notices: list[Notice] = field(default_factory=list)
    _standing: dict[tuple[tuple[str, str], ...], Notice] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        """Take one notification of Alertmanager."""
        for each in (await request.json())["alerts"]:
            labels = each["labels"]
            firing = each["status"] == "firing"
            notice = Notice(labels["alertname"], firing, labels, each["annotations"], time.monotonic())
            self.notices.append(notice)
            self._standing[tuple(sorted(labels.items()))] = notice
        return web.Response()

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire, as far as this receiver was told."""
        return {each.name for each in self._standing.values() if each.firing}

    async def fires(self, name: str, *, after: float, within_s: float, **labels: str) -> Notice | None:
        """Return the first notice after a moment that says that an alert fires; None when none came in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for each in self.notices:
                if each.firing and each.name == name and each.at >= after and labels.items() <= each.labels.items():
                    return each
            await asyncio.sleep(PAUSE_S)
        return None

    async def ends(self, name: str, *, within_s: float) -> bool:
        """Tell whether an alert fires no more, for no labels, before the time is over.

        It has to stay so for a few seconds: a scrape that failed ends alerts for a moment.
        """
        deadline, still_since = time.monotonic() + within_s, time.monotonic()
        while time.monotonic() < deadline:
            if name in self.firing():
                still_since = time.monotonic()
            elif time.monotonic() - still_since >= STILL_S:
                return True
            await asyncio.sleep(PAUSE_S)
        return False


class Prometheus:
    """One server: it can be killed and started again on its data."""

    def __init__(self, argv: Sequence[str], url: str, log: Path, http: aiohttp.ClientSession) -> None:
        self._argv = argv
        self._url = url
        self._log = log
        self._http = http
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it and return once it answers. Raises LocalStackError."""
        self._child = await start_child("prometheus", self._argv, log_path=self._log)
        await wait_until_ready(self._child, self._ready, deadline_s=READY_DEADLINE_S)

    async def kill(self) -> None:
        """End it at once. Idempotent."""
        if self._child is not None:
            await self._child.kill()

    async def stop(self) -> None:
        """End it in good order. Idempotent."""
        if self._child is not None:
            await self._child.stop(deadline_s=STOP_DEADLINE_S)

    async def ask(self, query: str) -> list[Sample] | None:
        """Return the series of a query, None where nobody answers. Raises LocalStackError when it is refused."""
        try:
            async with self._http.get(f"{self._url}/api/v1/query", params={"query": query}) as answer:
                found = await answer.json()
        except (aiohttp.ClientError, TimeoutError):
            return None
        if found["status"] != "success":
            raise LocalStackError(f"Prometheus refuses {query!r}: {found.get('error')}")
        data = found["data"]
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    async def _ready(self) -> bool:
        return await _answers(self._http, f"{self._url}/-/ready")


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


@dataclass(frozen=True)
class Watchers:
    """All three."""

    prometheus: Prometheus
    receiver: Receiver


@asynccontextmanager
async def watching(
    targets: Mapping[str, Sequence[str]], folder: Path, http: aiohttp.ClientSession, tempo: Tempo, runbooks: str
) -> AsyncIterator[Watchers]:
    """Yield what watches these base URLs of services, by name. `runbooks` is where the alerts' links lead.

    Raises LocalStackError when one of the servers does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    receiver = Receiver()
    async with _received(receiver) as inbox, _alertmanager(folder, inbox, http) as alertmanager:
        (folder / "tandem.rules.yaml").write_text(rules_file(tempo, runbooks))
        config = folder / "prometheus.yml"
        config.write_text(json.dumps(_prometheus_settings(targets, alertmanager, folder / "tandem.rules.yaml")))
        address = f"127.0.0.1:{free_port()}"
        argv = [
            _program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={address}",
            "--enable-feature=exemplar-storage",
            # An alert that Prometheus no longer tells of is over after four times as long.
            "--rules.alert.resend-delay=3s",
        ]
        prometheus = Prometheus(argv, f"http://{address}", folder / "prometheus.log", http)
        try:
            await prometheus.start()
            yield Watchers(prometheus, receiver)
        finally:
            await prometheus.stop()


def _prometheus_settings(targets: Mapping[str, Sequence[str]], alertmanager: str, rules: Path) -> dict[str, Any]:
    static = [
        {"targets": [urlsplit(url).netloc for url in urls], "labels": {"pod": name}} for name, urls in targets.items()
    ]
    return {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": "tandem", "static_configs": static}],
    }


@asynccontextmanager
async def _received(receiver: Receiver) -> AsyncIterator[str]:
    """Yield the URL at which the receiver listens."""
    app = web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _alertmanager(folder: Path, inbox: str, http: aiohttp.ClientSession) -> AsyncIterator[str]:
    """Yield the address of an Alertmanager that tells the inbox of each alert by itself, at once."""
    config = folder / "alertmanager.yml"
    route = {
        "receiver": "drill",
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "1m",
    }
    hook = {"url": inbox, "send_resolved": True}
    config.write_text(json.dumps({"route": route, "receivers": [{"name": "drill", "webhook_configs": [hook]}]}))
    address = f"127.0.0.1:{free_port()}"
    child = await start_child(
        "alertmanager",
        [
            _program("alertmanager"),
            f"--config.file={config}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ],
        log_path=folder / "alertmanager.log",
    )
    try:
        await wait_until_ready(child, lambda: _answers(http, f"http://{address}/-/ready"), deadline_s=READY_DEADLINE_S)
        yield address
    finally:
        await child.stop(deadline_s=STOP_DEADLINE_S)
