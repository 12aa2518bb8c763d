"""The failures of PROTOCOL section 3 that need the link's row, the intent or the request: each as its trace, by its
number.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest_asyncio

from services.mapper.handlers.mapper import Mapper
from services.mapper.ports import Ports
from shared.domain.clock import SeededDice
from shared.domain.ids import AccountId, ConnectionId, EntityId, IntegrationId, LinkId, OperationId, PairId, Side
from shared.domain.link import Link, LinkState, Result
from shared.domain.mapping import (
    Connection,
    ConnectionKind,
    ConnectionSecrets,
    FieldKind,
    FieldPair,
    Integration,
    Mode,
    Policy,
    TypePair,
)
from shared.fakes.log import MemoryLog
from shared.messages.base import Message
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import SyncStatus
from shared.messages.write import WriteCommand, WriteOutcome
from shared.runtime.envelope import decode
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic
from shared.store.memory import MemoryStore
from shared.store.requests import RequestState
from tests.unit.mapper.harness import START

JIRA, CRAFT = ConnectionId("jira"), ConnectionId("craft")
US, ADA = AccountId("us"), AccountId("ada")
ROOT = EntityId("root")
EPIC, STORY, BUG = "10000", "10001", "10003"


class ManualClock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, delay_s: float) -> None:
        self.at += timedelta(seconds=delay_s)


class Bench:
    """The mapper over an in-memory store and log, with messages made by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.log = MemoryLog(partitions=1)
        dice = SeededDice(1)
        publisher = Publisher(self.log, source="mapper", clock=self.clock, dice=dice)
        self.mapper = Mapper(Ports(self.log, self.store, self.clock, dice), publisher)
        self.number = 0

    async def configure(self, *, key_field: str | None = None, **changes: Any) -> Integration:
        for ident, kind in ((JIRA, ConnectionKind.JIRA_CLOUD), (CRAFT, ConnectionKind.CRAFT)):
            connection = Connection(id=ident, kind=kind, name=ident, url="http://x", account_id=US)
            await self.store.save_connection(connection, ConnectionSecrets(token="t"), 0, "test", self.clock.now())
        draft = Integration(
            id=IntegrationId("i"),
            name="i",
            jira_connection=JIRA,
            craft_connection=CRAFT,
            jira_project="TAN",
            craft_workspace="w",
            craft_root=ROOT,
            craft_key_field=key_field,
            to_jira=Mode.AUTOMATIC,
            policy=Policy.JIRA,
            types=(TypePair(jira=EPIC, craft="epic"), TypePair(jira=STORY, craft="feature")),
            pairs=(
                FieldPair(id=PairId("title"), kind=FieldKind.STRING, jira="summary", craft="title"),
                FieldPair(id=PairId("parent"), kind=FieldKind.PARENT, jira="parent", craft="parent"),
            ),
        ).model_copy(update=changes)
        return await self.store.save_integration(draft, 0, "test", self.clock.now())

    def jira(self, ident: str, title: str, *, kind: str = STORY, by: AccountId = ADA, **more: Any) -> ChangeEvent:
        """Return what a Jira webhook makes of an issue."""
        parent = more.pop("parent", None)
        fields = {
            "summary": title,
            "issuetype": {"id": kind},
            "project": {"key": "TAN"},
            "creator": {"accountId": by},
            "updated": self.clock.now().isoformat(),
            "parent": {"id": parent} if parent else None,
        }
        return self._event(Side.JIRA, ident, {"id": ident, "key": f"TAN-{ident}", "fields": fields}, by, **more)

    def craft(self, ident: str, title: str, *, kind: str = "feature", by: AccountId = ADA, **more: Any) -> ChangeEvent:
        """Return what the feed makes of a Craft item."""
        parent = more.pop("parent", ROOT)
        item = {
            "id": ident,
            "type": kind,
            "workspaceId": "w",
            "title": title,
            "parent": {"id": parent},
            "createdBy": {"id": by},
            "customFields": more.pop("custom", []),
        }
        return self._event(Side.CRAFT, ident, item, None, **more)

    def _event(
        self, side: Side, ident: str, snapshot: dict[str, Any], by: AccountId | None, **more: Any
    ) -> ChangeEvent:
        self.number += 1
        values: dict[str, Any] = {
            "change_id": str(self.number),
            "side": side,
            "connection_id": JIRA if side is Side.JIRA else CRAFT,
            "entity_id": EntityId(ident),
            "kind": ChangeKind.SEEN,
            "origin": Origin.WEBHOOK,
            "observed_at": self.clock.now(),
            "updated": self.clock.now(),
            "snapshot": snapshot,
            "by": by,
        }
        return ChangeEvent(**{**values, **more})

    async def deleted(self, side: Side, ident: str) -> None:
        """Let a webhook tell of a deletion, and the read that follows confirm it."""
        event = (self.jira if side is Side.JIRA else self.craft)(ident, "a").model_copy(
            update={"kind": ChangeKind.DELETED, "snapshot": None, "updated": None}
        )
        await self.mapper.handle(event)
        link = await self.link(side, ident)
        ticket = link.side(side).mark if link is not None else None
        await self.mapper.handle(event.model_copy(update={"origin": Origin.FRESH, "ticket": ticket}))

    def outcome(self, command: WriteCommand, result: Result, **more: Any) -> WriteOutcome:
        """Return what a writer reports."""
        return WriteOutcome(
            op_id=command.op_id,
            link_id=command.link_id,
            target=command.target,
            attempt=1,
            result=result,
            ended_at=self.clock.now(),
            updated=self.clock.now(),
            **more,
        )

    async def created(self, command: WriteCommand, entity_id: str, event: ChangeEvent) -> None:
        """Report that a create made an entity that shows what an event shows."""
        more = {"entity_id": EntityId(entity_id), "snapshot": event.snapshot, "ticket": 0}
        await self.mapper.handle(self.outcome(command, Result.APPLIED, **more))

    async def handle(self, message: Message) -> list[Message]:
        """Handle a message and return what the mapper published because of it."""
        before = await self.published()
        await self.mapper.handle(message)
        after = await self.published()
        for known in before:
            after.remove(known)
        return after

    async def published(self) -> list[Message]:
        """Return everything on the topics, commands first."""
        found: list[Message] = []
        for topic in (Topic.WRITES_JIRA, Topic.WRITES_CRAFT, Topic.REQUESTS, Topic.STATUS):
            self.number += 1
            subscription = await self.log.subscribe(f"test-{self.number}", [topic])
            found += [decode(record).message for record in await subscription.receive(1000, 0.001)]
            await subscription.close()
        return found

    async def commands(self) -> Sequence[WriteCommand]:
        """Return all commands so far."""
        return [message for message in await self.published() if isinstance(message, WriteCommand)]

    async def statuses(self) -> Sequence[SyncStatus]:
        """Return all statuses, oldest first."""
        return [message for message in await self.published() if isinstance(message, SyncStatus)]

    async def link(self, side: Side, ident: str) -> Link | None:
        """Return the link of an entity."""
        async with self.store.transaction() as tx:
            return await tx.lock_entity(side, JIRA if side is Side.JIRA else CRAFT, EntityId(ident))

    async def linked(self) -> tuple[Link, WriteCommand]:
        """Return a link in sync: issue 1 and item 11."""
        await self.mapper.handle(self.jira("1", "a"))
        command = (await self.commands())[-1]
        await self.created(command, "11", self.craft("11", "a", by=US))
        link = await self.link(Side.JIRA, "1")
        assert link is not None
        return link, command

    def request(self, kind: RequestKind, link_id: LinkId | None, **more: Any) -> SyncRequest:
        """Return a person's request."""
        self.number += 1
        values = {"request_id": f"r{self.number}", "requested_by": "ada", "requested_at": self.clock.now()}
        return SyncRequest(**{**values, "kind": kind, "link_id": link_id, **more})


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    yield Bench()


async def test_f1_the_echo_of_a_create_is_never_created_back(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    echo = bench.craft("11", "a", by=US)
    await bench.mapper.handle(echo)  # before the outcome
    commands = await bench.commands()
    assert [c.target for c in commands] == [Side.CRAFT]
    await bench.created(commands[0], "11", echo)
    await bench.mapper.handle(echo)
    assert len(await bench.commands()) == 1
    link = await bench.link(Side.CRAFT, "11")
    assert link is not None
    assert (link.state, link.jira_id) == (LinkState.ACTIVE, "1")


async def test_f1_an_item_of_ours_that_no_create_explains_is_flagged(bench: Bench) -> None:
    await bench.configure()
    echo = bench.craft("99", "a", by=US)
    await bench.mapper.handle(echo)
    await bench.mapper.handle(echo)
    assert await bench.commands() == []
    assert [s["entity_id"] for s in await bench.store.strays(10)] == ["99"]
    await bench.deleted(Side.CRAFT, "99")
    assert await bench.store.strays(10) == []


async def test_f1_an_item_with_the_key_of_an_open_create_is_adopted_at_once(bench: Bench) -> None:
    await bench.configure(key_field="key")
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    await bench.mapper.handle(bench.craft("11", "a", by=US, custom=[{"id": "key", "value": command.link_id}]))
    link = await bench.link(Side.CRAFT, "11")
    assert link is not None
    assert link.state is LinkState.ACTIVE
    twin = bench.craft("12", "a", by=US, custom=[{"id": "key", "value": command.link_id}])
    await bench.mapper.handle(twin)
    assert await bench.link(Side.CRAFT, "12") is None
    assert [s["entity_id"] for s in await bench.store.strays(10)] == ["12"]


async def test_f2_two_changes_before_the_link_exists_make_one_create(bench: Bench) -> None:
    await bench.configure()
    first, second = bench.jira("1", "a"), bench.jira("1", "b")
    outcomes = await asyncio.gather(bench.mapper.handle(first), bench.mapper.handle(second), return_exceptions=True)
    for message, outcome in zip((first, second), outcomes, strict=True):
        if isinstance(outcome, Exception):  # contended: the consumer runs it again
            await bench.mapper.handle(message)
    assert len(await bench.commands()) == 1


async def test_f7_linking_an_entity_that_is_in_a_link_is_refused(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    request = bench.request(
        RequestKind.LINK, None, integration_id=IntegrationId("i"), jira_id=EntityId("1"), craft_id=EntityId("50")
    )
    await bench.mapper.handle(request)
    asked = await bench.store.request(request.request_id)
    assert asked is not None
    assert asked.answer is not None
    assert (asked.answer.state, asked.answer.code) == (RequestState.REFUSED, "being_created")
    assert await bench.link(Side.CRAFT, "50") is None


async def test_f6_linking_two_existing_items_reads_both_afresh_and_agrees_on_nothing(bench: Bench) -> None:
    await bench.configure()
    request = bench.request(
        RequestKind.LINK, None, integration_id=IntegrationId("i"), jira_id=EntityId("1"), craft_id=EntityId("50")
    )
    await bench.mapper.handle(request)
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert link.jira.dirty
    assert link.craft.dirty
    fresh: dict[str, Any] = {"origin": Origin.FRESH}
    await bench.mapper.handle(bench.jira("1", "one", ticket=link.jira.mark, **fresh))
    await bench.mapper.handle(bench.craft("50", "two", ticket=link.craft.mark, **fresh))
    command = (await bench.commands())[-1]
    assert (command.target, command.fields) == (Side.CRAFT, {"title": "one"})


async def test_f9_a_change_while_an_operation_is_open_is_decided_after_its_outcome(bench: Bench) -> None:
    await bench.configure()
    link, _ = await bench.linked()
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "c"))
    commands = await bench.commands()
    assert [c.fields for c in commands[1:]] == [{"title": "b"}]
    done = bench.outcome(commands[-1], Result.APPLIED, snapshot=bench.craft("11", "b").snapshot, ticket=link.craft.mark)
    await bench.mapper.handle(done)
    assert [c.fields for c in (await bench.commands())[1:]] == [{"title": "b"}, {"title": "c"}]


async def test_f16_the_revision_is_read_in_the_deciding_transaction(bench: Bench) -> None:
    integration = await bench.configure()
    await bench.linked()
    renamed = integration.pairs[0].model_copy(update={"policy": Policy.CRAFT})
    draft = integration.model_copy(update={"pairs": (renamed, integration.pairs[1])})
    await bench.store.save_integration(draft, integration.revision, "test", bench.clock.now())
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    command = (await bench.commands())[-1]
    assert command.revision == 2


async def test_f20_an_event_of_an_unsynced_item_creates_nothing(bench: Bench) -> None:
    await bench.configure()
    link, _ = await bench.linked()
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, link.id))
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    assert len(await bench.commands()) == 1


async def test_f20_a_late_event_of_a_deleted_item_creates_nothing(bench: Bench) -> None:
    await bench.configure()
    await bench.linked()
    late = bench.jira("1", "b")
    await bench.deleted(Side.JIRA, "1")
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(late)
    assert len(await bench.commands()) == 1
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert link.state is LinkState.GONE


async def test_f21_a_child_waits_for_its_parent_and_follows_by_itself(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("2", "child", parent="1"))
    child = await bench.link(Side.JIRA, "2")
    assert child is not None
    assert (child.state, child.waits_for) == (LinkState.WAITING, "1")
    await bench.mapper.handle(bench.jira("1", "parent", kind=EPIC))
    command = (await bench.commands())[-1]
    shown = bench.craft("11", "parent", kind="epic", by=US)
    woken = await bench.handle(
        bench.outcome(command, Result.APPLIED, entity_id=EntityId("11"), snapshot=shown.snapshot, ticket=0)
    )
    request = next((message for message in woken if isinstance(message, SyncRequest)), None)
    assert request is not None
    assert request.link_id == child.id
    await bench.mapper.handle(request)
    follow = (await bench.commands())[-1]
    assert follow.fields == {"title": "child", "parent": "11"}


async def test_an_unmapped_type_says_so_and_follows_when_it_is_mapped(bench: Bench) -> None:
    integration = await bench.configure()
    said = await bench.handle(bench.jira("3", "bug", kind=BUG))
    status = next(message for message in said if isinstance(message, SyncStatus))
    assert status.cause == "type_not_mapped"
    assert BUG in status.message
    draft = integration.model_copy(update={"types": (*integration.types, TypePair(jira=BUG, craft="feature"))})
    await bench.store.save_integration(draft, integration.revision, "test", bench.clock.now())
    link = await bench.link(Side.JIRA, "3")
    assert link is not None
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert (await bench.commands())[-1].fields == {"title": "bug", "parent": "root"}


async def test_a_late_outcome_of_an_ended_operation_ends_nothing(bench: Bench) -> None:
    await bench.configure()
    link, first = await bench.linked()
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    await bench.mapper.handle(bench.outcome(first, Result.REJECTED, message="too late"))
    now = await bench.link(Side.JIRA, "1")
    assert now is not None
    assert now.op_id == OperationId(f"{link.id}:2")


async def test_a_rejected_create_names_the_vendors_words_and_a_new_value_is_tried(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    await bench.mapper.handle(bench.outcome(command, Result.REJECTED, message="Title is taken"))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert link.state is LinkState.EXCLUDED
    assert "Title is taken" in (link.reason_text or "")
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert len(await bench.commands()) == 1
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    assert len(await bench.commands()) == 2


async def test_a_connection_that_is_down_pauses_writes_and_they_go_on_by_themselves(bench: Bench) -> None:
    await bench.configure()
    await bench.linked()
    await bench.store.set_connection_paused(CRAFT, "The API key was refused.")
    bench.clock.at += timedelta(seconds=5)
    said = await bench.handle(bench.jira("1", "b"))
    status = next(message for message in said if isinstance(message, SyncStatus))
    assert (status.state, status.cause) == ("paused", "connection_paused")
    assert len(await bench.commands()) == 1
    await bench.store.set_connection_paused(CRAFT, None)
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert (await bench.commands())[-1].fields == {"title": "b"}


async def test_a_create_waits_for_a_connection_as_a_state_and_not_as_operations(bench: Bench) -> None:
    """However long it is down, nothing is added to the ledger, and people read why the item is not created."""
    await bench.configure()
    await bench.store.set_connection_paused(CRAFT, "The API key was refused.")
    said = await bench.handle(bench.jira("1", "a"))
    status = next(message for message in said if isinstance(message, SyncStatus))
    assert (status.state, status.cause) == ("paused", "connection_paused")
    assert "The API key was refused." in status.message
    for number in range(5):
        bench.clock.at += timedelta(hours=1)
        await bench.mapper.handle(bench.jira("1", f"a{number}"))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert await bench.commands() == []
    assert link.operations == []
    await bench.store.set_connection_paused(CRAFT, None)
    found = await bench.store.due_links(bench.clock.at, timedelta(minutes=1), 10)
    assert [due.link_id for due in found] == [link.id], "found by its state, without a message"
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert [command.fields["title"] for command in await bench.commands()] == ["a4"]


async def test_a_create_that_was_put_off_when_its_connection_broke_waits_as_a_state_too(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    await bench.store.set_connection_paused(CRAFT, "The API key was refused.")
    not_before = bench.clock.at + timedelta(seconds=10)
    await bench.mapper.handle(bench.outcome(command, Result.DEFERRED, message="refused", not_before=not_before))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    for _ in range(5):
        bench.clock.at += timedelta(seconds=11)
        await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert len(await bench.commands()) == 1
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert (link.state, link.reason) == (LinkState.PAUSED, "connection_paused")
