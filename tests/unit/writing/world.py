"""Both writers between the real stand-ins, store and log, in one process and on virtual time, with faults on demand."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final

import async_solipsism
from cryptography.fernet import Fernet

from deploy.local import scene
from sandbox.craft.settings import ADA_KEY, SYNC_KEY, CraftSiteSettings
from sandbox.craft.site import CraftSite
from sandbox.jira.edition import CLOUD, Edition
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.fault_rules import parse_rules
from sandbox.kit.faults import FaultPlan
from sandbox.kit.inprocess import FaultyTransport, SiteTransport
from services.craft_writer import bootstrap as craft_writer
from services.craft_writer.ports import Ports as CraftPorts
from services.craft_writer.settings import CraftWriterSettings
from services.jira_writer import bootstrap as jira_writer
from services.jira_writer.ports import Ports as JiraPorts
from services.jira_writer.settings import JiraWriterSettings
from shared.clients.transport import HttpRequest, HttpResponse
from shared.domain.clock import SeededDice
from shared.domain.ids import AccountId, ConnectionId, EntityId, LinkId, OperationId, PairId, Side, operation_id
from shared.domain.link import Link, LinkState, Operation, OperationKind, PairWrite
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, FieldPair, Integration
from shared.fakes.log import MemoryLog
from shared.messages.trouble import Trouble
from shared.messages.write import WriteCommand, WriteOutcome
from shared.runtime.envelope import decode
from shared.runtime.topics import Topic
from shared.store.memory import MemoryStore
from shared.writing.writer import Writer

EPOCH: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
JIRA_URL, CRAFT_URL = "http://jira.test", "http://craft.test"
PROJECT: Final = "TAN"
STORY: Final = "10001"
SETTINGS: Final[dict[str, Any]] = {
    "kafka_bootstrap": "localhost:9092",
    "database_url": "postgresql://u:p@localhost/none",
    "secret_key": Fernet.generate_key().decode(),
    "instance": "test",
}


def on_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on a loop whose time jumps ahead whenever everybody waits."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class LoopClock:
    """The loop's time, from a fixed day on."""

    def now(self) -> datetime:
        """Return the wall clock."""
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's time; a site may ask for it before the loop runs."""
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    async def sleep(self, delay_s: float) -> None:
        """Wait on the loop."""
        await asyncio.sleep(delay_s)


class World:
    """Two vendors, a store and a log. Operations are put in as the mapper would; `work` is the clock of open ones."""

    def __init__(
        self,
        *,
        keyed: bool = True,
        jira: JiraSiteSettings | None = None,
        craft: CraftSiteSettings | None = None,
        edition: Edition = CLOUD,
        pairs: Callable[[JiraSite], tuple[FieldPair, ...]] = lambda _: (),
        **settings: Any,
    ) -> None:
        self.clock = LoopClock()
        dials = jira or JiraSiteSettings(html_401_every=0)
        self.jira = JiraSite(now=self.clock.now, base_url=JIRA_URL, settings=dials, edition=edition)
        self.craft = CraftSite(now=self.clock.now, base_url=CRAFT_URL, settings=craft or CraftSiteSettings())
        self.jira.seed_project(PROJECT, "Tandem")
        self.craft.seed_workspace("Roadmap")
        self.faults = FaultPlan()
        self.done: list[tuple[float, HttpRequest, HttpResponse]] = []
        """Requests that reached a vendor, with the time of their effect."""
        self.after_effect: Callable[[HttpRequest], None] | None = None
        """What somebody does in the very moment after a request had its effect."""
        sites = SiteTransport({JIRA_URL: self.jira, CRAFT_URL: self.craft}, self.clock)
        self.transport = FaultyTransport(sites, self.faults, self.clock, on_effect=self._note)
        self.store = MemoryStore(self.clock)
        self.log = MemoryLog()
        self.dice = SeededDice(7)
        draft = self._draft(keyed=keyed)
        self._integration = draft.model_copy(update={"pairs": (*draft.pairs, *pairs(self.jira))})
        self._numbers = itertools.count(1)
        common = (self.log, self.store, self.store, self.store, self.store, self.transport, self.clock, self.dice)
        of_jira = {name: value for name, value in settings.items() if not name.startswith("craft_")}
        of_craft = {name: value for name, value in settings.items() if not name.startswith("jira_")}
        self.jira_settings = JiraWriterSettings(**SETTINGS, **of_jira)
        self.writers: dict[Side, Writer] = {
            Side.JIRA: jira_writer.wire(self.jira_settings, JiraPorts(*common)).writer,
            Side.CRAFT: craft_writer.wire(CraftWriterSettings(**SETTINGS, **of_craft), CraftPorts(*common)).writer,
        }
        self.integration: Integration = self._integration

    def _draft(self, *, keyed: bool) -> Integration:
        workspaces: Any = self.craft.state()["workspaces"]
        project = self.jira.world.project(PROJECT)
        assert project is not None
        draft = scene.integration(project=PROJECT, workspace=workspaces[0], craft_root=None, with_key=keyed)
        return draft.model_copy(update={"jira_project_id": project.id})

    def _note(self, request: HttpRequest, response: HttpResponse) -> None:
        self.done.append((self.clock.monotonic(), request, response))
        if self.after_effect is not None:
            self.after_effect(request)

    # configuration

    async def configure(self) -> None:
        """Save both connections and the integration."""
        users: Any = self.craft.state()["users"]
        sync = next(user["id"] for user in users if user["name"] == SYNC_KEY.name)
        cloud = self.jira.world.edition is CLOUD
        kind = ConnectionKind.JIRA_CLOUD if cloud else ConnectionKind.JIRA_DATA_CENTER
        email = SYNC_EMAIL if cloud else None
        await self.save_connection(
            Connection(id=scene.JIRA, kind=kind, name="Jira", url=JIRA_URL, email=email), SYNC_TOKEN
        )
        await self.save_connection(
            Connection(
                id=scene.CRAFT, kind=ConnectionKind.CRAFT, name="Craft", url=CRAFT_URL, account_id=AccountId(sync)
            ),
            SYNC_KEY.key,
        )
        self.integration = await self.store.save_integration(self._integration, 0, "test", self.clock.now())

    async def save_connection(self, connection: Connection, token: str) -> Connection:
        """Save a connection with its credentials as the next revision."""
        secrets = ConnectionSecrets(token=token)
        return await self.store.save_connection(connection, secrets, connection.revision, "test", self.clock.now())

    async def connection(self, connection_id: ConnectionId) -> Connection:
        """Return a connection as stored."""
        return next(c for c in await self.store.connections() if c.id == connection_id)

    def fail(self, *rules: Mapping[str, Any]) -> None:
        """Put these faults in force instead of those before."""
        self.faults.replace(parse_rules(list(rules)))

    # items, as people make them

    def item(self, side: Side, title: str = "Old", **more: Any) -> EntityId:
        """Create an item as a person; return its id."""
        if side is Side.JIRA:
            return EntityId(self.jira.person(ADA_EMAIL).create_issue(PROJECT, title, type="Story", **more))
        return EntityId(self.craft.person(ADA_KEY.key).create_item(type="feature", title=title, **more)["id"])

    def edit(self, side: Side, entity_id: EntityId, title: str) -> None:
        """Change a title as a person."""
        if side is Side.JIRA:
            self.jira.person(ADA_EMAIL).edit(entity_id, summary=title)
        else:
            self.craft.person(ADA_KEY.key).edit(entity_id, title=title)

    def title(self, side: Side, entity_id: EntityId) -> str:
        """Return the title that a vendor holds now."""
        if side is Side.JIRA:
            shown: Any = self.jira.person(ADA_EMAIL).read(entity_id)
            return str(shown["fields"]["summary"])
        return str(self.craft.person(ADA_KEY.key).read(entity_id)["title"])

    def titles(self, side: Side) -> list[str]:
        """Return the titles of all items of a vendor."""
        state: Any = self.jira.state() if side is Side.JIRA else self.craft.state()
        if side is Side.CRAFT:
            return [str(item["title"]) for item in state["items"]]
        return [self.title(side, EntityId(issue["id"])) for issue in state["issues"]]

    # operations, as the mapper makes them

    async def open_write(
        self,
        side: Side,
        entity_id: EntityId,
        *,
        kind: OperationKind = OperationKind.WRITE,
        **pairs: tuple[Any, Any],
    ) -> OperationId:
        """Open an operation that writes `pair=(value, expect)`; return its id."""
        writes = {PairId(name): PairWrite(value, expect, value) for name, (value, expect) in pairs.items()}
        return await self._open(side, kind, writes, entity_id=entity_id)

    async def open_create(self, side: Side, **pairs: Any) -> OperationId:
        """Open a create with these values; return its id."""
        writes = {PairId(name): PairWrite(value, None, value) for name, value in pairs.items()}
        return await self._open(side, OperationKind.CREATE, writes, type_id=STORY if side is Side.JIRA else "feature")

    async def _open(
        self,
        side: Side,
        kind: OperationKind,
        writes: dict[PairId, PairWrite],
        *,
        entity_id: EntityId | None = None,
        type_id: str | None = None,
    ) -> OperationId:
        number = next(self._numbers)
        link_id = LinkId(f"link{number:022}")
        op = Operation(
            id=operation_id(link_id, 1),
            link_id=link_id,
            seq=1,
            kind=kind,
            target=side,
            pairs=writes,
            revision=self.integration.revision,
            created_at=self.clock.now(),
            type_id=type_id,
        )
        source = EntityId(f"source-{number}")
        link = Link(
            id=link_id,
            integration_id=self.integration.id,
            jira_connection=self.integration.jira_connection,
            craft_connection=self.integration.craft_connection,
            origin=side.other,
            state=LinkState.CREATING if kind is OperationKind.CREATE else LinkState.ACTIVE,
            created_at=self.clock.now(),
            jira_id=entity_id if side is Side.JIRA else source,
            craft_id=entity_id if side is Side.CRAFT else source,
            op_id=op.id,
            next_seq=2,
            operations=[op],
        )
        async with self.store.transaction() as tx:
            assert await tx.insert(link)
        return op.id

    async def take(self, side: Side, entity_id: EntityId) -> None:
        """Put an entity into a link of its own."""
        number = next(self._numbers)
        link = Link(
            id=LinkId(f"link{number:022}"),
            integration_id=self.integration.id,
            jira_connection=self.integration.jira_connection,
            craft_connection=self.integration.craft_connection,
            origin=side,
            state=LinkState.ACTIVE,
            created_at=self.clock.now(),
            jira_id=entity_id if side is Side.JIRA else EntityId(f"other-{number}"),
            craft_id=entity_id if side is Side.CRAFT else EntityId(f"other-{number}"),
        )
        async with self.store.transaction() as tx:
            assert await tx.insert(link)

    async def close(self, op_id: OperationId) -> None:
        """End an operation as the mapper does when its outcome came, and join what it created."""
        outcome = self.outcome(op_id)
        async with self.store.transaction() as tx:
            link = await tx.lock_link(LinkId(op_id.split(":", maxsplit=1)[0]))
            assert link is not None
            op = link.open_operation
            assert op is not None
            op.open, op.result, op.done_at, link.op_id = False, outcome.result, self.clock.now(), None
            if outcome.entity_id is not None and op.kind is OperationKind.CREATE:
                link.state = LinkState.ACTIVE
                if op.target is Side.JIRA:
                    link.jira_id = outcome.entity_id
                else:
                    link.craft_id = outcome.entity_id
            await tx.save(link)

    def operation(self, op_id: OperationId) -> Operation:
        """Return an operation as stored."""
        return self.store.tables.operations[op_id]

    def change_operation(self, op_id: OperationId, **columns: Any) -> None:
        """Set columns of a stored operation, as another process might have."""
        self.store.tables.operations[op_id] = replace(self.operation(op_id), **columns)

    # the writers at work

    def command(self, op_id: OperationId) -> WriteCommand:
        """Return the command for an operation."""
        op = self.operation(op_id)
        return WriteCommand(
            op_id=op.id,
            link_id=op.link_id,
            integration_id=self.integration.id,
            target=op.target,
            kind=op.kind,
            revision=op.revision,
        )

    async def attempt(self, op_id: OperationId) -> None:
        """Give the command of an operation to its writer once."""
        await self.writers[self.operation(op_id).target].handle(self.command(op_id))

    async def work(self, op_id: OperationId, *, at_most_s: float = 3_600.0) -> WriteOutcome:
        """Play the clock of open operations until this one has its outcome, which is returned."""
        until = self.clock.monotonic() + at_most_s
        while self.clock.monotonic() < until:
            if self.outcomes(op_id):
                return self.outcomes(op_id)[0]
            for stale in await self.store.stale_operations(self.clock.now(), timedelta(0), 100):
                await self.attempt(stale.operation.id)
            await asyncio.sleep(1)
        raise AssertionError(f"no outcome of {op_id} within {at_most_s} s")

    def outcomes(self, op_id: OperationId) -> list[WriteOutcome]:
        """Return all outcomes of an operation."""
        found = (decode(record).message for record in self.log.records(Topic.OUTCOMES))
        return [each for each in found if isinstance(each, WriteOutcome) and each.op_id == op_id]

    def troubles(self, op_id: OperationId) -> list[Trouble]:
        """Return what was told of attempts without outcome."""
        found = (decode(record).message for record in self.log.records(Topic.OUTCOMES))
        return [each for each in found if isinstance(each, Trouble) and each.op_id == op_id]

    def outcome(self, op_id: OperationId) -> WriteOutcome:
        """Return the one outcome of an operation."""
        found = self.outcomes(op_id)
        assert len(found) == 1, found
        return found[0]

    def sent(self, *methods: str) -> list[HttpRequest]:
        """Return the requests that had their effect, of these methods and not searches."""
        return [
            request
            for _, request, _ in self.done
            if request.method in methods and not request.url.endswith("/search/jql")
        ]


def body(request: HttpRequest) -> Any:
    """Return the JSON of a request."""
    return json.loads(request.body)
