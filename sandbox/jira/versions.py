"""Versions of a project: creating one and showing it, in Jira's shapes. Only administrators of the project create them.

Called by the router of `sandbox.jira.site`.
"""

from __future__ import annotations

from sandbox.jira import things
from sandbox.jira.http import Call, Refusal, answer, bad_request, not_found
from sandbox.jira.model import JsonObject, Kind, Option, Project
from sandbox.jira.permissions import ADMINISTER, may
from sandbox.jira.render import Renderer
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

MAX_NAME = 255
_NO_PROJECT = "No project could be found with {}."
_TEXTS = ("description", "releaseDate", "startDate", "moveUnfixedIssuesTo", "expand")
_FLAGS = ("archived", "released")


def create(world: World, call: Call) -> SiteResponse:
    """POST version: 201; 404 for a project that is not there or not the caller's to administer, as in Jira."""
    body = call.json_object()
    if unknown := sorted(set(body) - {"name", "project", "projectId", *_TEXTS, *_FLAGS}):
        raise bad_request(f'Unrecognized field "{unknown[0]}"')
    project = _project(world, call, body)
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request(name="You must specify a valid version name")
    if len(name.strip()) > MAX_NAME:
        raise bad_request(name=f"The version name must not exceed {MAX_NAME} characters in length.")
    if any(one.name.casefold() == name.strip().casefold() for one in project.versions.values()):
        raise bad_request(name="A version with this name already exists in this project.")
    made = Option(world.new_small_id(), name.strip())
    project.versions[made.id] = made
    return answer(201, _show(world, call, project, made))


def read(world: World, call: Call, version: str) -> SiteResponse:
    """GET version/{id}."""
    for project in world.projects.values():
        if version in project.versions and world.visible_project(project.id, call.account):
            return answer(200, _show(world, call, project, project.versions[version]))
    raise not_found(f"Could not find version for id '{version}'")


def _project(world: World, call: Call, body: JsonObject) -> Project:
    """Return the project that is named by id, or (the older way) by key."""
    ident, key = body.get("projectId"), body.get("project")
    if isinstance(ident, bool) or not isinstance(ident, int | None) or not isinstance(key, str | None):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if ident is None and key is None:
        raise bad_request(projectId="You must specify a project ID or a project key.")
    named, words = (str(ident), f"id '{ident}'") if ident is not None else (str(key), f"key '{key}'")
    found = world.visible_project(named, call.account)
    if found is None or not may(found, call.account, ADMINISTER):
        raise Refusal(404, _NO_PROJECT.format(words))
    return found


def _show(world: World, call: Call, project: Project, one: Option) -> JsonObject:
    rest = Renderer(world, call.api, call.account, call.zone).rest
    return {**things.thing_json(Kind.VERSIONS, one, rest), "projectId": int(project.id)}
