"""The known connections in memory, read anew every second: no request ever waits for the database.

Built by `bootstrap`; read by the handlers. While the database is away it goes on with what it last read.
"""

from __future__ import annotations

import asyncio

import structlog

from services.webhook_gateway.ports import Sender
from shared.domain.clock import Clock
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.observability.catalogue.flow import SENDERS_READ_AT, SENDERS_UNREADABLE
from shared.runtime.error_words import told
from shared.runtime.revisions import RevisionBell
from shared.store.port import ConfigReader, CredentialsUnreadable, StoreUnavailable

_READ_TIMEOUT_S = 10.0
_LOOK_TIMEOUT_S = 1.0
"""How long a request waits for a look; whoever sent it may come again."""
_LOOK_GAP_S = 0.1
"""Between two looks that requests ask for, so that strangers cannot keep the database busy."""

_log = structlog.get_logger(__name__)


class CachedSenders:
    """Implements `Senders`. A round costs one query, and one more for each connection that was saved since.

    One reading at a time: an older answer never replaces a newer one.
    """

    def __init__(self, config: ConfigReader, clock: Clock, *, interval_s: float = 1.0) -> None:
        self._config = config
        self._clock = clock
        self._interval_s = interval_s
        self._known: dict[str, tuple[int, Sender]] = {}
        self._loaded = False
        self._away = False
        self._reading = asyncio.Lock()
        self._began_at = float("-inf")

    @property
    def loaded(self) -> bool:
        """Tell whether the connections were read at least once."""
        return self._loaded

    def find(self, connection_id: str) -> Sender | None:
        """Return the sender of that connection id, None if there is no such connection."""
        found = self._known.get(connection_id)
        return None if found is None else found[1]

    async def run(self, stop: asyncio.Event, bell: RevisionBell) -> None:
        """Keep the cache current until `stop` is set. Survives whatever goes wrong in the store."""
        while not stop.is_set():
            await self.reload()
            await bell.pause(stop, self._interval_s)

    async def look(self) -> bool:
        """Read what was saved until now, before its time. All who ask meanwhile share one reading."""
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT_S), self._reading:
                if self._began_at <= asked_at:
                    await asyncio.sleep(self._began_at + _LOOK_GAP_S - self._clock.monotonic())
                    await self._read()
        except TimeoutError:
            return False
        return self._loaded and not self._away

    async def reload(self) -> None:
        """Read the connections once. A failure leaves the cache as it is, and is logged when it begins."""
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        self._began_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                connections = await self._config.connections()
                known = {str(connection.id): await self._sender(connection) for connection in connections}
        except (StoreUnavailable, TimeoutError) as error:
            if not self._away:
                _log.warning("connections not read", error=told(error), known=len(self._known))
            self._away = True
            return
        except Exception:  # noqa: BLE001  # whatever it is, what is known stays good
            _log.exception("connections not read", known=len(self._known))
            return
        if self._away or not self._loaded:
            _log.info("connections read", known=len(known))
        self._known = known
        self._loaded, self._away = True, False
        SENDERS_READ_AT.set(self._clock.now().timestamp())
        SENDERS_UNREADABLE.set(sum(sender.secrets is None for _, sender in known.values()))

    async def _sender(self, connection: Connection) -> tuple[int, Sender]:
        before = self._known.get(connection.id)
        if before is not None and before[0] == connection.revision and before[1].secrets is not None:
            return before
        try:
            secrets = await self._config.secrets(connection)
        except StoreUnavailable:
            raise
        except CredentialsUnreadable as error:
            if before is None or before[1].secrets is not None:
                _log.warning("credentials_unreadable", connection_id=connection.id, reason=told(error))
            return connection.revision, Sender(connection.id, connection.kind, None)
        except Exception:  # noqa: BLE001  # one connection's credentials must not hold back the others
            _log.exception("credentials not read", connection_id=connection.id)
            return connection.revision, Sender(connection.id, connection.kind, None)
        # A connection that has none stored can be refused: that is known.
        return connection.revision, Sender(connection.id, connection.kind, secrets or ConnectionSecrets(token=""))
