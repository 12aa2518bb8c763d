"""Keep the services running on one machine, as Kubernetes would: what dies is started again within a second.

Called by `make run`, the demo and the end-to-end tests, as an async context manager. Knows nothing of what a service
does: it starts `python -m services.NAME` with settings in its environment, and asks `/readyz`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

from deploy.local.jars import CHECKOUT
from deploy.local.ports import free_port
from deploy.local.processes import Child, LocalStackError, all_of, log_tail, start_child
from deploy.local.stack_file import ServiceEntry

READY_DEADLINE_S: Final = 180.0
STOP_DEADLINE_S: Final = 10.0
# A process that dies younger than this is started again after a pause, so that a crash loop leaves the machine usable.
YOUNG_S: Final = 3.0
PAUSE_S: Final = 0.5
# Deaths before the first readiness after which waiting for it is given up.
HOPELESS_DEATHS: Final = 3


@dataclass(frozen=True)
class ServiceSpec:
    """How to start one process. `http` is the base URL where it answers healthz, readyz and metrics."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log_path: Path
    http: str
    code: Path = CHECKOUT
    """The folder whose code it runs."""


def service_spec(
    name: str,
    settings: Mapping[str, str],
    logs: Path,
    *,
    http_port: int | None = None,
    instance: int = 1,
    code: Path = CHECKOUT,
) -> ServiceSpec:
    """Describe one process of `services.NAME` with `settings`, whose keys are whole names such as TANDEM_DATABASE_URL.

    `code` is the folder of another release, where it is to run that one's code.
    Our own TANDEM_ variables are not passed on. TANDEM_HTTP_PORT is added: `http_port`, or a free one.
    """
    port = http_port or free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TANDEM_")}
    return ServiceSpec(
        name=name,
        argv=(sys.executable, "-m", f"services.{name}"),
        env={**inherited, "PYTHONUNBUFFERED": "1", **settings, "TANDEM_HTTP_PORT": str(port)},
        log_path=logs / (f"{name}.log" if instance == 1 else f"{name}-{instance}.log"),
        http=f"http://127.0.0.1:{port}",
        code=code,
    )


@dataclass
class SupervisedService:
    """One process slot: the same address and log, over time several processes."""

    spec: ServiceSpec
    restarts: int = 0
    """How often it died and was started again."""
    _child: Child | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        """Return the id of the process that runs now; None while the next one is being started."""
        return None if self._child is None or self._child.ended else self._child.pid

    @property
    def entry(self) -> ServiceEntry:
        """Return what the stack file says of it. While the next process is being started, the pid is the last one's."""
        pid = self._child.pid if self._child is not None else 0
        return {"pid": pid, "http": self.spec.http, "log": str(self.spec.log_path)}

    async def kill(self) -> None:
        """End the present process with SIGKILL; the supervisor starts the next one. Nothing when none runs."""
        if self._child is not None:
            await self._child.kill()

    async def wait_for_other_process(self, pid: int, *, deadline_s: float = READY_DEADLINE_S) -> int:
        """Wait until a process other than `pid` runs, and return its id; it need not be ready. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while True:
                present = self.pid
                if present is not None and present != pid:
                    return present
                self._changed.clear()
                await self._changed.wait()

    async def replace(self, code: Path, *, deadline_s: float = STOP_DEADLINE_S) -> None:
        """Stop the present process and let the next one run another release's code, as a rollout does."""
        self.spec = replace(self.spec, code=code)
        await self.end_process(deadline_s)

    def note_process(self, child: Child) -> None:
        """Take note of the next process. For the supervisor only."""
        self.restarts += self._child is not None
        self._child = child
        self._changed.set()

    async def end_process(self, deadline_s: float) -> bool:
        """Stop the present process and return whether it ended by itself. For the supervisor only."""
        return self._child is None or await self._child.stop(deadline_s=deadline_s)


class Supervisor:
    """Start services, keep them running, stop them all when the block ends."""

    def __init__(self, on_change: Callable[[], None] | None = None) -> None:
        """Call `on_change` after each start of a process, for example to write the stack file anew."""
        self._on_change = on_change
        self._keepers: dict[asyncio.Task[None], SupervisedService] = {}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Get ready to start services."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all services."""
        try:
            await self.stop()
        finally:
            if self._http is not None:
                await self._http.close()

    @property
    def services(self) -> list[SupervisedService]:
        """Return all services in the order of their start."""
        return list(self._keepers.values())

    def entries(self) -> dict[str, list[ServiceEntry]]:
        """Return all processes by service name, as the stack file holds them."""
        found: dict[str, list[ServiceEntry]] = {}
        for service in self.services:
            found.setdefault(service.spec.name, []).append(service.entry)
        return found

    def start(self, spec: ServiceSpec) -> SupervisedService:
        """Start a service and keep it running; returns before it is ready. Needs the running event loop."""
        service = SupervisedService(spec)
        self._keepers[asyncio.create_task(self._keep(service), name=f"keep {spec.name}")] = service
        return service

    @asynccontextmanager
    async def without(self, service: SupervisedService, *, deadline_s: float = STOP_DEADLINE_S) -> AsyncIterator[None]:
        """Stop a service and do not start it again while the block runs, as when it is scaled to nothing."""
        keeper = next(task for task, kept in self._keepers.items() if kept is service)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await service.end_process(deadline_s)
        try:
            yield
        finally:
            # Not after `stop`, which has forgotten all keepers.
            if self._keepers.pop(keeper, None) is not None:
                self._keepers[asyncio.create_task(self._keep(service), name=f"keep {service.spec.name}")] = service

    async def wait_ready(self, *services: SupervisedService, deadline_s: float = READY_DEADLINE_S) -> None:
        """Wait until all of `services` (none given: all there are) answer 200 to `/readyz`.

        Raises LocalStackError with the end of the log of one that is not ready after `deadline_s` seconds, or that died
        again and again.
        """
        waiting = list(services or self.services)
        await all_of(*(self._wait_ready(service, deadline_s) for service in waiting))

    async def stop(self, *, deadline_s: float = STOP_DEADLINE_S) -> list[str]:
        """Stop all services with SIGTERM, and with SIGKILL after `deadline_s` seconds. Idempotent.

        Return the names of those that had to be killed.
        """
        keepers, self._keepers = self._keepers, {}
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        ended = await asyncio.gather(*(service.end_process(deadline_s) for service in keepers.values()))
        return [service.spec.name for service, well in zip(keepers.values(), ended, strict=True) if not well]

    async def _keep(self, service: SupervisedService) -> None:
        while True:
            spec, born = service.spec, time.monotonic()
            child = await start_child(spec.name, spec.argv, log_path=spec.log_path, env=spec.env, cwd=spec.code)
            service.note_process(child)
            if self._on_change is not None:
                self._on_change()
            await child.process.wait()
            if time.monotonic() - born < YOUNG_S:
                await asyncio.sleep(PAUSE_S)

    async def _wait_ready(self, service: SupervisedService, deadline_s: float) -> None:
        deaths_before = service.restarts
        try:
            async with asyncio.timeout(deadline_s):
                while not await self._is_ready(service):
                    if service.restarts - deaths_before >= HOPELESS_DEATHS:
                        raise LocalStackError(f"{service.spec.name} dies as soon as it starts\n{_tail(service)}")
                    self._raise_if_given_up(service)
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise LocalStackError(
                f"{service.spec.name} was not ready after {deadline_s} s\n{_tail(service)}"
            ) from error

    async def _is_ready(self, service: SupervisedService) -> bool:
        if self._http is None:
            raise LocalStackError("use the supervisor as an async context manager")
        if service.pid is None:
            return False
        try:
            async with self._http.get(f"{service.spec.http}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _raise_if_given_up(self, service: SupervisedService) -> None:
        """Raise what ended the keeper of a service: its program does not exist, or `on_change` failed."""
        for keeper, kept in self._keepers.items():
            if kept is service and keeper.done():
                keeper.result()


def _tail(service: SupervisedService) -> str:
    return log_tail(service.spec.log_path)
