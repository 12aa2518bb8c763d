"""Fresh reads: a side of which only a look can say what it holds is read by id, under the ticket of before the read.

One per connection. A read that hangs or fails delays no other; each is repeated while its side stays dirty.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from services.reconciler.domain.pace import Pace
from services.reconciler.handlers.confirm import Unconfirmed, what_it_means
from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.waiting import pause
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.clients.errors import BadCredentials, NotFound, RateLimited, VendorError
from shared.domain.clock import Clock, Dice
from shared.domain.ids import ConnectionId
from shared.eyes.events import not_found, seen
from shared.messages.change import ChangeEvent, Origin
from shared.messages.trouble import Trouble
from shared.runtime.error_words import told
from shared.runtime.log import LogUnavailable
from shared.store.port import DirtySide, StoreUnavailable, WorkStore

DUTY = "fresh_reads"
_SHORTEST_S = 1.0
"""The shortest time between two reads of one side, however often it changes."""
_REST_S = 5.0
"""How long nothing is read after the vendor refused our credentials or asked the whole connection to slow down."""

log = structlog.get_logger(__name__)


class FreshReads:
    """Reads the dirty sides of one connection, several at once, oldest first."""

    def __init__(
        self,
        connection_id: ConnectionId,
        directory: Directory,
        work: WorkStore,
        publish: Publish,
        meter: Meter,
        clock: Clock,
        dice: Dice,
        settings: ReconcilerSettings,
    ) -> None:
        self._connection_id = connection_id
        self._directory = directory
        self._work = work
        self._publish = publish
        self._meter = meter
        self._clock = clock
        self._dice = dice
        self._settings = settings
        self._pace = Pace()
        self._reading: set[tuple[str, str]] = set()
        self._rests_until = 0.0
        self._failed: dict[tuple[str, str], str | None] = {}
        """Sides whose last read failed, with the words that were told of it: from the second failure on."""

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set, then finish the reads that have begun."""
        async with asyncio.TaskGroup() as reads:
            while not stop.is_set():
                for side in await self._due():
                    self._reading.add((side.link_id, side.side))
                    reads.create_task(self._read(side))
                await pause(stop, self._settings.fresh_interval_s)

    async def _due(self) -> list[DirtySide]:
        """Return the sides to read now. Empty when the connection is down: only its health is asked for then."""
        post = self._directory.find(self._connection_id)
        now_s = self._clock.monotonic()
        free = post.connection.max_concurrent - len(self._reading) if post is not None else 0
        if post is None or free <= 0 or post.connection.paused_reason is not None or now_s < self._rests_until:
            return []
        try:
            sides = await self._work.dirty_sides(self._settings.batch, self._connection_id)
        except StoreUnavailable as error:
            self._meter.failed(DUTY, self._connection_id, error)
            return []
        due = [
            side
            for side in sides
            if (side.link_id, side.side) not in self._reading
            and self._pace.free((side.link_id, side.side), now_s)
            and self._pace.free(_state(side), now_s)
        ]
        return due[:free]

    async def _read(self, side: DirtySide) -> None:
        """Read one side and publish what it shows. Failures are counted; the side stays dirty and is read again."""
        began_s = self._clock.monotonic()
        try:
            event = await self._look(side)
            await self._publish.publish(event)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one item must not end the reads of the others
            self._meter.failed(DUTY, self._connection_id, error)
            log.info("fresh_read_failed", link_id=side.link_id, entity_id=side.entity_id, error=told(error))
            self._pace.hold((side.link_id, side.side), began_s, self._settings.fresh_again_s)
            await self._tell(side, error)
            if isinstance(error, BadCredentials) or (isinstance(error, RateLimited) and error.scope == "connection"):
                self._rests_until = self._clock.monotonic() + _REST_S
        else:
            self._failed.pop((side.link_id, side.side), None)
            self._meter.done(DUTY, self._connection_id, 1)
            self._pace.hold((side.link_id, side.side), began_s, _SHORTEST_S)
            again_s = self._settings.fresh_again_s if event.snapshot is not None else self._settings.gone_again_s
            self._pace.hold(_state(side), began_s, again_s)
        finally:
            self._reading.discard((side.link_id, side.side))

    async def _tell(self, side: DirtySide, error: Exception) -> None:
        """Tell why a side cannot be read, once it is more than a passing failure, and again when the words change.

        What is wrong with the whole connection is said by its pause.
        """
        key = (side.link_id, side.side)
        known = key in self._failed
        told = self._failed.setdefault(key, None)
        ours = "This should not happen; the reason is in the log of the reconciler."
        words = str(error) if isinstance(error, VendorError | Unconfirmed) else ours
        if not known or told == words or isinstance(error, BadCredentials):
            return
        trouble = Trouble(link_id=side.link_id, side=side.side, words=words, at=self._clock.now())
        with suppress(LogUnavailable):
            await self._publish.publish(trouble)
            self._failed[key] = words

    async def _look(self, side: DirtySide) -> ChangeEvent:
        post = self._directory.post(self._connection_id)
        change_id = f"fresh:{self._dice.token()}"
        try:
            reading = await post.eyes.look(side.entity_id)
        except NotFound:
            kind = await what_it_means(post, self._directory.container(side.integration_id, side.side))
            return not_found(
                kind,
                side.side,
                post.id,
                side.entity_id,
                self._clock.now(),
                change_id=change_id,
                ticket=side.ticket,
            )
        now = self._clock.now()
        return seen(side.side, post.id, reading, Origin.FRESH, now, change_id=change_id, ticket=side.ticket)


def _state(side: DirtySide) -> tuple[object, ...]:
    """Return what makes a read worth repeating at once: that something was accepted, or became unsure, meanwhile."""
    return side.link_id, side.side, side.ticket, side.dirty_since
