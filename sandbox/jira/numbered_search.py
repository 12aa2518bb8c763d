"""Search with pages told by startAt and total, as Data Center has it.

Called by the router of `sandbox.jira.site`. Any query is taken, also one without restriction, and all fields are shown
unless some are named.
"""

from __future__ import annotations

from sandbox.jira.http import Call, answer, bad_request
from sandbox.jira.issue_view import Wanted, show, words
from sandbox.jira.model import JsonObject
from sandbox.jira.render import Renderer
from sandbox.jira.search import run
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

DEFAULT_PAGE = 50
MAX_PAGE = 1000
_REQUEST_KEYS = frozenset({"jql", "startAt", "maxResults", "validateQuery", "fields", "expand"})


def search_get(world: World, call: Call) -> SiteResponse:
    """GET search."""
    start, size = call.number("startAt", 0, 1 << 31), call.number("maxResults", DEFAULT_PAGE, MAX_PAGE)
    wanted = Wanted.of(call.words("fields"), [], call.words("expand"))
    return _search(world, call, call.first("jql") or "", start, size, wanted)


def search_post(world: World, call: Call) -> SiteResponse:
    """POST search: a property that it does not know is refused."""
    body = call.json_object()
    if unknown := sorted(set(body) - _REQUEST_KEYS):
        raise bad_request(f'Unrecognized field "{unknown[0]}" (Class SearchRequestBean), not marked as ignorable')
    jql = body.get("jql") or ""
    start, size = _number(body, "startAt", 0), _number(body, "maxResults", DEFAULT_PAGE)
    if not isinstance(jql, str):
        raise bad_request("Can not deserialize instance of java.lang.String out of this token")
    wanted = Wanted.of(words(body.get("fields")), [], words(body.get("expand")))
    return _search(world, call, jql, start, min(size, MAX_PAGE), wanted)


def _number(body: JsonObject, name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_request(f"Can not construct instance of int for {name}")
    return value


def _search(world: World, call: Call, jql: str, start: int, size: int, wanted: Wanted) -> SiteResponse:
    rows = run(world, call.account, jql, set(), bounded=False)
    renderer = Renderer(world, call.api, call.account, call.zone)
    page = rows[start : start + size]
    return answer(
        200,
        {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": size,
            "total": len(rows),
            "issues": [show(renderer, issue, values, wanted) for issue, values in page],
        },
    )
