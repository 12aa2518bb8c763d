"""W3C Trace Context: the `traceparent` that one change keeps through all hops.

Set by the consumer for the time of one message and by the HTTP edges for one request; read by the publisher and the
logs. https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from shared.domain.clock import Dice

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_DIGITS: Final = {letter: value for value, letter in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def valid_traceparent(text: str | None) -> str | None:
    """Return `text` if it is a traceparent of version 00, else None: a broken one is dropped, never repaired."""
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None


def new_traceparent(dice: Dice) -> str:
    """Return the beginning of a new trace."""
    return f"00-{_hex(dice, 32)}-{_hex(dice, 16)}-01"


def child_of(traceparent: str, dice: Dice) -> str:
    """Return the same trace with a new parent id, as every hop owes the next one."""
    version, trace_id, _, flags = traceparent.split("-")
    return f"{version}-{trace_id}-{_hex(dice, 16)}-{flags}"


def trace_id(traceparent: str) -> str:
    """Return the 32 digits that all hops of one trace share."""
    return traceparent.split("-")[1]


def current_traceparent() -> str | None:
    """Return the traceparent of what is being handled in this task, None outside of any."""
    return _current.get()


@contextmanager
def traced(traceparent: str) -> Iterator[None]:
    """Make `traceparent` the current one within the block."""
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)


def _hex(dice: Dice, digits: int) -> str:
    number = 0
    for letter in dice.token():
        number = number * 32 + _DIGITS.get(letter, 0)
    # All zeros are forbidden by the recommendation.
    return f"{number % 16**digits or 1:0{digits}x}"
