"""Admin webhooks: their registration, and the deliveries that an event causes.

Called by the endpoints after a change. Bodies are written at once with v2 shapes (wiki strings, no e-mail addresses),
so that a later change cannot alter them. Delivering them is `sandbox.kit.deliverer`'s business.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from urllib.parse import quote

from sandbox.jira import search
from sandbox.jira.http import Call, Refusal, answer, bad_request, dump, no_content, not_found
from sandbox.jira.model import Account, Comment, History, Issue, IssueLink, JsonObject
from sandbox.jira.render import Renderer, moment
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse, WebhookDelivery

PRIMARY, SECONDARY = "Primary", "Secondary"
RETRY_HEADER = "x-atlassian-webhook-retry"
RETRY_STATUSES = frozenset({408, 409, 425, 429, *range(500, 600)})
MAX_RETRIES = 5
EVENTS = (
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "issue_property_set",
    "issue_property_deleted",
    "issuelink_created",
    "issuelink_deleted",
)
_SECTION = "issue-related-events-section"
_REDUCED = ("summary", "issuetype", "project", "assignee", "priority", "status")
_VARIABLE = re.compile(r"\$?\{(issue\.(?:id|key)|project\.(?:id|key))\}")


def issue_created(world: World, issue: Issue, actor: Account, flow: str = PRIMARY) -> None:
    """Cause jira:issue_created."""
    _emit(world, "jira:issue_created", issue, flow, lambda show: _envelope(show, issue, actor, "issue_created"))


def issue_updated(
    world: World, issue: Issue, actor: Account, entry: History, *, type_name: str | None = None, flow: str = PRIMARY
) -> None:
    """Cause jira:issue_updated with the changelog of one edit."""
    only_assignee = {item.field_id for item in entry.items} == {"assignee"}
    name = type_name or ("issue_assigned" if only_assignee else "issue_updated")

    def body(show: Renderer) -> JsonObject:
        changelog = {"id": entry.id, "items": [show.change(item) for item in entry.items]}
        return _envelope(show, issue, actor, name) | {"changelog": changelog}

    _emit(world, "jira:issue_updated", issue, flow, body)


def issue_deleted(world: World, issue: Issue, actor: Account, flow: str = PRIMARY) -> None:
    """Cause jira:issue_deleted; call it while the issue is still there."""
    _emit(world, "jira:issue_deleted", issue, flow, lambda show: _envelope(show, issue, actor, "issue_deleted"))


def comment_created(world: World, issue: Issue, actor: Account, comment: Comment) -> None:
    """Cause comment_created (no user, the issue reduced or absent) and jira:issue_updated without changelog."""

    def reduced(show: Renderer) -> JsonObject:
        body: JsonObject = {"comment": show.comment(issue, comment)}
        if world.settings.comment_issue == "reduced":
            shown = show.issue(issue, only=_REDUCED)
            body["issue"] = {key: shown[key] for key in ("id", "self", "key", "fields")}
        return body

    def full(show: Renderer) -> JsonObject:
        return _envelope(show, issue, actor, "issue_commented") | {"comment": show.comment(issue, comment)}

    _emit(world, "comment_created", issue, PRIMARY, reduced)
    if world.settings.comment_updates_issue:
        _emit(world, "jira:issue_updated", issue, PRIMARY, full)


def property_changed(world: World, issue: Issue, actor: Account, key: str, event: str) -> None:
    """Cause issue_property_set or issue_property_deleted."""

    def body(show: Renderer) -> JsonObject:
        prop: JsonObject = {"key": key, "value": issue.properties[key]} if key in issue.properties else {"key": key}
        return {"user": show.user(actor), "issue": show.issue(issue, only=_REDUCED), "property": prop}

    _emit(world, event, issue, PRIMARY, body)


def issue_link(world: World, source: Issue, link: IssueLink, event: str, words: tuple[str, str, str]) -> None:
    """Cause issuelink_created or issuelink_deleted, which name both issues by id alone."""
    name, inward, outward = words
    kind = {"id": int(link.type_id), "name": name, "outwardName": outward, "inwardName": inward}
    told: JsonObject = {
        "id": int(link.id),
        "sourceIssueId": int(link.source),
        "destinationIssueId": int(link.target),
        "issueLinkType": {**kind, "isSubTaskLinkType": False, "isSystemLinkType": False},
        "systemLink": False,
    }
    _emit(world, event, source, PRIMARY, lambda _: {"issueLink": told})


def _envelope(show: Renderer, issue: Issue, actor: Account, type_name: str) -> JsonObject:
    shown = show.issue(issue)
    del shown["expand"]
    return {"issue_event_type_name": type_name, "user": show.user(actor), "issue": shown}


def _emit(world: World, event: str, issue: Issue, flow: str, body_of: Callable[[Renderer], JsonObject]) -> None:
    """Put a delivery into the outbox for each webhook that wants the event."""
    wanting = [hook for hook in world.webhooks.values() if _wants(world, hook, event, issue)]
    if not wanting:
        return
    head: JsonObject = {"timestamp": round(world.now().timestamp() * 1000), "webhookEvent": event}
    raw = dump(head | body_of(Renderer(world, 2)))
    for hook in wanting:
        body = b"" if hook["excludeBody"] else raw
        identifier = world.uuid()
        headers = {"content-type": "application/json; charset=UTF-8", "user-agent": "Atlassian Webhook HTTP Client"}
        if world.edition.repeats_webhooks:
            headers |= {"x-atlassian-webhook-identifier": identifier, "x-atlassian-webhook-flow": flow}
        if (secret := hook["secret"]) and world.edition.signs_webhooks:
            digest = hmac.new(str(secret).encode(), body, hashlib.sha256).hexdigest()
            headers["x-hub-signature"] = f"sha256={digest}"
        url = _VARIABLE.sub(lambda found: quote(_variable(world, issue, found[1])), str(hook["url"]))
        again = (RETRY_STATUSES, MAX_RETRIES) if world.edition.repeats_webhooks else (frozenset[int](), 0)
        world.outbox.append(WebhookDelivery(url, headers, body, identifier, *again))


def _wants(world: World, hook: JsonObject, event: str, issue: Issue) -> bool:
    events, jql = hook["events"], hook["jql"]
    if not hook["enabled"] or not isinstance(events, list) or event not in events:
        return False
    # an issue link is nothing that a webhook's JQL is asked about
    return not jql or event.startswith("issuelink_") or search.matches(world, str(jql), issue.values)


def _variable(world: World, issue: Issue, name: str) -> str:
    project = world.projects[str(issue.values["project"])]
    known = {
        "issue.id": issue.id,
        "issue.key": str(issue.values["key"]),
        "project.id": project.id,
        "project.key": project.key,
    }
    return known[name]


def register(world: World, call: Call) -> SiteResponse:
    """POST to the edition's webhook path: only for administrators; the secret is never shown again."""
    _admin(call)
    body = call.json_object()
    hook = add(world, body, call.caller)
    return answer(201, _show(world, hook))


def add(world: World, body: JsonObject, actor: Account) -> JsonObject:
    """Store a webhook registration and return it; raises the 400 for what Jira does not take."""
    name, url, events = body.get("name"), body.get("url"), body.get("events") or []
    if not isinstance(name, str) or not name:
        raise bad_request(name="You must specify a name for the webhook.")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise bad_request(url="The URL is not valid.")
    if not isinstance(events, list) or not all(isinstance(one, str) for one in events):
        raise bad_request(events="The events are not valid.")
    filters = body.get("filters") or {}
    jql = filters.get(_SECTION, "") if isinstance(filters, dict) else None
    secret = body.get("secret")
    if not isinstance(jql, str) or not (secret is None or isinstance(secret, str)):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    hook: JsonObject = {
        "id": world.new_small_id(),
        "name": name,
        "url": url,
        "events": list(events),
        "jql": jql,
        "secret": secret,
        "excludeBody": body.get("excludeBody") is True,
        "enabled": body.get("enabled") is not False,
        "actor": actor.account_id,
        "at": moment(world.now()),
    }
    world.webhooks[str(hook["id"])] = hook
    return hook


def listing(world: World, call: Call) -> SiteResponse:
    """GET the webhook path."""
    _admin(call)
    return answer(200, [_show(world, hook) for hook in world.webhooks.values()])


def read(world: World, call: Call, webhook: str) -> SiteResponse:
    """GET {webhook path}/{id}."""
    _admin(call)
    if webhook not in world.webhooks:
        raise not_found("The webhook does not exist.")
    return answer(200, _show(world, world.webhooks[webhook]))


def remove(world: World, call: Call, webhook: str) -> SiteResponse:
    """DELETE {webhook path}/{id}."""
    _admin(call)
    if world.webhooks.pop(webhook, None) is None:
        raise not_found("The webhook does not exist.")
    return no_content()


def _show(world: World, hook: JsonObject) -> JsonObject:
    actor = world.accounts[str(hook["actor"])]
    return {
        "self": f"{world.base_url}{world.edition.webhook_path}/{hook['id']}",
        "name": hook["name"],
        "url": hook["url"],
        "events": hook["events"],
        "filters": {_SECTION: hook["jql"]},
        "excludeBody": hook["excludeBody"],
        "enabled": hook["enabled"],
        "isSigned": bool(hook["secret"]) and world.edition.signs_webhooks,
        "lastUpdatedUser": actor.account_id,
        "lastUpdatedDisplayName": actor.display_name,
        "lastUpdated": hook["at"],
    }


def _admin(call: Call) -> None:
    if not call.caller.admin:
        raise Refusal(403, "You do not have permission to manage webhooks.")
