"""The reconciler as a service: its duties, one task each, and the consumer that completes thin events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from aiohttp.web import RouteDef

from services.reconciler.handlers.absent import DUTY as ABSENT
from services.reconciler.handlers.absent import AbsentItems
from services.reconciler.handlers.census import DUTY as CENSUS
from services.reconciler.handlers.census import LEAD, CensusTaker
from services.reconciler.handlers.clocks import Clocks
from services.reconciler.handlers.compare import COMPARE, ID_SWEEP, SlowRounds
from services.reconciler.handlers.directory import Directory, Post
from services.reconciler.handlers.dry_runs import DUTY as DRY_RUNS
from services.reconciler.handlers.dry_runs import DryRuns
from services.reconciler.handlers.feed import Feed
from services.reconciler.handlers.fresh_reads import DUTY as FRESH_READS
from services.reconciler.handlers.fresh_reads import FreshReads
from services.reconciler.handlers.health import Health
from services.reconciler.handlers.hearing import DUTY as HEARING
from services.reconciler.handlers.hearing import Hearing
from services.reconciler.handlers.hydration import DUTY as HYDRATION
from services.reconciler.handlers.hydration import Hydration
from services.reconciler.handlers.ledgers import DUTY as LEDGERS
from services.reconciler.handlers.ledgers import Ledgers
from services.reconciler.handlers.look_up import DUTY as PEOPLE
from services.reconciler.handlers.look_up import LookUp
from services.reconciler.handlers.parked import DUTY as PARKED
from services.reconciler.handlers.parked import Parked
from services.reconciler.handlers.rota import Duty, Rota, periodic
from services.reconciler.handlers.waiting import pause
from services.reconciler.ports import Board, Meter, Ports
from services.reconciler.settings import ReconcilerSettings
from shared.domain.ids import ConnectionId, Side
from shared.runtime.consumer import consume
from shared.runtime.log import LogUnavailable, Subscription
from shared.runtime.publisher import Publisher
from shared.runtime.revisions import RevisionBell
from shared.runtime.topics import Topic
from shared.store.port import StoreUnavailable

GROUP = "reconciler"
TOPICS = (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT)
_LOOK_AT_SLOW_ROUNDS_S = 60.0
"""How often the slow rounds are asked whether their time has come."""


class ReconcilerService:
    """Looks, and finds by state what no message brings forward."""

    name = "reconciler"

    def __init__(
        self, settings: ReconcilerSettings, ports: Ports, directory: Directory, meter: Meter, board: Board
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._directory = directory
        self._meter = meter
        self._bell = RevisionBell(ports.log)
        self._publisher = Publisher(ports.log, source=self.name, clock=ports.clock, dice=ports.dice)
        outside = (self._publisher, meter, ports.clock, ports.dice, settings)
        self._clocks = Clocks(ports.work, *outside)
        self._ledgers = Ledgers(ports.work, meter, ports.clock, settings)
        self._dry_runs = DryRuns(directory, ports.work, *outside)
        self._parked = Parked(directory, ports.work, *outside)
        self._absent = AbsentItems(directory, ports.work, *outside)
        self._slow = SlowRounds(directory, ports.work, *outside)
        self._health = Health(directory, ports.pauses, ports.clock)
        self._hearing = Hearing(ports.work, ports.clock, settings)
        self._census = CensusTaker(directory, ports, self._health, board, settings)
        self._hydration = Hydration(directory, *outside)
        self._people = LookUp(directory, ports.work, meter, ports.clock)

    async def run(self, stop: asyncio.Event) -> None:
        """Do all duties until `stop` is set, then finish what has begun."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bell.listen(stop))
            tasks.create_task(self._keep_duties(stop))
            tasks.create_task(self._complete_thin_events(stop))
        with suppress(StoreUnavailable):  # else another one takes over after the lease
            await self._census.resign()

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether Kafka and Postgres answer."""
        return {"kafka": await self._ports.log.healthy(), "postgres": await self._ports.work.healthy()}

    def routes(self) -> Sequence[RouteDef]:
        """Return no routes of its own."""
        return ()

    async def _keep_duties(self, stop: asyncio.Event) -> None:
        def failed(error: Exception) -> None:
            self._meter.failed("configuration", "", error)

        async def between(stop: asyncio.Event) -> None:
            await self._bell.pause(stop, self._settings.config_interval_s)
            self._directory.forget()

        await Rota().keep(stop, self._wanted, between, self._settings.config_interval_s, failed)

    async def _complete_thin_events(self, stop: asyncio.Event) -> None:
        ports = self._ports
        subscription = await self._subscribe(stop)
        if subscription is None:
            return
        await consume(
            subscription,
            self._hydration.handle,
            publisher=self._publisher,
            clock=ports.clock,
            dice=ports.dice,
            stop=stop,
            name=self.name,
        )

    async def _subscribe(self, stop: asyncio.Event) -> Subscription | None:
        """Join the group; while Kafka is away the clocks and reads go on. None: `stop` came first."""
        while not stop.is_set():
            try:
                return await self._ports.log.subscribe(GROUP, TOPICS)
            except LogUnavailable as error:
                self._meter.failed(HYDRATION, "", error)
                await pause(stop, self._settings.config_interval_s)
        return None

    async def _wanted(self) -> list[Duty]:
        """Return all duties for the configuration as it is now."""
        await self._directory.refresh()
        duties = list(self._clock_duties())
        for post in self._directory.posts():
            duties += self._duties_of(post)
        return duties

    def _clock_duties(self) -> Iterator[Duty]:
        settings = self._settings
        yield self._periodic("commands", "", settings.clock_interval_s, self._clocks.repeat_commands)
        yield self._periodic("due_links", "", settings.clock_interval_s, self._clocks.wake_links)
        yield self._periodic(DRY_RUNS, "", settings.dry_run_interval_s, self._dry_runs.carry_on)
        yield self._periodic(CENSUS, "", settings.census_interval_s, self._census.take)
        yield self._periodic(LEAD, "", min(settings.census_interval_s, settings.census_lease_s / 3), self._census.lead)
        yield self._periodic(LEDGERS, "", settings.prune_interval_s, self._ledgers.prune)

    def _duties_of(self, post: Post) -> Iterator[Duty]:
        settings, ident, changed = self._settings, post.id, post.connection.revision
        slow_s = min(_LOOK_AT_SLOW_ROUNDS_S, settings.compare_interval_s, settings.id_sweep_interval_s)
        count_s = min(slow_s, settings.count_interval_s)
        yield self._periodic("health", ident, settings.health_interval_s, lambda: self._health.check(ident), changed)
        if post.connection.paused_reason is not None:
            return  # only its health is asked for until it works again; FreshReads sees the pause by itself
        yield self._fresh_reads(ident, changed)
        yield self._periodic(PARKED, ident, settings.clock_interval_s, lambda: self._parked.bring_back(ident), changed)
        yield self._periodic(ABSENT, ident, settings.absent_interval_s, lambda: self._absent.look_again(ident), changed)
        yield self._periodic(COMPARE, ident, slow_s, lambda: self._slow.compare_if_due(ident), changed)
        yield self._periodic(ID_SWEEP, ident, count_s, lambda: self._slow.sweep_ids_if_due(ident), changed)
        if post.side is Side.JIRA:
            yield self._periodic(
                PEOPLE, ident, settings.people_interval_s, lambda: self._people.look_up(ident), changed
            )
            yield self._periodic(
                HEARING, ident, settings.hearing_interval_s, lambda: self._hearing.listen(ident), changed
            )
        for container in post.containers:
            yield self._feed(post, container)

    def _periodic(
        self,
        name: str,
        connection_id: str,
        interval_s: float,
        work: Callable[[], Awaitable[int]],
        version: object = None,
    ) -> Duty:
        run = periodic(name, connection_id, interval_s, work, self._meter, self._settings)
        return Duty((name, connection_id, version), run)

    def _fresh_reads(self, connection_id: ConnectionId, version: int) -> Duty:
        async def run(stop: asyncio.Event) -> None:
            ports = self._ports
            outside = (self._publisher, self._meter, ports.clock, ports.dice, self._settings)
            await FreshReads(connection_id, self._directory, ports.work, *outside).run(stop)

        return Duty((FRESH_READS, connection_id, version), run)

    def _feed(self, post: Post, container: str) -> Duty:
        settings, ports, jira = self._settings, self._ports, post.side is Side.JIRA
        name = "sweep" if jira else "feed"

        async def run(stop: asyncio.Event) -> None:
            feed = Feed(
                post.id,
                container,
                overlap_s=settings.sweep_overlap_s if jira else settings.feed_overlap_s,
                first_window_s=settings.first_window_s,
                memory=settings.feed_memory,
                directory=self._directory,
                work=ports.work,
                publish=self._publisher,
                clock=ports.clock,
                saw=(lambda at: self._hearing.saw(post.id, at)) if jira else None,
            )
            interval_s = settings.sweep_interval_s if jira else settings.feed_interval_s
            await periodic(name, post.id, interval_s, feed.poll, self._meter, settings)(stop)

        return Duty((name, post.id, post.connection.revision, container), run)
