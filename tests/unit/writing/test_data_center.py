"""Laws of writing to a Data Center: the same promises as on Cloud, although an edit answers nothing and a search shows
no properties.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sandbox.jira.edition import data_center
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL
from shared.domain.ids import EntityId, Side
from shared.domain.link import Result
from tests.unit.writing.world import World, on_virtual_time

LOST_CREATE = {"method": "POST", "path": "*/issue", "effect": "drop-response-after-doing-it", "next": 1}
LOST_EDIT = {"method": "PUT", "path": "*/issue/*", "effect": "drop-response-after-doing-it", "next": 1}
SEARCH = "/rest/api/2/search"


async def world_of(**settings: Any) -> World:
    dials = JiraSiteSettings(html_401_every=0, **settings)
    world = World(edition=data_center(), jira=dials)
    await world.configure()
    return world


@on_virtual_time
async def test_a_create_stands_below_its_epic_and_carries_the_link_id() -> None:
    world = await world_of()
    epic = world.jira.person(ADA_EMAIL).create_issue("TAN", "Epic", type="Epic")
    op = await world.open_create(Side.JIRA, title="New", parent=epic, points=3)
    await world.attempt(op)
    made = world.outcome(op).entity_id
    assert made is not None
    issue = world.jira.world.issues[made]
    assert issue.values[world.jira.field_id("Epic Link")] == epic
    assert issue.properties == {"tandem": {"link": world.operation(op).link_id}}


@on_virtual_time
async def test_a_lost_answer_makes_no_second_issue_however_late_the_search_shows_the_first() -> None:
    world = await world_of(index_lag_s=200)
    world.fail(LOST_CREATE)
    op = await world.open_create(Side.JIRA, title="New")
    outcome = await world.work(op)
    assert (outcome.result, world.titles(Side.JIRA)) == (Result.ALREADY, ["New"])
    assert any(request.url.endswith(SEARCH) for _, request, _ in world.done)


@on_virtual_time
async def test_an_edit_reports_the_issue_and_the_entry_that_names_it() -> None:
    world = await world_of()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, world.title(Side.JIRA, issue)) == (Result.APPLIED, "New")
    assert outcome.snapshot is not None
    assert outcome.snapshot["fields"]["summary"] == "New"
    assert [(entry.op, entry.items[0].old_label) for entry in outcome.changelog] == [(op, "Old")]


@on_virtual_time
async def test_a_persons_edit_that_slipped_in_shows_in_the_changelog_as_replaced() -> None:
    world = await world_of()
    issue = world.item(Side.JIRA, story_points=1)
    op = await world.open_write(Side.JIRA, issue, points=(5, 1))
    world.jira.person(ADA_EMAIL).edit(issue, story_points=2)
    await world.attempt(op)
    entries = world.outcome(op).changelog
    points = world.jira.field_id("Story Points")
    assert [(entry.op, entry.items[0].field, entry.items[0].old_label) for entry in entries] == [
        (None, points, "1"),
        (op, points, "2"),
    ]


@on_virtual_time
async def test_a_lost_answer_to_an_edit_is_read_and_not_repeated() -> None:
    world = await world_of()
    issue = world.item(Side.JIRA)
    world.fail(LOST_EDIT)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"))
    await world.attempt(op)
    assert world.outcomes(op) == []
    await asyncio.sleep(91)
    await world.attempt(op)
    assert (world.outcome(op).result, len(world.sent("PUT"))) == (Result.ALREADY, 1)


@on_virtual_time
async def test_a_parent_that_jira_refuses_is_the_parents_fault() -> None:
    world = await world_of()
    other = world.item(Side.JIRA, "No epic")
    for parent in (other, EntityId("999")):
        story = world.item(Side.JIRA)
        op = await world.open_write(Side.JIRA, story, parent=(parent, None), title=("New", "Old"))
        await world.attempt(op)
        outcome = world.outcome(op)
        assert (outcome.result, set(outcome.errors)) == (Result.REJECTED, {"parent"})
        assert world.title(Side.JIRA, story) == "Old"
