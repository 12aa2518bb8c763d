"""What the gateway needs of the world."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId, Side
from shared.domain.mapping import ConnectionKind, ConnectionSecrets
from shared.runtime.log import Log
from shared.store.arrivals import ArrivalsWriter
from shared.store.port import ConfigReader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sender:
    """A connection that webhooks come from. `secrets` None: they cannot be read yet, so nobody can be refused."""

    connection_id: ConnectionId
    kind: ConnectionKind
    secrets: ConnectionSecrets | None

    @property
    def side(self) -> Side:
        """Return the side that it sends for."""
        return self.kind.side


class Senders(Protocol):
    """The known connections. `find` answers from memory and never waits."""

    def find(self, connection_id: str) -> Sender | None:
        """Return the sender of that connection id, None if none is known."""
        ...

    async def look(self) -> bool:
        """Have `find` know what was saved until now; within about a second, and at a bounded cost however many ask.

        False: it could not be read, so nobody can be called unknown.
        """
        ...


class Workshop(Protocol):
    """Where slow work on bodies is done."""

    def place(self, size: int) -> AbstractAsyncContextManager[None]:
        """Wait until a body of that size may be worked on, and keep the place: what is made of a body is many times
        its size.
        """
        ...

    async def run(self, size: int, work: Callable[[], T]) -> T:
        """Return what `work`, a pure function of so many bytes, returns; large ones hold up nobody else."""
        ...


class Store(ConfigReader, ArrivalsWriter, Protocol):
    """What the gateway asks of the store, and tells it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The gateway's outside: the log, the store, time and new ids. `threads`: where slow work goes, None: nowhere."""

    log: Log
    store: Store
    clock: Clock
    dice: Dice
    threads: Executor | None = None
