"""The workflow: which transitions an issue has now, and making one.

Called by the router of `sandbox.jira.site`. A status changes in no other way.
"""

from __future__ import annotations

from sandbox.jira import catalog, changes, edits, webhooks
from sandbox.jira.http import Call, answer, bad_request, no_content
from sandbox.jira.limits import check_write
from sandbox.jira.metadata import field_meta
from sandbox.jira.model import Issue, JsonObject, Project, Screen, Transition, Value
from sandbox.jira.permissions import TRANSITION, may
from sandbox.jira.render import Renderer
from sandbox.jira.values import Surroundings
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse


def available(project: Project, issue: Issue) -> list[Transition]:
    """Return the transitions that the issue's status offers; another status has others with other ids."""
    return [one for one in project.transitions if one.from_status == issue.values["status"]]


def route(project: Project, start: str, goal: str) -> list[Transition]:
    """Return the shortest way from one status id to another; empty when there is none or none is needed."""
    ways: dict[str, list[Transition]] = {start: []}
    queue = [start]
    while queue:
        here = queue.pop(0)
        for one in project.transitions:
            if one.from_status == here and one.to_status not in ways:
                ways[one.to_status] = [*ways[here], one]
                queue.append(one.to_status)
    return ways.get(goal, [])


def transitions(world: World, call: Call, issue: str) -> SiteResponse:
    """GET issue/{id}/transitions: what cannot be done now is simply not in the list."""
    found = world.issue(issue, call.account)
    project = world.projects[str(found.values["project"])]
    renderer = Renderer(world, call.api, call.account, call.zone)
    wanted = call.first("transitionId")
    with_fields = "transitions.fields" in call.words("expand")
    shown = [
        _show(renderer, project, found, one, with_fields=with_fields)
        for one in available(project, found)
        if (wanted is None or one.id == wanted) and may(project, call.account, TRANSITION)
    ]
    return answer(200, {"expand": "transitions", "transitions": shown})


def _show(renderer: Renderer, project: Project, issue: Issue, one: Transition, *, with_fields: bool) -> JsonObject:
    screen = project.transition_screens.get(one.id)
    shown: JsonObject = {
        "id": one.id,
        "name": one.name,
        "to": renderer.status(catalog.STATUSES[one.to_status]),
        "hasScreen": screen is not None,
        "isGlobal": False,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
        "isLooped": False,
    }
    if with_fields:
        kind = catalog.TYPES[str(issue.values["issuetype"])]
        fields = screen.fields if screen else {}
        shown["fields"] = {
            one_id: field_meta(renderer, project, kind, screen, one_id, creating=False) for one_id in fields if screen
        }
    return shown


def make_transition(world: World, call: Call, issue: str) -> SiteResponse:
    """POST issue/{id}/transitions."""
    account = call.caller
    found = world.issue(issue, account)
    check_write(world, call, found)
    body = call.json_object()
    raw = body.get("transition")
    wanted = raw.get("id") if isinstance(raw, dict) else None
    if not isinstance(wanted, str | int) or isinstance(wanted, bool):
        raise bad_request("Missing 'transition' identifier")
    project = world.projects[str(found.values["project"])]
    offered = available(project, found) if may(project, account, TRANSITION) else []
    chosen = next((one for one in offered if one.id == str(wanted)), None)
    if chosen is None:
        raise bad_request(
            "It seems that you have tried to perform an illegal workflow operation."
            f" Transition id '{wanted}' is not valid for this issue."
        )
    fields, update = edits.parts(body)
    metadata = edits.history_metadata(body)
    screen = project.transition_screens.get(chosen.id) or Screen({})
    problems = edits.Problems()
    around = Surroundings(world, call.api, project, catalog.TYPES[str(found.values["issuetype"])])
    values: dict[str, Value] = edits.read_fields(fields, update, screen, around, found.values, problems)
    edits.check_required(screen, {**found.values, **values}, world, problems)
    problems.raise_any()
    done = catalog.STATUSES[chosen.to_status].category == "done"
    values["resolution"] = catalog.RESOLVED.id if done else None
    values["status"] = chosen.to_status
    for author, entry in changes.carry_out(world, found, values, account, metadata):
        webhooks.issue_updated(world, found, author, entry, type_name="issue_generic")
    return no_content()
