"""The clocks of PROTOCOL: what nobody works on is brought forward again, by state alone (F9, F10, F21)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.reconciler.settings import ReconcilerSettings
from shared.domain.link import Link, LinkState
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.write import WriteCommand
from shared.observability.metrics import REGISTRY
from shared.runtime.topics import Topic
from tests.unit.reconciler.world import World, on_virtual_time


@on_virtual_time
async def test_an_open_operation_that_nobody_leased_is_commanded_again_after_5_s_and_then_every_5_s() -> None:
    world = World()
    await world.configure()
    op = await world.open_operation(await world.link(jira_id="10001", craft_id="7"))
    async with world.running():
        await asyncio.sleep(4.5)
        assert world.messages(Topic.WRITES_CRAFT) == []
        await world.until(lambda: len(world.messages(Topic.WRITES_CRAFT)) == 1, 3)
        await asyncio.sleep(21)
    commands = [m for m in world.messages(Topic.WRITES_CRAFT) if isinstance(m, WriteCommand)]
    assert {c.op_id for c in commands} == {op.id}
    assert commands[0].fields == {"title": "new"}
    assert 4 <= len(commands) <= 6


@on_virtual_time
async def test_a_leased_operation_is_left_alone_until_its_lease_is_over() -> None:
    world = World()
    await world.configure()
    op = await world.open_operation(await world.link(jira_id="10001", craft_id="7"))
    assert await world.store.claim(op.id, "writer", timedelta(seconds=90))
    async with world.running():
        await asyncio.sleep(85)
        assert world.messages(Topic.WRITES_CRAFT) == []
        await world.until(lambda: len(world.messages(Topic.WRITES_CRAFT)) == 1, 10)


@on_virtual_time
async def test_a_link_whose_time_has_come_is_looked_at_again() -> None:
    world = World()
    await world.configure()
    later = world.clock.now() + timedelta(seconds=20)
    link = await world.link(jira_id="10001", craft_id="7", not_before=later)
    async with world.running():
        await asyncio.sleep(19)
        assert world.messages(Topic.REQUESTS) == []
        await world.until(lambda: len(world.messages(Topic.REQUESTS)) == 1, 5)
    (request,) = world.messages(Topic.REQUESTS)
    assert isinstance(request, SyncRequest)
    assert (request.kind, request.requested_by, request.link_id) == (RequestKind.DECIDE, "clock", link.id)


@on_virtual_time
async def test_a_child_that_waits_for_its_parent_is_looked_at_every_minute() -> None:
    world = World()
    await world.configure()
    await world.link(jira_id="10001", state=LinkState.WAITING, waits_for="10000")
    async with world.running():
        await asyncio.sleep(200)
    assert len(world.messages(Topic.REQUESTS)) == 3


@on_virtual_time
async def test_nothing_is_lost_while_the_log_is_away() -> None:
    world = World()
    await world.configure()
    link = await world.link(jira_id="10001", craft_id="7", not_before=world.clock.now())
    op = await world.open_operation(await world.link(jira_id="10002", craft_id="8"))
    async with world.running():
        world.log.available = False
        await asyncio.sleep(30)
        world.log.available = True
        await world.until(lambda: bool(world.messages(Topic.WRITES_CRAFT) and world.messages(Topic.REQUESTS)), 70)
    (command, *_) = world.messages(Topic.WRITES_CRAFT)
    assert isinstance(command, WriteCommand)
    assert command.op_id == op.id
    assert {m.link_id for m in world.messages(Topic.REQUESTS) if isinstance(m, SyncRequest)} == {link.id}


@on_virtual_time
async def test_links_decided_under_an_older_revision_are_decided_again() -> None:
    world = World()
    await world.configure()
    link = await world.link(jira_id="10001", craft_id="7")
    async with world.running():
        await asyncio.sleep(10)
        assert world.messages(Topic.REQUESTS) == []
        await world.store.save_integration(world.integration, 1, "test", world.clock.now())
        await world.until(lambda: len(world.messages(Topic.REQUESTS)) == 1, 5)

        def decided(found: Link) -> None:
            found.revision_seen = 2

        await world.change(link.id, decided)
        await asyncio.sleep(30)
    assert len(world.messages(Topic.REQUESTS)) == 1


@on_virtual_time
async def test_of_two_revisions_saved_one_after_the_other_each_is_decided_within_seconds() -> None:
    world = World()
    await world.configure()
    await world.link(jira_id="10001", craft_id="7")
    async with world.running():
        for revision in (1, 2, 3):
            count = len(world.messages(Topic.REQUESTS))
            await world.store.save_integration(world.integration, revision, "test", world.clock.now())
            await world.until(lambda count=count: len(world.messages(Topic.REQUESTS)) > count, 2)  # type: ignore[misc]


def test_the_default_intervals_are_those_of_the_protocol() -> None:
    fields = ReconcilerSettings.model_fields
    defaults = {name: fields[name].default for name in ("unclaimed_after_s", "fresh_again_s", "feed_interval_s")}
    assert defaults == {"unclaimed_after_s": 5.0, "fresh_again_s": 10.0, "feed_interval_s": 5.0}


@on_virtual_time
async def test_ledgers_are_rid_of_old_operations_some_links_at_a_time_and_not_a_moment_early() -> None:
    world = World()
    await world.configure()
    for number in range(3):
        await world.closed_operations(await world.link(jira_id=f"1000{number}", craft_id=f"{number}"), 25)
    before = REGISTRY.get_sample_value("tandem_operations_pruned_total") or 0.0
    await asyncio.sleep(24 * 3_600 - 30)
    async with world.running(prune_interval_s=10, prune_links=1):
        await asyncio.sleep(25)
        assert len(world.store.tables.operations) == 75
        await world.until(lambda: len(world.store.tables.operations) == 60, 20)
    assert (REGISTRY.get_sample_value("tandem_operations_pruned_total") or 0.0) - before == 15
