"""Fresh reads: a dirty side is read by id under the ticket of before the read, until clean (order rule 1, F13, F15)."""

from __future__ import annotations

import asyncio

from sandbox.jira.site import SYNC_TOKEN
from sandbox.kit.fault_rules import RequestRule
from shared.domain.ids import Side
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time

FAR = {
    "sweep_interval_s": 9_000.0,
    "feed_interval_s": 9_000.0,
    "id_sweep_interval_s": 9_000.0,
    "first_window_s": 0.0,
}
"""The sweep and the feed only once, at the start; no id sweep."""


def fresh(world: World, side: Side, entity_id: str | None = None) -> list[ChangeEvent]:
    """Return the events of fresh reads."""
    return [event for event in world.events(side, entity_id) if event.origin is Origin.FRESH]


@on_virtual_time
async def test_a_dirty_side_is_read_whole_under_the_mark_of_before_the_read() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    world.ada_jira.edit(issue, summary="Two")
    world.ada_jira.edit(issue, summary="Three")
    link = await world.link(jira_id=issue)
    mark = await world.dirty(link.id, Side.JIRA)
    async with world.running(**FAR):
        await world.until(lambda: len(fresh(world, Side.JIRA, issue)) == 1, 3)
    (event,) = fresh(world, Side.JIRA, issue)
    assert (event.origin, event.kind, event.ticket) == (Origin.FRESH, ChangeKind.SEEN, mark)
    assert event.snapshot is not None
    assert event.snapshot["fields"]["summary"] == "Three"
    assert [entry.items[0].new_label for entry in event.changelog] == ["Two", "Three"]
    assert event.correlation_read
    assert event.correlation_key is None
    assert event.updated is not None


@on_virtual_time
async def test_all_of_a_changelog_is_told_however_long_it_is() -> None:
    world = World()
    world.jira.configure(expand_changelog_max=10, write_limit=False)
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "0")
    for number in range(1, 131):
        world.ada_jira.edit(issue, summary=str(number))
    link = await world.link(jira_id=issue)
    await world.dirty(link.id, Side.JIRA)
    async with world.running(**FAR):
        await world.until(lambda: bool(fresh(world, Side.JIRA, issue)), 5)
    labels = [entry.items[0].new_label for entry in fresh(world, Side.JIRA, issue)[0].changelog]
    assert labels == [str(number) for number in range(1, 131)]


@on_virtual_time
async def test_a_side_is_read_again_every_10_s_while_it_stays_dirty_and_not_once_it_is_clean() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    link = await world.link(craft_id=item)
    await world.dirty(link.id, Side.CRAFT)
    async with world.running(**FAR):
        await asyncio.sleep(35)
        assert 3 <= len(fresh(world, Side.CRAFT, item)) <= 4
        await world.clean(link.id, Side.CRAFT)
        read = len(fresh(world, Side.CRAFT, item))
        await asyncio.sleep(35)
    assert len(fresh(world, Side.CRAFT, item)) == read


@on_virtual_time
async def test_a_read_is_repeated_at_once_when_something_was_accepted_meanwhile() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    link = await world.link(craft_id=item)
    await world.dirty(link.id, Side.CRAFT)
    async with world.running(**FAR):
        await world.until(lambda: len(fresh(world, Side.CRAFT, item)) == 1, 3)
        mark = await world.dirty(link.id, Side.CRAFT)
        took = await world.until(lambda: len(fresh(world, Side.CRAFT, item)) == 2, 5)
    assert took < 3
    assert fresh(world, Side.CRAFT, item)[1].ticket == mark


@on_virtual_time
async def test_not_found_with_working_credentials_means_hidden_in_jira_and_deleted_in_craft() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    world.jira.person("sync@example.com").delete(issue)
    world.ada_craft.delete(item)
    link = await world.link(jira_id=issue, craft_id=item)
    for side in Side:
        await world.dirty(link.id, side)
    async with world.running(**FAR):
        await world.until(lambda: bool(fresh(world, Side.JIRA, issue) and fresh(world, Side.CRAFT, item)), 5)
        await asyncio.sleep(60)
    meant = {Side.JIRA: ChangeKind.HIDDEN, Side.CRAFT: ChangeKind.DELETED}  # Jira answers both alike
    for side, entity in ((Side.JIRA, issue), (Side.CRAFT, item)):
        (event,) = fresh(world, side, entity)
        assert (event.kind, event.origin, event.snapshot) == (meant[side], Origin.FRESH, None)


@on_virtual_time
async def test_not_found_without_working_credentials_proves_nothing() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    link = await world.link(jira_id=issue)
    await world.dirty(link.id, Side.JIRA)
    world.jira.revoke_token(SYNC_TOKEN)
    async with world.running(**FAR):
        await asyncio.sleep(60)
        assert fresh(world, Side.JIRA) == []
        world.jira.restore_token(SYNC_TOKEN)
        await world.until(lambda: bool(fresh(world, Side.JIRA, issue)), 40)
    assert fresh(world, Side.JIRA, issue)[0].kind is ChangeKind.SEEN


@on_virtual_time
async def test_not_found_means_hidden_when_the_whole_project_or_workspace_cannot_be_seen() -> None:
    world = World()
    world.integration = world.integration.model_copy(update={"jira_project": "LOST", "craft_workspace": "77"})
    await world.configure()
    link = await world.link(jira_id="99999", craft_id="99998")
    for side in Side:
        await world.dirty(link.id, side)
    async with world.running(**FAR):
        await asyncio.sleep(60)
    for side in Side:
        assert {event.kind for event in fresh(world, side)} == {ChangeKind.HIDDEN}


@on_virtual_time
async def test_one_read_that_hangs_delays_no_other() -> None:
    world = World()
    await world.configure()
    issues = [world.ada_jira.create_issue(PROJECT, str(number)) for number in range(20)]
    for issue in issues:
        link = await world.link(jira_id=issue)
        await world.dirty(link.id, Side.JIRA)
    hang = RequestRule(method="GET", path=f"/rest/api/3/issue/{issues[0]}", effect="delay", delay_s=600)
    world.faults.replace([hang])
    async with world.running(**FAR):
        await world.until(lambda: {e.entity_id for e in fresh(world, Side.JIRA)} == set(issues[1:]), 10)


@on_virtual_time
async def test_a_connection_that_cannot_be_reached_delays_no_other() -> None:
    world = World()
    await world.configure(jira_url="http://nowhere.test")
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    for number in range(3000):
        link = await world.link(jira_id=str(number), id=f"a{number:04d}")
        await world.dirty(link.id, Side.JIRA)
    link = await world.link(craft_id=item, id="b")
    await world.dirty(link.id, Side.CRAFT)
    async with world.running(**FAR, batch=100):
        await world.until(lambda: bool(fresh(world, Side.CRAFT, item)), 3)


@on_virtual_time
async def test_no_more_reads_run_at_once_than_the_connection_allows() -> None:
    world = World()
    await world.configure()
    for number in range(40):
        link = await world.link(jira_id=world.ada_jira.create_issue(PROJECT, str(number)))
        await world.dirty(link.id, Side.JIRA)
    world.faults.replace([RequestRule(method="GET", path="/rest/api/3/issue/*", effect="delay", delay_s=5)])
    allowed = (await world.connection(world.integration.jira_connection)).max_concurrent
    async with world.running(**FAR):
        await asyncio.sleep(3)
        begun = [request for request in world.transport.requests if "/issue/" in request.url]
        assert len(begun) == allowed
