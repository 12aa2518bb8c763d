"""Time and randomness as ports: every handler gets them from its bootstrap, so that a simulation can own both.

Called by all services. Nothing else in `services` or `shared` may read the system clock or a random generator.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, for people and for deadlines."""

    def now(self) -> datetime:
        """Return the wall clock as an aware datetime in UTC. May step backwards."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step backwards, for deadlines within one process."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait for `delay_s` seconds of this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall clock in UTC."""
        return datetime.now(UTC)  # noqa: TID251  # the one place that reads the clock

    def monotonic(self) -> float:
        """Return the event loop's monotonic seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(delay_s)


class Dice(Protocol):
    """Randomness: jitter and new identifiers."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number in [low, high]."""
        ...

    def token(self) -> str:
        """Return a new identifier: 26 characters, practically unique."""
        ...


class SeededDice:
    """Randomness from one seeded generator; two with the same seed give the same sequence."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311, TID251  # jitter and ids, no secrets

    def uniform(self, low: float, high: float) -> float:
        """Return a number in [low, high]."""
        return self._random.uniform(low, high)

    def token(self) -> str:
        """Return 26 characters of 130 random bits, safe in URLs and topics."""
        alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
        return "".join(alphabet[self._random.getrandbits(5)] for _ in range(26))
