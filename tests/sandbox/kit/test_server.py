"""The server around a site: faults over real HTTP, the journal, webhooks, and the control surface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from sandbox.control import ControlClient, ControlError
from sandbox.craft.settings import ADA_KEY, SYNC_KEY
from sandbox.craft.site import CraftSite
from sandbox.kit.server import SandboxServer, open_listener, url_of
from shared.domain.clock import SystemClock
from tests.patience import HANGS_S

HEADERS = {"x-api-key": SYNC_KEY.key}


class NoAnswerError(Exception):
    """The connection ended without an answer."""


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a PUT again after a reset, as it does by itself (RFC 9110 calls PUT idempotent)."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise NoAnswerError from error


class Running:
    """A Craft.io stand-in over HTTP with one item in it."""

    def __init__(self, server: SandboxServer, site: CraftSite, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.site = site
        self.http = http
        self.control = ControlClient(server.control, http)
        self.item_id: str = site.person(ADA_KEY.key).create_item(type="epic", title="first")["id"]

    async def put_title(self, title: str) -> int:
        """Set the title and return the status. Raises `NoAnswerError`."""
        body = {"id": self.item_id, "title": title}
        async with self.http.put(f"{self.server.url}/item", json=body, headers=HEADERS) as answer:
            return answer.status

    async def title(self) -> str:
        return str((await self.control.state())["items"][0]["title"])

    async def until_title(self, title: str) -> None:
        async with asyncio.timeout(HANGS_S):
            while await self.title() != title:  # over HTTP there is only asking
                await asyncio.sleep(0.01)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    listener = open_listener()
    site = CraftSite(now=SystemClock().now, base_url=url_of(listener))
    site.seed_workspace("Roadmap")
    async with (
        SandboxServer(site, listener=listener, retry_wait_s=(0.01, 0.02)) as server,
        aiohttp.ClientSession(middlewares=(_send_once,)) as http,
    ):
        yield Running(server, site, http)


async def test_requests_reach_the_site_and_the_journal_in_their_order(running: Running) -> None:
    assert await running.put_title("second") == 200
    async with running.http.get(f"{running.server.url}/item/0", params={"fields": "all"}) as answer:
        assert answer.status == 401
    calls = await running.control.journal()
    seen = [(call["number"], call["method"], call["path"], call["status"], call["who"]) for call in calls]
    assert seen == [(1, "PUT", "/item", 200, "Tandem Sync"), (2, "GET", "/item/0", 401, "")]
    assert json.loads(calls[0]["body"])["title"] == "second"
    assert calls[1]["query"] == [["fields", "all"]]
    assert [call["number"] for call in await running.control.journal(after=1)] == [2]
    assert SYNC_KEY.key not in json.dumps(calls)


async def test_the_answer_carries_the_vendors_own_clock(running: Running) -> None:
    year_on = SystemClock().now() + timedelta(days=365)
    running.site.account.now = lambda: year_on
    async with running.http.get(f"{running.server.url}/me/api-key", headers=HEADERS) as answer:
        assert answer.headers.getall("Date")[0].split()[3] == str(year_on.year)
        assert len(answer.headers.getall("Date")) == 1


async def test_a_path_with_escapes_reaches_the_site_decoded(running: Running) -> None:
    async with running.http.get(f"{running.server.url}/item/a%20b", headers=HEADERS) as answer:
        assert answer.status == 404
    assert (await running.control.journal())[0]["path"] == "/item/a b"


async def test_refused_means_not_done_and_no_answer(running: Running) -> None:
    await running.control.put_faults([{"effect": "refuse", "method": "PUT", "next": 1}])
    with pytest.raises(NoAnswerError):
        await running.put_title("second")
    assert await running.title() == "first"
    assert await running.put_title("third") == 200
    calls = await running.control.journal()
    assert [(call["status"], call["answered"], call["effects"]) for call in calls] == [
        (None, False, ["refuse"]),
        (200, True, []),
    ]


async def test_a_dropped_answer_means_done_and_no_answer(running: Running) -> None:
    await running.control.put_faults([{"effect": "drop-response-after-doing-it", "next": 1}])
    with pytest.raises(NoAnswerError):
        await running.put_title("second")
    assert await running.title() == "second"
    call = (await running.control.journal())[0]
    assert (call["status"], call["answered"], call["effects"]) == (200, False, ["drop-response-after-doing-it"])


async def test_done_late_means_no_answer_now_and_the_effect_after_something_newer(running: Running) -> None:
    await running.control.put_faults([{"effect": "do-it-late", "delay_s": 0.4, "next": 1}])
    with pytest.raises(NoAnswerError):
        await running.put_title("stale")
    assert await running.title() == "first"
    assert await running.put_title("newer") == 200
    assert await running.title() == "newer"
    await running.until_title("stale")
    assert [call["answered"] for call in await running.control.journal()] == [True, False]


async def test_a_status_is_answered_and_nothing_done(running: Running) -> None:
    await running.control.put_faults([{"effect": "status", "status": 429, "retry_after_s": 7, "next": 1}])
    async with running.http.put(f"{running.server.url}/item", json={}, headers=HEADERS) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert await running.title() == "first"


async def test_a_delayed_request_is_done_after_its_delay(running: Running) -> None:
    await running.control.put_faults([{"effect": "delay", "delay_s": 0.3}])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await running.put_title("second") == 200
    assert loop.time() - begun >= 0.3


async def test_a_revoked_token_is_refused_until_the_faults_are_deleted(running: Running) -> None:
    await running.control.put_faults([{"effect": "revoke", "token": SYNC_KEY.key}])
    assert await running.put_title("second") == 401
    await running.control.clear_faults()
    assert await running.put_title("third") == 200


async def test_faults_that_cannot_be_put_in_force_change_nothing(running: Running) -> None:
    await running.control.put_faults([{"effect": "status", "status": 503}])
    for rules in ([{"effect": "delay"}], [{"effect": "revoke", "token": "never was one"}]):
        with pytest.raises(ControlError):
            await running.control.put_faults(rules)
        assert await running.put_title("second") == 503


async def test_control_requests_are_no_vendor_calls_and_meet_no_faults(running: Running) -> None:
    await running.control.put_faults([{"effect": "refuse"}])
    await running.control.state()
    await running.control.clear_faults()
    assert await running.control.journal() == []


async def test_bad_control_requests_are_answered_in_words(running: Running) -> None:
    for method, path, body in (
        ("PUT", "/faults", "{"),
        ("GET", "/journal?after=x", ""),
        ("PUT", "/settings", '{"speed": 1}'),
        ("PUT", "/settings", '{"trims_text": null}'),
        ("POST", "/scene", '{"items": [{"type": "saga", "title": "t"}]}'),
        ("POST", "/scene", '{"items": [{"type": "epic", "title": "t", "workspace": "none"}]}'),
        ("GET", "/nothing", ""),
        ("DELETE", "/state", ""),
    ):
        async with running.http.request(method, running.server.control + path, data=body) as answer:
            assert answer.status in {400, 404, 405}
            assert (await answer.json())["error"]


async def test_webhooks_reach_their_receiver_signed_and_are_retried(running: Running) -> None:
    got: list[tuple[str, dict[str, object]]] = []

    async def take(request: web.BaseRequest) -> web.Response:
        got.append((request.headers.get("X-Craft-Signature", ""), json.loads(await request.read())))
        return web.Response(status=503 if len(got) == 1 else 202)

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    listener = open_listener()
    await web.SockSite(runner, listener).start()
    try:
        await running.control.put_settings({"webhook": {"url": url_of(listener) + "/hook", "secret": "s"}})
        await running.put_title("over HTTP")
        await _until(lambda: len(got) == 2)
        running.site.person(ADA_KEY.key).edit(running.item_id, title="in process")
        await _until(lambda: len(got) == 3)
    finally:
        await runner.cleanup()
    assert got[0] == got[1]
    assert got[0][0].startswith("sha256=")
    titles = [body["item"]["title"] for _, body in got[1:] if isinstance(body["item"], dict)]
    assert titles == ["over HTTP", "in process"]
    attempts = await running.control.webhooks()
    assert [(attempt["attempt"], attempt["status"]) for attempt in attempts] == [(1, 503), (2, 202), (1, 202)]


async def test_a_scene_is_seeded_with_its_tree(running: Running) -> None:
    made = await running.control.seed_scene(
        {
            "workspaces": [{"name": "Second", "key": "SEC", "custom_fields": {"Size": ["S", "L"]}}],
            "items": [
                {"ref": "e", "type": "epic", "title": "Epic", "workspace": "Second"},
                {"type": "feature", "title": "F", "parent": "e", "workspace": "Second", "customFields": {"Size": "L"}},
            ],
        }
    )
    items = {item["id"]: item for item in (await running.control.state())["items"]}
    feature = items[made["items"]["F"]]
    assert feature["parent"]["id"] == made["items"]["e"]
    assert feature["workspaceId"] == made["workspaces"]["Second"]
    assert feature["customFields"][0]["label"] == "L"
    assert feature["shortId"].startswith("SEC-")


async def test_settings_change_while_running_and_are_shown(running: Running) -> None:
    shown = await running.control.put_settings({"clock_step_ms": 60_000, "visibility_lag_s": 5, "write_limit": None})
    assert (shown["clock_step_ms"], shown["visibility_lag_s"], shown["list_order"]) == (60_000, 5.0, "updated")
    assert running.site.settings.clock_step == timedelta(minutes=1)


async def test_a_late_effect_does_not_outlive_the_server() -> None:
    listener = open_listener()
    site = CraftSite(now=SystemClock().now, base_url=url_of(listener))
    site.seed_workspace("Roadmap")
    async with (
        SandboxServer(site, listener=listener) as server,
        aiohttp.ClientSession(middlewares=(_send_once,)) as http,
    ):
        running = Running(server, site, http)
        await running.control.put_faults([{"effect": "do-it-late", "delay_s": 3_600}])
        with pytest.raises(NoAnswerError):
            await running.put_title("never")
    assert [task for task in asyncio.all_tasks() if "_act_late" in repr(task)] == []


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANGS_S):
        while not condition():  # what comes over HTTP sets no event here
            await asyncio.sleep(0.01)
