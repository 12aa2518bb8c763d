"""One value of a list, on either side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field can take. `children` are the second level of Jira's cascading select."""

    id: str
    name: str
    children: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of a list. `complete` False: only those that are in use were seen, there may be more."""

    values: tuple[Choice, ...]
    complete: bool = True

    def name_of(self, ident: str) -> str | None:
        """Return the name of a value by its id, None if it is not in the list."""
        return next((each.name for each in self.values if each.id == ident), None)


def distinct(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """Return each value once, in the order in which they first come."""
    found: dict[str, Choice] = {}
    for each in choices:
        found.setdefault(each.id, each)
    return tuple(found.values())
