"""The port to a vendor's items as those see it who only look: the reconciler and the console.

Implemented by `shared.eyes.jira` and `shared.eyes.craft` over the clients. Every method is a read and harmless to
repeat. All raise the errors of `shared.clients.errors`: `NotFound` for an item that is not there or not visible,
`BadCredentials` when we are not let in, any other `VendorError` for what may pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.clients.reading import Account, Page, Reading
from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Connection
from shared.domain.person import Person


class Eyes(Protocol):
    """Looks at one connection's items. Containers are Jira projects (by id or key) and Craft.io workspaces (by id)."""

    @property
    def side(self) -> Side:
        """Return which system it is."""
        ...

    @property
    def connection(self) -> Connection:
        """Return the connection that is looked through."""
        ...

    async def whoami(self) -> Account:
        """Return who the vendor says we are; the health probe."""
        ...

    async def credentials_end(self, now: datetime) -> datetime | None:
        """Return when our credentials end, as far as the vendor tells: of several that may be ours, the first."""
        ...

    async def look(self, entity_id: EntityId) -> Reading:
        """Read one item whole by its id, with its correlation key and (Jira) all of its changelog."""
        ...

    async def changed(self, container: str, since: datetime, window: timedelta, page: str | None) -> Page:
        """Return a page of what changed in a container since a time; `page` None is the first.

        Lists lag behind (index, visibility) and may move while pages are turned: absence proves nothing. Jira goes by
        `window` (how far back from its own now), Craft.io by `since`.
        """
        ...

    async def newest(self, container: str, count: int, now: datetime, type_id: str | None = None) -> Sequence[Reading]:
        """Return the items of a container that were updated last, newest first, without changelog and key.

        At most `count`; of one type, if it is named. A look at what there is, no more: lists lag, and Craft.io's have
        no order, so that of a workspace where very much changes at once some newer ones may be missing.
        """
        ...

    async def listed_ids(self, container: str) -> Sequence[EntityId]:
        """Return the ids of all items of a container that its lists show now; fails when the container is not
        visible.
        """
        ...

    async def count(self, container: str, created_before: datetime) -> int | None:
        """Return how many items there are in a container of those that were created before a time (the vendor's); None
        where its lists do not say.
        """
        ...

    async def find_people(self, email: str, seen_at: datetime) -> Sequence[Person]:
        """Return the people with an e-mail address (lower case), as far as the vendor tells; Craft.io tells of none."""
        ...

    async def container_visible(self, container: str) -> bool:
        """Tell whether a container is there for us, so that an item missing in it is more than a lost permission."""
        ...
