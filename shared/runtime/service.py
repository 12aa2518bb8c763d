"""The life of a service process: settings, logs, HTTP for health and metrics, signals, an orderly end, the exit code.

Called by each service's `__main__`. Exit codes: 0 stopped as asked, 1 failed or not stopped in time, 2 wrong settings.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, Protocol, TypeVar

import structlog
from aiohttp import web

from shared.observability.catalogue.process import DEPENDENCY_UP
from shared.observability.exposition import exposition, show_build
from shared.runtime.error_words import told
from shared.runtime.http_guard import ConnectionLimits
from shared.runtime.http_serving import serving
from shared.runtime.log import LogUnavailable
from shared.runtime.logs import configure_logs
from shared.runtime.settings import ServiceSettings, SettingsInvalid, load_settings
from shared.runtime.stopping import HTTP_WITHIN_S, RUN_WITHIN_S, STOP_WITHIN_S
from shared.store.port import StoreUnavailable
from shared.store.postgres.schema import known_schemas

EXIT_STOPPED: Final = 0
EXIT_FAILED: Final = 1
EXIT_SETTINGS: Final = 2

_READY_TIMEOUT_S: Final = 2.0
_OPEN_AGAIN_S: Final = 1.0

_log = structlog.get_logger(__name__)


class Service(Protocol):
    """One service, wired to its ports."""

    @property
    def name(self) -> str:
        """Return the service's name, as in `services.NAME`."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what was begun and return. Raising ends the process."""
        ...

    async def ready(self) -> Mapping[str, bool]:
        """Tell by dependency whether it answers."""
        ...

    def routes(self) -> Sequence[web.RouteDef]:
        """Return HTTP routes besides health and metrics."""
        ...


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
OpenService = Callable[[SettingsT], AbstractAsyncContextManager[Service]]
Ready = Callable[[], Awaitable[Mapping[str, bool]]]


def main(
    name: str,
    settings_class: type[SettingsT],
    open_service: OpenService[SettingsT],
    *,
    stop_within_s: float = STOP_WITHIN_S,
) -> int:
    """Run a service until SIGTERM or SIGINT, and return the exit code of its process.

    Ends the process itself if it is still there `stop_within_s` after the signal.
    """
    try:
        settings = load_settings(settings_class)
    except SettingsInvalid as error:
        for problem in error.problems:
            sys.stderr.write(f"{name}: {problem}\n")
        return EXIT_SETTINGS
    configure_logs(settings.log_level, service=name, instance=settings.instance)
    return asyncio.run(_until_signal(name, settings, open_service, stop_within_s))


async def _until_signal(
    name: str, settings: SettingsT, open_service: OpenService[SettingsT], stop_within_s: float
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_now() -> None:
        if not stop.is_set():
            stop.set()
            loop.call_later(stop_within_s, _leave, name, stop_within_s)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_now)
    try:
        await live(name, settings, open_service, stop)
    except Exception:  # noqa: BLE001  # the last one to see it: said in the log and in the exit code
        _log.exception("failed", service=name)
        return EXIT_FAILED
    _log.info("stopped", service=name)
    return EXIT_STOPPED


def _leave(name: str, stop_within_s: float) -> None:
    """End the process at once: something does not end. Others do what it leaves undone, as after a crash."""
    _log.error("not stopped in time", service=name, after_s=stop_within_s)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_FAILED)


async def live(name: str, settings: SettingsT, open_service: OpenService[SettingsT], stop: asyncio.Event) -> None:
    """Open the service, serve HTTP and run it, until `stop` is set or it fails; then close all in order.

    While the store or the log cannot be reached at the start, it is not ready and tries again. Raises what the service
    raised, and RuntimeError when it returned without being asked to.
    """
    async with AsyncExitStack() as closing:
        service = await _opened(name, settings, open_service, stop, closing)
        if service is not None:
            show_build(name, revision=settings.build_revision, schema=known_schemas()[0])
            async with _http(name, settings, service.routes(), service.ready, stop):
                await _run(service, stop)


async def _opened(
    name: str, settings: SettingsT, open_service: OpenService[SettingsT], stop: asyncio.Event, closing: AsyncExitStack
) -> Service | None:
    """Return the service once what it needs is there, or None if `stop` came first. `closing` closes it."""
    try:
        return await closing.enter_async_context(open_service(settings))
    except (StoreUnavailable, LogUnavailable) as error:
        said = told(error)
    # All the while it is alive, also while an attempt waits for its timeout: a restart would mend nothing.
    async with _http(name, settings, [web.route("*", "/{path:.*}", _come_again)], _not_started, stop):
        _log.warning("cannot start yet", service=name, error=said)
        while not await _stopped_within(stop, _OPEN_AGAIN_S):
            try:
                return await closing.enter_async_context(open_service(settings))
            except (StoreUnavailable, LogUnavailable) as error:
                if said != told(error):
                    said = told(error)
                    _log.warning("cannot start yet", service=name, error=said)
    return None


async def _run(service: Service, stop: asyncio.Event) -> None:
    running = asyncio.create_task(service.run(stop), name=service.name)
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            running.result()
            raise RuntimeError(f"{service.name} ended although nobody asked it to")
        _log.info("stopping", service=service.name)
        async with asyncio.timeout(RUN_WITHIN_S):
            await running
    finally:
        for task in (running, stopped):
            task.cancel()
        await asyncio.gather(running, stopped, return_exceptions=True)


@asynccontextmanager
async def _http(
    name: str, settings: ServiceSettings, routes: Sequence[web.RouteDef], ready: Ready, stop: asyncio.Event
) -> AsyncIterator[None]:
    """Serve health, metrics and `routes` within the block; at its end, requests under way are finished."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    asking = Together(lambda: _ask(name, ready))

    async def readyz(_: web.Request) -> web.Response:
        answers = await asking()
        if stop.is_set():
            return web.json_response({"status": "stopping", "dependencies": answers}, status=503)
        well = all(answers.values())
        body = {"status": "ready" if well else "not ready", "dependencies": answers}
        return web.json_response(body, status=200 if well else 503)

    async def metrics(request: web.Request) -> web.Response:
        await asking()
        body, content_type = exposition(name, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    own = (web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics))
    async with serving(
        name, [*own, *routes], settings.http_host, settings.http_port, limits=_limits(settings), grace_s=HTTP_WITHIN_S
    ) as addresses:
        _log.info("listening", service=name, addresses=[f"{host}:{port}" for host, port in addresses])
        yield


def _limits(settings: ServiceSettings) -> ConnectionLimits:
    return ConnectionLimits(
        head_timeout_s=settings.http_head_timeout_s,
        idle_timeout_s=settings.http_idle_timeout_s,
        most_connections=settings.http_most_connections,
    )


class Together:
    """Asks one question for all who want to know at the same time: anybody may, and each asks Kafka and Postgres."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, dict[str, bool]]]) -> None:
        self._ask = ask
        self._under_way: asyncio.Task[dict[str, bool]] | None = None

    async def __call__(self) -> dict[str, bool]:
        """Return the answer to the question that is under way, or to a new one."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._ask(), name="ready")
        return await asyncio.shield(self._under_way)


async def _ask(name: str, ready: Ready) -> dict[str, bool]:
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S):
            answers = dict(await ready())
    except TimeoutError:
        answers = {"answers_in_time": False}
    for dependency, well in answers.items():
        DEPENDENCY_UP.set(well, component=name, dependency=dependency)
    return answers


async def _not_started() -> Mapping[str, bool]:
    return {"started": False}


async def _come_again(_: web.Request) -> web.Response:
    # Not 404: a webhook's sender gives up for good on that.
    return web.json_response({"status": "starting"}, status=503, headers={"Retry-After": "5"})


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()
