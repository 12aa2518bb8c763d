"""The journal of a stand-in: every vendor call in order, and every delivery of a webhook, for checks from outside.

Written by `sandbox.kit.server` and `sandbox.kit.deliverer`, read over the control surface. Never holds a credential.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the vendor's API.

    `status` is what the site answered, None when it did nothing; `answered` whether the caller got that answer;
    `effects` are the fault rules that hit. The number is that of the moment of the effect.
    """

    number: int
    time: datetime
    method: str
    path: str
    query: Sequence[tuple[str, str]]
    status: int | None
    who: str
    answered: bool
    effects: Sequence[str]
    body: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver a webhook, or the note that it was lost on purpose (`attempt` 0).

    `status` is the receiver's answer, None when there was none; `error` then says why.
    """

    number: int
    time: datetime
    url: str
    identifier: str
    attempt: int
    status: int | None
    error: str
    effects: Sequence[str]


E = TypeVar("E", Call, Attempt)


class Journal(Generic[E]):
    """Entries numbered from 1 in the order of their effects. Keeps the newest `keep`; numbers are never used again."""

    def __init__(self, keep: int = 100_000) -> None:
        self._keep = keep
        self._entries: list[E] = []
        self._last = 0

    @property
    def next_number(self) -> int:
        """The number that the next entry must carry."""
        return self._last + 1

    def add(self, entry: E) -> None:
        """Append an entry. Raises ValueError unless it carries `next_number`."""
        if entry.number != self.next_number:
            raise ValueError(f"entry {entry.number} follows {self._last}")
        self._last = entry.number
        self._entries.append(entry)
        if len(self._entries) > 2 * self._keep:
            del self._entries[: -self._keep]

    def after(self, number: int = 0) -> list[E]:
        """Return the entries with a higher number, oldest first."""
        missed = self._last - max(number, 0)
        return self._entries[-missed:] if missed > 0 else []


def as_json(entry: Call | Attempt) -> dict[str, object]:
    """Return an entry as JSON-able data, times in ISO 8601."""
    return {**asdict(entry), "time": entry.time.isoformat()}
