"""The paths that the stand-in offers, each with its endpoint. Read once per site by `sandbox.jira.site`."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.jira import comments, issues, lists, metadata, permissions, properties, search, webhooks, workflow
from sandbox.kit.site import SiteResponse

Endpoint = Callable[..., SiteResponse]
"""Called as `endpoint(world, call, **path parameters)`."""

API_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/myself", metadata.myself),
    ("GET", "/serverInfo", metadata.server_info),
    ("GET", "/user/search", metadata.user_search),
    ("GET", "/field", metadata.fields),
    ("GET", "/priority", metadata.priorities),
    ("GET", "/priority/search", lists.priority_search),
    ("GET", "/issueLinkType", lists.link_types),
    ("GET", "/mypermissions", permissions.mypermissions),
    ("GET", "/issuetype", metadata.issue_types),
    ("GET", "/status", metadata.statuses),
    ("GET", "/project", metadata.projects),
    ("GET", "/project/search", metadata.project_search),
    ("GET", "/project/{project}", metadata.project),
    ("GET", "/project/{project}/statuses", metadata.project_statuses),
    ("GET", "/issue/createmeta/{project}/issuetypes", metadata.create_types),
    ("GET", "/issue/createmeta/{project}/issuetypes/{issue_type}", metadata.create_meta),
    ("POST", "/issue", issues.create),
    ("POST", "/issue/bulk", issues.create_bulk),
    ("GET", "/issue/{issue}", issues.read),
    ("PUT", "/issue/{issue}", issues.edit),
    ("DELETE", "/issue/{issue}", issues.delete),
    ("GET", "/issue/{issue}/editmeta", metadata.edit_meta),
    ("GET", "/issue/{issue}/changelog", issues.changelog),
    ("GET", "/issue/{issue}/transitions", workflow.transitions),
    ("POST", "/issue/{issue}/transitions", workflow.make_transition),
    ("GET", "/issue/{issue}/properties", properties.list_keys),
    ("GET", "/issue/{issue}/properties/{key}", properties.read),
    ("PUT", "/issue/{issue}/properties/{key}", properties.write),
    ("DELETE", "/issue/{issue}/properties/{key}", properties.delete),
    ("GET", "/issue/{issue}/comment", comments.page),
    ("POST", "/issue/{issue}/comment", comments.add),
    ("GET", "/search/jql", search.search_get),
    ("POST", "/search/jql", search.search_post),
    ("GET", "/search", search.gone),
    ("POST", "/search", search.gone),
    ("POST", "/search/approximate-count", search.count),
    ("POST", "/jql/match", search.match),
)
ADMIN_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/rest/webhooks/1.0/webhook", webhooks.listing),
    ("POST", "/rest/webhooks/1.0/webhook", webhooks.register),
    ("GET", "/rest/webhooks/1.0/webhook/{webhook}", webhooks.read),
    ("DELETE", "/rest/webhooks/1.0/webhook/{webhook}", webhooks.remove),
)
