"""A client of the stand-ins' control surface, for the demo, the tests and whoever watches from outside.

Speaks HTTP to `sandbox.kit.control_surface`; knows neither vendor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

TIMEOUT_S = 30.0


class ControlError(Exception):
    """The control surface refused. The text is its own."""


class ControlClient:
    """Controls one stand-in; `url` is what `python -m sandbox` prints as `control`. The HTTP client stays the caller's.

    All methods raise `ControlError` when refused, and aiohttp's errors when nobody answers.
    """

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._http = http

    async def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the vendor calls with a higher number (`sandbox.kit.journal.Call`), oldest first."""
        return await self._ask("GET", "/journal", query={"after": str(after)})  # type: ignore[no-any-return]

    async def webhooks(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the delivery attempts with a higher number (`sandbox.kit.journal.Attempt`), oldest first."""
        return await self._ask("GET", "/webhooks", query={"after": str(after)})  # type: ignore[no-any-return]

    async def state(self) -> dict[str, Any]:
        """Return all items with their values."""
        return await self._ask("GET", "/state")  # type: ignore[no-any-return]

    async def put_faults(self, rules: Sequence[Mapping[str, object]], *, seed: int | None = None) -> None:
        """Put rules in force instead of all before (`sandbox.kit.fault_rules`)."""
        await self._ask("PUT", "/faults", json=list(rules), query={} if seed is None else {"seed": str(seed)})

    async def clear_faults(self) -> None:
        """Take all rules away; revoked tokens are good again."""
        await self._ask("DELETE", "/faults")

    async def put_settings(self, changes: Mapping[str, object]) -> dict[str, Any]:
        """Change settings of the site and return them all."""
        return await self._ask("PUT", "/settings", json=dict(changes))  # type: ignore[no-any-return]

    async def seed_scene(self, scene: Mapping[str, object]) -> dict[str, Any]:
        """Seed items and what they stand on; return ids by name."""
        return await self._ask("POST", "/scene", json=dict(scene))  # type: ignore[no-any-return]

    async def _ask(self, method: str, path: str, *, json: object = None, query: Mapping[str, str] | None = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with self._http.request(method, self._url + path, json=json, params=query, timeout=timeout) as answer:
            if answer.status != 200:
                raise ControlError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()
