"""The paths that the stand-in offers, each with its endpoint. Read once per site by `sandbox.jira.site`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox.jira import (
    comments,
    issues,
    links,
    lists,
    metadata,
    numbered_search,
    people,
    permissions,
    properties,
    search,
    versions,
    webhooks,
    workflow,
)
from sandbox.jira.edition import Edition
from sandbox.kit.site import SiteResponse

Endpoint = Callable[..., SiteResponse]
"""Called as `endpoint(world, call, **path parameters)`."""

Route = tuple[str, str, Endpoint]

API_ROUTES: tuple[Route, ...] = (
    ("GET", "/myself", people.myself),
    ("GET", "/serverInfo", metadata.server_info),
    ("GET", "/user/search", people.user_search),
    ("GET", "/field", metadata.fields),
    ("GET", "/priority", metadata.priorities),
    ("GET", "/priority/search", lists.priority_search),
    ("GET", "/issueLinkType", lists.link_types),
    ("POST", "/issueLink", links.create),
    ("GET", "/issueLink/{link}", links.read),
    ("DELETE", "/issueLink/{link}", links.remove),
    ("GET", "/mypermissions", permissions.mypermissions),
    ("GET", "/issuetype", metadata.issue_types),
    ("GET", "/status", metadata.statuses),
    ("GET", "/project", metadata.projects),
    ("GET", "/project/{project}", metadata.project),
    ("GET", "/project/{project}/statuses", metadata.project_statuses),
    ("GET", "/issue/createmeta/{project}/issuetypes", metadata.create_types),
    ("GET", "/issue/createmeta/{project}/issuetypes/{issue_type}", metadata.create_meta),
    ("POST", "/version", versions.create),
    ("GET", "/version/{version}", versions.read),
    ("POST", "/issue", issues.create),
    ("POST", "/issue/bulk", issues.create_bulk),
    ("GET", "/issue/{issue}", issues.read),
    ("PUT", "/issue/{issue}", issues.edit),
    ("DELETE", "/issue/{issue}", issues.delete),
    ("GET", "/issue/{issue}/editmeta", metadata.edit_meta),
    ("GET", "/issue/{issue}/transitions", workflow.transitions),
    ("POST", "/issue/{issue}/transitions", workflow.make_transition),
    ("GET", "/issue/{issue}/properties", properties.list_keys),
    ("GET", "/issue/{issue}/properties/{key}", properties.read),
    ("PUT", "/issue/{issue}/properties/{key}", properties.write),
    ("DELETE", "/issue/{issue}/properties/{key}", properties.delete),
    ("GET", "/issue/{issue}/comment", comments.page),
    ("POST", "/issue/{issue}/comment", comments.add),
)
"""Below `/rest/api/{version}`, in all editions."""

TOKEN_PAGED: tuple[Route, ...] = (
    ("GET", "/project/search", metadata.project_search),
    ("GET", "/issue/{issue}/changelog", issues.changelog),
    ("GET", "/search/jql", search.search_get),
    ("POST", "/search/jql", search.search_post),
    ("GET", "/search", search.gone),
    ("POST", "/search", search.gone),
    ("POST", "/search/approximate-count", search.count),
    ("POST", "/jql/match", search.match),
)
"""Where pages are told by a token (Cloud)."""

NUMBER_PAGED: tuple[Route, ...] = (
    ("GET", "/search", numbered_search.search_get),
    ("POST", "/search", numbered_search.search_post),
    ("GET", "/user", people.user),
)
"""Where pages are told by startAt and total, and people by name (Data Center)."""

ADMIN_ROUTES: tuple[Route, ...] = (
    ("GET", "", webhooks.listing),
    ("POST", "", webhooks.register),
    ("GET", "/{webhook}", webhooks.read),
    ("DELETE", "/{webhook}", webhooks.remove),
)
"""Below the edition's webhook path."""


def routes(edition: Edition) -> Iterator[Route]:
    """Yield all routes of an edition with their whole paths."""
    own = NUMBER_PAGED if edition.paged_by_number else TOKEN_PAGED
    for version in edition.apis:
        for method, path, endpoint in (*own, *API_ROUTES):
            yield method, f"/rest/api/{version}{path}", endpoint
    for method, path, endpoint in ADMIN_ROUTES:
        yield method, f"{edition.webhook_path}{path}", endpoint
