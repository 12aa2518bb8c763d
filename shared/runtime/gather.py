"""Natural batching: what comes in while work is under way is worked on together next.

Used by the mapper, between the consumer's handlers and the store. No timer and no task of its own: nothing waits for a
batch to fill, and one of those whose items are in a batch leads it: it calls `work`, and the others wait for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from shared.domain.errors import Transient

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Place(Generic[Item, Answer]):
    """One item in the queue."""

    __slots__ = ("item", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.turn: asyncio.Future[tuple[Answer] | None] = asyncio.get_running_loop().create_future()
        """The answer in a tuple, or None: take the lead."""


class Gatherer(Generic[Item, Answer]):
    """Gives what is submitted to `work`, in order: at most `most` items at a time, at most `at_once` times at once.

    `work` returns one answer for each item. What it raises is raised to everybody whose item was in that batch.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], *, most: int, at_once: int
    ) -> None:
        self._work = work
        self._most = most
        self._free = at_once
        self._queue: deque[_Place[Item, Answer]] = deque()

    async def submit(self, item: Item) -> Answer:
        """Return the answer to an item, at once if nothing is under way. Raises what `work` raised.

        When the caller that works on a batch is cancelled, the others in it get `Transient`.
        """
        place: _Place[Item, Answer] = _Place(item)
        if self._free:
            self._free -= 1
            return await self._lead(place)
        self._queue.append(place)
        try:
            answered = await place.turn
        except asyncio.CancelledError:
            if place.turn.cancelled():
                self._forget(place)
            elif place.turn.exception() is None and place.turn.result() is None:
                self._call_next()  # it was given the lead and cannot take it any more
            raise
        return await self._lead(place) if answered is None else answered[0]

    async def _lead(self, leader: _Place[Item, Answer]) -> Answer:
        """Work on the next batch, then let the first of those that came meanwhile do the same."""
        others = list(islice(iter(self._next, None), self._most - 1))
        try:
            answers = await self._work([leader.item, *(place.item for place in others)])
        except BaseException as error:
            passed_on = error if isinstance(error, Exception) else Transient("the batch that it was in was broken off")
            for place in others:
                if not place.turn.done():
                    place.turn.set_exception(passed_on)
            raise
        finally:
            self._call_next()
        for place, answer in zip(others, answers[1:], strict=True):
            if not place.turn.done():
                place.turn.set_result((answer,))
        return answers[0]

    def _call_next(self) -> None:
        """Give the lead to the first in the queue; none: it is free."""
        place = self._next()
        if place is None:
            self._free += 1
        else:
            place.turn.set_result(None)

    def _next(self) -> _Place[Item, Answer] | None:
        """Take the first in the queue that still waits."""
        while self._queue:
            place = self._queue.popleft()
            if not place.turn.done():
                return place
        return None

    def _forget(self, place: _Place[Item, Answer]) -> None:
        """Take out what nobody waits for any more."""
        if place in self._queue:
            self._queue.remove(place)
