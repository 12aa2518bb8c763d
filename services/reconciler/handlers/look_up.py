"""Looking people up: those whose e-mail address is known on one side and who were not seen on the other yet.

Only Jira can be asked (`user/search`, with a rate limit of its own); Craft.io's people are known from its items.
"""

from __future__ import annotations

from typing import Final

from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.many import for_each
from services.reconciler.ports import Meter
from shared.domain.clock import Clock
from shared.domain.ids import ConnectionId
from shared.domain.mapping import FieldKind
from shared.store.people import PeopleFinder

DUTY: Final = "people"
_MOST: Final = 200
"""Look-ups in one round; who is found is not asked for again, so that the next round gets further."""


class LookUp:
    """Fills the directory of people."""

    def __init__(self, directory: Directory, people: PeopleFinder, meter: Meter, clock: Clock) -> None:
        self._directory = directory
        self._people = people
        self._meter = meter
        self._clock = clock

    async def look_up(self, connection_id: ConnectionId) -> int:
        """Look up on one connection whom its integrations know from the other side; return how many were found."""
        post = self._directory.post(connection_id)
        wanted: set[str] = set()
        for integration in self._directory.integrations_of(connection_id):
            if any(pair.kind is FieldKind.USER for pair in integration.pairs):
                known = integration.connection(post.side.other)
                wanted.update(await self._people.unfound_emails(known, connection_id, _MOST))

        async def ask(email: str) -> int:
            found = await post.eyes.find_people(email, self._clock.now())
            if found:
                await self._people.remember_people(found)
            return len(found)

        def failed(error: Exception) -> None:
            self._meter.failed(DUTY, connection_id, error)

        return await for_each(sorted(wanted)[:_MOST], 2, ask, failed)
