"""How often the same thing is done again, and how long to wait after failures. Pure: the caller brings the time."""

from __future__ import annotations

from collections.abc import Hashable


class Pace:
    """Lets each key through at most once per its interval. Forgets keys that have been let go."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._free_at: dict[Hashable, float] = {}
        self._capacity = capacity

    def free(self, key: Hashable, now_s: float) -> bool:
        """Tell whether `key` may be done now."""
        return self._free_at.get(key, now_s) <= now_s

    def hold(self, key: Hashable, now_s: float, for_s: float) -> None:
        """Keep `key` back for `for_s` seconds from now."""
        if len(self._free_at) >= self._capacity:
            self._free_at = {known: free_at for known, free_at in self._free_at.items() if free_at > now_s}
        self._free_at[key] = now_s + for_s

    def release(self, key: Hashable) -> None:
        """Let `key` through again at once."""
        self._free_at.pop(key, None)


def wait_after(failures: int, interval_s: float, longest_s: float) -> float:
    """Return the wait before the next try: the interval, doubled with each failure in a row up to `longest_s`."""
    return interval_s if failures == 0 else max(interval_s, min(longest_s, interval_s * 2.0 ** min(failures, 16)))
