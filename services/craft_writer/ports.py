"""What the Craft.io writer needs of the world."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.runtime.log import Log
from shared.store.port import ClaimStore, ConfigReader
from shared.writing.ports import Pauser, StoreHealth


@dataclass(frozen=True, slots=True)
class Ports:
    """The writer's outside. `claims`, `config`, `pauser` and `store` are usually one object."""

    log: Log
    claims: ClaimStore
    config: ConfigReader
    pauser: Pauser
    store: StoreHealth
    transport: Transport
    clock: Clock
    dice: Dice
