"""Comments: a comment touches the issue's `updated` but leaves no changelog entry, and causes two webhooks.

Called by the router of `sandbox.jira.site`.
"""

from __future__ import annotations

from sandbox.jira import catalog, webhooks
from sandbox.jira.http import Call, answer, bad_request
from sandbox.jira.limits import check_write
from sandbox.jira.model import Comment, FieldDef, Kind, RichText
from sandbox.jira.render import Renderer
from sandbox.jira.values import BadValue, Surroundings
from sandbox.jira.values import read as read_value
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

_BODY = FieldDef("comment", "Comment", Kind.RICH, {"type": "string"}, ("comment",))
MAX_PAGE = 100


def add(world: World, call: Call, issue: str) -> SiteResponse:
    """POST issue/{id}/comment."""
    account = call.caller
    found = world.issue(issue, account)
    check_write(world, call, found)
    project = world.projects[str(found.values["project"])]
    around = Surroundings(world, call.api, project, catalog.TYPES[str(found.values["issuetype"])])
    try:
        body = read_value(_BODY, call.json_object().get("body"), around)
    except BadValue as problem:
        raise (bad_request(problem.message) if problem.key == "" else bad_request(comment=problem.message)) from None
    if not isinstance(body, RichText):
        raise bad_request(comment="Comment body can not be empty!")
    now = world.now()
    comment = Comment(world.new_small_id(), account.account_id, body, now)
    found.comments.append(comment)
    world.put_values(found, {**found.values, "updated": now})
    webhooks.comment_created(world, found, account, comment)
    return answer(201, Renderer(world, call.api, account, call.zone).comment(found, comment))


def page(world: World, call: Call, issue: str) -> SiteResponse:
    """GET issue/{id}/comment."""
    found = world.issue(issue, call.account)
    start, limit = call.number("startAt", 0, 1 << 31), call.number("maxResults", MAX_PAGE, MAX_PAGE)
    renderer = Renderer(world, call.api, call.account, call.zone)
    return answer(200, renderer.comments(found, found.comments[start : start + limit], start, limit))
