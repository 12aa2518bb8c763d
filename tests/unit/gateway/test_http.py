"""The routes on real HTTP: sizes, slow and broken senders, and what aiohttp itself must not answer for us."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from services.webhook_gateway.settings import GatewaySettings
from shared.domain.ids import Side
from tests.patience import HANGS_S
from tests.unit.gateway.harness import CRAFT, JIRA, URL_TOKEN, Rig, body, dump, signed

UPDATED = dump(body(Side.JIRA, "issue_updated"))
PATH = f"/webhooks/jira/{JIRA}"


@asynccontextmanager
async def _served(**changed: Any) -> AsyncIterator[tuple[Rig, URL, ClientSession]]:
    rig = await Rig(changed).load()
    app = web.Application()
    app.add_routes(rig.service.routes())
    async with TestServer(app) as server, ClientSession() as http:
        yield rig, server.make_url("/"), http


async def test_a_signed_webhook_is_202_and_on_the_log() -> None:
    async with _served() as (rig, url, http):
        async with http.post(url.join(URL(PATH)), data=UPDATED, headers=signed(Side.JIRA, UPDATED)) as answer:
            assert answer.status == 202
            assert answer.content_type == "application/json"
            assert (await answer.json())["outcome"] == "forwarded"
        assert [event.entity_id for event in rig.published()] == ["20417"]


async def test_the_token_in_the_url_is_read_from_the_query() -> None:
    raw = dump(body(Side.CRAFT, "item_updated"))
    async with _served() as (_, url, http):
        target = url.join(URL(f"/webhooks/craft/{CRAFT}"))
        async with http.post(target.with_query(token=URL_TOKEN), data=raw) as answer:
            assert answer.status == 202


async def test_no_content_type_is_refused() -> None:
    async with _served() as (_, url, http):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json", "x"):
            headers = {**signed(Side.JIRA, UPDATED), "content-type": kind}
            async with http.post(url.join(URL(PATH)), data=UPDATED, headers=headers) as answer:
                assert answer.status == 202, kind


async def test_exactly_25_mb_are_taken_and_one_byte_more_is_413() -> None:
    limit = GatewaySettings.model_fields["webhook_max_bytes"].default
    assert limit == 25 * 1024 * 1024
    raw = UPDATED + b" " * (limit - len(UPDATED))
    async with _served() as (rig, url, http):
        async with http.post(url.join(URL(PATH)), data=BytesIO(raw), headers=signed(Side.JIRA, raw)) as answer:
            assert answer.status == 202
        raw += b" "
        async with http.post(url.join(URL(PATH)), data=BytesIO(raw), headers=signed(Side.JIRA, raw)) as answer:
            assert answer.status == 413
        assert len(rig.published()) == 1


async def test_a_body_without_length_is_cut_off_at_the_limit_and_not_at_its_end() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    async with (
        _served(webhook_max_bytes=10_000) as (_, url, http),
        asyncio.timeout(HANGS_S),
        http.post(url.join(URL(PATH)), data=endless()) as answer,
    ):
        assert answer.status == 413


async def test_more_than_the_memory_allows_is_asked_to_come_again_and_leaves_room_afterwards() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield UPDATED
        begun.set()
        await go_on.wait()

    async with _served(webhook_max_held_bytes=len(UPDATED) + 100) as (_, url, http), asyncio.timeout(HANGS_S):
        target, headers = url.join(URL(PATH)), signed(Side.JIRA, UPDATED)
        first = asyncio.create_task(http.post(target, data=halting(), headers=headers))
        await begun.wait()
        statuses = [0]
        while statuses[-1] != 429:  # until the first body has arrived
            async with http.post(target, data=UPDATED, headers=headers) as answer:
                statuses.append(answer.status)
                assert answer.status in (202, 429)
                assert answer.status == 202 or int(answer.headers["Retry-After"]) >= 1
        go_on.set()
        async with await first as answer:
            assert answer.status == 202
        async with http.post(target, data=UPDATED, headers=headers) as answer:
            assert answer.status == 202


async def test_a_sender_that_stops_in_the_middle_is_let_go_in_time() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(2 * HANGS_S)

    async with (
        _served(webhook_body_timeout_s=0.2) as (_, url, http),
        asyncio.timeout(HANGS_S),
        http.post(url.join(URL(PATH)), data=stuck()) as answer,
    ):
        assert answer.status == 408
        assert "Retry-After" in answer.headers


async def test_a_compressed_body_is_checked_as_it_was_signed_unpacked_and_a_broken_one_is_no_5xx() -> None:
    async with _served() as (_, url, http):
        target = url.join(URL(PATH))
        headers = {**signed(Side.JIRA, UPDATED), "content-encoding": "gzip"}
        async with http.post(target, data=gzip.compress(UPDATED), headers=headers) as answer:
            assert answer.status == 202
        for encoding in ("gzip", "deflate"):
            headers = {**signed(Side.JIRA, UPDATED), "content-encoding": encoding}
            async with http.post(target, data=b"\x01not packed at all", headers=headers) as answer:
                assert answer.status == 400


async def test_a_bomb_is_cut_off_at_the_limit() -> None:
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))
    async with (
        _served() as (_, url, http),
        http.post(url.join(URL(PATH)), data=bomb, headers={"content-encoding": "gzip"}) as answer,
    ):
        assert answer.status == 413


async def test_odd_paths_queries_and_headers_are_never_a_5xx() -> None:
    async with _served() as (_, url, http):
        for path in (
            "/webhooks/jira/",
            "/webhooks/jira/a%2Fb",
            "/webhooks/jira/%FF%00",
            "/webhooks/other/x",
            "/webhooks",
        ):
            async with http.post(URL(str(url)[:-1] + path, encoded=True), data=UPDATED) as answer:
                assert answer.status == 404, path
        for query in ("token=%FF%80", "token=a&token=b", "=", "%"):
            async with http.post(URL(f"{str(url)[:-1]}{PATH}?{query}", encoded=True), data=UPDATED) as answer:
                assert answer.status == 401, query
        async with http.get(url.join(URL(PATH))) as answer:
            assert answer.status == 405


async def test_broken_requests_on_the_wire_are_never_a_5xx() -> None:
    wire = [
        b"POST /webhooks/jira/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /webhooks/jira/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhooks/jira/x HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: sha256=\xff\xfe\r\nContent-Length: 1\r\n\r\n{",
        b"\x00\x01\x02\r\n\r\n",
    ]
    async with _served() as (_, url, _http), asyncio.timeout(HANGS_S):
        for request in wire:
            reader, writer = await asyncio.open_connection(url.host, url.port)
            writer.write(request)
            writer.write_eof()
            line = await reader.readline()
            writer.close()
            assert not line or line.split()[1].startswith(b"4"), (request, line)
