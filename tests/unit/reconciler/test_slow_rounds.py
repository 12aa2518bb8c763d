"""The full compare and the id sweep: what nothing else tells is found by going through the links (F14, F15,
deletes).
"""

from __future__ import annotations

import asyncio

from sandbox.kit.fault_rules import RequestRule
from shared.domain.ids import Side
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time

LONG_S = 7_200.0
"""Longer than the first windows look back."""
RARE = {
    "first_window_s": 0.0,
    "sweep_interval_s": 90_000.0,
    "feed_interval_s": 90_000.0,
    "clock_interval_s": 20.0,
    "fresh_interval_s": 20.0,
    "health_interval_s": 300.0,
    "census_interval_s": 300.0,
}


def compared(world: World, side: Side) -> list[ChangeEvent]:
    """Return the events of full compares."""
    return [event for event in world.events(side) if event.origin is Origin.COMPARE]


async def linked(world: World, count: int) -> tuple[list[str], list[str]]:
    """Link as many issues and items; return their ids."""
    issues = [world.ada_jira.create_issue(PROJECT, str(number)) for number in range(count)]
    items = [world.ada_craft.create_item(type="feature", title=str(number))["id"] for number in range(count)]
    for issue, item in zip(issues, items, strict=True):
        await world.link(jira_id=issue, craft_id=item)
    await asyncio.sleep(LONG_S)
    return issues, items


@on_virtual_time
async def test_a_compare_at_the_start_reads_every_linked_item_by_id_once() -> None:
    world = World()
    await world.configure()
    issues, items = await linked(world, 250)
    async with world.running(**RARE, compare_at_start=True, id_sweep_interval_s=90_000.0):
        await world.until(lambda: len(compared(world, Side.CRAFT)) == 250, 600)
        await world.until(lambda: len(compared(world, Side.JIRA)) == 250, 600)
        await asyncio.sleep(200)
    assert sorted(event.entity_id for event in compared(world, Side.JIRA)) == sorted(issues)
    assert sorted(event.entity_id for event in compared(world, Side.CRAFT)) == sorted(items)


@on_virtual_time
async def test_compares_come_at_their_interval_over_restarts() -> None:
    world = World()
    await world.configure()
    await linked(world, 3)
    for _ in range(5):
        async with world.running(**RARE, compare_interval_s=3_600.0):
            await asyncio.sleep(1_000)
    assert len(compared(world, Side.JIRA)) == 3


@on_virtual_time
async def test_one_item_that_cannot_be_read_does_not_keep_the_others_from_being_compared() -> None:
    world = World()
    await world.configure()
    issues, _ = await linked(world, 30)
    world.faults.replace([RequestRule(path=f"/rest/api/3/issue/{issues[4]}", effect="status", status=500)])
    async with world.running(**RARE, compare_at_start=True, id_sweep_interval_s=90_000.0):
        await world.until(lambda: len(compared(world, Side.JIRA)) == 29, 120)


@on_virtual_time
async def test_a_long_compare_does_not_keep_the_service_from_stopping() -> None:
    world = World()
    await world.configure()
    await linked(world, 250)
    world.faults.replace([RequestRule(path="/rest/api/3/issue/*", effect="delay", delay_s=4)])
    async with world.running(**RARE, compare_at_start=True):
        await world.until(lambda: len(compared(world, Side.JIRA)) > 20, 600)
        began = world.clock.monotonic()
    assert world.clock.monotonic() - began < 10


@on_virtual_time
async def test_a_compare_that_was_broken_off_goes_on_where_it_was() -> None:
    world = World()
    await world.configure()
    issues, _ = await linked(world, 250)
    issues = sorted(issues)
    rules = [RequestRule(path="/rest/api/3/issue/*", effect="delay", delay_s=1)]
    world.faults.replace(rules)
    async with world.running(**RARE, compare_at_start=True):
        await world.until(lambda: len(compared(world, Side.JIRA)) == 220, 600)
    first = len(compared(world, Side.JIRA))
    async with world.running(**RARE, compare_interval_s=90_000.0):
        await world.until(lambda: {event.entity_id for event in compared(world, Side.JIRA)} == set(issues), 600)
    assert len(compared(world, Side.JIRA)) <= first + 60, "the second run began anew"


@on_virtual_time
async def test_a_deleted_item_is_found_by_the_id_sweep_and_told_once() -> None:
    world = World()
    await world.configure()
    issues, items = await linked(world, 120)
    async with world.running(**RARE):
        await asyncio.sleep(30)
        assert world.events(Side.JIRA) == world.events(Side.CRAFT) == []
        world.jira.person("sync@example.com").delete(issues[7])
        world.ada_craft.delete(items[90])
        await world.until(lambda: bool(world.events(Side.JIRA) and world.events(Side.CRAFT)), 40)
        await asyncio.sleep(120)
    for side, entity in ((Side.JIRA, issues[7]), (Side.CRAFT, items[90])):
        (event,) = world.events(side)
        meant = ChangeKind.HIDDEN if side is Side.JIRA else ChangeKind.DELETED  # Jira answers both alike
        assert (event.kind, event.entity_id) == (meant, entity)


@on_virtual_time
async def test_absence_from_the_lists_alone_is_no_deletion() -> None:
    """An index that lags shows nothing yet; an issue that was moved is in no list of its former project."""
    world = World()
    world.jira.configure(index_lag_s=10_000.0)
    await world.configure()
    issues, _ = await linked(world, 10)
    async with world.running(**RARE):
        await world.until(lambda: len(world.events(Side.JIRA)) >= 10, 40)
    assert {event.kind for event in world.events(Side.JIRA)} == {ChangeKind.SEEN}
    assert {event.entity_id for event in world.events(Side.JIRA)} == set(issues)


@on_virtual_time
async def test_a_project_that_cannot_be_seen_any_more_deletes_nothing() -> None:
    world = World()
    world.integration = world.integration.model_copy(update={"jira_project": "LOST"})
    await world.configure()
    for number in range(10):
        await world.link(jira_id=str(900 + number))
    async with world.running(**RARE, compare_at_start=True):
        await asyncio.sleep(120)
    assert {event.kind for event in world.events(Side.JIRA)} == {ChangeKind.HIDDEN}


def _lists_asked(world: World) -> tuple[int, int]:
    """Return how many short pages, and how many whole ones without a window, Craft.io was asked for."""
    asked = [dict(request.query) for request in world.transport.requests if request.url.endswith("/items")]
    short = [query for query in asked if query.get("limit") == "1"]
    return len(short), len([query for query in asked if query not in short and "updated_from" not in query])


@on_virtual_time
async def test_a_deleted_item_of_craft_is_noticed_long_before_the_hour_is_over() -> None:
    """It has no event, and no list of changes shows it: but there are fewer than before."""
    world = World()
    await world.configure()
    _, items = await linked(world, 120)
    hourly = {"id_sweep_interval_s": 3_600.0, "count_interval_s": 30.0, "id_sweep_soonest_s": 60.0}
    async with world.running(**RARE, **hourly):
        await asyncio.sleep(200)
        world.ada_craft.delete(items[90])
        world.ada_craft.create_item(type="feature", title="Another")  # as many as before, all in all
        took = await world.until(lambda: bool(world.events(Side.CRAFT)), 120)
        world.transport.requests.clear()
        await asyncio.sleep(600)
        counts, lists = _lists_asked(world)
    (event,) = world.events(Side.CRAFT)
    assert (event.kind, event.entity_id) == (ChangeKind.DELETED, items[90])
    assert took < 60
    assert counts > 0
    assert lists == 0, "nothing is missing: it is only counted"


@on_virtual_time
async def test_deletions_one_after_the_other_do_not_have_all_lists_read_each_time() -> None:
    world = World()
    await world.configure()
    _, items = await linked(world, 40)
    async with world.running(**RARE, id_sweep_interval_s=3_600.0, count_interval_s=10.0, id_sweep_soonest_s=300.0):
        await asyncio.sleep(400)
        for item in items[:30]:
            world.ada_craft.delete(item)
            await asyncio.sleep(20)
        await world.until(lambda: len(world.events(Side.CRAFT)) == 30, 330)
    assert _lists_asked(world)[1] <= 5
