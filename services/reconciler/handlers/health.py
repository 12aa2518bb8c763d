"""The health of a connection: do its credentials work, and are they still the right account's? Pauses and resumes
it.
"""

from __future__ import annotations

from services.reconciler.handlers.directory import Directory
from services.reconciler.ports import ConnectionPauses, Meter
from shared.clients.errors import AddressRefused, BadCredentials, CredentialsLocked
from shared.domain.ids import ConnectionId


class Health:
    """Asks each connection who we are there."""

    def __init__(self, directory: Directory, pauses: ConnectionPauses, meter: Meter) -> None:
        self._directory = directory
        self._pauses = pauses
        self._meter = meter

    async def check(self, connection_id: ConnectionId) -> int:
        """Probe one connection; pause it with words for people, or resume it, if that changes anything.

        A vendor that cannot be reached says nothing about the credentials: raises `VendorError` then.
        """
        post = self._directory.post(connection_id)
        trouble: str | None = None
        try:
            account = await post.eyes.whoami()
        except (AddressRefused, CredentialsLocked) as error:
            trouble = str(error)
        except BadCredentials as error:
            trouble = f"{post.side.vendor} refuses the credentials ({error}). Enter a new token for this connection."
        else:
            expected = post.connection.account_id
            if expected is not None and account.id != expected:
                trouble = (
                    f"The credentials belong to {account.name} ({account.id}), but this connection was saved for "
                    f"{expected}. Save the connection again if that is meant, or enter the token of the former account."
                )
        self._meter.healthy(connection_id, works=trouble is None)
        if trouble != post.connection.paused_reason:
            await self._pauses.set_connection_paused(connection_id, trouble)
        return 0
