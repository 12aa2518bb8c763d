"""The full compare and the id sweep: the slow rounds that find what no event, feed or clock has told.

Both go by the links in the store, keep their place there, and go on where they were broken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from services.reconciler.domain.pace import Pace
from services.reconciler.domain.tally import Count, Tally
from services.reconciler.handlers.confirm import what_it_means
from services.reconciler.handlers.directory import Directory, Post
from services.reconciler.handlers.many import for_each
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.clients.errors import NotFound, VendorError
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId, EntityId
from shared.domain.link import Json
from shared.eyes.events import not_found, seen
from shared.messages.change import ChangeEvent, Origin
from shared.store.port import WorkStore

COMPARE = "compare"
ID_SWEEP = "id_sweep"
_BATCH = 200
_REMEMBER_GONE_S = 86_400.0


class SlowRounds:
    """Compares all linked items of a connection by id, and looks for those that its lists no longer show."""

    def __init__(
        self,
        directory: Directory,
        work: WorkStore,
        publish: Publish,
        meter: Meter,
        clock: Clock,
        dice: Dice,
        settings: ReconcilerSettings,
    ) -> None:
        self._directory = directory
        self._work = work
        self._publish = publish
        self._meter = meter
        self._clock = clock
        self._dice = dice
        self._settings = settings
        self._gone = Pace()
        self._tally = Tally()
        self._compared_since_start: set[ConnectionId] = set()

    async def compare_if_due(self, connection_id: ConnectionId) -> int:
        """Run (or go on with) the full compare of a connection if its time has come. Return how many items were
        read.
        """
        name = f"compare:{connection_id}"
        stored = await self._work.cursor(name)
        first = self._settings.compare_at_start and connection_id not in self._compared_since_start
        under_way = stored is not None and stored["after"] != ""
        if not first and not under_way and not await self._due(name, stored, self._settings.compare_interval_s):
            return 0
        self._compared_since_start.add(connection_id)
        began = self._clock.now()
        after = stored["after"] if stored is not None and under_way else ""
        total = 0
        post = self._directory.post(connection_id)
        while batch := await self._work.linked_entities(post.side, connection_id, after, _BATCH):
            total += await self._tell_all(COMPARE, post, [entity_id for _, entity_id in batch])
            after = batch[-1][1]
            await self._work.store_cursor(name, {"at": began.isoformat(), "after": after})
        await self._work.store_cursor(name, {"at": began.isoformat(), "after": ""})
        return total

    async def sweep_ids_if_due(self, connection_id: ConnectionId) -> int:
        """Look for linked items that are in none of the connection's lists, if it is time or some are missing. Return
        how many were absent.

        Absence alone proves nothing (lists lag, items move): each is read by id, and a "not found" is confirmed.
        """
        name, settings = f"ids:{connection_id}", self._settings
        stored = await self._work.cursor(name)
        post = self._directory.post(connection_id)
        due = await self._due(name, stored, settings.id_sweep_interval_s)
        soon = min(settings.id_sweep_soonest_s, settings.id_sweep_interval_s)
        counted: Mapping[Count, bool] = {}
        if due or await self._due(name, stored, soon):
            with suppress(*((VendorError,) if due else ())):  # a sweep that is due needs no count
                counted = await self._count(post)
        if not due and not any(counted.values()):
            self._tally.keep(counted)
            return 0
        began = self._clock.now()
        absent = await self._linked(post)
        if absent:
            for container in post.containers:
                absent.difference_update(await post.eyes.listed_ids(container))
        total = await self._tell_all(ID_SWEEP, post, sorted(absent))
        await self._work.store_cursor(name, {"at": began.isoformat(), "after": ""})
        self._tally.keep(counted)
        return total

    async def _count(self, post: Post) -> Mapping[Count, bool]:
        """Count the items of all containers, and tell of each whether it has fewer than when it was counted last."""
        counted: dict[Count, bool] = {}
        before = self._clock.now() - timedelta(seconds=self._settings.feed_overlap_s)  # lists lag
        for container in post.containers:
            last, again = self._tally.last(post.id, container), None
            if last is not None:
                again = await post.eyes.count(container, last.created_before)
            items = await post.eyes.count(container, before)
            if items is not None:
                fewer = last is not None and again is not None and again < last.items
                counted[Count(post.id, container, before, items)] = fewer
        return counted

    async def _due(self, name: str, stored: Json, interval_s: float) -> bool:
        """Tell whether a round's time has come; its clock starts to run when it is asked for the first time."""
        now = self._clock.now()
        if stored is None:
            await self._work.store_cursor(name, {"at": now.isoformat(), "after": ""})
            return False
        return now >= datetime.fromisoformat(stored["at"]) + timedelta(seconds=interval_s)

    async def _linked(self, post: Post) -> set[EntityId]:
        found: set[EntityId] = set()
        after = ""
        while batch := await self._work.linked_entities(post.side, post.id, after, _BATCH, held=True):
            found.update(entity_id for _, entity_id in batch)
            after = batch[-1][1]
        return found

    async def _tell_all(self, duty: str, post: Post, entity_ids: Sequence[EntityId]) -> int:
        """Read items and publish what each shows, or that it is gone; those known to be gone are left out for a day."""
        now_s = self._clock.monotonic()
        container = next(iter(post.containers)) if len(post.containers) == 1 else None

        async def one(entity_id: EntityId) -> int:
            await self._publish.publish(await self._look(post, entity_id, container, f"{duty}:{self._dice.token()}"))
            return 1

        def failed(error: Exception) -> None:
            self._meter.failed(duty, post.id, error)

        wanted = [entity_id for entity_id in entity_ids if self._gone.free((post.id, entity_id), now_s)]
        return await for_each(wanted, self._settings.reads_at_once, one, failed)

    async def _look(self, post: Post, entity_id: EntityId, container: str | None, change_id: str) -> ChangeEvent:
        try:
            reading = await post.eyes.look(entity_id)
        except NotFound:
            kind = await what_it_means(post, container)
            self._gone.hold((post.id, entity_id), self._clock.monotonic(), _REMEMBER_GONE_S)
            return not_found(kind, post.side, post.id, entity_id, self._clock.now(), change_id=change_id)
        return seen(post.side, post.id, reading, Origin.COMPARE, self._clock.now(), change_id=change_id)
