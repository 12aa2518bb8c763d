"""Create, read, edit and delete issues, and their changelog.

Called by the router of `sandbox.jira.site`. Each endpoint checks everything first and then changes everything: a
refused request leaves no trace.
"""

from __future__ import annotations

from sandbox.jira import catalog, changes, edits, links, webhooks
from sandbox.jira.http import Call, Refusal, answer, bad_request, no_content
from sandbox.jira.issue_view import Wanted, show
from sandbox.jira.limits import check_write
from sandbox.jira.model import Account, Issue, IssueType, JsonObject, Project, Value
from sandbox.jira.permissions import CREATE, EDIT, check_may, may
from sandbox.jira.render import Renderer
from sandbox.jira.values import BadValue, Surroundings, read_type
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

MAX_BULK = 50
MAX_CHANGELOG_PAGE = 100


def create(world: World, call: Call) -> SiteResponse:
    """POST issue."""
    account = call.caller
    issue = _create(world, account, call.api, call.json_object())
    webhooks.issue_created(world, issue, account)
    return answer(201, _created(world, call, issue))


def _created(world: World, call: Call, issue: Issue) -> JsonObject:
    own = f"{world.base_url}/rest/api/{call.api}/issue/{issue.id}"
    return {"id": issue.id, "key": issue.values["key"], "self": own}


def create_bulk(world: World, call: Call) -> SiteResponse:
    """POST issue/bulk: at most 50; 201 when any was made, 400 when none was."""
    account = call.caller
    bodies = call.json_object().get("issueUpdates")
    if not isinstance(bodies, list) or not bodies:
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if len(bodies) > MAX_BULK:
        raise bad_request(f"Cannot create more than {MAX_BULK} issues in one request.")
    made: list[object] = []
    failed: list[object] = []
    for number, body in enumerate(bodies):
        try:
            if not isinstance(body, dict):
                raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
            issue = _create(world, account, call.api, body)
        except Refusal as refusal:
            failed.append({"status": refusal.status, "elementErrors": refusal.body(), "failedElementNumber": number})
        else:
            made.append(_created(world, call, issue))
            webhooks.issue_created(world, issue, account, webhooks.SECONDARY)
    return answer(201 if made else 400, {"issues": made, "errors": failed})


def _create(world: World, account: Account, api: int, body: JsonObject) -> Issue:
    fields, update = edits.parts(body)
    properties = edits.properties(body)
    edits.history_metadata(body)
    if body.get("transition") is not None:
        raise bad_request("A transition during creation is not offered by this stand-in.")
    project, issue_type = _where(world, account, fields)
    problems = edits.Problems()
    screen = project.create_screens[issue_type.id]
    rest = {key: value for key, value in fields.items() if key not in ("project", "issuetype")}
    around = Surroundings(world, api, project, issue_type)
    wanted = edits.read_fields(rest, update, screen, around, {}, problems)
    now = world.now()
    values: dict[str, Value] = {
        "priority": catalog.DEFAULT_PRIORITY,
        "reporter": account.account_id,
        "labels": (),
        **wanted,
        "project": project.id,
        "issuetype": issue_type.id,
        "status": catalog.TO_DO.id,
        "creator": account.account_id,
        "created": now,
        "updated": now,
    }
    edits.check_required(screen, values, world, problems)
    problems.raise_any()
    return _store(world, project, values, properties)


def _store(world: World, project: Project, values: dict[str, Value], properties: dict[str, object]) -> Issue:
    issue_id = world.new_issue_id()
    key = f"{project.key}-{project.next_number}"
    project.next_number += 1
    values |= {"id": issue_id, "key": key}
    issue = Issue(issue_id, values, dict(properties))
    world.issues[issue_id] = issue
    world.ids_by_key[key] = issue_id
    if values.get("parent") is not None:
        changes.move_child(world, issue, values["parent"])
    world.put_values(issue, values)
    return issue


def _where(world: World, account: Account, fields: JsonObject) -> tuple[Project, IssueType]:
    """Return the project and type of a new issue; raises the 400 for those that are missing or unknown."""
    problems = edits.Problems()
    raw = fields.get("project")
    wanted = (raw.get("id") or raw.get("key")) if isinstance(raw, dict) else None
    project = world.visible_project(str(wanted), account) if wanted else None
    if project is not None and not may(project, account, CREATE):
        raise bad_request(pid="You do not have permission to create issues in this project.")
    if project is None:
        problems.errors["project"] = (
            "data was not an object" if isinstance(raw, str) else "Specify a valid project ID or key"
        )
        if fields.get("issuetype") is None:
            problems.errors["issuetype"] = "Specify an issue type"
        problems.raise_any()
        raise AssertionError
    try:
        return project, read_type(fields.get("issuetype"), project)
    except BadValue as problem:
        problems.add("issuetype", problem)
    problems.raise_any()
    raise AssertionError


def read(world: World, call: Call, issue: str) -> SiteResponse:
    """GET issue/{idOrKey}: also by an old key; the answer carries the new one."""
    found = world.issue(issue, call.account)
    wanted = Wanted.of(call.words("fields"), call.words("properties"), call.words("expand"))
    renderer = Renderer(world, call.api, call.account, call.zone)
    return answer(200, show(renderer, found, found.values, wanted))


def edit(world: World, call: Call, issue: str) -> SiteResponse:
    """PUT issue/{idOrKey}: 204, or 200 with the issue when returnIssue is asked for. A transition in it is ignored."""
    account = call.caller
    found = world.issue(issue, account)
    check_may(world.projects[str(found.values["project"])], account, EDIT)
    check_write(world, call, found)
    _check_conflict(world, found)
    body = call.json_object()
    fields, update = edits.parts(body)
    metadata = edits.history_metadata(body)
    properties = edits.properties(body)
    project = world.projects[str(found.values["project"])]
    old_type = catalog.TYPES[str(found.values["issuetype"])]
    problems = edits.Problems()
    screen = project.edit_screens[old_type.id]
    around = Surroundings(world, call.api, project, _new_type(fields, project, old_type))
    wanted = edits.read_fields(fields, update, screen, around, found.values, problems)
    new_type = wanted.get("issuetype")
    if new_type is not None and catalog.TYPES[str(new_type)].level != old_type.level:
        problems.errors["issuetype"] = "The issue type selected is invalid."
    edits.check_required(screen, {**found.values, **wanted}, world, problems)
    problems.raise_any()
    for author, entry in changes.carry_out(world, found, wanted, account, metadata):
        webhooks.issue_updated(world, found, author, entry)
    found.properties.update(properties)
    if not call.flag("returnIssue") or not world.edition.edits_return_issue:
        return no_content()
    only = [] if world.settings.return_issue_fields == "all" else [*fields, *update, "id"]
    renderer = Renderer(world, call.api, account, call.zone)
    return answer(200, show(renderer, found, found.values, Wanted.of(only, [], call.words("expand"))))


def _new_type(fields: JsonObject, project: Project, old_type: IssueType) -> IssueType:
    """Return the type against which the other fields are read; a bad one is reported where it is read."""
    if "issuetype" not in fields:
        return old_type
    try:
        return read_type(fields["issuetype"], project)
    except BadValue:
        return old_type


def _check_conflict(world: World, issue: Issue) -> None:
    """Raise the 409 that a test has asked for, for this issue or for any."""
    for key in (issue.id, "*"):
        if world.conflicts.get(key, 0) > 0:
            world.conflicts[key] -= 1
            raise Refusal(409, "The issue could not be updated due to a conflicting update. Please try again.")


def delete(world: World, call: Call, issue: str) -> SiteResponse:
    """DELETE issue/{idOrKey}: an issue with sub-tasks only together with them."""
    account = call.caller
    found = world.issue(issue, account)
    check_write(world, call, found)
    subtasks = [one for one in found.children if catalog.TYPES[str(world.issues[one].values["issuetype"])].level < 0]
    if subtasks and not call.flag("deleteSubtasks"):
        raise bad_request(
            f"The issue '{found.values['key']}' has subtasks. You must specify the 'deleteSubtasks' parameter to delete"
            " this issue and all its subtasks."
        )
    # The bodies show the issues as they were: written before anything is taken away.
    webhooks.issue_deleted(world, found, account)
    for child in subtasks:
        webhooks.issue_deleted(world, world.issues[child], account, webhooks.SECONDARY)
    for child in subtasks:
        _remove(world, world.issues[child])
    _remove(world, found)
    return no_content()


def _remove(world: World, issue: Issue) -> None:
    for child in list(issue.children):
        orphan = world.issues[child]
        world.put_values(orphan, {**orphan.values, "parent": None})
    if (link := world.epic_link) is not None:
        for other in world.issues.values():
            if other.values.get(link.id) == issue.id:
                world.put_values(other, {**other.values, link.id: None})
    changes.move_child(world, issue, None)
    links.forget(world, issue)
    del world.issues[issue.id]
    world.deleted.append(issue.id)


def changelog(world: World, call: Call, issue: str) -> SiteResponse:
    """GET issue/{idOrKey}/changelog: oldest first, in pages of at most 100."""
    found = world.issue(issue, call.account)
    start = call.number("startAt", 0, 1 << 31)
    limit = call.number("maxResults", MAX_CHANGELOG_PAGE, MAX_CHANGELOG_PAGE)
    renderer = Renderer(world, call.api, call.account, call.zone)
    base = f"{renderer.rest}/issue/{found.id}/changelog"
    last = start + limit >= len(found.histories)
    page: JsonObject = {
        "self": f"{base}?maxResults={limit}&startAt={start}",
        "maxResults": limit,
        "startAt": start,
        "total": len(found.histories),
        "isLast": last,
        "values": [renderer.history(entry) for entry in found.histories[start : start + limit]],
    }
    if not last:
        page["nextPage"] = f"{base}?maxResults={limit}&startAt={start + limit}"
    return answer(200, page)
