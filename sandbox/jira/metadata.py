"""What the site consists of: fields, types, statuses, priorities, projects, and what may be set on create and edit.

Read-only endpoints, called by the router of `sandbox.jira.site`. Anonymous callers see what Jira lets them see: little.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.jira import catalog, things
from sandbox.jira.http import Call, Refusal, answer, not_found
from sandbox.jira.model import FieldDef, Issue, IssueType, JsonObject, Kind, Project, Screen
from sandbox.jira.permissions import CREATE, EDIT, may
from sandbox.jira.render import Renderer, moment
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

MAX_PAGE = 200
DEFAULT_PAGE = 50
_NO_PROJECT = "No project could be found with key or id '{}'."


def _renderer(world: World, call: Call) -> Renderer:
    return Renderer(world, call.api, call.account, call.zone)


def server_info(world: World, call: Call) -> SiteResponse:
    """GET serverInfo."""
    edition = world.edition
    return answer(
        200,
        {
            "baseUrl": world.base_url,
            "displayUrl": world.base_url,
            "version": edition.version,
            "versionNumbers": edition.version_numbers,
            "deploymentType": edition.deployment,
            "buildNumber": 100_300,
            "buildDate": "2026-01-02T03:04:05.000+0000",
            "serverTime": moment(world.now(), call.zone),
            "serverTimeZone": "Etc/UTC",
            "serverTitle": "Jira",
        },
    )


def fields(world: World, call: Call) -> SiteResponse:
    """GET field: anonymous callers see the system fields only."""
    shown = [
        {
            "id": one.id,
            "key": one.id,
            "name": one.name,
            "custom": one.custom,
            "orderable": one.id not in catalog.READ_ONLY,
            "navigable": True,
            "searchable": True,
            "clauseNames": list(one.clause_names),
            "schema": one.schema,
        }
        for one in world.fields.values()
        if (call.account or not one.custom) and not (world.edition.epic_link and one.kind is Kind.PARENT)
    ]
    links: JsonObject = {
        "id": "issuelinks",
        "key": "issuelinks",
        "name": "Linked Issues",
        "custom": False,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": ["issueLink"],
        "schema": {"type": "array", "items": "issuelinks", "system": "issuelinks"},
    }
    key: JsonObject = {
        "id": "issuekey",
        "key": "issuekey",
        "name": "Key",
        "custom": False,
        "orderable": False,
        "navigable": True,
        "searchable": False,
        "clauseNames": ["id", "issue", "issuekey", "key"],
    }
    return answer(200, [key, links, *shown])


def priorities(world: World, call: Call) -> SiteResponse:
    """GET priority."""
    renderer = _renderer(world, call)
    shown = [
        {**renderer.priority(one), "statusColor": "#aaaaaa", "description": one.description}
        for one in catalog.PRIORITIES.values()
    ]
    return answer(200, shown if call.account else [])


def issue_types(world: World, call: Call) -> SiteResponse:
    """GET issuetype."""
    renderer = _renderer(world, call)
    return answer(200, [renderer.issue_type(one) for one in catalog.TYPES.values()] if call.account else [])


def statuses(world: World, call: Call) -> SiteResponse:
    """GET status."""
    renderer = _renderer(world, call)
    return answer(200, [renderer.status(one) for one in catalog.STATUSES.values()] if call.account else [])


def _project(world: World, call: Call, project: Project) -> JsonObject:
    renderer = _renderer(world, call)
    return {
        **renderer.project_ref(project),
        "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
        "style": "classic",
        "isPrivate": False,
        "properties": {},
    }


def projects(world: World, call: Call) -> SiteResponse:
    """GET project."""
    shown = [one for one in world.projects.values() if world.visible_project(one.id, call.account)]
    return answer(200, [_project(world, call, one) for one in shown])


def project_search(world: World, call: Call) -> SiteResponse:
    """GET project/search."""
    shown = [one for one in world.projects.values() if world.visible_project(one.id, call.account)]
    start, limit = call.number("startAt", 0, 1 << 31), call.number("maxResults", DEFAULT_PAGE, MAX_PAGE)
    return answer(
        200,
        {
            "self": f"{world.base_url}/rest/api/{call.api}/project/search?startAt={start}&maxResults={limit}",
            "startAt": start,
            "maxResults": limit,
            "total": len(shown),
            "isLast": start + limit >= len(shown),
            "values": [_project(world, call, one) for one in shown[start : start + limit]],
        },
    )


def project(world: World, call: Call, project: str) -> SiteResponse:
    """GET project/{idOrKey}."""
    found = _visible(world, call, project)
    renderer = _renderer(world, call)
    return answer(
        200,
        {
            **_project(world, call, found),
            "description": "",
            "lead": renderer.user(world.accounts[found.lead]),
            "assigneeType": "UNASSIGNED",
            "components": [things.thing_json(Kind.COMPONENTS, one, renderer.rest) for one in found.components.values()],
            "versions": [things.thing_json(Kind.VERSIONS, one, renderer.rest) for one in found.versions.values()],
            "roles": {},
            "issueTypes": [renderer.issue_type(catalog.TYPES[one]) for one in found.type_ids],
        },
    )


def project_statuses(world: World, call: Call, project: str) -> SiteResponse:
    """GET project/{idOrKey}/statuses: the statuses of each type's workflow."""
    found = _visible(world, call, project)
    renderer = _renderer(world, call)
    shown = [renderer.status(one) for one in catalog.STATUSES.values()]
    return answer(
        200,
        [
            {
                "self": f"{renderer.rest}/issuetype/{one.id}",
                "id": one.id,
                "name": one.name,
                "subtask": one.level < 0,
                "statuses": shown,
            }
            for one in (catalog.TYPES[type_id] for type_id in found.type_ids)
        ],
    )


def _visible(world: World, call: Call, id_or_key: str) -> Project:
    found = world.visible_project(id_or_key, call.account)
    if found is None:
        raise not_found(_NO_PROJECT.format(id_or_key))
    return found


def _creatable(world: World, call: Call, id_or_key: str) -> Project:
    """Return a project that the caller may create issues in; for Jira any other one is not there."""
    found = _visible(world, call, id_or_key)
    if not may(found, call.account, CREATE):
        raise not_found(_NO_PROJECT.format(id_or_key))
    return found


def create_types(world: World, call: Call, project: str) -> SiteResponse:
    """GET issue/createmeta/{project}/issuetypes."""
    found = _creatable(world, call, project)
    renderer = _renderer(world, call)
    return _page(world, call, "issueTypes", [catalog.TYPES[one] for one in found.type_ids], renderer.issue_type)


def create_meta(world: World, call: Call, project: str, issue_type: str) -> SiteResponse:
    """GET issue/createmeta/{project}/issuetypes/{id}: the fields of the create screen."""
    found = _creatable(world, call, project)
    screen = found.create_screens.get(issue_type)
    if screen is None:
        raise Refusal(404, f"No issue type found with id '{issue_type}' in the project.")
    renderer = _renderer(world, call)
    kind = catalog.TYPES[issue_type]

    def shown(field_id: str) -> JsonObject:
        return {**field_meta(renderer, found, kind, screen, field_id, creating=True), "fieldId": field_id}

    return _page(world, call, "fields", list(screen.fields), shown)


def _page(
    world: World, call: Call, name: str, rows: list[IssueType] | list[str], show: Callable[..., JsonObject]
) -> SiteResponse:
    start, limit = call.number("startAt", 0, 1 << 31), call.number("maxResults", DEFAULT_PAGE, MAX_PAGE)
    page = rows[start : start + limit]
    shown = [show(one) for one in page]
    head: JsonObject = {"startAt": start, "maxResults": limit, "total": len(rows)}
    if world.edition.paged_by_number:
        return answer(200, {**head, "isLast": start + limit >= len(rows), "values": shown})
    return answer(200, {name: shown, **head})


def edit_meta(world: World, call: Call, issue: str) -> SiteResponse:
    """GET issue/{id}/editmeta: the fields of the edit screen."""
    found = world.issue(issue, call.account)
    editable = may(world.projects[str(found.values["project"])], call.account, EDIT)
    return answer(200, {"fields": edit_fields(_renderer(world, call), found) if editable else {}})


def edit_fields(renderer: Renderer, issue: Issue) -> JsonObject:
    """Return the fields of an issue's edit screen."""
    project = renderer.world.projects[str(issue.values["project"])]
    kind = catalog.TYPES[str(issue.values["issuetype"])]
    screen = project.edit_screens[kind.id]
    return {one: field_meta(renderer, project, kind, screen, one, creating=False) for one in screen.fields}


def field_meta(
    renderer: Renderer, project: Project, kind: IssueType, screen: Screen, field_id: str, *, creating: bool
) -> JsonObject:
    """Return what may be set in a field of a screen."""
    known = renderer.world.fields[field_id]
    shown: JsonObject = {
        "required": screen.fields[field_id],
        "schema": known.schema,
        "name": known.name,
        "key": known.id,
        "hasDefaultValue": field_id in ("priority", "reporter"),
        "operations": list(known.operations),
    }
    allowed = _allowed(renderer, project, kind, known, creating=creating)
    if allowed is not None:
        shown["allowedValues"] = allowed
    if field_id == "priority":
        shown["defaultValue"] = renderer.priority(catalog.PRIORITIES[catalog.DEFAULT_PRIORITY])
    if known.kind in (Kind.USER, Kind.LABELS):
        shown["autoCompleteUrl"] = f"{renderer.rest}/user/search?query="
    return shown


def _allowed(
    renderer: Renderer, project: Project, kind: IssueType, known: FieldDef, *, creating: bool
) -> list[JsonObject] | None:
    match known.kind:
        case Kind.PRIORITY:
            return [renderer.priority(one) for one in catalog.PRIORITIES.values()]
        case Kind.OPTION:
            return [renderer.option(one) for one in renderer.world.options[known.id].values()]
        case Kind.PROJECT:
            return [renderer.project_ref(project)]
        case Kind.TYPE:
            same = [catalog.TYPES[one] for one in project.type_ids if catalog.TYPES[one].level == kind.level]
            return [renderer.issue_type(one) for one in ([kind] if creating else same)]
        case _:
            return things.allowed(known, renderer.world.lists(project), renderer.rest)
