"""What becomes of a message whose handler failed: decided here by the class of the exception, and nowhere else.

Called by the consumer only. Pure, but for the budget of dead letters, which reads the clock that it is given.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from shared.domain.clock import Clock, Dice
from shared.domain.errors import OwnWords, Poison, Transient
from shared.observability.words import DeadReason
from shared.runtime.envelope import FromNewerRelease, Undecodable
from shared.runtime.error_words import told
from shared.runtime.log import LogUnavailable
from shared.store.port import Contended, StoreUnavailable

MAX_ATTEMPTS: Final = 5
"""For exceptions of no known class: a bug, until shown otherwise."""

NEWER_ATTEMPTS: Final = 165
"""For what a newer release has written: about an hour, in which a rollout gets to this process."""

_PASSING: Final = (Transient, StoreUnavailable, Contended, LogUnavailable)
_FIRST_BACKOFF_S: Final = 0.1
_MAX_BACKOFF_S: Final = 30.0
_MINUTE_S: Final = 60.0


class DeadLetterLimitReached(OwnWords):
    """More dead letters within a minute than a sound system makes: stop, rather than empty a topic of good messages."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try once more after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Dead:
    """Put it on the dead-letter topic."""

    fate: DeadReason
    reason: str


def judge(error: Exception, attempt: int, dice: Dice) -> Again | Dead:
    """Decide about a message whose `attempt`-th attempt (from 1) raised `error`."""
    match error:
        case FromNewerRelease() if attempt < NEWER_ATTEMPTS:
            return Again(backoff_s(attempt, dice))
        case FromNewerRelease():
            return Dead("undecodable", f"{error}; waited an hour for an upgrade. After it, `tandem replay dead`")
        case Undecodable():
            return Dead("undecodable", str(error))
        case Poison():
            return Dead("poison", str(error))
        case _ if isinstance(error, _PASSING):
            asked = error.retry_after_s if isinstance(error, Transient) else None
            return Again(backoff_s(attempt, dice) if asked is None else asked + dice.uniform(0, min(1.0, asked / 10)))
        case _ if attempt >= MAX_ATTEMPTS:
            return Dead("failed", f"failed {attempt} times, last with {told(error)}")
        case _:
            return Again(backoff_s(attempt, dice))


def backoff_s(attempt: int, dice: Dice) -> float:
    """Return the wait after the `attempt`-th failure: doubling from 0.1 to 30 s, less up to half of it at random."""
    # The exponent is bounded because 2.0**1024 is no float.
    ceiling = min(_MAX_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 20))
    return ceiling * dice.uniform(0.5, 1.0)


class DeadLetterBudget:
    """How many dead letters one consumer may write per minute (the idea is arroyo's: a bad deploy must not empty a
    topic).
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._spent: deque[float] = deque()

    def spend(self) -> None:
        """Account for one dead letter, before it is written. Raises `DeadLetterLimitReached`."""
        now = self._clock.monotonic()
        while self._spent and self._spent[0] <= now - _MINUTE_S:
            self._spent.popleft()
        if len(self._spent) >= self._per_minute:
            raise DeadLetterLimitReached(
                f"{self._per_minute} messages were dead-lettered within a minute; the rest stays on the topic. "
                "Read the reasons on the dead-letter topic, repair, and start again."
            )
        self._spent.append(now)

    def refund(self) -> None:
        """Take back the latest one: it could not be written after all."""
        self._spent.pop()
