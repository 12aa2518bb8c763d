"""Trying again what certainly had no effect, within the send deadline. Nowhere else does a writer repeat a request."""

from __future__ import annotations

from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from shared.clients.errors import NoEffect
from shared.domain.clock import Dice
from shared.writing.attempt import Attempt

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 8.0
_DEFERRED_WAIT_S: Final = 15.0


def retrying(attempt: Attempt, dice: Dice) -> AsyncRetrying:
    """Return tenacity's loop: waits double with jitter, Retry-After counts, and no try begins after the deadline."""

    def wait(state: RetryCallState) -> float:
        asked = _asked(state)
        if asked is not None:
            return asked + dice.uniform(0.0, 0.5)
        doubled: float = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (state.attempt_number - 1))
        return doubled * dice.uniform(0.7, 1.3)

    def stop(state: RetryCallState) -> bool:
        return attempt.clock.monotonic() + state.upcoming_sleep >= attempt.deadline

    def count(_: RetryCallState) -> None:
        attempt.retries += 1

    return AsyncRetrying(
        retry=retry_if_exception_type(NoEffect),
        wait=wait,
        stop=stop,
        sleep=attempt.clock.sleep,
        before_sleep=count,
        reraise=True,
    )


def wait_after(error: NoEffect, dice: Dice) -> float:
    """Return for how long to defer after the last try failed."""
    return max(error.retry_after_s or 0.0, _DEFERRED_WAIT_S) * dice.uniform(1.0, 1.3)


def _asked(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after_s if isinstance(error, NoEffect) else None
