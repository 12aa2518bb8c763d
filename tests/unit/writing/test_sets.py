"""Writing sets: in Jira what people put in beside them stays; in Craft.io what was not seen is not written over."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.jira.edition import CLOUD, Edition, data_center
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL
from shared.domain.ids import PairId, Side
from shared.domain.link import Result
from shared.domain.mapping import FieldKind, FieldPair, Shape, ValuePair
from tests.unit.writing.world import World, on_virtual_time

LABELS = FieldPair(id=PairId("labels"), kind=FieldKind.LABELS, jira="labels", craft="labels")
COMPONENTS = FieldPair(
    id=PairId("components"),
    kind=FieldKind.OPTIONS,
    jira="components",
    craft="personas",
    jira_shape=Shape.NAMES,
    values=(ValuePair(jira="Docs", craft="1"), ValuePair(jira="Back end", craft="2")),
)
EDITIONS = pytest.mark.parametrize("edition", [CLOUD, data_center()], ids=["cloud", "data center"])


async def world_of(edition: Edition = CLOUD) -> World:
    dials = JiraSiteSettings(html_401_every=0, rich_fields=True)
    world = World(jira=dials, edition=edition, pairs=lambda _: (LABELS, COMPONENTS))
    await world.configure()
    return world


def fields(world: World, issue: Any) -> Any:
    return world.jira.person(ADA_EMAIL).read(issue)["fields"]


@EDITIONS
@on_virtual_time
async def test_what_a_person_adds_unseen_before_the_write_stays(edition: Edition) -> None:
    world = await world_of(edition)
    issue = world.item(Side.JIRA)
    world.jira.person(ADA_EMAIL).edit(issue, labels=["old", "mine"], components=["Front end"])
    op = await world.open_write(
        Side.JIRA,
        issue,
        title=("New", "Old"),
        labels=(["new"], ["old"]),
        components=(["Docs"], []),
    )
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    shown = fields(world, issue)
    assert sorted(shown["labels"]) == ["mine", "new"]
    assert sorted(each["name"] for each in shown["components"]) == ["Docs", "Front end"]
    assert shown["summary"] == "New"


@on_virtual_time
async def test_what_is_there_already_is_added_and_what_is_gone_is_removed_without_harm() -> None:
    world = await world_of()
    issue = world.item(Side.JIRA)
    world.jira.person(ADA_EMAIL).edit(issue, labels=["new", "mine"])
    op = await world.open_write(Side.JIRA, issue, labels=(["new"], ["old"]))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert sorted(fields(world, issue)["labels"]) == ["mine", "new"]


@on_virtual_time
async def test_craft_io_is_written_only_what_was_seen_there() -> None:
    world = await world_of()
    item = world.item(Side.CRAFT)
    op = await world.open_write(Side.CRAFT, item, labels=(["new"], ["old"]))
    await world.attempt(op)
    assert world.outcome(op).result is Result.MOVED
