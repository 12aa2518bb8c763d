"""Search over the index: pages by token, match, count, and the filters of webhooks.

Called by the router of `sandbox.jira.site` and by `sandbox.jira.webhooks`. The index may lag behind the issues; only
the issues named in reconcileIssues are shown as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sandbox.jira import jql
from sandbox.jira.http import Call, answer, bad_request
from sandbox.jira.issue_view import Wanted, show
from sandbox.jira.jql_match import Matcher, sort_key
from sandbox.jira.model import Account, Issue, JsonObject, Kind, Values
from sandbox.jira.render import Renderer
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

DEFAULT_PAGE = 50
MAX_PAGE = 100
MAX_ID_PAGE = 5000
MAX_RECONCILE = 50
MAX_DIGITS = 19
TOKEN_LIFE = timedelta(days=7)
_REQUEST_KEYS = frozenset(
    {
        "expand",
        "fields",
        "fieldsByKeys",
        "jql",
        "maxResults",
        "nextPageToken",
        "properties",
        "reconcileIssues",
        "failFast",
    }
)
_WRONG = "Invalid request payload. Refer to the REST API documentation and try again."
_BOUND = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."


def search_get(world: World, call: Call) -> SiteResponse:
    """GET search/jql."""
    ids = call.words("reconcileIssues")
    if not all(one.isascii() and one.isdigit() and len(one) <= MAX_DIGITS for one in ids):
        raise bad_request(_WRONG)
    body: JsonObject = {
        "jql": call.first("jql") or "",
        "maxResults": call.number("maxResults", DEFAULT_PAGE, MAX_ID_PAGE),
        "nextPageToken": call.first("nextPageToken"),
        "fields": call.words("fields") or None,
        "properties": call.words("properties"),
        "expand": ",".join(call.words("expand")),
        "reconcileIssues": [int(one) for one in ids],
    }
    return _search(world, call, body)


def search_post(world: World, call: Call) -> SiteResponse:
    """POST search/jql."""
    body = call.json_object()
    if not set(body) <= _REQUEST_KEYS:
        raise bad_request(_WRONG)
    return _search(world, call, body)


def _search(world: World, call: Call, body: JsonObject) -> SiteResponse:
    text = body.get("jql") or ""
    size = body.get("maxResults", DEFAULT_PAGE)
    token = body.get("nextPageToken")
    fresh_ids = _numbers(body.get("reconcileIssues") or [])
    if not isinstance(text, str) or isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise bad_request(_WRONG)
    wanted = Wanted.for_search(body.get("fields"), body.get("properties"), body.get("expand"))
    if token:
        rows = _resume(world, token, text)
    else:
        rows = [issue.id for issue, _ in run(world, call.account, text, fresh_ids)]
    size = min(size, MAX_ID_PAGE if wanted.only_ids else MAX_PAGE)
    page, rest = rows[:size], rows[size:]
    renderer = Renderer(world, call.api, call.account, call.zone)
    shown: list[object] = []
    for issue_id in page:
        issue = world.issues.get(issue_id)
        if issue is None or not world.visible(issue, call.account):
            continue
        values = issue.values if issue_id in fresh_ids else world.indexed(issue)
        if values is not None:
            shown.append(show(renderer, issue, values, wanted))
    result: JsonObject = {"issues": shown, "isLast": not (rest and size)}
    if rest and size:
        result["nextPageToken"] = _remember(world, text, rest)
    return answer(200, result)


def _remember(world: World, text: str, rest: Sequence[str]) -> str:
    token = world.uuid()
    world.cursors[token] = {"jql": text, "rest": list(rest), "until": world.now() + TOKEN_LIFE}
    return token


def _resume(world: World, token: object, text: str) -> list[str]:
    """Return the rows that a token stands for; a token belongs to its query and lives 7 days."""
    cursor = world.cursors.get(token) if isinstance(token, str) else None
    until = cursor["until"] if cursor else None
    if cursor is None or cursor["jql"] != text or str(until) < str(world.now()):
        raise bad_request("The provided next page token is invalid or expired.")
    rest = cursor["rest"]
    return [str(one) for one in rest] if isinstance(rest, list) else []


def _numbers(raw: object) -> set[str]:
    """Return the ids of reconcileIssues as the site keeps them; raises a 400 for anything else and for too many."""
    if not isinstance(raw, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in raw):
        raise bad_request(_WRONG)
    if len(raw) > MAX_RECONCILE:
        raise bad_request(f"The maximum number of issues to reconcile is {MAX_RECONCILE}.")
    return {str(one) for one in raw}


def run(
    world: World, account: Account | None, text: str, fresh_ids: set[str], *, bounded: bool = True
) -> list[tuple[Issue, Values]]:
    """Return what a query finds, in its order; raises a 400 for one that Jira refuses, as an unbounded one if asked."""
    try:
        query = jql.parse(text)
        if query.where is None and bounded:
            raise bad_request(_BOUND)
        if account is None:
            return []
        matcher = Matcher(world, account)
        test = matcher.test(query.where) if query.where is not None else lambda _: True
        order = [
            (known, _descending(known.kind, way=descending))
            for known, descending in ((matcher.field(name), way) for name, way in query.order if not _by_id(name))
        ]
    except jql.JqlError as problem:
        raise bad_request(str(problem)) from None
    found: list[tuple[Issue, Values]] = []
    for issue in world.issues.values():
        values = issue.values if issue.id in fresh_ids else world.indexed(issue)
        if values is not None and world.visible(issue, account) and test(values):
            found.append((issue, values))
    id_way = next((way for name, way in query.order if _by_id(name)), True)
    found.sort(key=lambda row: int(row[0].id), reverse=id_way is True)
    for known, descending in reversed(order):
        found.sort(key=lambda row: sort_key(known, row[1].get(known.id)), reverse=descending)  # used at once
    return found


def _by_id(name: str) -> bool:
    return name.lower() in ("key", "issuekey", "id")


def _descending(kind: Kind, *, way: bool | None) -> bool:
    """Return the direction of a sort; dates and priorities start with the newest and the highest unless told."""
    return kind in (Kind.DATE, Kind.DATETIME, Kind.PRIORITY) if way is None else way


def matches(world: World, text: str, values: Values) -> bool:
    """Return whether a webhook's filter takes an issue; a filter that no longer parses takes none."""
    try:
        query = jql.parse(text)
        return query.where is None or Matcher(world, None).test(query.where)(values)
    except jql.JqlError:
        return False


def match(world: World, call: Call) -> SiteResponse:
    """POST jql/match: which of the named issues each query would find."""
    account = call.caller
    body = call.json_object()
    ids, queries = body.get("issueIds"), body.get("jqls")
    if not isinstance(queries, list) or not isinstance(ids, list) or not all(isinstance(one, str) for one in queries):
        raise bad_request(_WRONG)
    wanted = [str(one) for one in ids if isinstance(one, int) and not isinstance(one, bool)]
    if len(wanted) != len(ids):
        raise bad_request(_WRONG)
    return answer(200, {"matches": [_match(world, account, str(text), wanted) for text in queries]})


def _match(world: World, account: Account, text: str, wanted: list[str]) -> JsonObject:
    try:
        query = jql.parse(text)
        test = Matcher(world, account).test(query.where) if query.where else lambda _: True
    except jql.JqlError as problem:
        return {"matchedIssues": [], "errors": [str(problem)]}
    matched = []
    for issue_id in wanted:
        issue = world.issues.get(issue_id)
        values = world.indexed(issue) if issue and world.visible(issue, account) else None
        if values is not None and test(values):
            matched.append(int(issue_id))
    return {"matchedIssues": matched, "errors": []}


def count(world: World, call: Call) -> SiteResponse:
    """POST search/approximate-count."""
    text = call.json_object().get("jql")
    if not isinstance(text, str):
        raise bad_request(_WRONG)
    return answer(200, {"count": len(run(world, call.account, text, set()))})


def gone(_: World, __: Call) -> SiteResponse:
    """The old search: 410, as Jira Cloud answers since its removal."""
    message = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
    return answer(410, {"errorMessages": [message], "errors": {}})
