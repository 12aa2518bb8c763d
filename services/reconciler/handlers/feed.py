"""The feeds: what changed in a Craft.io workspace (it has no webhooks) or a Jira project (webhooks get lost) since
last time.

One per container. PROTOCOL F22: the cursor is the start of a poll by the vendor's clock, each window overlaps the one
before by more than the vendor's lists lag, and the cursor stays when the list moved while its pages were turned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.reconciler.domain.feed import Known, Window
from services.reconciler.handlers.directory import Directory
from services.reconciler.ports import Publish
from shared.clients.reading import Page
from shared.clients.walk import pages
from shared.domain.clock import Clock
from shared.domain.ids import ConnectionId
from shared.domain.link import Json
from shared.eyes.events import seen
from shared.messages.change import Origin
from shared.store.port import WorkStore


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a feed stands: the vendor's time, and ours at the same moment (for vendors that are asked "since how
    long").
    """

    vendor: datetime
    ours: datetime

    def as_json(self) -> Json:
        """Return the stored form."""
        return {"vendor": self.vendor.isoformat(), "ours": self.ours.isoformat()}

    @classmethod
    def of_json(cls, stored: Json) -> Cursor:
        """Return a stored cursor."""
        return cls(datetime.fromisoformat(stored["vendor"]), datetime.fromisoformat(stored["ours"]))


class Feed:
    """Polls one container of one connection. Not to be run twice at once."""

    def __init__(
        self,
        connection_id: ConnectionId,
        container: str,
        *,
        overlap_s: float,
        first_window_s: float,
        memory: int,
        directory: Directory,
        work: WorkStore,
        publish: Publish,
        clock: Clock,
        saw: Callable[[datetime], None] | None = None,
    ) -> None:
        self._connection_id = connection_id
        self._container = container
        self._overlap = timedelta(seconds=overlap_s)
        self._first_window = timedelta(seconds=first_window_s)
        self._known = Known(memory)
        self._directory = directory
        self._work = work
        self._publish = publish
        self._clock = clock
        self._saw = saw  # told when each item that is listed changed, by our clock

    @property
    def cursor_name(self) -> str:
        """Return the name under which the cursor is stored."""
        return f"feed:{self._connection_id}:{self._container}"

    async def poll(self) -> int:
        """Publish what is new since the cursor, move the cursor, and return how much was new.

        All pages are published before the cursor moves, so that a crash repeats and never skips. A feed without a
        cursor starts at its first window: what is older comes by an import. Raises `VendorError`, `StoreUnavailable`,
        `LogUnavailable`.
        """
        post = self._directory.post(self._connection_id)
        began = self._clock.now()
        stored = await self._work.cursor(self.cursor_name)
        first = began - self._first_window
        cursor = Cursor.of_json(stored) if stored is not None else Cursor(first, first)
        since = cursor.vendor - self._overlap
        span = max(began - cursor.ours, timedelta(0)) + self._overlap
        window = Window(cursor.vendor)
        published = 0

        async def turn(page: str | None) -> Page:
            return await post.eyes.changed(self._container, since, span, page)

        async for page in pages(turn):
            fresh = self._known.new(window.turn(page, page.server_date or began))
            now = self._clock.now()
            self._tell(page, now)
            events = [seen(post.side, post.id, reading, Origin.POLL, now) for reading in fresh.values()]
            await self._publish.publish(*events)
            self._known.add(fresh)
            published += len(fresh)
        moved_to = window.next_cursor()
        if moved_to != cursor.vendor:
            await self._work.store_cursor(self.cursor_name, Cursor(moved_to, began).as_json())
        return published

    def _tell(self, page: Page, now: datetime) -> None:
        ahead = page.server_date - now if page.server_date is not None else timedelta(0)
        for reading in page.items:
            if self._saw is not None and reading.updated is not None:
                self._saw(reading.updated - ahead)
