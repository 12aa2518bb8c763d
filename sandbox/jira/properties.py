"""Entity properties of an issue: any JSON under a key. They change neither `updated` nor the changelog.

Called by the router of `sandbox.jira.site`.
"""

from __future__ import annotations

from sandbox.jira import webhooks
from sandbox.jira.edits import MAX_PROPERTY, check_property
from sandbox.jira.http import Call, Refusal, answer, bad_request, no_content
from sandbox.jira.limits import check_write
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse


def list_keys(world: World, call: Call, issue: str) -> SiteResponse:
    """GET issue/{id}/properties."""
    found = world.issue(issue, call.account)
    base = f"{world.base_url}/rest/api/{call.api}/issue/{found.id}/properties"
    return answer(200, {"keys": [{"self": f"{base}/{key}", "key": key} for key in found.properties]})


def read(world: World, call: Call, issue: str, key: str) -> SiteResponse:
    """GET issue/{id}/properties/{key}."""
    found = world.issue(issue, call.account)
    if key not in found.properties:
        raise _absent(key)
    return answer(200, {"key": key, "value": found.properties[key]})


def write(world: World, call: Call, issue: str, key: str) -> SiteResponse:
    """PUT issue/{id}/properties/{key}: 201 when new, 200 when replaced."""
    account = call.caller
    found = world.issue(issue, account)
    check_write(world, call, found)
    if len(call.request.body) > MAX_PROPERTY:
        raise bad_request(f"The property value cannot be longer than {MAX_PROPERTY} characters.")
    value = call.json()
    check_property(key, value)
    created = key not in found.properties
    found.properties[key] = value
    webhooks.property_changed(world, found, account, key, "issue_property_set")
    return answer(201 if created else 200, {})


def delete(world: World, call: Call, issue: str, key: str) -> SiteResponse:
    """DELETE issue/{id}/properties/{key}."""
    account = call.caller
    found = world.issue(issue, account)
    check_write(world, call, found)
    if key not in found.properties:
        raise _absent(key)
    del found.properties[key]
    webhooks.property_changed(world, found, account, key, "issue_property_deleted")
    return no_content()


def _absent(key: str) -> Refusal:
    return Refusal(404, f"The property with key '{key}' does not exist.")
