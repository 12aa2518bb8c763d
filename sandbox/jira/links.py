"""Links between issues: adding, showing and removing one, in Jira's shapes. A resource of its own, no field of an edit.

Called by the router of `sandbox.jira.site`; `sandbox.jira.render` shows them in issues. A link stands in the changelog
of both issues; webhooks tell of it by ids alone.
"""

from __future__ import annotations

from sandbox.jira import catalog, changes, webhooks
from sandbox.jira.http import Call, answer, bad_request, no_content, not_found
from sandbox.jira.model import ChangeItem, Issue, IssueLink
from sandbox.jira.permissions import LINK, may
from sandbox.jira.render import Renderer
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

_WORDS = {ident: (name, inward, outward) for ident, name, inward, outward in catalog.LINK_TYPES}


def create(world: World, call: Call) -> SiteResponse:
    """POST issueLink: 201 without a body, also where the two are linked so already. `inwardIssue` shows the outward
    words.
    """
    body = call.json_object()
    if unknown := sorted(set(body) - {"type", "inwardIssue", "outwardIssue", "comment"}):
        raise bad_request(f'Unrecognized field "{unknown[0]}"')
    type_id = _type(body.get("type"))
    source, target = (_issue(world, call, body.get(name)) for name in ("inwardIssue", "outwardIssue"))
    if not any(may(world.projects[str(one.values["project"])], call.account, LINK) for one in (source, target)):
        raise not_found(f"No Link Issue Permission for issue '{source.values['key']}'")
    if source is target:
        raise bad_request("You cannot link an issue to itself.")
    known = (type_id, source.id, target.id)
    if any((one.type_id, one.source, one.target) == known for one in world.issue_links.values()):
        return no_content(201)
    made = IssueLink(world.new_small_id(), *known)
    world.issue_links[made.id] = made
    _log(world, call, made, linked=True)
    return no_content(201)


def read(world: World, call: Call, link: str) -> SiteResponse:
    """GET issueLink/{id}: both ends."""
    found = _found(world, call, link)
    show = Renderer(world, call.api, call.account, call.zone)
    ends = {"inwardIssue": found.source, "outwardIssue": found.target}
    shown = {name: show.issue_ref(world.issues[ident]) for name, ident in ends.items()}
    return answer(200, {**show.issue_link_head(found), **shown})


def remove(world: World, call: Call, link: str) -> SiteResponse:
    """DELETE issueLink/{id}: 204."""
    found = _found(world, call, link)
    issues = (world.issues[found.source], world.issues[found.target])
    if not any(may(world.projects[str(one.values["project"])], call.account, LINK) for one in issues):
        raise not_found(f"No Link Issue Permission for issue '{issues[0].values['key']}'")
    del world.issue_links[found.id]
    _log(world, call, found, linked=False)
    return no_content()


def forget(world: World, issue: Issue) -> None:
    """Remove the links of an issue that is deleted."""
    world.issue_links = {i: one for i, one in world.issue_links.items() if issue.id not in (one.source, one.target)}


def _found(world: World, call: Call, link: str) -> IssueLink:
    found = world.issue_links.get(link)
    ends = () if found is None else (found.source, found.target)
    if found is None or any(not world.visible(world.issues[one], call.account) for one in ends):
        raise not_found(f"No issue link with id '{link}' exists.")
    return found


def _type(raw: object) -> str:
    ident, name = (raw.get("id"), raw.get("name")) if isinstance(raw, dict) else (None, None)
    for known, (known_name, _, _) in _WORDS.items():
        if ident == known or (ident is None and name == known_name):
            return known
    raise not_found(f"No issue link type with name '{name if ident is None else ident}' found.")


def _issue(world: World, call: Call, raw: object) -> Issue:
    named = (raw.get("id") or raw.get("key")) if isinstance(raw, dict) else None
    if not isinstance(named, str):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    return world.issue(named, call.account)


def _log(world: World, call: Call, link: IssueLink, *, linked: bool) -> None:
    _, inward, outward = _WORDS[link.type_id]
    source, target = world.issues[link.source], world.issues[link.target]
    for issue, other, words in ((source, target, outward), (target, source, inward)):
        key = str(other.values["key"])
        told = f"This issue {words} {key}"
        item = ChangeItem(
            "Link", False, None, *((None, None, key, told) if linked else (key, told, None, None))
        )  # Jira gives no field id
        changes.touch(world, issue, call.caller, (item,))
    event = "issuelink_created" if linked else "issuelink_deleted"
    webhooks.issue_link(world, source, link, event, _WORDS[link.type_id])
