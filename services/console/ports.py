"""What the console needs of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.messages.base import Message
from shared.runtime.log import Log
from shared.store.dry_runs import DryRunDesk
from shared.store.port import ConfigReader, ConfigWriter, StatusReader


class Reader(StatusReader, DryRunDesk, Protocol):
    """Reading for people, dry runs, and whether the store answers."""

    async def healthy(self) -> bool:
        """Tell within a second whether the store answers."""
        ...


class Publish(Protocol):
    """Puts messages on the log."""

    async def publish(self, *messages: Message) -> None:
        """Publish all messages and return once they are durable. Raises `LogUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The console's outside. `reader`, `config` and `writer` are usually one object."""

    log: Log
    reader: Reader
    config: ConfigReader
    writer: ConfigWriter
    transport: Transport
    clock: Clock
    dice: Dice
