"""What holds requests of one connection back: rate limits that the vendor told, and trouble at its site.

Used by `shared.clients.http` alone. Nothing here waits: a request that is held back is refused with the rest of the
time, and whoever wanted it decides. A vendor may ask for a day; nothing is held longer than `LONGEST_HOLD_S` without
asking again.
"""

from __future__ import annotations

from typing import Final

from shared.clients.errors import RateLimited, Scope, Unavailable
from shared.domain.clock import Clock, Dice

LONGEST_HOLD_S: Final = 900.0
"""A limit may be lifted, or its header be wrong: to ask once in a quarter of an hour costs a vendor nothing."""
DEFAULT_HOLD_S: Final = 2.0
_FIRST_TROUBLE_S: Final = 2.0
_LONGEST_TROUBLE_S: Final = 60.0
_SCOPES: Final[tuple[Scope, ...]] = ("connection", "endpoint", "issue")


class Holds:
    """The holds of one connection. `vendor` is for the words of errors."""

    def __init__(self, vendor: str, clock: Clock, dice: Dice) -> None:
        self._vendor = vendor
        self._clock = clock
        self._dice = dice
        self._limits: dict[tuple[Scope, str], float] = {}
        self._troubles = 0
        self._trouble: tuple[float, str] | None = None

    def check(self, endpoint: str, item: str | None) -> None:
        """Raise `RateLimited` if a limit holds such a request back, `Unavailable` while the site is in trouble.

        `endpoint` names a kind of call. Limits on one item are limits on its writes: `item` is None for reads.
        """
        now = self._clock.monotonic()
        if self._trouble is not None and now < self._trouble[0]:
            until, words = self._trouble
            raise Unavailable(words, retry_after_s=until - now)
        if not self._limits:
            return
        self._limits = {key: until for key, until in self._limits.items() if until > now}
        for scope in _SCOPES:
            limit = self._limits.get(_key(scope, endpoint, item))
            if limit is not None:
                words = f"{self._vendor} asked to wait with this ({scope})"
                raise RateLimited(words, retry_after_s=limit - now, scope=scope)

    def limit(self, scope: Scope, endpoint: str, item: str | None, asked_s: float | None, said: str) -> RateLimited:
        """Hold back what a 429 is about, for as long as it asked within reason; return the error to raise."""
        wait_s = within_reason(asked_s) or DEFAULT_HOLD_S
        until = self._clock.monotonic() + wait_s * self._dice.uniform(1.0, 1.1)
        key = _key(scope, endpoint, item)
        self._limits[key] = max(until, self._limits.get(key, until))
        words = f"{self._vendor} limits the rate of requests ({said}){asked_for(asked_s)}"
        return RateLimited(words, retry_after_s=wait_s, scope=scope)

    def trouble(self, words: str) -> Unavailable:
        """Hold everything back for a while that grows with each time in a row; return the error to raise."""
        wait_s = min(_LONGEST_TROUBLE_S, _FIRST_TROUBLE_S * 2**self._troubles) * self._dice.uniform(0.8, 1.0)
        self._troubles = min(self._troubles + 1, 10)
        self._trouble = (self._clock.monotonic() + wait_s, words)
        return Unavailable(words, retry_after_s=wait_s)

    def well(self) -> None:
        """Note that the vendor itself answered something: there is no trouble any more."""
        self._troubles, self._trouble = 0, None


def within_reason(asked_s: float | None) -> float | None:
    """Return the wait that a vendor asked for, but never more than `LONGEST_HOLD_S`."""
    return None if asked_s is None else min(asked_s, LONGEST_HOLD_S)


def asked_for(asked_s: float | None) -> str:
    """Return words for a wait that is not kept to its end, nothing for any other."""
    if asked_s is None or asked_s <= LONGEST_HOLD_S:
        return ""
    hours = asked_s / 3600
    shown = f"{hours:.0f} h" if hours >= 2 else f"{asked_s / 60:.0f} min"
    return f" and asks to wait for {shown}; it is asked again every {LONGEST_HOLD_S / 60:.0f} min"


def _key(scope: Scope, endpoint: str, item: str | None) -> tuple[Scope, str]:
    match scope:
        case "connection":
            return scope, ""
        case "endpoint":
            return scope, endpoint
        case "issue":
            return scope, item or ""
