"""The stage of a drill: the local system with people in it, and the few ways in which drills put it out of order.

Everything that a drill breaks is an async context manager here or in its row: whatever happens, it is mended after it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import psutil

from deploy.drills.watchers import Watchers
from deploy.local import scene
from deploy.local.people import CraftPerson, jira_person
from deploy.local.processes import LocalStackError
from deploy.local.supervisor import SupervisedService
from deploy.local.system import QUICK, System, Tuning
from sandbox.control import ControlClient

T = TypeVar("T")
PATIENCE_S: Final = 180.0
"""How long anything may take: the machine may be busy. What it did take is printed."""

TUNING: Final = Tuning(
    settings={
        **QUICK,
        # An hour is a minute for the rules; what Tandem itself does every few minutes it does every few seconds.
        "TANDEM_CENSUS_INTERVAL_S": "1",
        "TANDEM_FEED_INTERVAL_S": "1",
        "TANDEM_HEALTH_INTERVAL_S": "2",
        "TANDEM_SWEEP_INTERVAL_S": "3",
        "TANDEM_HEARING_INTERVAL_S": "2",
        "TANDEM_WEBHOOK_GRACE_S": "5",
        "TANDEM_WEBHOOK_REPORT_INTERVAL_S": "1",
        "TANDEM_LONGEST_BACKOFF_S": "3",
    }
)


@dataclass
class Stage:
    """What a drill acts on."""

    system: System
    watchers: Watchers
    began: float = field(default_factory=time.monotonic)
    """When the cause began; a drill that has to prepare something sets it anew by `cause_begins`."""
    _made: int = 0

    def __post_init__(self) -> None:
        """Bring people onto the stage."""
        self.jira = jira_person(self.system.places["jira"], self.system.http)
        self.craft = CraftPerson(self.system.places["craft"], self.system.http)

    def cause_begins(self) -> None:
        """Say that what was before was preparation."""
        self.began = time.monotonic()

    def control(self, system: str) -> ControlClient:
        """Return what controls the stand-in of `jira` or `craft`."""
        return self.system.jira if system == "jira" else self.system.craft

    def service(self, name: str) -> SupervisedService:
        """Return the one process of a service."""
        return next(each for each in self.system.supervisor.services if each.spec.name == name)

    async def until(self, what: str, found: Callable[[], Awaitable[T | None]]) -> T:
        """Return what `found` returns once it is something. Raises LocalStackError, with `what`, when it never is."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            value = await found()
            if value:
                return value
            if time.monotonic() > deadline:
                raise LocalStackError(f"not seen within {PATIENCE_S:.0f} s: {what}")
            await asyncio.sleep(0.2)

    def named(self, what: str) -> str:
        """Return a title that no other item has."""
        self._made += 1
        return f"{what} {self._made}"

    async def stories(self, number: int) -> list[str]:
        """Create so many stories in Jira at once and return their ids."""
        return [await self.jira.create("Story", self.named("Drill")) for _ in range(number)]

    async def link(self, issue: str) -> dict[str, Any] | None:
        """Return what the console says of an issue, None while it knows nothing of it."""
        status, found = await self.system.api.ask("GET", f"/items/jira/{issue}")
        return found if status == 200 else None

    async def item(self, issue: str) -> str:
        """Return the id of an issue's item in Craft.io. Raises LocalStackError if it has none."""
        link = await self.link(issue)
        if link is None or not link["status"] or not link["status"]["craft_id"]:
            raise LocalStackError(f"the issue {issue} has no item in Craft.io")
        return str(link["status"]["craft_id"])

    async def in_sync(self, issues: Iterable[str]) -> None:
        """Wait until these issues are in sync."""
        for issue in issues:

            async def settled(issue: str = issue) -> bool:
                link = await self.link(issue)
                return bool(link and link["status"] and link["status"]["state"] == "in_sync")

            await self.until(f"the issue {issue} in sync", settled)

    async def synced_stories(self, number: int) -> list[str]:
        """Create so many stories and return their ids once all are in sync."""
        issues = await self.stories(number)
        await self.in_sync(issues)
        return issues

    async def carried(self, issues: Iterable[str]) -> None:
        """Wait until the titles of these issues are those of their items."""
        for issue in issues:
            item = await self.item(issue)

            async def same(issue: str = issue, item: str = item) -> bool:
                title = (await self.jira.fields(issue))["summary"]
                return bool((await self.craft.items())[item]["title"] == title)

            await self.until(f"the title of {issue} in Craft.io", same)

    async def retitle(self, issues: Iterable[str]) -> None:
        """Edit these issues in Jira, one after the other."""
        for issue in issues:
            await self.jira.edit(issue, summary=self.named("Edited"))

    async def save_connection(self, system: str, **changes: object) -> dict[str, Any]:
        """Save a connection as an admin does, with these changes."""
        path = f"/connections/{scene.JIRA if system == 'jira' else scene.CRAFT}"
        shown = await self.system.api.call("GET", path)
        kept = {name: shown[name] for name in ("revision", "kind", "name", "url", "email") if shown.get(name)}
        saved: dict[str, Any] = await self.system.api.call("PUT", path, {**kept, **changes})
        return saved

    @asynccontextmanager
    async def faults(self, system: str, *rules: Mapping[str, object]) -> AsyncIterator[None]:
        """Put faults of a stand-in in force while the block runs."""
        control = self.control(system)
        await control.put_faults(rules)
        try:
            yield
        finally:
            await control.clear_faults()

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """Have a service stopped, and not started again, while the block runs."""
        async with self.system.supervisor.without(self.service(name)):
            yield
        await self.system.supervisor.wait_ready(self.service(name))

    async def restart_with(self, name: str, settings: Mapping[str, str]) -> None:
        """Give a service other settings, which count from its next process on, and wait until that is ready."""
        service = self.service(name)
        service.spec = replace(service.spec, env={**service.spec.env, **settings})
        await service.end_process(10)
        await self.system.supervisor.wait_ready(service)

    @asynccontextmanager
    async def hanging(self, pid: int) -> AsyncIterator[None]:
        """Have a process and its children stand still (SIGSTOP) while the block runs."""
        family = [pid, *(each.pid for each in psutil.Process(pid).children(recursive=True))]
        _signal(family, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(family, signal.SIGCONT)

    @asynccontextmanager
    async def meanwhile(self, act: Callable[[], Awaitable[None]], *, every_s: float) -> AsyncIterator[None]:
        """Do something again and again while the block runs; what the system refuses meanwhile is tried again."""

        async def forever() -> None:
            while True:
                with suppress(LocalStackError, OSError, TimeoutError):
                    await act()
                await asyncio.sleep(every_s)

        task = asyncio.create_task(forever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
