"""What the reconciler sees of a Data Center: parents in every read, also in the sweep, and its health by our key."""

from __future__ import annotations

from sandbox.jira.edition import data_center
from shared.domain.ids import Side
from shared.messages.change import ChangeEvent, Origin
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time


def parents(events: list[ChangeEvent], origin: Origin) -> list[object]:
    """Return the parents that events of one origin show, in order."""
    shown = [event.snapshot["fields"] for event in events if event.origin is origin and event.snapshot]
    return [(fields["parent"] or {}).get("id") if "parent" in fields else "not shown" for fields in shown]


@on_virtual_time
async def test_the_sweep_tells_an_epic_of_which_no_webhook_came() -> None:
    world = World(edition=data_center())
    await world.configure()
    epic = world.ada_jira.create_issue(PROJECT, "Epic", type="Epic")
    story = world.ada_jira.create_issue(PROJECT, "Story", type="Story")
    async with world.running():
        await world.until(lambda: parents(world.events(Side.JIRA, story), Origin.POLL) == [None], 60)
        world.ada_jira.edit(story, parent=epic)
        await world.until(lambda: parents(world.events(Side.JIRA, story), Origin.POLL) == [None, epic], 60)


@on_virtual_time
async def test_a_fresh_read_shows_the_epic_and_the_whole_changelog_by_ids() -> None:
    world = World(edition=data_center())
    await world.configure()
    first, second = (world.ada_jira.create_issue(PROJECT, name, type="Epic") for name in ("One", "Two"))
    story = world.ada_jira.create_issue(PROJECT, "Story", type="Story", parent=first)
    world.ada_jira.edit(story, parent=second)
    link = await world.link(jira_id=story, craft_id="1")
    await world.dirty(link.id, Side.JIRA)
    async with world.running():
        await world.until(lambda: parents(world.events(Side.JIRA, story), Origin.FRESH) != [], 30)
    event = next(each for each in world.events(Side.JIRA, story) if each.origin is Origin.FRESH)
    assert parents([event], Origin.FRESH) == [second]
    assert [(item.field, item.old, item.new) for item in event.changelog[0].items] == [("parent", first, second)]


@on_virtual_time
async def test_a_connection_is_healthy_while_the_key_is_ours() -> None:
    world = World(edition=data_center())
    await world.configure()
    connection = world.integration.jira_connection
    async with world.running():
        world.jira.revoke_token("sync-token")

        async def paused() -> bool:
            return (await world.connection(connection)).paused_reason is not None

        async def works() -> bool:
            return not await paused()

        await world.until(paused, 120)
        assert "personal access token" in ((await world.connection(connection)).paused_reason or "")
        world.jira.restore_token("sync-token")
        await world.until(works, 120)
