"""Parked events: items of our own account that are in no link yet. Their correlation key tells whose they are
(PROTOCOL F1).
"""

from __future__ import annotations

from services.reconciler.domain.pace import Pace
from services.reconciler.handlers.confirm import confirm_gone
from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.many import for_each
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.clients.errors import NotFound
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId
from shared.eyes.events import deleted, seen
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.store.port import ParkedEvent, WorkStore

DUTY = "parked"


class Parked:
    """Brings parked events forward again, each with its key read afresh."""

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
        self._pace = Pace()

    async def bring_back(self, connection_id: ConnectionId) -> int:
        """Publish the due events of one connection. Return how many; one that cannot be read now stays parked."""
        now_s = self._clock.monotonic()
        due = [
            parked
            for parked in await self._work.due_parked(self._clock.now(), self._settings.batch, connection_id)
            if self._pace.free((connection_id, parked.entity_id), now_s)
        ]

        async def one(parked: ParkedEvent) -> int:
            key = (connection_id, parked.entity_id)
            self._pace.hold(key, now_s, self._settings.again_after_s)
            event = await self._look(parked)
            await self._publish.publish(event)
            if event.kind is ChangeKind.DELETED:
                self._pace.hold(key, now_s, self._settings.gone_again_s)
            return 1

        def failed(error: Exception) -> None:
            self._meter.failed(DUTY, connection_id, error)

        return await for_each(due, self._settings.reads_at_once, one, failed)

    async def _look(self, parked: ParkedEvent) -> ChangeEvent:
        """Return what the item shows now, with its key; or that it is gone."""
        post = self._directory.post(parked.connection_id)
        change_id = f"parked:{self._dice.token()}"
        try:
            reading = await post.eyes.look(parked.entity_id)
        except NotFound:
            await confirm_gone(post, None)
            return deleted(parked.side, post.id, parked.entity_id, self._clock.now(), change_id=change_id)
        return seen(parked.side, post.id, reading, Origin.FRESH, self._clock.now(), change_id=change_id)
