"""The mapper's transaction of several inputs, in memory. Called through `shared.store.port.BatchTransaction`."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from shared.store.memory.transaction import MemoryTransaction
from shared.store.port import Contended, Name


class MemoryBatch(MemoryTransaction):
    """One transaction of several inputs; see `BatchTransaction`. It waits for no lock at all."""

    async def foresee(self, names: Collection[Name]) -> AbstractSet[Name]:
        """Lock and load what is free."""
        await self._call("foresee")
        held: set[Name] = set()
        for name in sorted(names, key=str):
            link_id = self._link_of(name) if isinstance(name, tuple) else name
            if link_id is None:
                continue
            if self._core.locks.free(self._holder, ("link", link_id)):
                await self._lock(link_id)
            else:
                held.add(name)
        return held

    async def _acquire(self, key: object, *, exclusive: bool = True) -> None:
        if not self._core.locks.free(self._holder, key, exclusive=exclusive):
            raise self._fail(Contended(f"another transaction holds {key}"))
        await super()._acquire(key, exclusive=exclusive)
