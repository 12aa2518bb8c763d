"""What the gateway needs of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId, Side
from shared.domain.mapping import ConnectionKind, ConnectionSecrets
from shared.runtime.log import Log
from shared.store.port import ConfigReader


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


@dataclass(frozen=True, slots=True)
class Ports:
    """The gateway's outside: the log, the saved connections, time and new ids."""

    log: Log
    config: ConfigReader
    clock: Clock
    dice: Dice
