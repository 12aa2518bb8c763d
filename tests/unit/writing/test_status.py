"""Laws of bringing an issue into a status: over several transitions, along known ways, never past a person's move."""

from __future__ import annotations

import asyncio
from typing import Any

from sandbox.jira import catalog
from sandbox.jira.model import Transition
from sandbox.jira.site import ADA_EMAIL
from shared.clients.transport import HttpRequest
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Result
from shared.domain.mapping import TransitionField
from tests.unit.writing.world import PROJECT, World, body, on_virtual_time

TO_DO, IN_PROGRESS, DONE = catalog.TO_DO.id, catalog.IN_PROGRESS.id, catalog.DONE.id
APPROVE = "41"
"""The transition to Done."""


def _status(world: World, issue: EntityId) -> str:
    shown: Any = world.jira.person(ADA_EMAIL).read(issue)
    return str(shown["fields"]["status"]["name"])


def _show_the_workflow(world: World) -> None:
    """Have an issue in each status, as every project in use has."""
    for status in ("In Progress", "In Review", "Done"):
        world.jira.person(ADA_EMAIL).transition(world.item(Side.JIRA, f"In {status}"), status)


def _steps(world: World) -> list[str]:
    return [body(sent)["transition"]["id"] for sent in world.sent("POST") if sent.url.endswith("/transitions")]


@on_virtual_time
async def test_a_status_several_transitions_away_is_reached_and_each_step_names_its_operation() -> None:
    world = World()
    await world.configure()
    _show_the_workflow(world)
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(DONE, TO_DO))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.APPLIED
    assert _status(world, issue) == "Done"
    assert [entry.op for entry in outcome.changelog] == [op, op, op]
    assert outcome.write_at == outcome.changelog[-1].at


@on_virtual_time
async def test_a_way_once_seen_is_remembered() -> None:
    world = World()
    await world.configure()
    _show_the_workflow(world)
    for _ in range(2):
        op = await world.open_write(Side.JIRA, world.item(Side.JIRA), status=(DONE, TO_DO))
        await world.attempt(op)
        assert world.outcome(op).result is Result.APPLIED
        await asyncio.sleep(10)
    searches = [request for _, request, _ in world.done if request.url.endswith("/search/jql")]
    assert len(searches) == 2


@on_virtual_time
async def test_in_a_young_project_the_one_step_forward_is_taken_and_looked_from_there() -> None:
    """No issue stands on the way yet: To Do, In Progress, In Review and Done were seen by nobody."""
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(DONE, TO_DO))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert _status(world, issue) == "Done"
    assert _steps(world) == ["11", "21", "41"], "never back to where it has been"


@on_virtual_time
async def test_where_several_steps_lead_forward_nothing_is_moved_and_the_reason_lists_what_jira_offers() -> None:
    """A wrong turn would leave the issue where nobody wanted it."""
    world = World()
    await world.configure()
    project = world.jira.world.project(PROJECT)
    assert project is not None
    fork = Transition("12", "Straight to review", TO_DO, catalog.IN_REVIEW.id)
    project.transitions = (*project.transitions, fork)
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(DONE, TO_DO))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.REJECTED
    words = outcome.errors[PairId("status")]
    assert "'Start progress' (to 'In Progress')" in words
    assert "A way from this status to 'Done' is not known yet" in words
    assert "none of this type was found in 'In Progress'" in words
    assert "press retry" in words
    assert list(outcome.errors) == ["status"]
    assert _status(world, issue) == "To Do"


@on_virtual_time
async def test_no_step_is_taken_past_a_goal_or_to_one_that_does_not_exist() -> None:
    """To Do offers only what is under way, and the goal is still to be begun; or is no status of the site."""
    for goal in (catalog.IN_REVIEW.id, "99999"):
        world = World()
        await world.configure()
        project = world.jira.world.project(PROJECT)
        assert project is not None
        project.transitions = (Transition("12", "Close", TO_DO, DONE),)
        issue = world.item(Side.JIRA)
        op = await world.open_write(Side.JIRA, issue, status=(goal, TO_DO))
        await world.attempt(op)
        assert world.outcome(op).result is Result.REJECTED
        assert _status(world, issue) == "To Do"


@on_virtual_time
async def test_a_way_that_the_workflow_does_not_have_is_not_said_to_be_found_later() -> None:
    world = World()
    await world.configure()
    _show_the_workflow(world)
    op = await world.open_write(Side.JIRA, world.item(Side.JIRA), status=("99999", TO_DO))
    await world.attempt(op)
    words = world.outcome(op).errors[PairId("status")]
    assert "Jira's workflow has no way from this status to the status 99999" in words


@on_virtual_time
async def test_an_issue_that_a_person_moved_meanwhile_is_left_there() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(IN_PROGRESS, TO_DO))
    world.jira.person(ADA_EMAIL).transition(issue, "In Review")
    await world.attempt(op)
    assert world.outcome(op).result is Result.MOVED
    assert _status(world, issue) == "In Review"


@on_virtual_time
async def test_a_transition_that_came_too_late_for_a_persons_move_ends_as_moved() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(IN_PROGRESS, TO_DO))

    def snipe(request: HttpRequest) -> None:
        if request.method == "GET" and request.url.endswith("/transitions") and _status(world, issue) == "To Do":
            world.jira.person(ADA_EMAIL).transition(issue, "Done")

    world.after_effect = snipe
    await world.attempt(op)
    assert world.outcome(op).result is Result.MOVED
    assert _status(world, issue) == "Done"


@on_virtual_time
async def test_a_write_that_broke_off_half_way_is_gone_on_with() -> None:
    world = World()
    await world.configure()
    _show_the_workflow(world)
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(DONE, TO_DO))
    # the first step lands, the second one is refused for as long as the first attempt tries
    world.fail(
        {"method": "POST", "path": "*/transitions", "effect": "drop-response-after-doing-it", "next": 1},
    )
    await world.attempt(op)
    assert world.outcomes(op) == []
    assert _status(world, issue) == "In Progress"
    outcome = await world.work(op)
    assert outcome.result is Result.APPLIED
    assert _status(world, issue) == "Done"
    assert _steps(world) == ["11", "21", "41"]


@on_virtual_time
async def test_what_was_answered_half_way_is_gone_on_with_at_once() -> None:
    world = World()
    await world.configure()
    _show_the_workflow(world)
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(DONE, TO_DO))

    def lock(request: HttpRequest) -> None:
        if request.method == "POST" and request.url.endswith("/transitions"):
            world.fail({"method": "GET", "path": "*/transitions", "effect": "status", "status": 404, "next": 1})
            world.after_effect = None

    world.after_effect = lock
    assert (await world.work(op)).result is Result.APPLIED
    assert _status(world, issue) == "Done"
    assert world.operation(op).attempts == 2
    assert world.clock.monotonic() < 10.0, "nothing is under way that a lease would have to outlive"


@on_virtual_time
async def test_a_field_that_a_transition_asks_for_is_filled_from_the_mapping() -> None:
    world = World()
    await world.configure()
    world.jira.transition_screen(PROJECT, "11", "duedate")
    fill = TransitionField(field="duedate", value="2026-12-24")
    integration = world.integration.model_copy(update={"transition_fields": (fill,)})
    world.integration = await world.store.save_integration(integration, 1, "test", world.clock.now())
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(IN_PROGRESS, TO_DO))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    shown: Any = world.jira.person(ADA_EMAIL).read(issue)
    assert shown["fields"]["duedate"] == "2026-12-24"


@on_virtual_time
async def test_a_field_that_nobody_fills_is_named_and_what_was_done_so_far_is_told() -> None:
    world = World()
    await world.configure()
    _show_the_workflow(world)
    world.jira.transition_screen(PROJECT, APPROVE, "duedate")
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(DONE, TO_DO))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.REJECTED
    words = " ".join(outcome.errors.values())
    assert "Due date is required" in words
    assert "transition_fields" in words
    assert outcome.snapshot is not None
    assert outcome.snapshot["fields"]["status"]["name"] == "In Review"


@on_virtual_time
async def test_a_transition_that_was_accepted_without_effect_is_reported_as_the_issue_shows_it() -> None:
    world = World()
    await world.configure()
    issue = world.item(Side.JIRA)
    op = await world.open_write(Side.JIRA, issue, status=(IN_PROGRESS, TO_DO))
    world.jira.configure(ignored_fields=("status",))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert outcome.result is Result.APPLIED
    assert (outcome.snapshot or {})["fields"]["status"]["id"] == TO_DO
    assert outcome.changelog == ()
