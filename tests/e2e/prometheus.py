"""A real Prometheus that scrapes a running system, where the machine has one; the judge of what we show."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from deploy.local.ports import free_port
from deploy.local.processes import start_child
from tests.patience import HANGS_S

BINARY, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")


class Prometheus:
    """Asks a server over its API."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._http = http

    async def ask(self, path: str, **query: str) -> Any:
        """Return the data of an answer, None while there is none."""
        try:
            async with self._http.get(f"{self._url}/api/v1/{path}", params=query) as answer:
                if answer.status == 503:  # it is not ready yet
                    return None
                found = await answer.json()
        except aiohttp.ClientConnectionError:
            return None
        return found.get("data")

    async def until(self, query: str) -> list[dict[str, Any]]:
        """Return the series of a query once there are any."""
        async with asyncio.timeout(HANGS_S):
            while True:
                found = await self.ask("query", query=query)
                if found and found["result"]:
                    series: list[dict[str, Any]] = found["result"]
                    return series
                await asyncio.sleep(0.2)


@asynccontextmanager
async def prometheus(targets: Sequence[str], folder: Path, http: aiohttp.ClientSession) -> AsyncIterator[Prometheus]:
    """Yield a server that scrapes these base URLs every second and keeps exemplars."""
    assert BINARY is not None
    static = [{"targets": [urlsplit(target).netloc for target in targets]}]
    scrapes = [{"job_name": "tandem", "scrape_interval": "1s", "static_configs": static}]
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": scrapes}))
    address = f"127.0.0.1:{free_port()}"
    child = await start_child(
        "prometheus",
        [
            BINARY,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={address}",
            "--enable-feature=exemplar-storage",
        ],
        log_path=folder / "prometheus.log",
    )
    try:
        yield Prometheus(f"http://{address}", http)
    finally:
        await child.stop(deadline_s=HANGS_S)
