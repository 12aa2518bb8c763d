"""The store in one process, for the simulation and for tests that need no database: same answers, same isolation, no
I/O.

`MemoryStore` outlives the simulated services, as a database does. It must never be used where state has to survive
the process.
"""

from __future__ import annotations

from shared.domain.clock import Clock, SystemClock
from shared.store.memory.arrivals import ArrivalsDesk
from shared.store.memory.batch import MemoryBatch
from shared.store.memory.census import CensusDesk
from shared.store.memory.claims import Claims
from shared.store.memory.config import Config
from shared.store.memory.dry_runs import DryRuns
from shared.store.memory.held import Held
from shared.store.memory.look import MemoryLook
from shared.store.memory.people import Directory
from shared.store.memory.provisioning import Provisioning
from shared.store.memory.reading import Reading
from shared.store.memory.refused import Refused
from shared.store.memory.requests import Requests
from shared.store.memory.revisions import Revisions
from shared.store.memory.tables import OnCall, Tables
from shared.store.memory.transaction import MemoryTransaction
from shared.store.memory.work import Work

__all__ = ["MemoryStore", "OnCall", "Tables"]


class MemoryStore(
    Claims,
    Work,
    Config,
    Revisions,
    Reading,
    Directory,
    DryRuns,
    Requests,
    Held,
    Refused,
    Provisioning,
    ArrivalsDesk,
    CensusDesk,
):
    """Implements every protocol of `shared.store.port`.

    `on_call` is awaited with a name at the start of every operation, and with `{name}:commit` and `{name}:committed`
    right before and right after each commit; what it raises before the commit rolls back, what it raises after it
    does not.
    """

    def __init__(self, clock: Clock | None = None, on_call: OnCall | None = None) -> None:
        super().__init__(clock or SystemClock(), on_call)

    def transaction(self) -> MemoryTransaction:
        """Begin a transaction of the mapper."""
        return MemoryTransaction(self)

    def batch(self) -> MemoryBatch:
        """Begin a transaction of several of the mapper's inputs."""
        return MemoryBatch(self)

    def look(self) -> MemoryLook:
        """Begin a transaction that only looks."""
        return MemoryLook(self)

    async def healthy(self) -> bool:
        """Tell that the store answers."""
        return True
