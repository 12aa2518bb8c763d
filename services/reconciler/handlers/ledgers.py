"""The pruning of what is kept for a time: requests that were answered, and ledgers.

Closed operations are kept as long as PROTOCOL needs them to know our own late effects by.
"""

from __future__ import annotations

from services.reconciler.ports import Meter
from services.reconciler.settings import ReconcilerSettings
from shared.domain.clock import Clock
from shared.store.port import WorkStore

DUTY = "ledgers"
_AT_ONCE = 1000


class Ledgers:
    """Deletes old operations. Conflicts and history have tables of their own, and are kept for ever."""

    def __init__(self, work: WorkStore, meter: Meter, clock: Clock, settings: ReconcilerSettings) -> None:
        self._work = work
        self._meter = meter
        self._clock = clock
        self._settings = settings

    async def prune(self) -> int:
        """Go through all requests and links, some per transaction. Return 0: nothing of it is published."""
        while await self._work.prune_requests(self._clock.now(), _AT_ONCE) == _AT_ONCE:
            pass
        after = ""
        while True:
            pruned = await self._work.prune_ledgers(self._clock.now(), after, self._settings.prune_links)
            self._meter.pruned(pruned.operations)
            if pruned.last is None:
                return 0
            after = pruned.last
