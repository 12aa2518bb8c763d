"""What the reconciler needs of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId
from shared.messages.base import Message
from shared.runtime.log import Log
from shared.store.arrivals import SilenceWriter
from shared.store.dry_runs import DryRunWork
from shared.store.port import ConfigReader, WorkStore


class ConnectionPauses(Protocol):
    """Stops and resumes the writes of a connection (part of `ConfigWriter`)."""

    async def set_connection_paused(self, connection_id: ConnectionId, reason: str | None) -> None:
        """Pause a connection with words for people, or resume it (None)."""
        ...


class Work(WorkStore, DryRunWork, SilenceWriter, Protocol):
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

    def healthy(self, connection_id: str, *, works: bool) -> None:
        """Note whether a connection's credentials work."""
        ...

    def silent(self, connection_id: str, since: datetime | None) -> None:
        """Show since when a connection's webhooks, which came once, are silent."""
        ...

    def pruned(self, operations: int) -> None:
        """Note how many old operations were deleted from the ledgers."""
        ...

    def backlog(self, figures: Mapping[str, float]) -> None:
        """Show how much is waiting in the store."""
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
