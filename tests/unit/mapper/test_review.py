"""Laws of the sync core at the edges of its states: what a review of the protocol, sentence by sentence, found to
fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from services.mapper.domain.observation import Observation
from services.mapper.domain.outcome import end_operation
from services.mapper.domain.record import open_conflict
from services.mapper.domain.requests import carry_out, resync
from services.mapper.domain.status import describe
from shared.domain.ids import EntityId, IntegrationId, OperationId, PairId, Side
from shared.domain.link import LinkState, Operation, OperationKind, Overwritten, Result
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Mode, Policy, TypePair, next_revision
from shared.messages.change import ChangelogEntry, ChangelogItem, Origin
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.messages.write import WriteCommand, WriteOutcome
from tests.unit.mapper.harness import ADA, START, TITLE, US, World, title_integration
from tests.unit.mapper.test_protocol_failures_handlers import BUG, Bench

POINTS = PairId("points")
SOON = timedelta(seconds=5)
INTEGRATION = IntegrationId("i")


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    yield Bench()


async def revise(bench: Bench, integration: Integration, **changes: Any) -> Integration:
    draft = integration.model_copy(update=changes)
    return await bench.store.save_integration(draft, integration.revision, "test", bench.clock.now())


async def saved(bench: Bench, ident: str = "1") -> Any:
    link = await bench.link(Side.JIRA, ident)
    assert link is not None
    return link


def status_of(messages: list[Any]) -> SyncStatus:
    return next(message for message in messages if isinstance(message, SyncStatus))


async def last_command(bench: Bench, target: Side) -> WriteCommand:
    return [command for command in await bench.commands() if command.target is target][-1]


# ---- gone, ask, unsynced: states that only a person leaves, and that a person can leave


async def test_an_item_that_was_deleted_while_its_counterpart_was_created_stays_gone(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    await bench.deleted(Side.JIRA, "1")
    await bench.created(command, "11", bench.craft("11", "a", by=US))
    link = await saved(bench)
    assert (link.state, link.craft_id) == (LinkState.GONE, "11")


async def test_an_item_found_by_its_key_after_its_source_was_deleted_leaves_the_link_gone(bench: Bench) -> None:
    await bench.configure(key_field="key")
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    await bench.deleted(Side.JIRA, "1")
    await bench.mapper.handle(bench.craft("11", "a", by=US, custom=[{"id": "key", "value": command.link_id}]))
    link = await saved(bench)
    assert (link.state, link.craft_id) == (LinkState.GONE, "11")


async def ask(bench: Bench) -> Any:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    found = (EntityId("11"), EntityId("12"))
    await bench.mapper.handle(bench.outcome(command, Result.MOVED, ambiguous=found, message="two"))
    link = await saved(bench)
    assert link.state is LinkState.ASK
    return link


def link_request(bench: Bench, jira: str, craft: str) -> SyncRequest:
    return bench.request(
        RequestKind.LINK, None, integration_id=INTEGRATION, jira_id=EntityId(jira), craft_id=EntityId(craft)
    )


async def test_a_person_can_adopt_one_of_the_items_that_may_be_the_counterpart(bench: Bench) -> None:
    link = await ask(bench)
    await bench.mapper.handle(link_request(bench, "1", "11"))
    now = await saved(bench)
    assert (now.id, now.state, now.craft_id) == (link.id, LinkState.ACTIVE, "11")
    assert now.jira.dirty
    assert now.craft.dirty


async def test_a_person_can_have_a_new_counterpart_created_instead(bench: Bench) -> None:
    link = await ask(bench)
    await bench.mapper.handle(bench.request(RequestKind.RETRY, link.id))
    assert len(await bench.commands()) == 2
    assert (await saved(bench)).state is LinkState.CREATING


async def test_linking_the_same_two_items_twice_is_linking_them_once(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(link_request(bench, "1", "50"))
    await bench.mapper.handle(link_request(bench, "1", "50"))
    assert (await saved(bench)).state is LinkState.ACTIVE


async def test_an_item_that_came_back_before_it_had_a_counterpart_gets_one_by_resync(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("2", "child", parent="1"))
    await bench.deleted(Side.JIRA, "2")
    bench.clock.at += SOON
    link = await saved(bench, "2")
    assert link.state is LinkState.GONE
    await bench.mapper.handle(bench.request(RequestKind.RESYNC, link.id))
    link = await saved(bench, "2")
    assert link.jira.dirty
    assert await bench.commands() == []  # first it is read: it may still be deleted
    await bench.mapper.handle(bench.jira("2", "child", origin=Origin.FRESH, ticket=link.jira.mark))
    assert [c.fields["title"] for c in await bench.commands()] == ["child"]


async def test_a_write_that_was_open_at_unsync_is_not_carried_out_at_resync(bench: Bench) -> None:
    await bench.configure()
    link, _ = await bench.linked()
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "b"))
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, link.id))
    await bench.mapper.handle(bench.request(RequestKind.RESYNC, link.id))
    stale = (await saved(bench)).op_id
    assert stale is None
    assert await bench.store.claim(OperationId(f"{link.id}:2"), "w", SOON) is None


def test_resync_keeps_what_a_write_of_ours_had_replaced() -> None:
    world = World()
    world.link.craft.pair(TITLE).overwritten = Overwritten("mine")
    resync(world.link, world.ctx)
    assert "mine" in {note.value for note in world.link.new_history}


async def test_a_late_report_of_an_ended_create_joins_what_it_made(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    command = (await bench.commands())[0]
    wait = {"not_before": bench.clock.now() + timedelta(hours=1)}
    await bench.mapper.handle(bench.outcome(command, Result.DEFERRED, message="busy", **wait))
    await bench.created(command, "11", bench.craft("11", "a", by=US))
    link = await saved(bench)
    assert (link.state, link.craft_id) == (LinkState.ACTIVE, "11")


# ---- revisions


async def test_a_pair_that_is_added_to_the_mapping_is_read(bench: Bench) -> None:
    integration = await bench.configure()
    link, _ = await bench.linked()
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "a", origin=Origin.FRESH, ticket=link.jira.mark))
    assert (await saved(bench)).jira.read_whole
    points = FieldPair(id=POINTS, kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    await revise(bench, integration, pairs=(*integration.pairs, points))
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    now = await saved(bench)
    assert now.jira.dirty
    assert now.craft.dirty


async def test_what_was_seen_of_another_field_counts_for_nothing_once_a_pair_is_remapped(bench: Bench) -> None:
    integration = await bench.configure(policy=Policy.ASK)
    link, _ = await bench.linked()
    title = integration.pairs[0].model_copy(update={"jira": "customfield_1"})
    await revise(bench, integration, pairs=(title, integration.pairs[1]))
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    now = await saved(bench)
    assert now.jira.dirty
    bench.clock.at += SOON
    for side, ticket in ((Side.JIRA, now.jira.mark), (Side.CRAFT, now.craft.mark)):
        event = bench.jira("1", "a") if side is Side.JIRA else bench.craft("11", "a", by=US)
        shown = dict(event.snapshot or {})
        if side is Side.JIRA:
            shown["fields"] = {**shown["fields"], "customfield_1": "other"}
        fresh = event.model_copy(update={"snapshot": shown, "origin": Origin.FRESH, "ticket": ticket})
        await bench.mapper.handle(fresh)
    now = await saved(bench)
    note = now.open_conflicts[PairId("title")]
    assert (note.jira_value, note.craft_value) == ("other", "a")


def test_a_conflict_over_a_pair_that_is_no_longer_mapped_ends() -> None:
    world = conflicting(World())
    points = FieldPair(id=POINTS, kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    world.integration = next_revision(world.integration, world.integration.model_copy(update={"pairs": (points,)}))
    world.decide()
    assert world.link.open_conflicts == {}


def test_a_conflict_over_a_pair_that_became_one_way_ends_by_its_direction() -> None:
    world = conflicting(World())
    pair = world.integration.pairs[0].model_copy(update={"direction": Direction.TO_CRAFT})
    world.integration = next_revision(world.integration, world.integration.model_copy(update={"pairs": (pair,)}))
    world.settle()
    assert world.link.open_conflicts == {}
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}


async def test_an_item_that_waits_is_not_created_once_its_direction_is_off(bench: Bench) -> None:
    integration = await bench.configure()
    await bench.mapper.handle(bench.jira("3", "bug", kind=BUG))
    link = await saved(bench, "3")
    types = (*integration.types, TypePair(jira=BUG, craft="feature"))
    off = await revise(bench, integration, types=types, to_craft=Mode.OFF)
    said = await bench.handle(bench.request(RequestKind.DECIDE, link.id))
    assert await bench.commands() == []
    assert status_of(said).cause is Cause.DIRECTION_OFF
    await revise(bench, off, to_craft=Mode.AUTOMATIC)
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert len(await bench.commands()) == 1


# ---- conflicts and what is on record


def conflicting(world: World) -> World:
    world.tick()
    world.link.not_before = world.now + timedelta(seconds=1)
    world.deliver(world.edit(Side.JIRA, "1"))
    world.deliver(world.edit(Side.CRAFT, "2"))
    world.tick(2)
    world.decide()
    return world


def test_an_open_conflict_shows_the_values_that_are_there_now() -> None:
    world = conflicting(World())
    world.tick()
    world.deliver(world.edit(Side.JIRA, "3"))
    note = world.link.open_conflicts[TITLE]
    assert (note.jira_value, note.craft_value) == ("3", "2")


def test_a_conflict_is_recorded_once_however_often_its_write_is_put_off() -> None:
    world = conflicting(World(title_integration(Policy.JIRA)))
    for _ in range(3):
        op = world.link.open_operation
        assert op is not None
        put_off(world, op)
        world.tick(60)
        world.decide()
    assert len(world.link.new_conflicts) == 1


def put_off(world: World, op: Operation) -> None:
    outcome = WriteOutcome(
        op_id=op.id,
        link_id=world.link.id,
        target=op.target,
        attempt=1,
        result=Result.DEFERRED,
        ended_at=world.now,
        not_before=world.now + timedelta(seconds=30),
    )
    end_operation(world.link, op, outcome, world.ctx)


def test_a_conflict_is_recorded_once_although_another_field_has_to_be_read_first() -> None:
    integration = title_integration(Policy.JIRA)
    points = FieldPair(id=POINTS, kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    world = World(integration)
    world.integration = integration.model_copy(update={"pairs": (*integration.pairs, points)})
    world.link.jira.read_whole = world.link.craft.read_whole = False
    conflicting(world)
    for side in Side:
        world.fresh_read(side)
    assert world.link.open_operation is not None
    assert len(world.link.new_conflicts) == 1


def test_what_a_one_way_pair_replaces_at_its_first_write_is_in_the_history() -> None:
    world = World(title_integration(Policy.JIRA, Direction.TO_CRAFT))
    world.holds = {Side.JIRA: "1", Side.CRAFT: "2"}
    world.at = dict.fromkeys(Side, START + timedelta(seconds=1))
    resync(world.link, world.ctx)
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert "2" in world.kept


def test_choosing_the_kept_value_forgets_nothing_else() -> None:
    world = World()
    request = SyncRequest(
        request_id="r",
        kind=RequestKind.RESOLVE,
        requested_by="ada",
        requested_at=world.now,
        link_id=world.link.id,
        pair=TITLE,
        winner=Side.CRAFT,
    )
    open_conflict(world.link, world.ctx, world.integration.pairs[0], Side.CRAFT, "kept")
    world.link.craft.pair(TITLE).overwritten = Overwritten("pending")
    carry_out(world.link, request, world.ctx)
    world.settle()
    assert world.holds == {Side.JIRA: "kept", Side.CRAFT: "kept"}
    assert "pending" in world.kept


# ---- refusals


def test_a_refusal_is_forgotten_once_the_refused_value_is_gone() -> None:
    world = World()
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    world.report(op, Result.REJECTED)
    assert describe(world.link, world.ctx).state is DisplayState.BLOCKED
    world.tick()
    world.deliver(world.edit(Side.JIRA, "0"))
    world.settle()
    assert describe(world.link, world.ctx).state is DisplayState.IN_SYNC


def test_a_refused_restore_of_a_late_effect_is_not_tried_again_and_says_so() -> None:
    world = World()
    restore = late_effect(world)
    assert restore.kind is OperationKind.RESTORE
    world.tick()
    assert world.report(restore, Result.REJECTED) is None
    assert describe(world.link, world.ctx).state is DisplayState.BLOCKED
    world.tick()
    world.deliver(world.edit(Side.CRAFT, "5"))
    world.settle()
    assert world.holds == {Side.JIRA: "5", Side.CRAFT: "5"}
    assert describe(world.link, world.ctx).state is DisplayState.IN_SYNC


def late_effect(world: World) -> Operation:
    world.tick()
    first = world.deliver(world.edit(Side.JIRA, "1"))
    assert first is not None
    first.attempts = 2
    world.tick()
    world.perform(first)
    world.tick()
    second = world.deliver(world.edit(Side.JIRA, "2"))
    assert second is not None
    world.tick()
    world.perform(second)
    world.tick()
    world.land(first)
    restore = world.deliver(world.seen[-1])
    assert restore is not None
    return restore


async def test_a_person_who_types_the_title_of_the_create_again_is_not_undone(bench: Bench) -> None:
    await bench.configure()
    _, create = await bench.linked()
    link = await saved(bench)
    op = bench.store.tables.operations[create.op_id]
    op.attempts = 3  # it was looked for twice
    for title in ("b", "a"):
        bench.clock.at += SOON
        await bench.mapper.handle(bench.craft("11", title, by=US))
        command = await last_command(bench, Side.JIRA)
        assert (command.kind, command.fields) == (OperationKind.WRITE, {"title": title})
        bench.clock.at += SOON
        shown = bench.jira("1", title, by=US).snapshot
        ticket = (await saved(bench)).jira.mark
        await bench.mapper.handle(bench.outcome(command, Result.APPLIED, snapshot=shown, ticket=ticket))
    assert link.id == (await saved(bench)).id


def test_a_number_that_a_changelog_shows_in_words_stops_nothing() -> None:
    points = FieldPair(id=POINTS, kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    integration = title_integration()
    world = World(integration.model_copy(update={"pairs": (*integration.pairs, points)}))
    world.tick()
    world.deliver(Observation(Side.JIRA, {TITLE: "0", POINTS: 1}, world.now))
    world.deliver(Observation(Side.CRAFT, {TITLE: "0", POINTS: 1}, world.now))
    world.tick()
    op = world.deliver(Observation(Side.CRAFT, {TITLE: "0", POINTS: 3}, world.now))
    assert op is not None
    item = ChangelogItem(field="points", old=None, old_label="1,5", new=None, new_label="3")
    entry = ChangelogEntry(id="1", at=world.now, by=US, op=op.id, items=(item,))
    world.deliver(Observation(Side.JIRA, {TITLE: "0", POINTS: 3}, world.now, account=US, changelog=(entry,)))


def test_a_retry_looks_again_for_a_field_that_was_not_visible() -> None:
    points = FieldPair(id=POINTS, kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    integration = title_integration()
    world = World(integration.model_copy(update={"pairs": (*integration.pairs, points)}))
    world.tick()
    world.deliver(Observation(Side.JIRA, {POINTS: 1}, world.now))
    assert describe(world.link, world.ctx).cause is Cause.FIELD_NOT_VISIBLE
    request = SyncRequest(
        request_id="r", kind=RequestKind.RETRY, requested_by="ada", requested_at=world.now, link_id=world.link.id
    )
    carry_out(world.link, request, world.ctx)
    world.decide()
    assert world.link.craft.dirty


# ---- creates


async def test_a_default_of_the_new_counterpart_is_no_conflict(bench: Bench) -> None:
    points = FieldPair(id=POINTS, kind=FieldKind.NUMBER, jira="points", craft="storyPoints")
    title = FieldPair(id=PairId("title"), kind=FieldKind.STRING, jira="summary", craft="title")
    await bench.configure(policy=Policy.ASK, pairs=(title, points))
    event = bench.jira("1", "a")
    shown = {**(event.snapshot or {})}
    shown["fields"] = {**shown["fields"], "points": None}
    await bench.mapper.handle(event.model_copy(update={"snapshot": shown}))
    command = (await bench.commands())[0]
    assert command.fields == {"title": "a"}
    item = bench.craft("11", "a", by=US)
    filled = item.model_copy(update={"snapshot": {**(item.snapshot or {}), "storyPoints": 1}})
    await bench.created(command, "11", filled)
    link = await saved(bench)
    assert link.open_conflicts == {}
    assert (await last_command(bench, Side.JIRA)).fields == {"points": 1}


async def test_an_item_of_which_only_a_part_was_shown_is_read_before_it_is_created(bench: Bench) -> None:
    await bench.configure(policy=Policy.ASK)
    event = bench.jira("1", "a", parent="9")
    shown = {**(event.snapshot or {})}
    shown["fields"] = {name: shown["fields"][name] for name in ("summary", "issuetype", "project")}
    await bench.mapper.handle(event.model_copy(update={"snapshot": shown}))
    assert await bench.commands() == []
    link = await saved(bench)
    assert link.jira.dirty
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "a", origin=Origin.FRESH, ticket=link.jira.mark))
    assert len(await bench.commands()) == 1


# ---- nothing stays for ever


async def test_a_create_ends_with_its_source_so_that_no_other_waits_for_it(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    first = (await bench.commands())[0]
    assert await bench.store.claim(first.op_id, "w", SOON) is not None
    await bench.deleted(Side.JIRA, "1")
    assert not await bench.store.still_owner(first.op_id, "w")
    await bench.mapper.handle(bench.jira("2", "a"))
    second = (await bench.commands())[-1]
    assert await bench.store.open_twins(second.op_id) == []


async def test_unsync_ends_the_open_write(bench: Bench) -> None:
    await bench.configure()
    link, _ = await bench.linked()
    bench.clock.at += SOON
    await bench.mapper.handle(bench.jira("1", "b"))
    await bench.mapper.handle(bench.request(RequestKind.UNSYNC, link.id))
    assert (await saved(bench)).op_id is None
    assert (await bench.store.census()).open_operations == {}


def test_a_write_whose_answer_showed_nothing_is_no_late_effect() -> None:
    world = World()
    world.tick()
    edit = world.edit(Side.CRAFT, "1")
    world.deliver(Observation(Side.JIRA, {TITLE: "0"}, world.now, account=ADA))
    op = world.deliver(edit)
    assert op is not None
    world.tick()
    world.land(op)
    blind = WriteOutcome(
        op_id=op.id, link_id=world.link.id, target=op.target, attempt=1, result=Result.APPLIED, ended_at=world.now
    )
    end_operation(world.link, op, blind, world.ctx)
    world.decide()
    world.settle()
    assert world.holds == {Side.JIRA: "1", Side.CRAFT: "1"}
    assert len(world.link.operations) == 1


def test_a_write_that_was_under_way_at_unsync_and_lands_after_resync_is_not_spread() -> None:
    world = World(title_integration(Policy.CRAFT))
    world.tick()
    op = world.deliver(world.edit(Side.JIRA, "1"))
    assert op is not None
    op.attempts = 1
    for kind in (RequestKind.UNSYNC, RequestKind.RESYNC):
        carry_out(world.link, person(world, kind), world.ctx)
    world.tick()
    world.holds[Side.JIRA] = world.holds[Side.CRAFT] = "2"
    world.at = dict.fromkeys(Side, world.now)
    world.settle()
    world.tick()
    world.land(op)
    world.deliver(world.seen[-1])
    world.settle()
    assert world.holds == {Side.JIRA: "2", Side.CRAFT: "2"}


def person(world: World, kind: RequestKind) -> SyncRequest:
    return SyncRequest(request_id="r", kind=kind, requested_by="ada", requested_at=world.now, link_id=world.link.id)


async def test_a_resync_asks_for_reads_of_its_own_where_a_side_was_unsure_before(bench: Bench) -> None:
    await bench.configure()
    link, _ = await bench.linked()
    for wait in (SOON, timedelta(minutes=5)):
        bench.clock.at += wait
        await bench.mapper.handle(bench.request(RequestKind.RESYNC, link.id))
    assert {side: (await saved(bench)).side(side).dirty_since for side in Side} == dict.fromkeys(Side, bench.clock.at)
