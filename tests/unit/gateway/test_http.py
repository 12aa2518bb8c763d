"""The routes on real HTTP: sizes, slow and broken senders, and what aiohttp itself must not answer for us."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

from aiohttp import ClientSession
from yarl import URL

from services.webhook_gateway.settings import GatewaySettings
from shared.domain.ids import Side
from shared.runtime.http_serving import serving
from tests.patience import HANGS_S
from tests.unit.gateway.harness import CRAFT, JIRA, URL_TOKEN, Rig, body, dump, signed

UPDATED = dump(body(Side.JIRA, "issue_updated"))
PATH = f"/webhooks/jira/{JIRA}"


@asynccontextmanager
async def _served(**changed: Any) -> AsyncIterator[tuple[Rig, URL, ClientSession]]:
    rig = await Rig(changed).load()
    async with (
        serving("webhook_gateway", rig.service.routes(), "127.0.0.1", 0) as ((host, port),),
        ClientSession() as http,
    ):
        yield rig, URL.build(scheme="http", host=host, port=port, path="/"), http


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
        http.post(url.join(URL(PATH)), data=endless(), headers=signed(Side.JIRA, b"")) as answer,
    ):
        assert answer.status == 413


async def test_where_there_is_no_room_the_largest_body_that_still_comes_makes_room_for_a_smaller_one() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield UPDATED + b" " * len(UPDATED)
        begun.set()
        await go_on.wait()
        yield b" "

    most = 2 * len(UPDATED) + 100
    async with (
        _served(webhook_max_bytes=most, webhook_max_held_bytes_each=most) as (rig, url, http),
        asyncio.timeout(HANGS_S),
    ):
        target, headers = url.join(URL(PATH)), signed(Side.JIRA, UPDATED)
        first = asyncio.create_task(http.post(target, data=halting(), headers=headers))
        await begun.wait()
        while sum(len(share.body) for share in rig.service._room._shares) < 2 * len(UPDATED):
            await asyncio.sleep(0.01)
        async with http.post(target, data=UPDATED, headers=headers) as answer:
            assert answer.status == 202
        go_on.set()
        async with await first as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1
        assert not rig.service._room._shares


async def test_bodies_of_one_connection_take_no_room_of_another() -> None:
    begun = asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        begun.set()
        await asyncio.sleep(60)

    async with _served(webhook_max_bytes=1100, webhook_max_held_bytes_each=1100) as (_, url, http), asyncio.timeout(30):
        target = url.join(URL(PATH))
        first = asyncio.create_task(http.post(target, data=halting(), headers=signed(Side.JIRA, b"")))
        await begun.wait()
        raw = dump(body(Side.CRAFT, "item_updated"))[:1000]
        async with http.post(url.join(URL(f"/webhooks/craft/{CRAFT}?token={URL_TOKEN}")), data=raw) as answer:
            assert answer.status == 202
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_a_sender_that_stops_in_the_middle_is_let_go_in_time() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(2 * HANGS_S)

    async with (
        _served(webhook_body_timeout_s=0.2) as (_, url, http),
        asyncio.timeout(HANGS_S),
        http.post(url.join(URL(PATH)), data=stuck(), headers=signed(Side.JIRA, b"")) as answer,
    ):
        assert answer.status == 408
        assert "Retry-After" in answer.headers


async def test_a_compressed_body_is_signed_as_it_was_sent() -> None:
    packed = {"gzip": gzip.compress(UPDATED), "deflate": zlib.compress(UPDATED)}
    packed["x-gzip"] = packed["gzip"]
    async with _served() as (rig, url, http):
        target = url.join(URL(PATH))
        for encoding, raw in packed.items():
            headers = {**signed(Side.JIRA, raw), "content-encoding": encoding}
            async with http.post(target, data=raw, headers=headers) as answer:
                assert answer.status == 202, encoding
            headers = {**signed(Side.JIRA, UPDATED), "content-encoding": encoding}
            async with http.post(target, data=raw, headers=headers) as answer:
                assert answer.status == 401, encoding
        assert {event.entity_id for event in rig.published()} == {"20417"}


async def test_what_is_packed_badly_is_no_5xx() -> None:
    whole = gzip.compress(UPDATED)
    async with _served() as (rig, url, http):
        for raw in (b"\x01not packed at all", whole[:-9], whole + b"more", whole + whole, b""):
            for encoding in ("gzip", "deflate"):
                headers = {**signed(Side.JIRA, raw), "content-encoding": encoding}
                async with http.post(url.join(URL(PATH)), data=raw, headers=headers) as answer:
                    assert answer.status == 400, (raw[:9], encoding)
        assert not rig.published()


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
