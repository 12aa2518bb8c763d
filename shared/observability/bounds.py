"""What a label may say. Every label of every metric has a bound, and what lies outside of it is counted as `other`.

So no label can grow with the number of items, links or people, whatever a caller hands over. Pure, but that `Named`
remembers what it has admitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

OTHER: Final = "other"
"""What a value outside of its bound is counted as."""

UNKNOWN: Final = "unknown"
"""In place of the id of a connection or an integration that is not configured."""


class Bound(Protocol):
    """The values that a label can have."""

    def admit(self, value: str) -> str:
        """Return the value if it lies within the bound, else `OTHER`."""
        ...

    @property
    def words(self) -> str:
        """Return for people what the values are."""
        ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A closed list."""

    values: tuple[str, ...]

    def admit(self, value: str) -> str:
        """Return the value if it is listed."""
        return str(value) if value in self.values else OTHER

    @property
    def words(self) -> str:
        """Return the list."""
        return ", ".join(f"`{value}`" for value in self.values)


@dataclass(frozen=True, slots=True)
class Named:
    """Names that the configuration or the code gives, of which there are few; at most `most` in one process."""

    what: str
    most: int
    _seen: set[str] = field(default_factory=set, compare=False, repr=False)

    def admit(self, value: str) -> str:
        """Return the value, unless too many others came before."""
        if value not in self._seen:
            if len(self._seen) >= self.most:
                return OTHER
            self._seen.add(value)
        return value

    @property
    def words(self) -> str:
        """Return what is named, and how many there can be."""
        return f"{self.what}, at most {self.most}"


@dataclass(frozen=True, slots=True)
class Label:
    """One label: the same name means the same thing on every metric."""

    name: str
    meaning: str
    bound: Bound


def one_of(values: Iterable[str] | type[StrEnum]) -> OneOf:
    """Return the bound of an enum or of any other closed list."""
    return OneOf(tuple(str(value) for value in values))
