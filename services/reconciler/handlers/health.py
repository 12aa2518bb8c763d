"""The health of a connection: do its credentials work, and are they still the right account's? Pauses and resumes
it.
"""

from __future__ import annotations

from typing import Final

from services.reconciler.handlers.directory import Directory, Post
from services.reconciler.ports import ConnectionPauses
from shared.clients.errors import AddressRefused, BadCredentials, CredentialsLocked, VendorError
from shared.domain.clock import Clock
from shared.domain.ids import ConnectionId

_END_EVERY_S: Final = 3_600.0


class Health:
    """Asks each connection who we are there."""

    def __init__(self, directory: Directory, pauses: ConnectionPauses, clock: Clock) -> None:
        self._directory = directory
        self._pauses = pauses
        self._clock = clock
        self._answered: dict[ConnectionId, bool] = {}
        self._asked_end: dict[tuple[ConnectionId, int], float] = {}

    def answered(self, connection_id: ConnectionId) -> bool:
        """Tell whether a connection answered when it was last asked; so far as nobody asked, it counts as well."""
        return self._answered.get(connection_id, True)

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
        except VendorError:
            self._answered[connection_id] = False
            raise
        else:
            expected = post.connection.account_id
            if expected is not None and account.id != expected:
                trouble = (
                    f"The credentials belong to {account.name} ({account.id}), but this connection was saved for "
                    f"{expected}. Save the connection again if that is meant, or enter the token of the former account."
                )
        self._answered[connection_id] = True
        if trouble != post.connection.paused_reason:
            await self._pauses.set_connection_paused(connection_id, trouble)
        if trouble is None:
            await self._see_end(post)
        return 0

    async def _see_end(self, post: Post) -> None:
        """Look when the credentials end, once an hour and after each save."""
        key, now = (post.id, post.connection.revision), self._clock.monotonic()
        if now < self._asked_end.get(key, now):
            return
        self._asked_end = {each: at for each, at in self._asked_end.items() if each[0] != post.id}
        end = await post.eyes.credentials_end(self._clock.now())
        self._asked_end[key] = now + _END_EVERY_S
        if end != post.connection.expires_told:
            await self._pauses.tell_expiry(post.id, end)
