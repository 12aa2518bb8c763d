"""What both sides consist of, read through the vendors' clients and kept for a short time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from services.console.ports import Access, Known
from shared.clients.craft.client import CraftClient
from shared.clients.craft.metadata import look_at, read_craft
from shared.clients.errors import Rejected, Unavailable
from shared.clients.jira.client import JiraClient
from shared.clients.jira.metadata import read_jira
from shared.clients.pool import build_client
from shared.clients.together import together
from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.domain.mapping import ConnectionKind, Integration
from shared.metadata.craft import CraftItem, CraftMetadata
from shared.metadata.jira import JiraMetadata

MAX_AGE_S: Final = 60.0
_MAX_KEPT: Final = 64

T = TypeVar("T", JiraMetadata, CraftMetadata)
_Key = tuple[str, int, str]
"""Connection, its revision (a new token may see more), project or workspace."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    at: float
    found: Any


class VendorMetadata:
    """Implements `services.console.ports.Metadata`. Safe for concurrent use within one event loop.

    Who asks for the same while it is being read waits for that one answer. Failures are not kept.
    """

    def __init__(
        self, transport: Transport, clock: Clock, dice: Dice, *, timeout_s: float, whole_timeout_s: float
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._dice = dice
        self._timeout_s = timeout_s
        self._whole_timeout_s = whole_timeout_s
        self._kept: dict[_Key, _Kept] = {}
        self._reading: dict[_Key, asyncio.Lock] = {}

    async def read(self, draft: Integration, jira: Access, craft: Access, *, fresh: bool = False) -> Known:
        """Return what both sides of a draft consist of; both are asked at once. Raises `VendorError`."""
        try:
            async with asyncio.timeout(self._whole_timeout_s):
                of_jira, of_craft = await together(
                    (self._jira(draft, jira, fresh=fresh), self._craft(draft, craft, fresh=fresh))
                )
        except TimeoutError as error:
            raise Unavailable(
                f"Jira and Craft.io did not tell within {self._whole_timeout_s:.0f} s what they consist of"
            ) from error
        (shown_jira, old_jira), (shown_craft, old_craft) = of_jira, of_craft
        return Known(shown_jira, shown_craft, from_memory=old_jira or old_craft)

    async def _jira(self, draft: Integration, access: Access, *, fresh: bool) -> tuple[JiraMetadata, bool]:
        client = self._client(access)
        if not isinstance(client, JiraClient):
            raise Rejected(422, f"{access.connection.name} is not a connection to Jira")
        key = (access.connection.id, access.connection.revision, draft.jira_project)
        api = 3 if access.connection.kind is ConnectionKind.JIRA_CLOUD else 2
        return await self._remembered(key, lambda: read_jira(client, draft.jira_project, api=api), fresh=fresh)

    async def _craft(self, draft: Integration, access: Access, *, fresh: bool) -> tuple[CraftMetadata, bool]:
        client = self._client(access)
        if not isinstance(client, CraftClient):
            raise Rejected(422, f"{access.connection.name} is not a connection to Craft.io")
        key = (access.connection.id, access.connection.revision, draft.craft_workspace)
        known, old = await self._remembered(key, lambda: read_craft(client, draft.craft_workspace), fresh=fresh)
        if draft.craft_root is None or not known.visible:
            return known, old
        looked_at: dict[str, CraftItem | None] = {draft.craft_root: await look_at(client, draft.craft_root)}
        return dataclasses.replace(known, looked_at=looked_at), old

    def _client(self, access: Access) -> JiraClient | CraftClient:
        return build_client(
            access.connection, access.secrets, self._transport, self._clock, self._dice, timeout_s=self._timeout_s
        )

    async def _remembered(self, key: _Key, read: Callable[[], Awaitable[T]], *, fresh: bool) -> tuple[T, bool]:
        """Return what is kept and young enough, else read it; and whether it was there before it was asked for."""
        before = self._kept.get(key)
        async with self._reading.setdefault(key, asyncio.Lock()):
            kept = self._kept.get(key)
            read_meanwhile = kept is not before
            if kept is not None and (read_meanwhile or (not fresh and self._clock.monotonic() - kept.at <= MAX_AGE_S)):
                known: T = kept.found
                return known, not read_meanwhile
            at = self._clock.monotonic()
            found = await read()
            self._keep(key, _Kept(at, found))
        return found, False

    def _keep(self, key: _Key, kept: _Kept) -> None:
        self._kept.pop(key, None)
        self._kept[key] = kept
        while len(self._kept) > _MAX_KEPT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            if not self._reading[oldest].locked():
                del self._reading[oldest]
