"""Eyes on a Craft.io account. See `shared.eyes.port`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.clients.craft.client import CraftClient
from shared.clients.craft.shapes import custom_value
from shared.clients.errors import NotFound, Rejected
from shared.clients.reading import Account, Page, Reading
from shared.clients.walk import pages
from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Connection
from shared.domain.person import Person

_WINDOWS = (timedelta(days=1), timedelta(days=7), timedelta(days=60), None)
_MOST_PAGES = 20


class CraftEyes:
    """Looks at the items of one connection. `key_fields`: by workspace, the custom field that holds our link id, if
    any.
    """

    def __init__(self, client: CraftClient, connection: Connection, key_fields: Mapping[str, str | None]) -> None:
        self._client = client
        self._connection = connection
        self._key_fields = key_fields

    @property
    def side(self) -> Side:
        """Return Craft.io."""
        return Side.CRAFT

    @property
    def connection(self) -> Connection:
        """Return the connection that is looked through."""
        return self._connection

    async def whoami(self) -> Account:
        """Return whom the API key belongs to."""
        return await self._client.whoami()

    async def credentials_end(self, now: datetime) -> datetime | None:
        """Return None: Craft.io tells of no end."""
        del now
        return None  # said, since the port returns a time

    async def look(self, entity_id: EntityId) -> Reading:
        """Read one item by id, with its key where its workspace has a field for it."""
        reading = await self._client.get_item(entity_id)
        key_field = self._key_fields.get(str(reading.snapshot.get("workspaceId")))
        if key_field is None:
            return reading
        return replace(reading, correlation_key=custom_value(reading.snapshot, key_field), correlation_read=True)

    async def changed(self, container: str, since: datetime, window: timedelta, page: str | None) -> Page:
        """Return a page of a workspace's items updated since then, in whatever order Craft.io lists them."""
        del window
        key_field = self._key_fields.get(container)
        found = await self._client.list_items(container, page=page, updated_from=since, key_field=key_field)
        return replace(found, items=tuple(map(_unsure_without_fields, found.items)))

    async def newest(self, container: str, count: int, now: datetime, type_id: str | None = None) -> Sequence[Reading]:
        """Return the items of a workspace that were updated last: looked for in ever longer times before now."""
        found: dict[EntityId, Reading] = {}
        for window in _WINDOWS:
            turn = self._updated_since(container, now - window if window is not None else None, type_id)
            found = {}
            turned = 0
            async for part in pages(turn):
                found.update((reading.entity_id, reading) for reading in part.items)
                turned += 1
                if turned == _MOST_PAGES:
                    break
            if len(found) >= count:
                break
        return sorted(found.values(), key=_updated, reverse=True)[:count]

    async def listed_ids(self, container: str) -> Sequence[EntityId]:
        """Return the ids of all items of a workspace."""
        turn = self._updated_since(container, None, None)
        return [reading.entity_id async for part in pages(turn) for reading in part.items]

    async def count(self, container: str, created_before: datetime) -> int | None:
        """Return how many items of a workspace there are, as its list says in one short page."""
        return (await self._client.list_items(container, limit=1, created_to=created_before)).total

    def _updated_since(
        self, container: str, since: datetime | None, type_id: str | None
    ) -> Callable[[str | None], Awaitable[Page]]:
        async def turn(page: str | None) -> Page:
            return await self._client.list_items(container, page=page, updated_from=since, type_id=type_id)

        return turn

    async def find_people(self, email: str, seen_at: datetime) -> Sequence[Person]:
        """Return nobody: the API has no list of users. People are known from the items that show them."""
        del email, seen_at
        return ()

    async def container_visible(self, container: str) -> bool:
        """Tell whether the workspace is there for us."""
        try:
            await self._client.list_items(container, limit=1)
        except (Rejected, NotFound):
            return False
        return True


def _updated(reading: Reading) -> datetime:
    return reading.updated or datetime.min.replace(tzinfo=UTC)


def _unsure_without_fields(reading: Reading) -> Reading:
    """Return a listed item as one whose key was not read, if the list left its custom fields out."""
    if reading.correlation_read and reading.snapshot.get("customFields") is None:
        return replace(reading, correlation_key=None, correlation_read=False)
    return reading
