"""The reconciler between real stand-ins, log and store, all in one process and on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import async_solipsism

from deploy.local import scene
from sandbox.craft.settings import ADA_KEY, SYNC_KEY, CraftSiteSettings
from sandbox.craft.site import CraftSite
from sandbox.jira.edition import CLOUD, Edition
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.faults import FaultPlan
from sandbox.kit.inprocess import FaultyTransport, SiteTransport
from services.reconciler.bootstrap import wire
from services.reconciler.ports import Ports
from services.reconciler.settings import ReconcilerSettings
from shared.clients.transport import HttpRequest, HttpResponse, Transport
from shared.domain.clock import SeededDice
from shared.domain.ids import AccountId, ConnectionId, EntityId, LinkId, PairId, Side, operation_id
from shared.domain.link import Link, LinkState, Operation, OperationKind, PairWrite
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, Integration
from shared.fakes.log import MemoryLog
from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.runtime.envelope import decode
from shared.runtime.log import ReceivedRecord
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic, changes_topic
from shared.store.memory import MemoryStore

EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
JIRA_URL, CRAFT_URL = "http://jira.test", "http://craft.test"
PROJECT = "TAN"
QUICK = {
    "config_interval_s": 1.0,
    "sweep_interval_s": 10.0,
    "id_sweep_interval_s": 10.0,
    "health_interval_s": 5.0,
    "feed_interval_s": 2.0,
}


def on_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on a loop whose time jumps ahead whenever everybody waits."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class LoopClock:
    """The loop's time, from a fixed day on. `vendor_ahead` lets the vendors' clocks differ."""

    def __init__(self) -> None:
        self._leapt_s = 0.0

    def now(self) -> datetime:
        """Return the wall clock."""
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's time, and what was leapt over."""
        return asyncio.get_running_loop().time() + self._leapt_s

    def leap(self, seconds: float) -> None:
        """Let time have passed, where real sockets forbid a loop on virtual time. Who sleeps is not woken."""
        self._leapt_s += seconds

    async def sleep(self, delay_s: float) -> None:
        """Wait on the loop."""
        await asyncio.sleep(delay_s)


class Watched:
    """Notes every request that reaches a vendor."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Pass a request on."""
        self.requests.append(request)
        return await self._inner.send(request)


class World:
    """Two vendors, a store and a log; links and dirty sides are put in as the mapper would."""

    def __init__(
        self,
        *,
        craft: CraftSiteSettings | None = None,
        jira: JiraSiteSettings | None = None,
        edition: Edition = CLOUD,
        skew_s: float = 0.0,
    ) -> None:
        self.clock = LoopClock()
        self.skew = timedelta(seconds=skew_s)
        dials = jira or JiraSiteSettings(html_401_every=0)
        self.jira = JiraSite(now=self.vendor_now, base_url=JIRA_URL, settings=dials, edition=edition)
        self.craft = CraftSite(now=self.vendor_now, base_url=CRAFT_URL, settings=craft or CraftSiteSettings())
        self.jira.seed_project(PROJECT, "Tandem")
        self.workspace = self.craft.seed_workspace("Roadmap").id
        self.faults = FaultPlan()
        sites = SiteTransport({JIRA_URL: self.jira, CRAFT_URL: self.craft}, _VendorClock(self))
        self.transport = Watched(FaultyTransport(sites, self.faults, self.clock))
        self.store = MemoryStore(self.clock)
        self.log = MemoryLog()
        self._decoded: dict[tuple[str, int, int], Message] = {}
        self.ada_jira = self.jira.person(ADA_EMAIL)
        self.ada_craft = self.craft.person(ADA_KEY.key)
        self.integration = self.draft()

    def vendor_now(self) -> datetime:
        """Return the vendors' clock."""
        return self.clock.now() + self.skew

    def draft(self) -> Integration:
        """Return the demo's integration of this project and workspace."""
        workspaces: Any = self.craft.state()["workspaces"]
        return scene.integration(project=PROJECT, workspace=workspaces[0], craft_root=None)

    async def configure(self, *, jira_url: str = JIRA_URL) -> None:
        """Save both connections and the integration."""
        cloud = self.jira.world.edition is CLOUD
        jira_kind = ConnectionKind.JIRA_CLOUD if cloud else ConnectionKind.JIRA_DATA_CENTER
        jira_us = self.jira.world.account_by_email(SYNC_EMAIL).account_id
        craft_us = next(user.id for user in self.craft.account.users.values() if user.name == SYNC_KEY.name)
        for connection, token in (
            (_connection(scene.JIRA, jira_kind, jira_url, jira_us), SYNC_TOKEN),
            (_connection(scene.CRAFT, ConnectionKind.CRAFT, CRAFT_URL, craft_us), SYNC_KEY.key),
        ):
            await self.store.save_connection(connection, ConnectionSecrets(token=token), 0, "test", self.clock.now())
        self.integration = await self.store.save_integration(self.integration, 0, "test", self.clock.now())

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[None]:
        """Run the reconciler within the block, with quick intervals unless told otherwise."""
        common = {"kafka_bootstrap": "test:9092", "database_url": "postgresql://test/test", "secret_key": _KEY}
        ports = Ports(self.log, self.store, self.store, self.store, self.transport, self.clock, SeededDice(1))
        service = wire(ReconcilerSettings(**{**common, **QUICK, **settings}), ports)
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        try:
            yield
            assert not running.done(), running
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await running

    async def link(self, *, jira_id: str | None = None, craft_id: str | None = None, **more: Any) -> Link:
        """Insert a link of these items, active unless told otherwise."""
        link = Link(
            id=LinkId(more.pop("id", f"link-{jira_id}-{craft_id}")),
            integration_id=self.integration.id,
            jira_connection=scene.JIRA,
            craft_connection=scene.CRAFT,
            origin=Side.JIRA,
            state=more.pop("state", LinkState.ACTIVE),
            created_at=self.clock.now(),
            jira_id=EntityId(jira_id) if jira_id else None,
            craft_id=EntityId(craft_id) if craft_id else None,
            revision_seen=self.integration.revision,
        )
        for name, value in more.items():
            assert hasattr(link, name)
            setattr(link, name, value)
        async with self.store.transaction() as tx:
            assert await tx.insert(link)
        return link

    async def change(self, link_id: LinkId, change: Callable[[Link], None]) -> None:
        """Change a link in a transaction."""
        async with self.store.transaction() as tx:
            link = await tx.lock_link(link_id)
            assert link is not None
            change(link)
            await tx.save(link)

    async def dirty(self, link_id: LinkId, side: Side) -> int:
        """Make a side of a link dirty, as an accepted observation would; return its mark."""
        marks: list[int] = []

        def make(link: Link) -> None:
            state = link.side(side)
            state.mark += 1
            state.dirty_since = state.dirty_since or self.clock.now()
            marks.append(state.mark)

        await self.change(link_id, make)
        return marks[0]

    async def clean(self, link_id: LinkId, side: Side) -> None:
        """Make a side of a link clean again."""

        def make(link: Link) -> None:
            link.side(side).dirty_since = None

        await self.change(link_id, make)

    async def open_operation(self, link: Link) -> Operation:
        """Open a write to the Craft.io side of a link."""
        op = Operation(
            id=operation_id(link.id, 1),
            link_id=link.id,
            seq=1,
            kind=OperationKind.WRITE,
            target=Side.CRAFT,
            pairs={PairId("title"): PairWrite("new", "old", "new")},
            revision=self.integration.revision,
            created_at=self.clock.now(),
        )

        def add(found: Link) -> None:
            found.operations.append(op)
            found.op_id = op.id

        await self.change(link.id, add)
        return op

    async def closed_operations(self, link: Link, count: int) -> None:
        """Store operations of a link that have ended now."""
        now = self.clock.now()

        def add(found: Link) -> None:
            for seq in range(1, count + 1):
                ident, revision = operation_id(link.id, seq), self.integration.revision
                op = Operation(ident, link.id, seq, OperationKind.WRITE, Side.CRAFT, {}, revision, now)
                op.open, op.done_at = False, now
                found.operations.append(op)
            found.next_seq = count + 1

        await self.change(link.id, add)

    async def publish(self, *messages: Message) -> None:
        """Publish as another service."""
        await Publisher(self.log, source="test", clock=self.clock, dice=SeededDice(9)).publish(*messages)

    def messages(self, topic: Topic) -> list[Message]:
        """Return all messages of a topic."""
        return [self._message(record) for record in self.log.records(topic)]

    def _message(self, record: ReceivedRecord) -> Message:
        place = (record.topic, record.partition, record.offset)
        if place not in self._decoded:
            self._decoded[place] = decode(record).message
        return self._decoded[place]

    def events(self, side: Side, entity_id: str | None = None) -> list[ChangeEvent]:
        """Return the change events of a side, or of one item."""
        found = [event for event in self.messages(changes_topic(side)) if isinstance(event, ChangeEvent)]
        return [event for event in found if entity_id in (None, event.entity_id)]

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], deadline_s: float = 60.0) -> float:
        """Wait until something holds and return how long that took; fails at the deadline."""
        began = self.clock.monotonic()
        async with asyncio.timeout(deadline_s):
            while True:
                held = holds()
                if held if isinstance(held, bool) else await held:
                    return self.clock.monotonic() - began
                await asyncio.sleep(0.05)

    async def connection(self, connection_id: ConnectionId) -> Connection:
        """Return a connection as it is saved now."""
        return next(each for each in await self.store.connections() if each.id == connection_id)


class _VendorClock(LoopClock):
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.vendor_now()


def _connection(ident: ConnectionId, kind: ConnectionKind, url: str, us: str) -> Connection:
    email = SYNC_EMAIL if kind is ConnectionKind.JIRA_CLOUD else None
    return Connection(id=ident, kind=kind, name=ident, url=url, email=email, account_id=AccountId(us))


_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
