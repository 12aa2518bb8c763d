"""Items that are hidden or archived: looked for again and again, so that they go on by themselves once they are there.

What a vendor shows again was not changed by that, so no feed and no sweep would bring it. Part of them per round, each
at most once in a while: a project that is out of sight for ever costs little.
"""

from __future__ import annotations

from services.reconciler.domain.pace import Pace
from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.many import for_each
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.clients.errors import NotFound
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId, EntityId
from shared.eyes.events import seen
from shared.messages.change import Origin
from shared.store.port import WorkStore

DUTY = "absent"
_MOST = 100
"""Items that are looked for in one round."""


class AbsentItems:
    """Publishes what is there again; the mapper then has it read under a ticket."""

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
        self._after: dict[ConnectionId, str] = {}

    async def look_again(self, connection_id: ConnectionId) -> int:
        """Look for the next items of a connection, from the start again after the last. Return how many are there."""
        post = self._directory.post(connection_id)
        after = self._after.get(connection_id, "")
        batch = await self._work.absent_entities(post.side, connection_id, after, _MOST)
        self._after[connection_id] = batch[-1][1] if len(batch) == _MOST else ""
        now_s = self._clock.monotonic()
        due = [entity_id for _, entity_id in batch if self._pace.free((connection_id, entity_id), now_s)]

        async def one(entity_id: EntityId) -> int:
            self._pace.hold((connection_id, entity_id), now_s, self._settings.absent_again_s)
            try:
                reading = await post.eyes.look(entity_id)
            except NotFound:
                return 0
            change_id = f"{DUTY}:{self._dice.token()}"
            now = self._clock.now()
            await self._publish.publish(seen(post.side, post.id, reading, Origin.COMPARE, now, change_id=change_id))
            return 1

        def failed(error: Exception) -> None:
            self._meter.failed(DUTY, connection_id, error)

        return await for_each(due, self._settings.reads_at_once, one, failed)
