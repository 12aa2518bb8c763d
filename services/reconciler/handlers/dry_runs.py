"""Dry runs: the items of a draft are chosen and read here; the mapper says what would become of each.

Found by state in the store, so that a crash anywhere costs a repeated read. A few reads at once, so that what is real
goes first; an item that cannot be read says so and delays no other.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from services.reconciler.domain.pace import Pace
from services.reconciler.handlers.confirm import Unconfirmed, what_it_means
from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.dry_run_choice import Choice, Unfit, post_of
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.clients.errors import BadCredentials, NotFound, RateLimited, Rejected, VendorError
from shared.domain.clock import Clock, Dice
from shared.domain.dry_run import KEPT_FOR, DryRun, DryRunItem, DryRunState, ItemForecast, Outlook
from shared.domain.ids import EntityId, Side
from shared.eyes.events import not_found, seen
from shared.messages.change import ChangeEvent, Origin
from shared.messages.rehearsal import Rehearsal
from shared.store.dry_runs import DryRunWork, LinkEnds

DUTY = "dry_runs"
MOST_ATTEMPTS = 3
"""After so many readings without an answer an item counts as one that cannot be read."""
_CHOOSE_WITHIN = timedelta(minutes=10)
"""For how long a vendor may be away before a dry run whose items are not chosen yet is given up."""
_REMOVE_EVERY_S = 600.0

log = structlog.get_logger(__name__)


class DryRuns:
    """Carries on all dry runs that are not over."""

    def __init__(
        self,
        directory: Directory,
        work: DryRunWork,
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
        self._choice = Choice(directory, work, clock, settings.dry_run_max_items)
        self._pace = Pace()

    async def carry_on(self) -> int:
        """Choose, read and end what is due; return how many items were read."""
        await self._remove_old()
        runs = await self._work.open_dry_runs()
        async with asyncio.TaskGroup() as tasks:
            going_on = [tasks.create_task(self._one(run)) for run in runs]
        return sum(task.result() for task in going_on)

    async def _one(self, run: DryRun) -> int:
        """Carry on one; what goes wrong with it is counted, and delays no other."""
        try:
            if run.state is DryRunState.OPEN:
                items, note = await self._choice.of(run)
                await self._work.plan_dry_run(run.id, items, note)
            read = await self._read(run)
            if await self._work.finish_dry_run(run.id, self._clock.now()):
                counts = await self._work.dry_run_counts(run.id)
                log.info("dry_run_done", dry_run=run.id, items=counts.items, outlooks=counts.outlooks)
        except (Unfit, BadCredentials, Rejected) as error:
            await self._fail(run, str(error))
        except Exception as error:  # noqa: BLE001  # counted and said; the next round goes on where this one ended
            self._meter.failed(DUTY, run.draft.jira_connection, error)
            if run.state is DryRunState.OPEN and self._clock.now() >= run.created_at + _CHOOSE_WITHIN:
                await self._fail(run, f"The items could not be listed: {error} Ask again later.")
        else:
            return read
        return 0

    async def _fail(self, run: DryRun, why: str) -> None:
        if await self._work.end_dry_run(run.id, DryRunState.FAILED, self._clock.now(), why):
            log.warning("dry_run_failed", dry_run=run.id)

    async def _remove_old(self) -> None:
        now_s = self._clock.monotonic()
        if self._pace.free(DUTY, now_s):
            removed = await self._work.remove_dry_runs(self._clock.now() - KEPT_FOR)
            self._pace.hold(DUTY, now_s, _REMOVE_EVERY_S)
            if removed:
                log.info("dry_runs_removed", count=removed)

    async def _read(self, run: DryRun) -> int:
        """Read items a few at a time until this round's share is done; return how many."""
        settings, read = self._settings, 0
        while read < settings.dry_run_batch:
            items = await self._work.claim_dry_run_items(
                run.id,
                self._clock.now(),
                timedelta(seconds=settings.dry_run_again_s),
                settings.dry_run_batch,
                settings.dry_run_reads_at_once,
            )
            if not items:
                break
            ends = await asyncio.gather(*(self._item(run, item) for item in items), return_exceptions=True)
            read += len(items)
            for end in ends:
                if isinstance(end, BaseException):
                    raise end
        return read

    async def _item(self, run: DryRun, item: DryRunItem) -> None:
        """Read one item and have it played. Raises what ends the round: log or store away, or a vendor as a whole."""
        if item.attempts > MOST_ATTEMPTS:
            await self._unreadable(run, item, "it changed each time it was read, or could not be played")
            return
        try:
            await self._publish.publish(await self._rehearsal(run, item))
        except (VendorError, Unconfirmed) as error:
            self._meter.failed(DUTY, run.draft.jira_connection, error)
            if isinstance(error, BadCredentials) or (isinstance(error, RateLimited) and error.scope == "connection"):
                raise
            if item.attempts >= MOST_ATTEMPTS or isinstance(error, Rejected):
                await self._unreadable(run, item, str(error))

    async def _unreadable(self, run: DryRun, item: DryRunItem, why: str) -> None:
        answer = ItemForecast(
            outlooks=(Outlook.UNREADABLE,),
            why=f"It cannot be read: {why}.",
            next_step="Start another dry run later.",
            jira_id=item.jira_id,
            craft_id=item.craft_id,
            at=self._clock.now(),
        )
        await self._work.answer_dry_run_item(run.id, item.n, answer, ())

    async def _rehearsal(self, run: DryRun, item: DryRunItem) -> Rehearsal:
        """Read both sides of a link, or the one side that there is, under the tickets of before the read."""
        read_at = self._clock.now()
        side, entity_id = (Side.JIRA, item.jira_id) if item.jira_id is not None else (Side.CRAFT, item.craft_id)
        known = [EntityId(entity_id)] if entity_id is not None else []
        links = await self._work.link_ends(side, run.draft.connection(side), known)
        events: dict[Side, ChangeEvent | None] = {}
        for each in Side:
            ident = links[0].entity_id(each) if links else (entity_id if each is side else None)
            if ident is not None:
                events[each] = await self._look(run, item, each, ident, links[0] if links else None)
        return Rehearsal(
            dry_run_id=run.id,
            item=item.n,
            integration_id=run.integration_id,
            read_at=read_at,
            jira=events.get(Side.JIRA),
            craft=events.get(Side.CRAFT),
        )

    async def _look(
        self, run: DryRun, item: DryRunItem, side: Side, entity_id: EntityId, link: LinkEnds | None
    ) -> ChangeEvent:
        post = post_of(self._directory, run.draft.connection(side))
        change_id = f"{run.id}:{item.n}:{side}"
        ticket = link.mark(side) if link is not None else None
        try:
            reading = await post.eyes.look(entity_id)
        except NotFound:
            kind = await what_it_means(post, run.draft.container(side))
            now = self._clock.now()
            return not_found(kind, side, post.id, entity_id, now, change_id=change_id, ticket=ticket)
        return seen(side, post.id, reading, Origin.FRESH, self._clock.now(), change_id=change_id, ticket=ticket)
