"""A lost answer over real HTTP: our own transport reports it and never sends the write again."""

from __future__ import annotations

import json

import pytest

from sandbox.craft.settings import ADA_KEY, SYNC_KEY
from sandbox.craft.site import CraftSite
from sandbox.kit.fault_rules import parse_rules
from sandbox.kit.server import SandboxServer
from shared.clients.aiohttp_transport import open_transport
from shared.clients.transport import HttpRequest, Unclear
from shared.domain.clock import SystemClock
from tests.conformance.client_worlds import LOOPBACK


@pytest.mark.parametrize("effect", ["drop-response-after-doing-it", "refuse"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_a_write_without_an_answer_is_unclear_and_was_sent_once(method: str, effect: str) -> None:
    site = CraftSite(now=SystemClock().now, base_url="http://craft")
    workspace = site.seed_workspace("Roadmap")
    item_id = site.person(ADA_KEY.key).create_item(type="epic", title="first")["id"]
    path, body = {
        "PUT": ("/item", {"id": item_id, "title": "second"}),
        "POST": ("/item", {"type": "epic", "workspaceId": workspace.id, "title": "new", "parent": None}),
        "DELETE": (f"/item/{item_id}", {}),
    }[method]
    async with SandboxServer(site) as server, open_transport(LOOPBACK) as transport:
        server.plan.replace(parse_rules([{"effect": effect, "next": 1}]))
        headers = {"x-api-key": SYNC_KEY.key}
        with pytest.raises(Unclear):
            await transport.send(HttpRequest(method, server.url + path, (), headers, json.dumps(body).encode()))
        assert [call.effects for call in server.calls.after()] == [(effect,)]
