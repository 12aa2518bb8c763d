"""Eyes on a Jira site. See `shared.eyes.port`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from shared.clients.errors import NotFound, Rejected
from shared.clients.jira.client import JiraClient
from shared.clients.jira.data_center import DataCenterClient
from shared.clients.jira.projects import in_project, quoted
from shared.clients.people import people_in
from shared.clients.reading import Account, Page, Reading
from shared.clients.walk import pages
from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Connection
from shared.domain.person import Person

WHOLE: Final = ("*all", "-comment", "-worklog", "-attachment", "-lastViewed")
"""All fields, whatever is mapped now, so that a mapping saved during a read finds its fields; but for the bulky
ones.
"""

_MOST_AT_ONCE: Final = 100


class JiraEyes:
    """Looks at the issues of one connection."""

    def __init__(self, client: JiraClient, connection: Connection) -> None:
        self._client = client
        self._connection = connection

    @property
    def side(self) -> Side:
        """Return Jira."""
        return Side.JIRA

    @property
    def connection(self) -> Connection:
        """Return the connection that is looked through."""
        return self._connection

    async def whoami(self) -> Account:
        """Return who Jira says we are."""
        return await self._client.myself()

    async def credentials_end(self, now: datetime) -> datetime | None:
        """Return when the personal access token ends (Data Center). Cloud tells of no API token."""
        if not isinstance(self._client, DataCenterClient) or self._connection.username:
            return None
        with suppress(NotFound, Rejected):  # a Jira without such a list, or one that shows it to nobody
            return next((at for at in await self._client.token_ends() if at > now), None)
        return None

    async def look(self, entity_id: EntityId) -> Reading:
        """Read one issue by id (or key) with all of its changelog and our property."""
        return await self._client.get_issue(entity_id, WHOLE, changelog=True)

    async def changed(self, container: str, since: datetime, window: timedelta, page: str | None) -> Page:
        """Return a page of a project's issues updated within `window`, newest first, without changelog and property.

        Times in JQL have minutes and the user's time zone; a relative window needs neither. Newest first, so that an
        edit while pages are turned shifts issues towards pages still to be read, never away from them.
        """
        del since
        minutes = math.ceil(window / timedelta(minutes=1)) + 1
        jql = f"{in_project(container)} AND updated >= -{minutes}m ORDER BY updated DESC"
        return await self._client.search(jql, WHOLE, page=page)

    async def newest(self, container: str, count: int, now: datetime, type_id: str | None = None) -> Sequence[Reading]:
        """Return the issues of a project that were updated last."""
        del now
        of_type = f" AND issuetype = {quoted(type_id)}" if type_id is not None else ""
        jql = f"{in_project(container)}{of_type} ORDER BY updated DESC"
        found: list[Reading] = []

        async def turn(page: str | None) -> Page:
            return await self._client.search(jql, ("updated",), page=page, max_results=min(count, _MOST_AT_ONCE))

        async for part in pages(turn):
            found.extend(part.items)
            if len(found) >= count:
                break
        return found[:count]

    async def listed_ids(self, container: str) -> Sequence[EntityId]:
        """Return the ids of all issues of a project that the search index shows."""

        async def turn(page: str | None) -> Page:
            return await self._client.search(f"{in_project(container)} ORDER BY id", (), page=page)

        return [reading.entity_id async for part in pages(turn) for reading in part.items]

    async def count(self, container: str, created_before: datetime) -> int | None:
        """Return None: webhooks tell of deletions, and searches of Jira Cloud do not say how much they found."""
        del container, created_before
        return None

    async def find_people(self, email: str, seen_at: datetime) -> Sequence[Person]:
        """Return the users that show this address."""
        users = {"fields": {"found": list(await self._client.find_users(email))}}
        return [each for each in people_in(Side.JIRA, self._connection.id, users, seen_at) if each.email == email]

    async def container_visible(self, container: str) -> bool:
        """Tell whether the project is there for us: JQL refuses one that is not."""
        try:
            await self._client.search(in_project(container), (), max_results=1)
        except (Rejected, NotFound):
            return False
        return True
