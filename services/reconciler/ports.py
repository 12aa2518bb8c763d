"""What the reconciler needs of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.clients.transport import Transport
from shared.domain.arrivals import Arrivals
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, Integration
from shared.messages.base import Message
from shared.observability.words import CredentialState
from shared.runtime.log import Behind, Log
from shared.store.arrivals import SilenceWriter
from shared.store.census import Census, CensusStore
from shared.store.dry_runs import DryRunWork
from shared.store.port import ConfigReader, WorkStore


class ConnectionPauses(Protocol):
    """Notes of a connection what is found out about it (part of `ConfigWriter`)."""

    async def set_connection_paused(self, connection_id: ConnectionId, reason: str | None) -> None:
        """Pause a connection with words for people, or resume it (None)."""
        ...

    async def tell_expiry(self, connection_id: ConnectionId, at: datetime | None) -> None:
        """Note when its credentials end, as the vendor tells."""
        ...


class Work(WorkStore, DryRunWork, SilenceWriter, CensusStore, Protocol):
    """Where work is found by state, and whether that answers."""

    async def healthy(self) -> bool:
        """Tell within a second whether the store answers."""
        ...


class Publish(Protocol):
    """Puts messages on the log; raises `LogUnavailable`. Harmless to repeat: every message here is a hint."""

    async def publish(self, *messages: Message) -> None:
        """Publish all messages and return once they are durable."""
        ...


class Meter(Protocol):
    """Counts what the duties do. Labels: the duty's name and the connection's id (empty for duties of the whole)."""

    def done(self, duty: str, connection_id: str, found: int) -> None:
        """Note a round (or one read) that worked, and how many messages it published."""
        ...

    def failed(self, duty: str, connection_id: str, error: Exception) -> None:
        """Note a round (or one read) that failed; it is tried again."""
        ...

    def left(self, duty: str, connection_id: str, reason: str) -> None:
        """Note something that this duty leaves to another one, with the reason."""
        ...

    def pruned(self, operations: int) -> None:
        """Note how many old operations were deleted from the ledgers."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionFigures:
    """How one connection stands. `answered` False: it did not when it was last asked who we are."""

    connection: Connection
    credential: CredentialState
    answered: bool
    arrivals: Arrivals | None


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is true of the whole at one moment."""

    at: datetime
    census: Census
    connections: Sequence[ConnectionFigures]
    integrations: Sequence[Integration]
    behind: Behind | None
    """None: Kafka does not answer."""


class Board(Protocol):
    """Shows the figures of the whole, for as long as this process may."""

    def show(self, whole: Whole, still: Callable[[], bool]) -> None:
        """Replace all figures. They are shown for as long as `still` says so whenever somebody looks."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The reconciler's outside. `transport` reaches both vendors; `work`, `config` and `pauses` are usually one
    object.
    """

    log: Log
    work: Work
    config: ConfigReader
    pauses: ConnectionPauses
    transport: Transport
    clock: Clock
    dice: Dice
