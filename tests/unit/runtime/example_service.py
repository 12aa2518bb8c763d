"""The smallest service: what `test_service` starts as a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from shared.runtime.service import main
from shared.runtime.settings import ServiceSettings

_log = structlog.get_logger("example")


class ExampleService:
    """Waits to be stopped, or fails, or does not stop."""

    name = "example"

    async def run(self, stop: asyncio.Event) -> None:
        """Work."""
        if "EXAMPLE_FAILS" in os.environ:
            raise RuntimeError("the roof is on fire")
        _log.info("work begun")
        await stop.wait()
        if "EXAMPLE_HANGS" in os.environ:
            _log.info("hangs")
            await asyncio.Event().wait()
        _log.info("work finished")

    async def ready(self) -> Mapping[str, bool]:
        """Depend on nothing."""
        return {}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return none."""
        return ()


@asynccontextmanager
async def open_service(_: ServiceSettings) -> AsyncIterator[ExampleService]:
    """Open nothing."""
    yield ExampleService()


if __name__ == "__main__":
    within_s = float(os.environ.get("EXAMPLE_STOPS_WITHIN_S", "600"))
    raise SystemExit(main("example", ServiceSettings, open_service, stop_within_s=within_s))
