"""What is counted of the requests of one connection: how they end, how long they take, what they wait for, what is
left.

Used by `shared.clients.http` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from shared.clients.errors import NoEffect, RateLimited
from shared.domain.clock import Clock
from shared.domain.mapping import Connection
from shared.observability.catalogue.vendors import (
    RATE_LIMIT_BUDGET,
    RATE_LIMIT_HELD_UNTIL,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_WAIT_SECONDS,
    RATE_LIMIT_WAITS,
    RATE_LIMITED,
    VENDOR_REQUEST_SECONDS,
    VENDOR_REQUESTS,
)
from shared.observability.words import Access, Wait

_TOLD: Final = {"x-ratelimit-remaining": RATE_LIMIT_REMAINING, "x-ratelimit-limit": RATE_LIMIT_BUDGET}
"""Jira's headers, in Cloud and in Data Center."""


class Meter:
    """Counts for one connection."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection.id
        self._system = connection.kind.side
        self._clock = clock

    def ended(self, call: str, access: Access, result: str) -> None:
        """Count a request, whether it left or not."""
        VENDOR_REQUESTS.inc(system=self._system, call=call, access=access, result=result)

    def took(self, call: str, access: Access, seconds: float) -> None:
        """Note how long the vendor took."""
        VENDOR_REQUEST_SECONDS.observe(seconds, system=self._system, call=call, access=access)

    def paced(self, seconds: float) -> None:
        """Note a wait for our own pace, if there was one."""
        if seconds > 0:
            self._waits("pace", seconds)

    def put_off(self, error: NoEffect) -> None:
        """Note a request that did not leave, because a limit or trouble at the site holds it back."""
        self._waits(error.scope if isinstance(error, RateLimited) else "trouble", error.retry_after_s or 0.0)

    def held(self, error: NoEffect) -> None:
        """Note that a vendor's answer holds requests back from now on."""
        if isinstance(error, RateLimited):
            RATE_LIMITED.inc(connection=self._connection, scope=error.scope)
        until = self._clock.now() + timedelta(seconds=error.retry_after_s or 0.0)
        RATE_LIMIT_HELD_UNTIL.set(until.timestamp(), connection=self._connection)

    def told(self, headers: Mapping[str, str]) -> None:
        """Note what an answer says of the budget that is left."""
        for name, gauge in _TOLD.items():
            value = headers.get(name, "")
            if value.isascii() and value.isdigit():
                gauge.set(float(value), connection=self._connection)

    def _waits(self, why: Wait, seconds: float) -> None:
        RATE_LIMIT_WAITS.inc(connection=self._connection, why=why)
        RATE_LIMIT_WAIT_SECONDS.inc(max(0.0, seconds), connection=self._connection, why=why)
