"""Turning the pages of a vendor's list, to the end of the list and never in circles.

Used by everything that reads a list whole. A vendor that gives the same page token again, or page after page with
nothing new on it, would otherwise be asked for ever, at all the requests that the connection may send.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from shared.clients.errors import Unavailable
from shared.clients.reading import Page

_MOST_IDLE: Final = 5
"""Pages in a row with nothing new: a page may be empty where what stood on it is hidden from us, but not many."""


async def pages(turn: Callable[[str | None], Awaitable[Page]]) -> AsyncIterator[Page]:
    """Yield all pages; `turn` is given `Page.next` of the one before, None for the first.

    Raises what `turn` raises, and `Unavailable` when the list does not get on.
    """
    shown: set[str] = set()
    turned: set[str] = set()
    token: str | None = None
    idle = 0
    while True:
        page = await turn(token)
        yield page
        token = page.next
        if token is None:
            return
        known = len(shown)
        shown.update(each.entity_id for each in page.items)
        idle = 0 if len(shown) > known else idle + 1
        if token in turned or idle > _MOST_IDLE:
            raise Unavailable("the vendor's list does not get on: its pages repeat, or bring nothing new")
        turned.add(token)
