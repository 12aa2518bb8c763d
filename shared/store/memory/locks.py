"""Row locks in one process: exclusive and shared, first come first served, with deadlocks found at once.

Called by `shared.store.memory`. Deterministic: no clock, no randomness; who waits is served in the order of asking.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable, Iterator

from shared.store.port import Contended

Key = Hashable


class Holder:
    """A transaction, as the locks see it."""

    __slots__ = ("keys", "waiter")

    def __init__(self) -> None:
        self.keys: dict[Key, None] = {}
        """In order of taking, so that giving back is the same in every run."""
        self.waiter: _Waiter | None = None


class _Waiter:
    __slots__ = ("exclusive", "granted", "holder", "key")

    def __init__(self, holder: Holder, key: Key, *, exclusive: bool) -> None:
        self.holder = holder
        self.key = key
        self.exclusive = exclusive
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Lock:
    __slots__ = ("holders", "queue")

    def __init__(self) -> None:
        self.holders: dict[Holder, bool] = {}
        """Who holds it; True: exclusively."""
        self.queue: deque[_Waiter] = deque()

    def conflicting(self, holder: Holder, *, exclusive: bool) -> Iterator[Holder]:
        """Yield who holds it in a way that excludes this request."""
        return (other for other, alone in self.holders.items() if other is not holder and (exclusive or alone))


class Locks:
    """All locks of one store."""

    def __init__(self) -> None:
        self._locks: dict[Key, _Lock] = {}

    async def acquire(self, holder: Holder, key: Key, *, exclusive: bool = True) -> None:
        """Wait for a lock and hold it until `release_all`. Raises `Contended` if waiting for it would never end."""
        lock = self._locks.setdefault(key, _Lock())
        held = lock.holders.get(holder)
        if held is not None and (held or not exclusive):
            return
        if self.free(holder, key, exclusive=exclusive):
            lock.holders[holder] = exclusive
            holder.keys[key] = None
            return
        waiter = _Waiter(holder, key, exclusive=exclusive)
        if held is not None:
            lock.queue.appendleft(waiter)
        else:
            lock.queue.append(waiter)
        holder.waiter = waiter
        try:
            if self._leads_back(holder):
                raise Contended(f"deadlock over {key}")
            await waiter.granted
        finally:
            holder.waiter = None
            if waiter in lock.queue:
                lock.queue.remove(waiter)
                self._serve(key)

    def free(self, holder: Holder, key: Key, *, exclusive: bool = True) -> bool:
        """Tell whether `acquire` would not have to wait."""
        lock = self._locks.get(key)
        if lock is None:
            return True
        held = lock.holders.get(holder)
        if held is not None and (held or not exclusive):
            return True
        return (held is not None or not lock.queue) and next(
            lock.conflicting(holder, exclusive=exclusive), None
        ) is None

    def release_all(self, holder: Holder) -> None:
        """Give back all that a transaction holds."""
        for key in holder.keys:
            del self._locks[key].holders[holder]
            self._serve(key)
        holder.keys.clear()

    def idle(self) -> bool:
        """Tell whether nobody holds or waits for anything."""
        return not self._locks

    def _serve(self, key: Key) -> None:
        lock = self._locks[key]
        while lock.queue:
            waiter = lock.queue[0]
            if next(lock.conflicting(waiter.holder, exclusive=waiter.exclusive), None) is not None:
                return
            lock.queue.popleft()
            if waiter.granted.done():
                continue  # cancelled while it waited
            lock.holders[waiter.holder] = waiter.exclusive
            waiter.holder.keys[key] = None
            waiter.holder.waiter = None
            waiter.granted.set_result(None)
        if not lock.holders:
            del self._locks[key]

    def _blockers(self, holder: Holder) -> Iterator[Holder]:
        waiter = holder.waiter
        if waiter is None:
            return
        lock = self._locks[waiter.key]
        yield from lock.conflicting(holder, exclusive=waiter.exclusive)
        for ahead in lock.queue:
            if ahead is waiter:
                return
            yield ahead.holder

    def _leads_back(self, start: Holder) -> bool:
        found: set[int] = set()
        todo = list(self._blockers(start))
        while todo:
            holder = todo.pop()
            if holder is start:
                return True
            if id(holder) not in found:
                found.add(id(holder))
                todo += self._blockers(holder)
        return False
