"""A side that cannot be read says why, once it is more than a passing failure."""

from __future__ import annotations

from sandbox.kit.fault_rules import parse_rules
from shared.domain.ids import Side
from shared.messages.trouble import Trouble
from shared.runtime.envelope import decode
from shared.runtime.topics import Topic
from tests.unit.reconciler.test_fresh_reads import FAR, fresh
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time


def told(world: World) -> list[Trouble]:
    found = (decode(record).message for record in world.log.records(Topic.OUTCOMES))
    return [each for each in found if isinstance(each, Trouble)]


@on_virtual_time
async def test_a_side_that_cannot_be_read_tells_why_once_until_the_words_change() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    link = await world.link(jira_id=issue)
    await world.dirty(link.id, Side.JIRA)
    rule = {"method": "GET", "path": f"*/issue/{issue}*", "effect": "status"}
    world.faults.replace(parse_rules([{**rule, "status": 500, "body": {"message": "The index is broken"}}]))
    async with world.running(**FAR):
        await world.until(lambda: bool(told(world)), 60)
        await world.clock.sleep(120)
        (first,) = told(world)
        assert (first.link_id, first.side, first.op_id) == (link.id, Side.JIRA, None)
        assert "The index is broken" in first.words
        world.faults.replace(parse_rules([{**rule, "status": 401, "body": {"errorMessages": ["Login Required"]}}]))
        await world.until(lambda: len(told(world)) == 2, 60)
        assert "Login Required" in told(world)[1].words
        world.faults.replace([])
        await world.until(lambda: bool(fresh(world, Side.JIRA, issue)), 60)


@on_virtual_time
async def test_one_failure_that_passes_tells_nothing() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    link = await world.link(jira_id=issue)
    await world.dirty(link.id, Side.JIRA)
    rule = {"method": "GET", "path": f"*/issue/{issue}*", "effect": "status", "status": 503, "next": 1}
    world.faults.replace(parse_rules([rule]))
    async with world.running(**FAR):
        await world.until(lambda: bool(fresh(world, Side.JIRA, issue)), 60)
    assert told(world) == []
