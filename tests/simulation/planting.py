"""How a planted bug is described and put in: a function of the real code is replaced for the time of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Replacement = tuple[Any, str, Any]
"""Owner, name, and what stands there while the bug is planted."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One rule of PROTOCOL left out: what is missing, and what is replaced for that."""

    what: str
    plant: Callable[[], Iterable[Replacement]]


@contextmanager
def planted_in(bugs: Mapping[str, Bug], name: str | None) -> Iterator[None]:
    """Run with a bug planted; None: as it is."""
    if name is None:
        yield
        return
    before: list[Replacement] = []
    for owner, attribute, replacement in bugs[name].plant():
        before.append((owner, attribute, owner.__dict__[attribute]))
        setattr(owner, attribute, replacement)
    try:
        yield
    finally:
        for owner, attribute, original in reversed(before):
            setattr(owner, attribute, original)
