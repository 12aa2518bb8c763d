"""Failures whose class decides a message's fate, in one place: `shared.runtime.fate`.

Raised by handlers and adapters of every service. Expected outcomes are values, never one of these.

    Exception
    ├── Transient          tried again in place until it works; holds back only its own key
    ├── Poison             dead-lettered at once, with its words as the reason
    └── any other          tried a few times with backoff, then dead-lettered with its type and place

`OwnWords` beside them says that the words of an exception may stand in a log.
"""

from __future__ import annotations


class OwnWords(Exception):
    """Its words are made of our own words, ids, addresses and numbers, never of what an item, a message, a header or a
    vendor's answer holds: they may stand in a log line. Of any other exception a log has the type and the place.
    """


class Transient(Exception):
    """Something that will pass: try the same message again. `retry_after_s` is the wait that the cause itself asked
    for.
    """

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Poison(OwnWords):
    """A message that can never be handled, whatever is tried. The words say why, for people who read dead letters."""
