"""Lists of the site that come in shapes of their own: priorities in pages, types of links. Read-only endpoints."""

from __future__ import annotations

from sandbox.jira import catalog
from sandbox.jira.http import Call, answer
from sandbox.jira.metadata import DEFAULT_PAGE, MAX_PAGE
from sandbox.jira.render import Renderer
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse


def priority_search(world: World, call: Call) -> SiteResponse:
    """GET priority/search: the same in pages, with the default marked; every project has the same."""
    renderer = Renderer(world, call.api, call.account, call.zone)
    start, limit = call.number("startAt", 0, 1 << 31), call.number("maxResults", DEFAULT_PAGE, MAX_PAGE)
    rows = list(catalog.PRIORITIES.values()) if call.account else []
    shown = [
        {
            **renderer.priority(one),
            "statusColor": "#aaaaaa",
            "description": one.description,
            "isDefault": one.id == catalog.DEFAULT_PRIORITY,
        }
        for one in rows[start : start + limit]
    ]
    last = start + limit >= len(rows)
    return answer(200, {"startAt": start, "maxResults": limit, "total": len(rows), "isLast": last, "values": shown})


def link_types(world: World, call: Call) -> SiteResponse:
    """GET issueLinkType."""
    rest = Renderer(world, call.api, call.account, call.zone).rest
    shown = [
        {"id": ident, "name": name, "inward": inward, "outward": outward, "self": f"{rest}/issueLinkType/{ident}"}
        for ident, name, inward, outward in catalog.LINK_TYPES
    ]
    return answer(200, {"issueLinkTypes": shown if call.account else []})
