"""The feed of Craft.io and the sweep of Jira: every state that stays is told, however the lists behave (F13, F22)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from sandbox.craft.settings import CraftSiteSettings
from sandbox.jira.settings import JiraSiteSettings
from sandbox.kit.fault_rules import RequestRule
from services.reconciler.domain.feed import Known, Seen, Window
from shared.clients.reading import Page, Reading
from shared.domain.ids import EntityId, Side
from shared.messages.change import Origin
from tests.unit.reconciler.world import EPOCH, PROJECT, World, on_virtual_time

LAG_S = 6.0
TRICKLE = (5.0,) * 60
STORM = (0.0, 0.0, 0.0, 0.1, 0.4, 6.0) * 40
"""Pauses between edits: with a window of one page mostly, and of many pages."""
CURSOR = EPOCH - timedelta(minutes=5)


def told(world: World, item: str) -> list[str]:
    """Return the titles that the feed has told of an item, in order."""
    snapshots = [event.snapshot for event in world.events(Side.CRAFT, item) if event.origin is Origin.POLL]
    return [snapshot["title"] for snapshot in snapshots if snapshot is not None]


@on_virtual_time
async def test_an_edit_is_told_within_an_interval_and_told_once() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    async with world.running():
        await world.until(lambda: told(world, item) == ["One"], 5)
        world.ada_craft.edit(item, title="Two")
        took = await world.until(lambda: told(world, item) == ["One", "Two"], 5)
        await asyncio.sleep(120)
    assert took < 3
    assert told(world, item) == ["One", "Two"]


@on_virtual_time
async def test_two_edits_within_one_tick_of_the_vendors_clock_are_both_told() -> None:
    """F13: the time alone is no mark of a state."""
    world = World(craft=CraftSiteSettings(clock_step=timedelta(seconds=10)))
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    async with world.running():
        await world.until(lambda: told(world, item) == ["One"], 5)
        world.ada_craft.edit(item, title="Two")
        await world.until(lambda: told(world, item)[-1] == "Two", 5)
        world.ada_craft.edit(item, title="Three")
        assert len({event.updated for event in world.events(Side.CRAFT, item)}) == 1
        await world.until(lambda: told(world, item)[-1] == "Three", 5)


@pytest.mark.parametrize("seed", range(4, 12))
def test_whatever_the_lists_do_the_last_state_of_every_item_is_told(seed: int) -> None:
    _lists_that_move(seed)


@on_virtual_time
async def _lists_that_move(seed: int) -> None:
    """Many items, small pages, edits while pages are turned, writes that show late and in another order (F22)."""
    dice = Random(seed)
    settings = CraftSiteSettings(
        visibility_lag=timedelta(seconds=dice.choice((0, LAG_S))),
        clock_step=timedelta(seconds=dice.choice((0.001, 1))),
        max_page_limit=3,
    )
    world = World(craft=settings, skew_s=dice.choice((-40.0, 0.0, 40.0)))
    await world.configure()
    items = [world.ada_craft.create_item(type="feature", title=str(number))["id"] for number in range(60)]
    world.faults.replace([RequestRule(method="GET", path="/workspace/*", effect="delay", delay_s=0.3)])
    # a second more than the lag for the vendor's Date header, which has whole seconds
    async with world.running(feed_overlap_s=settings.visibility_lag.total_seconds() + 1.1):
        for number, pause_s in enumerate(dice.choice((TRICKLE, STORM))):
            await asyncio.sleep(pause_s * dice.random())
            world.ada_craft.edit(dice.choice(items), title=f"edit {number}")
        await asyncio.sleep(60)
    last = {item: world.ada_craft.read(item)["title"] for item in items}
    assert {item: told(world, item)[-1:] for item in items} == {item: [title] for item, title in last.items()}


@on_virtual_time
async def test_nothing_is_skipped_when_the_log_or_the_vendor_is_away_for_a_while() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    async with world.running(feed_overlap_s=5.0, longest_backoff_s=8.0):
        await world.until(lambda: told(world, item) == ["One"], 5)
        world.log.available = False
        world.ada_craft.edit(item, title="Two")
        await asyncio.sleep(100)
        world.log.available = True
        await world.until(lambda: told(world, item)[-1] == "Two", 20)
        world.faults.replace([RequestRule(path="/workspace/*", effect="refuse")])
        world.ada_craft.edit(item, title="Three")
        await asyncio.sleep(100)
        world.faults.replace([])
        await world.until(lambda: told(world, item)[-1] == "Three", 20)


@on_virtual_time
async def test_a_restart_goes_on_at_the_stored_cursor() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    async with world.running(feed_overlap_s=5.0):
        await world.until(lambda: told(world, item) == ["One"], 5)
    await asyncio.sleep(9_000)
    world.ada_craft.edit(item, title="Two")
    await asyncio.sleep(9_000)
    async with world.running(feed_overlap_s=5.0):
        await world.until(lambda: told(world, item)[-1] == "Two", 5)


@on_virtual_time
async def test_an_issue_whose_webhook_never_came_is_found_by_the_sweep() -> None:
    world = World(jira=JiraSiteSettings(index_lag_s=8.0, html_401_every=0), skew_s=25.0)
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    async with world.running():
        await world.until(lambda: bool(world.events(Side.JIRA, issue)), 25)
        world.ada_jira.edit(issue, summary="Two")

        def swept() -> list[Any]:
            snapshots = [event.snapshot for event in world.events(Side.JIRA, issue)]
            return [snapshot["fields"]["summary"] for snapshot in snapshots if snapshot is not None]

        await world.until(lambda: swept() == ["One", "Two"], 25)
        await asyncio.sleep(120)
        assert swept() == ["One", "Two"]
    event = world.events(Side.JIRA, issue)[-1]
    assert event.origin is Origin.POLL
    assert not event.correlation_read, "a search result does not tell for sure that an issue has no key"


@on_virtual_time
async def test_the_feed_tells_the_key_of_items_that_we_made() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One", customFields={"Jira key": "link-1"})["id"]
    other = world.ada_craft.create_item(type="feature", title="Two")["id"]
    async with world.running():
        await world.until(lambda: bool(told(world, item) and told(world, other)), 5)
    (event,), (bare,) = world.events(Side.CRAFT, item), world.events(Side.CRAFT, other)
    assert (event.correlation_read, event.correlation_key) == (True, "link-1")
    assert (bare.correlation_read, bare.correlation_key) == (True, None)


def _reading(ident: str, at_s: float, title: str = "") -> Reading:
    return Reading(EntityId(ident), {"title": title}, EPOCH + timedelta(seconds=at_s))


def _page(*readings: Reading, total: int | None = None) -> Page:
    return Page(readings, None, None, total)


def test_the_cursor_is_the_start_of_the_poll_not_the_newest_state() -> None:
    window = Window(CURSOR)
    window.turn(_page(_reading("1", -60)), EPOCH)
    window.turn(_page(_reading("2", -30)), EPOCH + timedelta(seconds=3))
    assert window.next_cursor() == EPOCH


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(_page(_reading("2", 0.5), total=2), id="touched after the start"),
        pytest.param(_page(_reading("1", -60, "other"), total=2), id="another state of an item of the first page"),
        pytest.param(_page(_reading("2", -30), total=3), id="another length"),
    ],
)
def test_the_cursor_stays_when_the_list_moved_under_its_pages(second: Page) -> None:
    window = Window(CURSOR)
    window.turn(_page(_reading("1", -60), total=2), EPOCH)
    window.turn(second, EPOCH + timedelta(seconds=1))
    assert window.next_cursor() == CURSOR


def test_a_list_of_one_page_cannot_move_so_constant_edits_do_not_hold_the_cursor() -> None:
    window = Window(CURSOR)
    window.turn(_page(_reading("1", 0.5)), EPOCH)
    assert window.next_cursor() == EPOCH


def test_what_a_feed_remembers_is_bounded_and_the_newest() -> None:
    known = Known(10)
    states = [(Seen.of(_reading(str(n), n)), _reading(str(n), n)) for n in range(100)]
    known.add(seen for seen, _ in states)
    assert list(known.new(states)) == [seen for seen, _ in states[:90]]


@pytest.mark.parametrize("known", [True, False], ids=["by id", "by key"])
@on_virtual_time
async def test_issues_of_a_project_whose_key_was_changed_are_found_as_before(*, known: bool) -> None:
    world = World()
    project = world.jira.world.project(PROJECT)
    assert project is not None
    if known:
        world.integration = world.integration.model_copy(update={"jira_project_id": project.id})
    await world.configure()
    async with world.running():
        await asyncio.sleep(10)
        world.jira.rename_key(PROJECT, "TANX")
        issue = world.ada_jira.create_issue("TANX", "New")
        await world.until(lambda: bool(world.events(Side.JIRA, issue)), 600)
