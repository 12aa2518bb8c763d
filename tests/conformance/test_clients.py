"""Both clients behave the same on the in-process transport of the simulation and over real HTTP, and Jira's the same
on Cloud and Data Center.
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio

from sandbox.craft.settings import ADA_KEY
from sandbox.jira.edition import CLOUD, Edition, data_center
from sandbox.jira.site import ADA_EMAIL
from shared.clients.aiohttp_transport import open_transport
from shared.clients.errors import (
    BadCredentials,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    UnclearEffect,
)
from shared.clients.transport import HttpRequest, NotSent, Unclear
from shared.domain.clock import SystemClock
from shared.domain.ids import EntityId, LinkId, OperationId
from tests.conformance.client_worlds import LOOPBACK, ClientWorld, in_process, over_http
from tests.patience import HANGS_S

OP, LINK = OperationId("link:1"), LinkId("link")


@pytest.fixture(params=[CLOUD, data_center()], ids=["cloud", "data_center"])
def edition(request: pytest.FixtureRequest) -> Edition:
    """Each edition of Jira."""
    found: Edition = request.param
    return found


@pytest_asyncio.fixture(params=[in_process, over_http], ids=["in_process", "over_http"])
async def world(request: pytest.FixtureRequest, edition: Edition) -> AsyncIterator[ClientWorld]:
    """Both clients, one way or the other."""
    way: Callable[[Edition], AbstractAsyncContextManager[ClientWorld]] = request.param
    async with way(edition) as opened:
        yield opened


async def test_an_issue_lives_its_life(world: ClientWorld) -> None:
    since = SystemClock().now()
    issue = await world.jira.create_issue("TAN", "10001", {"summary": "Ünïcode · «x»", "labels": ["a"]}, LINK)
    assert await world.jira.find_created(LINK, "TAN", since) == issue
    world.jira_site.person(ADA_EMAIL).edit(issue, summary="Edited")
    line = {"type": "paragraph", "content": [{"type": "text", "text": "a"}]}
    documents = {"wiki": "a", "adf": {"type": "doc", "version": 1, "content": [line]}}
    document = documents["wiki" if world.jira_site.world.edition.keeps_wiki else "adf"]
    edit = {"summary": "Ours", "description": document}
    reading = await world.jira.update_issue(issue, edit, OP, read_fields=["labels"])
    assert reading is not None
    assert (reading.changelog[-1].op, reading.changelog[-1].items[0].old_label) == (OP, "Edited")
    read = await world.jira.get_issue(issue, ["labels", "description"], changelog=True)
    assert read.snapshot["fields"]["labels"] == ["a"]
    assert read.snapshot["fields"]["description"] == document
    assert (read.correlation_key, len(read.changelog)) == (LINK, 2)
    assert read.server_date is not None
    assert abs((SystemClock().now() - read.server_date).total_seconds()) < HANGS_S


async def test_an_issue_is_shown_below_its_parent_whatever_way_it_hangs_there(world: ClientWorld) -> None:
    ada = world.jira_site.person(ADA_EMAIL)
    epic, other = (ada.create_issue("TAN", name, type="Epic") for name in ("Epic", "Other"))
    story = await world.jira.create_issue("TAN", "10001", {"summary": "Story", "parent": {"id": epic}}, LINK)
    sub = await world.jira.create_issue("TAN", "10004", {"summary": "Sub", "parent": {"id": story}}, LINK)
    await world.jira.create_issue("TAN", "10000", {"summary": "Epic of ours"}, LINK)

    async def parent(issue: EntityId) -> str | None:
        shown = (await world.jira.get_issue(issue, ())).snapshot["fields"]["parent"]
        return shown and str(shown["id"])

    assert [await parent(each) for each in (story, sub)] == [epic, story]
    moved = await world.jira.update_issue(story, {"parent": {"id": other}, "summary": "Moved"}, OP, read_fields=())
    assert moved is not None
    assert moved.snapshot["fields"]["parent"]["id"] == other
    assert {item.field: (item.old, item.new) for item in moved.changelog[-1].items if item.field != "summary"} in (
        {"parent": (epic, other)},
        {"IssueParentAssociation": (epic, other)},
    )
    found = {each.entity_id: each.snapshot["fields"] for each in (await world.jira.search("project = TAN", ())).items}
    assert found[story]["parent"]["id"] == other
    emptied = await world.jira.update_issue(story, {"parent": None}, OP, read_fields=())
    assert emptied is not None
    assert emptied.snapshot["fields"]["parent"] is None


async def test_an_item_lives_its_life(world: ClientWorld) -> None:
    workspace = world.craft_site.workspace()
    key = workspace.custom_field("Jira key").id
    body = {"type": "feature", "workspaceId": workspace.id, "title": "Ünïcode", "parent": None}
    item, _ = await world.craft.create_item({**body, "customFields": [{"id": key, "value": LINK}]})
    written = await world.craft.update_item(item, {"title": "Ours", "labels": ["a"]})
    assert written.updated is not None
    read = await world.craft.get_item(item, key_field=key)
    assert (read.snapshot["title"], read.snapshot["labels"], read.correlation_key) == ("Ours", ["a"], LINK)
    us = (await world.craft.whoami()).id
    found = await world.craft.find_created(workspace.id, us, read.updated or SystemClock().now(), key_field=key)
    assert all(each.entity_id == item for each in found)
    assert [each.entity_id for each in (await world.craft.list_items(workspace.id, created_by=us)).items] == [item]


async def test_a_lost_answer_is_unclear_and_the_request_is_made_exactly_once(world: ClientWorld) -> None:
    issue = EntityId(world.jira_site.person(ADA_EMAIL).create_issue("TAN", "x"))
    item = EntityId(world.craft_site.person(ADA_KEY.key).create_item(type="feature", title="x")["id"])
    world.fail({"method": "P*", "effect": "drop-response-after-doing-it"})
    with pytest.raises(UnclearEffect):
        await world.jira.update_issue(issue, {"summary": "y"}, OP, read_fields=())
    with pytest.raises(UnclearEffect):
        await world.jira.create_issue("TAN", "10001", {"summary": "once"}, LINK)
    with pytest.raises(UnclearEffect):
        await world.craft.update_item(item, {"title": "y"})
    world.fail()
    changelog = await world.jira.get_changelog(issue)
    assert [entry.op for entry in changelog] == [OP]
    summaries = [each.snapshot["fields"]["summary"] for each in (await world.jira.search("project = TAN", ())).items]
    assert sorted(summaries) == ["once", "y"]


async def test_a_lost_answer_to_a_read_is_harmless(world: ClientWorld) -> None:
    world.fail({"method": "GET", "effect": "drop-response-after-doing-it"})
    with pytest.raises(Unavailable):
        await world.jira.myself()


async def test_a_slow_vendor_is_unclear_after_the_timeout_for_writes(world: ClientWorld) -> None:
    item = EntityId(world.craft_site.person(ADA_KEY.key).create_item(type="feature", title="x")["id"])
    world.fail({"method": "PUT", "effect": "delay", "delay_s": 3})
    with pytest.raises(UnclearEffect):
        await world.craft.update_item(item, {"title": "y"})


async def test_errors_are_told_apart(world: ClientWorld) -> None:
    with pytest.raises(NotFound):
        await world.jira.get_issue(EntityId("999"), ())
    with pytest.raises(Rejected) as rejected:
        await world.jira.create_issue("TAN", "10001", {"summary": "x", "nonsense": 1}, LINK)
    assert "nonsense" in rejected.value.field_errors
    world.fail({"method": "GET", "effect": "status", "status": 429, "retry_after_s": 1})
    with pytest.raises(RateLimited) as limited:
        await world.craft.whoami()
    assert limited.value.retry_after_s == 1
    world.fail()
    world.jira_site.revoke_token("sync-token")
    with pytest.raises(BadCredentials):
        await world.jira.search("project = TAN", ())


async def test_many_calls_at_once(world: ClientWorld) -> None:
    issues = [EntityId(world.jira_site.person(ADA_EMAIL).create_issue("TAN", f"x{n}")) for n in range(40)]
    readings = await asyncio.gather(*(world.jira.get_issue(issue, ()) for issue in issues))
    assert [reading.entity_id for reading in readings] == issues


async def test_a_closed_port_and_an_unknown_host_are_certainly_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = dataclasses.replace(LOOPBACK, plain_http_hosts=frozenset({"127.0.0.1", "no-such-host.invalid"}))
    async with open_transport(named) as transport:
        for url in (f"http://127.0.0.1:{port}/x", "http://no-such-host.invalid/x", "nonsense"):
            for method in ("GET", "PUT"):
                with pytest.raises(NotSent):
                    await transport.send(HttpRequest(method, url, timeout_s=5))


async def test_a_server_that_hangs_up_after_the_request_is_unclear_and_asked_only_once() -> None:
    """By itself aiohttp repeats a PUT on a connection that it had used before; a transport must never."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            requests.append(head.split(b" ", 1)[0])
            if len(requests) > 1:
                writer.close()
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()

    def quiet(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        assert isinstance(context.get("exception"), asyncio.IncompleteReadError)

    asyncio.get_running_loop().set_exception_handler(quiet)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    async with server, open_transport(LOOPBACK) as transport:
        assert (await transport.send(HttpRequest("PUT", url))).status == 200
        with pytest.raises(Unclear):
            await transport.send(HttpRequest("PUT", url))
        assert requests == [b"PUT", b"PUT"]


async def test_redirects_are_not_followed(world: ClientWorld) -> None:
    world.fail({"effect": "status", "status": 302, "headers": {"location": "http://elsewhere.invalid/"}})
    with pytest.raises(Unavailable) as caught:
        await world.jira.myself()
    assert "redirects" in str(caught.value)
    assert "elsewhere" not in str(caught.value)
