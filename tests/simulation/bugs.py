"""Planted bugs: each leaves out one rule of PROTOCOL. The simulation has to find every one of them.

A bug replaces a function of the real code for the time of a run. `docs/simulation.md` lists which seed found which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bug:
    """One rule left out: what is replaced where, by what."""

    what: str
    plant: Callable[[], list[tuple[Any, str, Any]]]
    """Return (owner, name, replacement) to be set while the bug is planted."""


BUGS: dict[str, Bug] = {}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Run with a bug planted; None: as it is."""
    if name is None:
        yield
        return
    before: list[tuple[Any, str, Any]] = []
    for owner, attribute, replacement in BUGS[name].plant():
        before.append((owner, attribute, getattr(owner, attribute)))
        setattr(owner, attribute, replacement)
    try:
        yield
    finally:
        for owner, attribute, original in reversed(before):
            setattr(owner, attribute, original)
