"""The event loop of the simulation: time goes by only when nobody has anything to do, and then at once.

No sockets, no threads, no selector: it runs what is ready, else it moves its clock to the next timer.
"""

from __future__ import annotations

import asyncio
from typing import Any


class NothingLeftError(Exception):
    """Nothing is ready and no timer is set: the simulated world would stand still for ever."""


class _Skip:
    """Stands where a selector would wait: moves the loop's clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> tuple[()]:
        """Let `timeout` seconds pass at once. Raises `NothingLeftError` if it would be for ever."""
        if timeout is None:
            raise NothingLeftError
        if timeout > 0:
            self._loop.virtual_s += timeout
        return ()


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop on virtual time. Deterministic: the same coroutines run in the same order each time."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual_s = 0.0
        self._selector = _Skip(self)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self.virtual_s

    def _process_events(self, event_list: Any) -> None:
        """There are no file descriptors whose events would have to be handled."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken: there is one thread."""
