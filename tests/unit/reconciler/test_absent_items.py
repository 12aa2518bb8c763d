"""Items that are hidden, archived or moved out of sight, through the stand-ins, with all services but the gateway.

Jira answers 404 for what was deleted and for what our account may not see; the status says which it is as far as that
is known, and what shows again goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sandbox.jira.site import SYNC_EMAIL
from services.craft_writer import bootstrap as craft_writer
from services.craft_writer.ports import Ports as CraftWriterPorts
from services.craft_writer.settings import CraftWriterSettings
from services.jira_writer import bootstrap as jira_writer
from services.jira_writer.ports import Ports as JiraWriterPorts
from services.jira_writer.settings import JiraWriterSettings
from services.mapper import bootstrap as mapper
from services.mapper.ports import Ports as MapperPorts
from services.mapper.settings import MapperSettings
from shared.domain.clock import SeededDice
from shared.domain.ids import EntityId, Side
from shared.domain.link import Link, LinkState
from shared.messages.status import Cause, SyncStatus
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time

SOON: dict[str, Any] = {"absent_interval_s": 5.0, "absent_again_s": 10.0, "id_sweep_interval_s": 20.0}
_COMMON: dict[str, Any] = {
    "kafka_bootstrap": "test:9092",
    "database_url": "postgresql://test/test",
    "secret_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


@asynccontextmanager
async def all_services(world: World) -> AsyncIterator[None]:
    """Run everything between the vendors, but for the gateway: what changes is found by the feeds."""
    log, store, clock = world.log, world.store, world.clock
    stop = asyncio.Event()
    vendors = (log, store, store, store, store, world.transport, clock, SeededDice(3))
    services = [
        mapper.wire(MapperSettings(**_COMMON), MapperPorts(log, store, clock, SeededDice(4))),
        jira_writer.wire(JiraWriterSettings(**_COMMON, instance="j"), JiraWriterPorts(*vendors)),
        craft_writer.wire(CraftWriterSettings(**_COMMON, instance="c"), CraftWriterPorts(*vendors)),
    ]
    async with world.running(**SOON), asyncio.TaskGroup() as tasks:
        for service in services:
            tasks.create_task(service.run(stop))
        yield
        stop.set()


async def linked(world: World) -> tuple[str, Link]:
    """Return an issue with its counterpart."""
    issue = world.ada_jira.create_issue(PROJECT, "One", type="Story")
    await world.until(lambda: has_counterpart(world, issue), 120)
    return issue, await link_of(world, issue)


async def has_counterpart(world: World, issue: str) -> bool:
    link_id = await world.store.find_link(Side.JIRA, EntityId(issue))
    view = await world.store.link_view(link_id) if link_id is not None else None
    return view is not None and view.link.state is LinkState.ACTIVE and not view.link.jira.dirty


async def link_of(world: World, issue: str) -> Link:
    link_id = await world.store.find_link(Side.JIRA, EntityId(issue))
    view = await world.store.link_view(link_id) if link_id is not None else None
    assert view is not None
    return view.link


async def status_of(world: World, issue: str) -> SyncStatus:
    view = await world.store.link_view((await link_of(world, issue)).id)
    assert view is not None
    assert view.status is not None
    return view.status


async def in_state(world: World, issue: str, state: LinkState) -> bool:
    return (await link_of(world, issue)).state is state


def title_in_jira(world: World, issue: str) -> str:
    fields: Any = world.ada_jira.read(issue)["fields"]
    return str(fields["summary"])


def title_in_craft(world: World, link: Link) -> str:
    return str(world.ada_craft.read(str(link.craft_id))["title"])


@on_virtual_time
async def test_a_hidden_issue_is_said_to_be_hidden_and_goes_on_when_it_shows_again() -> None:
    world = World()
    await world.configure()
    async with all_services(world):
        issue, link = await linked(world)
        world.jira.hide_issue(issue, SYNC_EMAIL)
        await world.until(lambda: in_state(world, issue, LinkState.ABSENT), 120)
        shown = await status_of(world, issue)
        assert (shown.state, shown.cause) == ("absent", Cause.HIDDEN)
        assert "hidden from the account" in shown.message
        world.ada_jira.edit(issue, summary="edited while it was hidden")
        await asyncio.sleep(60)
        assert title_in_craft(world, link) == "One"
        world.jira.show_issue(issue)
        await world.until(lambda: title_in_craft(world, link) == "edited while it was hidden", 120)
        await world.until(lambda: in_state(world, issue, LinkState.ACTIVE), 120)


@on_virtual_time
async def test_an_archived_issue_is_said_to_be_archived_and_goes_on_when_it_is_restored() -> None:
    world = World()
    await world.configure()
    async with all_services(world):
        issue, link = await linked(world)
        world.jira.archive_issue(issue)
        await world.until(lambda: in_state(world, issue, LinkState.ABSENT), 120)
        assert (await status_of(world, issue)).cause is Cause.ARCHIVED
        world.ada_craft.edit(str(link.craft_id), title="edited in Craft.io")
        await asyncio.sleep(60)
        assert title_in_jira(world, issue) == "One"
        world.jira.archive_issue(issue, archived=False)
        await world.until(lambda: title_in_jira(world, issue) == "edited in Craft.io", 180)


@on_virtual_time
async def test_an_issue_that_was_moved_out_of_sight_is_hidden_and_one_that_was_moved_in_sight_goes_on() -> None:
    world = World()
    await world.configure()
    world.jira.seed_project("ELSE", "Elsewhere")
    world.jira.seed_project("DARK", "Dark")
    world.jira.hide_project("DARK", SYNC_EMAIL)
    async with all_services(world):
        seen, link = await linked(world)
        unseen, _ = await linked(world)
        world.jira.move_issue(seen, "ELSE")
        world.jira.move_issue(unseen, "DARK")
        await world.until(lambda: in_state(world, unseen, LinkState.ABSENT), 120)
        assert await in_state(world, seen, LinkState.ACTIVE)
        world.ada_craft.edit(str(link.craft_id), title="still carried")
        await world.until(lambda: title_in_jira(world, seen) == "still carried", 120)
        world.jira.move_issue(unseen, PROJECT)
        await world.until(lambda: in_state(world, unseen, LinkState.ACTIVE), 120)


@on_virtual_time
async def test_a_deleted_craft_item_is_deleted_and_its_issue_gets_a_new_one_when_asked() -> None:
    world = World()
    await world.configure()
    async with all_services(world):
        issue, link = await linked(world)
        world.ada_craft.delete(str(link.craft_id))
        await world.until(lambda: in_state(world, issue, LinkState.GONE), 120)
        shown = await status_of(world, issue)
        assert (shown.cause, "Pull the Jira item" in (shown.next_step or "")) == (Cause.DELETED, True)
