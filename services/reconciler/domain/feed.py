"""Where a feed of changes goes on after a poll (PROTOCOL F22), and which of its items are new. Pure.

Called by the polls of Craft.io's lists and by the sweeps of Jira's search.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.clients.reading import Page, Reading
from shared.domain.ids import EntityId
from shared.eyes.events import fingerprint


class Seen(NamedTuple):
    """One state of an item: the time alone would hide the second of two edits within one tick (PROTOCOL F13)."""

    entity_id: EntityId
    updated: datetime | None
    content: str

    @classmethod
    def of(cls, reading: Reading) -> Seen:
        """Return the state that a reading shows."""
        return cls(reading.entity_id, reading.updated, fingerprint(reading.snapshot))


class Known:
    """Remembers what a feed has published, so that the overlap of its windows costs nothing. Forgets the oldest."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[Seen, None] = OrderedDict()

    def new(self, states: Iterable[tuple[Seen, Reading]]) -> dict[Seen, Reading]:
        """Return what was not published yet, each state once."""
        found: dict[Seen, Reading] = {}
        for seen, reading in states:
            if seen in self._seen:
                self._seen.move_to_end(seen)
            else:
                found[seen] = reading
        return found

    def add(self, seen: Iterable[Seen]) -> None:
        """Remember what was published."""
        for one in seen:
            self._seen[one] = None
            self._seen.move_to_end(one)
        while len(self._seen) > self._capacity:
            self._seen.popitem(last=False)


class Window:
    """One poll over one or more pages, from the first answer to the last."""

    def __init__(self, cursor: datetime) -> None:
        self._cursor = cursor
        self._started: datetime | None = None
        self._pages = 0
        self._total: int | None = None
        self._states: dict[EntityId, Seen] = {}
        self._moved = False

    def turn(self, page: Page, answered_at: datetime) -> list[tuple[Seen, Reading]]:
        """Take one page and return its states. `answered_at` is the vendor's clock when it answered."""
        self._started = self._started or answered_at
        self._pages += 1
        self._moved = self._moved or (self._pages > 1 and page.total != self._total)
        self._total = page.total
        states = [(Seen.of(reading), reading) for reading in page.items]
        for seen, _ in states:
            before = self._states.setdefault(seen.entity_id, seen)
            touched = seen.updated is None or seen.updated >= self._started
            self._moved = self._moved or touched or before != seen
        return states

    def next_cursor(self) -> datetime:
        """Return where the next poll starts, before its overlap is taken off.

        The start of this poll by the vendor's clock: what was edited later is for the next one. If the list moved while
        pages were turned, an item that nobody touched may have slipped from a page not read yet to one already read:
        the cursor stays, and the whole window is read again. A list of one page cannot move.
        """
        if self._started is None or (self._moved and self._pages > 1):
            return self._cursor
        return self._started
