"""Laws of writing what Jira keeps in lists of its own: versions, which may be created on the way, and sprints."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.jira import things
from sandbox.jira.edition import CLOUD, Edition, data_center
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, JiraSite
from shared.clients.transport import HttpRequest
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Result
from shared.domain.mapping import FieldKind, FieldPair, Shape
from tests.unit.writing.world import PROJECT, World, on_virtual_time

NEW = "2027 Q1"
LOST = {"method": "POST", "path": "*/version", "effect": "drop-response-after-doing-it", "next": 1}


def quarter(*, creates: bool = True, shape: Shape = Shape.NAME) -> FieldPair:
    kind = FieldKind.OPTION if shape is Shape.NAME else FieldKind.LABELS
    craft = "quarter" if shape is Shape.NAME else "labels"
    return FieldPair(
        id=PairId("quarter"), kind=kind, jira="fixVersions", craft=craft, jira_shape=shape, create_missing=creates
    )


async def world_of(pair: FieldPair | None = None, edition: Edition = CLOUD, **settings: Any) -> World:
    dials = JiraSiteSettings(html_401_every=0, rich_fields=True)

    def pairs(jira: JiraSite) -> tuple[FieldPair, ...]:
        sprint = FieldPair(
            id=PairId("sprint"),
            kind=FieldKind.OPTION,
            jira=jira.field_id(things.SPRINT),
            craft="sprint",
            jira_shape=Shape.SPRINT,
        )
        return (pair or quarter(), sprint)

    world = World(jira=dials, edition=edition, pairs=pairs, **settings)
    await world.configure()
    return world


def versions(world: World) -> list[str]:
    project = world.jira.world.project(PROJECT)
    assert project is not None
    return [one.name for one in project.versions.values()]


def shown(world: World, issue: EntityId, name: str = "fixVersions") -> list[str]:
    fields: Any = world.jira.person(ADA_EMAIL).read(issue)["fields"]
    return [one["name"] for one in fields[name] or ()]


@on_virtual_time
@pytest.mark.parametrize("edition", [CLOUD, data_center()], ids=["cloud", "data center"])
async def test_a_version_that_the_project_lacks_is_created_and_set(edition: Edition) -> None:
    world = await world_of(edition=edition)
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, title=("New", "Old"), quarter=(NEW, None))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert (shown(world, issue), world.title(Side.JIRA, issue)) == ([NEW], "New")
    assert versions(world).count(NEW) == 1


@on_virtual_time
async def test_a_new_issue_gets_its_missing_version_and_is_created_once() -> None:
    world = await world_of()
    op = await world.open_create(Side.JIRA, title="New", quarter=NEW)
    await world.attempt(op)
    made = world.outcome(op).entity_id
    assert made is not None
    assert shown(world, made) == [NEW]
    assert world.titles(Side.JIRA) == ["New"]


@on_virtual_time
async def test_of_several_names_those_that_are_missing_are_created() -> None:
    world = await world_of(quarter(shape=Shape.NAMES))
    issue = world.item(Side.JIRA)
    names = ["2026 Q1", NEW, "2027 Q2"]
    op = await world.open_write(Side.JIRA, issue, quarter=(names, []))
    await world.attempt(op)
    assert sorted(shown(world, issue)) == names
    assert versions(world) == ["2026 Q1", "2026 Q2", "2026 Q3", NEW, "2027 Q2"]


@on_virtual_time
async def test_nothing_is_created_unless_the_pair_says_so() -> None:
    world = await world_of(quarter(creates=False))
    op = await world.open_write(Side.JIRA, world.item(Side.JIRA), quarter=(NEW, None))
    await world.attempt(op)
    assert list(world.outcome(op).errors) == ["quarter"]
    assert NEW not in versions(world)


@on_virtual_time
async def test_without_the_permission_the_reason_says_what_to_do() -> None:
    world = await world_of()
    world.jira.deny(PROJECT, SYNC_EMAIL, "ADMINISTER_PROJECTS")
    op = await world.open_write(Side.JIRA, world.item(Side.JIRA), quarter=(NEW, None))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.REJECTED
    assert "Administer Projects" in outcome.errors[PairId("quarter")]
    assert NEW not in versions(world)


@on_virtual_time
async def test_a_version_that_somebody_else_created_meanwhile_is_as_good() -> None:
    world = await world_of()

    def faster(request: HttpRequest) -> None:
        if request.url.endswith(f"/project/{PROJECT}") and NEW not in versions(world):
            project: Any = world.jira.world.project(PROJECT)
            ada = world.jira.person(ADA_EMAIL)
            ada.send("POST", "/version", {"name": NEW, "projectId": int(project.id)})

    world.after_effect = faster
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, quarter=(NEW, None))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert shown(world, issue) == [NEW]
    assert versions(world).count(NEW) == 1


@on_virtual_time
@pytest.mark.parametrize("creates", [False, True], ids=["edit", "create"])
async def test_a_lost_answer_to_the_version_costs_a_try_and_no_second_version(creates: bool) -> None:
    world = await world_of()
    world.fail(LOST)
    if creates:
        op = await world.open_create(Side.JIRA, title="New", quarter=NEW)
    else:
        op = await world.open_write(Side.JIRA, world.item(Side.JIRA), quarter=(NEW, None))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert versions(world).count(NEW) == 1
    assert len(world.titles(Side.JIRA)) == 1


@on_virtual_time
async def test_names_that_differ_in_capital_letters_only_are_told_apart_in_words() -> None:
    world = await world_of()
    op = await world.open_write(Side.JIRA, world.item(Side.JIRA), quarter=("2026 q1", None))
    await world.attempt(op)
    assert "'2026 Q1'" in world.outcome(op).errors[PairId("quarter")]
    assert versions(world) == ["2026 Q1", "2026 Q2", "2026 Q3"]


@on_virtual_time
async def test_no_version_is_created_for_an_issue_that_was_moved_to_another_project() -> None:
    world = await world_of()
    world.jira.seed_project("OTH", "Other")
    issue = world.item(Side.JIRA)
    world.jira.move_issue(issue, "OTH")
    op = await world.open_write(Side.JIRA, issue, quarter=(NEW, None))
    await world.attempt(op)
    assert world.outcome(op).result is Result.REJECTED
    assert NEW not in versions(world)


@on_virtual_time
@pytest.mark.parametrize("edition", [CLOUD, data_center()], ids=["cloud", "data center"])
async def test_a_sprint_is_set_and_taken_away(edition: Edition) -> None:
    world = await world_of(edition=edition)
    name = world.jira.field_id(things.SPRINT)
    for held, value, expect, seen in (
        ({}, "3", None, ["Sprint 3"]),
        ({"sprint": "Sprint 3"}, "4", "3", ["Sprint 4"]),
        ({"sprint": "Sprint 4"}, None, "4", []),
    ):
        issue = world.item(Side.JIRA, **held)
        op = await world.open_write(Side.JIRA, issue, sprint=(value, expect))
        await world.attempt(op)
        assert world.outcome(op).result is Result.APPLIED
        assert shown(world, issue, name) == seen


@on_virtual_time
async def test_a_closed_sprint_is_refused_in_words_and_nothing_else_is_lost() -> None:
    world = await world_of()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, sprint=("1", None))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.REJECTED
    assert "active or future" in outcome.errors[PairId("sprint")]
    assert shown(world, issue, world.jira.field_id(things.SPRINT)) == []
