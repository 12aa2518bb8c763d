"""What the mapper needs of the world."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.clock import Clock, Dice
from shared.runtime.log import Log
from shared.store.port import LinkStore


@dataclass(frozen=True, slots=True)
class Ports:
    """The mapper's outside: the log, the links in the store, time and new ids."""

    log: Log
    links: LinkStore
    clock: Clock
    dice: Dice
