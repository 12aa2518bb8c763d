"""What the mapper needs of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.domain.clock import Clock, Dice
from shared.runtime.log import Log
from shared.store.dry_runs import DryRunAnswers, LookingStore
from shared.store.port import LinkStore


class Links(LinkStore, LookingStore, DryRunAnswers, Protocol):
    """The links, to be changed or only looked at, and the answers of dry runs."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The mapper's outside: the log, the links in the store, time and new ids."""

    log: Log
    links: Links
    clock: Clock
    dice: Dice
