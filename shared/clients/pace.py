"""How often requests may leave: a token bucket as arithmetic (GCRA), with one wait per request and no timer of its own.

Used by `shared.clients.http`. Not `aiolimiter`: rounding leaves its bucket a hair short of a token at the time that it
had computed, and on a virtual clock, which does not move while it tries again, it then spins for ever.
"""

from __future__ import annotations

from shared.domain.clock import Clock


class Pace:
    """At most `per_second` requests a second in the long run, one second's worth (at least one) of them at once."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._interval_s = 1 / per_second
        self._burst_s = max(1.0 - self._interval_s, 0.0)
        self._clock = clock
        self._next_at = float("-inf")
        """When the next request would leave if all left evenly."""

    async def wait(self) -> float:
        """Wait until one request may leave, and return the seconds that it took. First come, first served. A cancelled
        wait leaves its place empty.
        """
        now = self._clock.monotonic()
        due = max(self._next_at, now)
        self._next_at = due + self._interval_s
        wait_s = due - self._burst_s - now
        if wait_s <= 0:
            return 0.0
        await self._clock.sleep(wait_s)
        return wait_s
