"""The clocks of PROTOCOL that need no vendor: open operations and links that are due.

Each finds its work by state, so that a lost message or a crash between commit and publish costs seconds, nothing else.
"""

from __future__ import annotations

from datetime import timedelta

from services.reconciler.domain.pace import Pace
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.domain.clock import Clock, Dice
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.write import WriteCommand
from shared.store.port import DueLink, OpenOperation, WorkStore


class Clocks:
    """Publishes commands and "look again" requests. Each for the same thing at most once per `again_after_s`."""

    def __init__(
        self, work: WorkStore, publish: Publish, meter: Meter, clock: Clock, dice: Dice, settings: ReconcilerSettings
    ) -> None:
        self._work = work
        self._publish = publish
        self._meter = meter
        self._clock = clock
        self._dice = dice
        self._settings = settings
        self._operations = Pace()
        self._links = Pace()

    async def repeat_commands(self) -> int:
        """Produce the commands of open operations that nobody works on (PROTOCOL F9). Return how many."""
        stale = await self._work.stale_operations(
            self._clock.now(), timedelta(seconds=self._settings.unclaimed_after_s), self._settings.batch
        )
        now_s = self._clock.monotonic()
        due = [found for found in stale if self._operations.free(found.operation.id, now_s)]
        await self._publish.publish(*map(_command, due))
        for found in due:
            self._operations.hold(found.operation.id, now_s, self._settings.again_after_s)
        return len(due)

    async def wake_links(self) -> int:
        """Have the mapper look again at links whose time has come or whose cause is gone. Return how many."""
        links = await self._work.due_links(
            self._clock.now(), timedelta(seconds=self._settings.waiting_for_s), self._settings.batch
        )
        now_s = self._clock.monotonic()
        # A revision saved a moment after the last look is a reason of its own: it must be in effect within 5 s (P8).
        due = [link for link in links if self._links.free(link, now_s)]
        requests = [
            SyncRequest(
                request_id=self._dice.token(),
                kind=_kind(link),
                requested_by="clock",
                requested_at=self._clock.now(),
                link_id=link.link_id,
            )
            for link in due
        ]
        await self._publish.publish(*requests)
        for link in due:
            self._links.hold(link, now_s, self._settings.again_after_s)
        return len(due)


def _kind(link: DueLink) -> RequestKind:
    if link.retry:
        return RequestKind.RETRY
    return RequestKind.CARRY if link.carry else RequestKind.DECIDE


def _command(found: OpenOperation) -> WriteCommand:
    operation = found.operation
    return WriteCommand(
        op_id=operation.id,
        link_id=operation.link_id,
        integration_id=found.integration_id,
        target=operation.target,
        kind=operation.kind,
        revision=operation.revision,
        fields={pair_id: write.value for pair_id, write in operation.pairs.items()},
    )
