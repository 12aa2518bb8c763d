"""How much of bodies is in hand, whose it is, and who makes room. Pure.

Each connection has a room of its own, so that nobody who sends for one connection (or says so) takes the place of
another's webhooks; and there is a limit on all of it. Where it is full, the largest body that is still coming makes
room for a smaller one: an event is a few kilobytes, and whoever wants to keep others out has to send much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress


class Share:
    """What one request has in hand: the body itself, so that letting go of the share is letting go of the body."""

    def __init__(self, room: Room, owner: str) -> None:
        self._room = room
        self.owner = owner
        self.body = bytearray()
        self.coming = True
        """False once the body is whole: what is being handled is not taken away."""

    def take(self, piece: bytes) -> bool:
        """Add a piece. False: there is no room, or the share was taken away for somebody with less."""
        if not self.coming or not self._room.make_room(self, len(piece)):
            return False
        self.body += piece
        return True

    def whole(self) -> None:
        """Say that the body is complete."""
        self.coming = False

    def let_go(self) -> None:
        """Free what is held, whoever still refers to the share. Idempotent."""
        self.coming = False
        with suppress(BufferError):  # somebody is still reading it: then it is free when they have
            self.body.clear()


class Room:
    """The shares of all requests in hand."""

    def __init__(self, most_bytes: int, most_bytes_each: int) -> None:
        self._most_bytes = most_bytes
        self._most_bytes_each = most_bytes_each
        self._shares: dict[Share, None] = {}

    @contextmanager
    def share(self, owner: str) -> Iterator[Share]:
        """Give one request of a connection its share; nothing of it is held afterwards."""
        share = Share(self, owner)
        self._shares[share] = None
        try:
            yield share
        finally:
            del self._shares[share]
            share.let_go()

    def make_room(self, wants: Share, count: int) -> bool:
        """Have `count` bytes free for a share, at the cost of larger bodies that are still coming. False: there are
        none.
        """
        own = [share for share in self._shares if share.owner == wants.owner]
        return _free(own, self._most_bytes_each, wants, count) and _free(self._shares, self._most_bytes, wants, count)


def _free(shares: Iterable[Share], most_bytes: int, wants: Share, count: int) -> bool:
    excess = sum(len(share.body) for share in shares) + count - most_bytes
    while excess > 0:
        least = len(wants.body) + count
        larger = [share for share in shares if share.coming and share is not wants and len(share.body) > least]
        if not larger:
            return False
        largest = max(larger, key=lambda share: len(share.body))
        excess -= len(largest.body)
        largest.let_go()
    return True
