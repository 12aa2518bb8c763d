"""Jira and Craft.io as the doctor asks them: who are we there, and what time is it?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.clients.aiohttp_transport import AiohttpTransport, open_transport
from shared.clients.errors import AddressRefused, BadCredentials, VendorError
from shared.clients.pool import build_client
from shared.clients.transport import HttpRequest, HttpResponse
from shared.domain.clock import Clock, SeededDice
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.eyes.open import open_eyes
from tandem_ops.adapters.services import skew_of
from tandem_ops.ports import AddressWithheld, CannotReach, CredentialsRefused, Known, Skew
from tandem_ops.settings import OpsSettings

_TIMEOUT_S: Final = 5.0


class Vendors:
    """Asks with stored credentials, and sends them to their own address only, as every client does."""

    def __init__(self, transport: AiohttpTransport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    async def whoami(self, connection: Connection, secrets: ConnectionSecrets) -> Known:
        """Return who we are. Raises `CannotReach`; its words may repeat a vendor's."""
        watched = _Watched(self._transport, self._clock)
        client = build_client(connection, secrets, watched, self._clock, SeededDice(), timeout_s=_TIMEOUT_S)
        try:
            account = await open_eyes(client, connection, {}).whoami()
        except AddressRefused as error:
            raise AddressWithheld(str(error)) from error
        except BadCredentials as error:
            raise CredentialsRefused(str(error)) from error
        except VendorError as error:
            raise CannotReach(str(error)) from error
        return Known(account, watched.skew)


class _Watched:
    """A transport that looks at the time of each answer."""

    def __init__(self, inner: AiohttpTransport, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self.skew: Skew | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request."""
        before = self._clock.now()
        response = await self._inner.send(request)
        self.skew = skew_of(response.headers.get("date"), before, self._clock.now())
        return response


@asynccontextmanager
async def open_vendors(settings: OpsSettings, clock: Clock) -> AsyncIterator[Vendors]:
    """Yield what asks vendors, within the addresses that the settings allow."""
    async with open_transport(settings.egress()) as transport:
        yield Vendors(transport, clock)
