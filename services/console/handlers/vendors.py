"""Asking the vendors on a person's behalf: does this connection work, what does this item show now?

Every failure becomes a `Refusal` with the vendor's own words.
"""

from __future__ import annotations

from http import HTTPStatus

from services.console.domain.credentials import forbidden
from services.console.domain.problems import Fault, Refusal, invalid, not_found
from services.console.ports import Ports
from shared.clients.errors import AddressRefused, BadCredentials, NotFound, VendorError
from shared.clients.pool import build_client
from shared.clients.reading import Account, Reading
from shared.domain.ids import ConnectionId, EntityId
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.eyes.open import Containers, containers_of, open_eyes
from shared.eyes.port import Eyes
from shared.store.port import CredentialsUnreadable


class Vendors:
    """Opens eyes for one question at a time: what is asked here is rare, and may be about credentials not saved yet."""

    def __init__(self, ports: Ports, timeout_s: float) -> None:
        self._ports = ports
        self._timeout_s = timeout_s

    async def probe(self, connection: Connection, secrets: ConnectionSecrets) -> Account:
        """Return who we are with these credentials. Raises a 422 if they do not work, `Withheld` if the address is none
        that we may ask.
        """
        try:
            return await self._eyes(connection, secrets, {}).whoami()
        except AddressRefused as error:
            raise forbidden(connection, str(error)) from error
        except BadCredentials as error:
            raise invalid(Fault(path="secrets.token", message=f"does not work: {error}")) from error
        except VendorError as error:
            raise invalid(Fault(path="url", message=f"does not work: {error}")) from error

    async def look(self, connection_id: ConnectionId, entity_id: EntityId) -> Reading:
        """Read an item as it is now. Raises a 404 if it is not there (for us), a 502 if the vendor cannot be asked."""
        eyes = await self._saved(connection_id)
        vendor = eyes.side.vendor
        try:
            return await eyes.look(entity_id)
        except NotFound as error:
            raise not_found(
                f"{vendor} shows us no item {entity_id}: {error}",
                f"Check the id, and that our {vendor} account may see it.",
            ) from error
        except VendorError as error:
            raise Refusal(
                HTTPStatus.BAD_GATEWAY,
                "vendor_unavailable",
                f"{vendor} cannot be asked for the item: {error}",
                f"Try again, or look at the connection {connection_id}.",
            ) from error

    async def _saved(self, connection_id: ConnectionId) -> Eyes:
        config = self._ports.config
        connection = next((each for each in await config.connections() if each.id == connection_id), None)
        try:
            secrets = await config.secrets(connection) if connection is not None else None
        except CredentialsUnreadable as error:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "credentials_unreadable",
                f"{connection_id}: {error.in_words}",
                f"Save the connection with PUT /api/v1/connections/{connection_id}, with its credentials.",
            ) from error
        if connection is None or secrets is None:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "no_connection",
                f"The connection {connection_id} is not set up.",
                f"Save it with PUT /api/v1/connections/{connection_id}.",
            )
        return self._eyes(connection, secrets, containers_of(connection, await config.integrations()))

    def _eyes(self, connection: Connection, secrets: ConnectionSecrets, containers: Containers) -> Eyes:
        ports = self._ports
        client = build_client(connection, secrets, ports.transport, ports.clock, ports.dice, timeout_s=self._timeout_s)
        return open_eyes(client, connection, containers)
