"""Accounts over the REST interface: who calls, and looking people up.

Called by the router of `sandbox.jira.site`. Which addresses show is the edition's business.
"""

from __future__ import annotations

from sandbox.jira.http import Call, answer, bad_request, not_found
from sandbox.jira.render import Renderer
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

DEFAULT_PAGE = 50
MAX_USERS = 1000


def _renderer(world: World, call: Call) -> Renderer:
    return Renderer(world, call.api, call.account, call.zone)


def myself(world: World, call: Call) -> SiteResponse:
    """GET myself: 401 for bad credentials, the one honest health check."""
    account = call.caller
    shown = _renderer(world, call).user(account)
    return answer(200, {**shown, "locale": "en_US", "groups": {"size": 0, "items": []}})


def user_search(world: World, call: Call) -> SiteResponse:
    """GET user/search: prefixes of name and visible address; a hidden address neither matches nor shows."""
    if call.account is None:
        return answer(200, [])
    query, account_id = call.first("username" if world.edition.named_users else "query"), call.first("accountId")
    if world.edition.named_users and query is None:
        raise bad_request("The username query parameter was not provided")
    if query is None and account_id is None and not call.first("username"):
        raise bad_request("A query, accountId or property must be provided")
    wanted = (query or "").lower()
    found = []
    for one in world.accounts.values():
        words = [*one.display_name.lower().split(), one.display_name.lower()]
        if world.edition.named_users:
            words += [one.name.lower(), one.email.lower()]
        elif one.email_visible or one.account_id == call.account.account_id:
            words.append(one.email.lower())
        hit = one.account_id == account_id if query is None else any(word.startswith(wanted) for word in words)
        if hit:
            found.append(one)
    start = call.number("startAt", 0, MAX_USERS)
    shown = found[start : start + call.number("maxResults", DEFAULT_PAGE, MAX_USERS)]
    return answer(200, [_renderer(world, call).user(one) for one in shown])


def user(world: World, call: Call) -> SiteResponse:
    """GET user: by `username`, or by `key`."""
    _ = call.caller
    name, key = call.first("username"), call.first("key")
    found = world.account_named(name) if name else world.accounts.get(key or "")
    if found is None:
        raise not_found(
            f"The user named '{name}' does not exist" if name else f"The user with key '{key}' does not exist"
        )
    return answer(200, _renderer(world, call).user(found))
