"""The clients of all connections, built from the stored configuration and renewed when it changes.

Used by both writers, the reconciler and the console: one per process. A new token or URL is in effect within
`MAX_AGE_S` (DESIGN P8) without a restart; the credentials never leave this module but towards their vendor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from shared.clients.craft.client import CraftClient
from shared.clients.errors import BadCredentials, CredentialsLocked
from shared.clients.http import DEFAULT_TIMEOUT_S
from shared.clients.jira.client import JiraClient
from shared.clients.jira.data_center import DataCenterClient
from shared.clients.transport import HttpRequest, HttpResponse, Transport
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId, IntegrationId
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, Integration
from shared.runtime.error_words import told
from shared.store.port import ConfigReader, CredentialsUnreadable, StoreUnavailable

log = structlog.get_logger(__name__)

MAX_AGE_S: Final = 2.0
"""For how long configuration is used before it is read again."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """`secrets` None: the stored ones do not open, and the client says so instead of asking anybody."""

    connection: Connection
    secrets: ConnectionSecrets | None
    client: JiraClient | CraftClient


class _Locked:
    """A transport for a connection whose credentials do not open: every request ends as if they had been refused."""

    def __init__(self, words: str) -> None:
        self._words = words

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send nothing."""
        del request
        raise CredentialsLocked(self._words)


class ClientPool:
    """Hands out the client of a connection. Goes on with what it knows while the store is away."""

    def __init__(
        self,
        config: ConfigReader,
        transport: Transport,
        clock: Clock,
        dice: Dice,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self._config = config
        self._transport = transport
        self._clock = clock
        self._dice = dice
        self._timeout_s = timeout_s
        self._entries: dict[ConnectionId, _Entry] = {}
        self._integrations: Mapping[IntegrationId, Integration] = {}
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def connections(self) -> tuple[Connection, ...]:
        """Return the current connections that have credentials."""
        await self._refresh()
        return tuple(entry.connection for entry in self._entries.values())

    async def connection(self, connection_id: ConnectionId) -> Connection | None:
        """Return a connection as configured now, None if there is none with credentials."""
        await self._refresh()
        entry = self._entries.get(connection_id)
        return entry.connection if entry is not None else None

    async def integration(self, integration_id: IntegrationId) -> Integration | None:
        """Return an integration as configured now, None if there is none."""
        await self._refresh()
        return self._integrations.get(integration_id)

    async def integrations(self) -> tuple[Integration, ...]:
        """Return the current integrations."""
        await self._refresh()
        return tuple(self._integrations.values())

    async def jira(self, connection_id: ConnectionId) -> JiraClient:
        """Return the client of a Jira connection. Raises `BadCredentials` if it has none that could work."""
        client = await self._client(connection_id)
        if not isinstance(client, JiraClient):
            raise BadCredentials(f"There is no Jira connection {connection_id} with credentials. Save one.")
        return client

    async def craft(self, connection_id: ConnectionId) -> CraftClient:
        """Return the client of a Craft.io connection. Raises `BadCredentials` if it has none that could work."""
        client = await self._client(connection_id)
        if not isinstance(client, CraftClient):
            raise BadCredentials(f"There is no Craft.io connection {connection_id} with credentials. Save one.")
        return client

    def forget(self) -> None:
        """Have the configuration read again before its next use (a `ConfigRevision` came)."""
        self._read_at = None

    async def _client(self, connection_id: ConnectionId) -> JiraClient | CraftClient | None:
        await self._refresh()
        entry = self._entries.get(connection_id)
        return entry.client if entry is not None else None

    async def _refresh(self) -> None:
        if self._fresh():
            return
        async with self._reading:
            if self._fresh():
                return
            try:
                await self._read()
            except StoreUnavailable:
                if self._read_at is None and not self._entries:
                    raise
                return
            self._read_at = self._clock.monotonic()

    def _fresh(self) -> bool:
        return self._read_at is not None and self._clock.monotonic() - self._read_at < MAX_AGE_S

    async def _read(self) -> None:
        entries: dict[ConnectionId, _Entry] = {}
        for connection in await self._config.connections():
            entry = await self._entry(connection, self._entries.get(connection.id))
            if entry is not None:
                entries[connection.id] = entry
        self._integrations = {each.id: each for each in await self._config.integrations()}
        self._entries = entries

    async def _entry(self, connection: Connection, old: _Entry | None) -> _Entry | None:
        """Return what there is to know of a connection, None if it has no credentials."""
        try:
            secrets = await self._config.secrets(connection)
        except CredentialsUnreadable as error:
            newer = next((each for each in await self._config.connections() if each.id == connection.id), None)
            if newer is not None and newer.revision != connection.revision:
                return await self._entry(newer, old)  # it was saved between the two reads
            if old is None or old.secrets is not None:
                log.warning("credentials_unreadable", connection_id=connection.id, reason=told(error))
            locked = _Locked(error.in_words)
            return _Entry(connection, None, self._build(connection, ConnectionSecrets(token=""), locked))
        if secrets is None:
            return None
        if old is not None and old.secrets == secrets and _same_way(old.connection, connection):
            return _Entry(connection, secrets, old.client)
        return _Entry(connection, secrets, self._build(connection, secrets, self._transport))

    def _build(
        self, connection: Connection, secrets: ConnectionSecrets, transport: Transport
    ) -> JiraClient | CraftClient:
        return build_client(connection, secrets, transport, self._clock, self._dice, timeout_s=self._timeout_s)


def build_client(
    connection: Connection,
    secrets: ConnectionSecrets,
    transport: Transport,
    clock: Clock,
    dice: Dice,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> JiraClient | CraftClient:
    """Return a client for credentials that may not be saved yet (the console's probe), or for the pool."""
    match connection.kind:
        case ConnectionKind.JIRA_CLOUD:
            return JiraClient(connection, secrets, transport, clock, dice, timeout_s=timeout_s)
        case ConnectionKind.JIRA_DATA_CENTER:
            return DataCenterClient(connection, secrets, transport, clock, dice, timeout_s=timeout_s)
        case ConnectionKind.CRAFT:
            return CraftClient(connection, secrets, transport, clock, dice, timeout_s=timeout_s)


def _same_way(old: Connection, new: Connection) -> bool:
    """Tell whether a client built for `old` also serves `new`: who we are and why we are paused do not matter to it."""
    unrelated = {"revision": 0, "name": "-", "account_id": None, "paused_reason": None}
    unrelated |= {"expires_on": None, "expires_told": None}
    return old.model_copy(update=unrelated) == new.model_copy(update=unrelated)
