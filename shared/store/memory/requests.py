"""What became of people's requests, in memory. Called by the console through `shared.store.requests.RequestDesk`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.ids import LinkId
from shared.store.memory.tables import Core
from shared.store.requests import KEPT_FOR, Asked


class Requests(Core):
    """Implements `RequestDesk`; see there for each method's contract."""

    async def note_request(self, asked: Asked) -> None:
        """Note a request."""
        holder = await self.autocommit("note_request")
        self.tables.put_request(asked)
        await self.done("note_request", holder)

    async def request(self, request_id: str) -> Asked | None:
        """Return a request."""
        await self.call("request")
        return self.tables.requests.get(request_id)

    async def requests_of(self, link_id: LinkId, limit: int) -> Sequence[Asked]:
        """Return the latest requests on a link."""
        await self.call("requests_of")
        found = sorted((each for each in self.tables.requests.values() if each.link_id == link_id), key=lambda r: r.id)
        return sorted(found, key=lambda each: each.at, reverse=True)[:limit]

    async def prune_requests(self, now: datetime, limit: int) -> int:
        """Forget requests that are too old to be asked about."""
        await self.call("prune_requests")
        old = sorted(
            (each for each in self.tables.requests.values() if each.at <= now - KEPT_FOR), key=lambda each: each.at
        )
        for each in old[:limit]:
            del self.tables.requests[each.id]
        return len(old[:limit])
