"""The server of every service: a connection gets on or it ends, and nothing is read that nobody asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from shared.observability.metrics import REGISTRY
from shared.runtime.http_body import NotTaken, Pace, read_body
from shared.runtime.http_client_address import client_address
from shared.runtime.http_guard import ConnectionLimits
from shared.runtime.http_serving import serving

DEADLINE_S = 30.0
MANY = 1_000.0
GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"


class Site:
    """A few routes, and what was seen by them."""

    def __init__(self) -> None:
        self.bodies: list[bytes | NotTaken] = []
        self.go_on = asyncio.Event()
        self.port = 0

    def routes(self) -> list[web.RouteDef]:
        async def hello(_: web.Request) -> web.Response:
            return web.Response(text="hello")

        async def large(_: web.Request) -> web.Response:
            return web.Response(body=b"x" * 64 * 1024 * 1024)

        async def take(request: web.Request) -> web.Response:
            raw = bytearray()
            why = await read_body(request, raw.extend, most_bytes=1024 * 1024, pace=Pace())
            self.bodies.append(bytes(raw) if why is None else why)
            return web.Response(status=200 if why is None else why.status)

        async def slow(_: web.Request) -> web.Response:
            await self.go_on.wait()
            return web.Response(text="at last")

        async def whence(request: web.Request) -> web.Response:
            return web.Response(text=client_address(request, 2))

        return [
            web.get("/hello", hello),
            web.get("/large", large),
            web.post("/take", take),
            web.get("/slow", slow),
            web.get("/whence", whence),
        ]

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, raw: bytes) -> bytes:
        """Return all that comes back until the end of the connection."""
        reader, writer = await self.open()
        try:
            writer.write(raw)
            return await until_the_end(reader)
        finally:
            writer.transport.abort()


async def until_the_end(reader: asyncio.StreamReader) -> bytes:
    found = b""
    async with asyncio.timeout(DEADLINE_S):
        try:
            while more := await reader.read(65_536):
                found += more
        except ConnectionError:
            pass
    return found


@asynccontextmanager
async def site(**limits: float) -> AsyncIterator[Site]:
    found = Site()
    chosen = ConnectionLimits(**{"head_timeout_s": MANY, "idle_timeout_s": MANY, **limits})  # type: ignore[arg-type]
    async with serving("site", found.routes(), "127.0.0.1", 0, limits=chosen, grace_s=0.1) as ((_, port),):
        found.port = port
        yield found


def ended(reason: str) -> float:
    labels = {"component": "other", "reason": reason}
    return REGISTRY.get_sample_value("tandem_http_connections_ended_total", labels) or 0.0


@pytest.mark.parametrize(
    ("said", "reason"),
    [(b"", "silent"), (b"G", "half_a_head"), (GET[:-2], "half_a_head"), (GET[:-2] + b"X: y\r\n", "half_a_head")],
)
async def test_who_says_nothing_or_half_is_let_go(said: bytes, reason: str) -> None:
    before = ended(reason)
    async with site(head_timeout_s=0.1) as found:
        assert await found.ask(said) == b""
    assert ended(reason) == before + 1


async def test_a_trickle_of_headers_does_not_make_the_time_longer() -> None:
    async with site(head_timeout_s=0.2) as found:
        reader, writer = await found.open()
        writer.write(GET[:-2])
        asking = asyncio.create_task(until_the_end(reader))
        number = 0
        async with asyncio.timeout(DEADLINE_S):
            while not asking.done():
                number += 1
                writer.write(b"X-%d: y\r\n" % number)
                await asyncio.sleep(0.02)
        assert await asking == b""
        writer.transport.abort()


async def test_an_idle_connection_is_kept_for_a_while_and_then_ended() -> None:
    before = ended("idle")
    async with site(idle_timeout_s=0.2) as found:
        answer = await found.ask(GET + GET)
        assert answer.count(b"200 OK") == 2
    assert ended("idle") == before + 1


async def test_who_does_not_read_the_answer_is_let_go_and_the_answer_with_them() -> None:
    before = ended("idle")
    async with site(idle_timeout_s=0.2) as found:
        _, writer = await found.open()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(DEADLINE_S):
            while ended("idle") == before:
                await asyncio.sleep(0.02)
        writer.transport.abort()


@pytest.mark.parametrize(
    "more",
    [
        b"".join(b"X-%05d: %s\r\n" % (number, b"y" * 4000) for number in range(100)),
        b"X: " + b"y" * 400_000,
        b"".join(b"X-%05d: y\r\n" % number for number in range(40_000)),
    ],
    ids=["many long", "one long", "many"],
)
async def test_a_head_is_no_longer_than_it_may_be(more: bytes) -> None:
    async with site() as found:
        answer = await found.ask(GET[:-2] + more)
        assert answer == b"" or b"400 Bad Request" in answer


async def test_requests_that_wait_behind_another_are_few() -> None:
    before = ended("too_much")
    async with site() as found:
        reader, writer = await found.open()
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        head = GET[:-2] + b"X: %s\r\n\r\n" % (b"y" * 8000)
        asking = asyncio.create_task(until_the_end(reader))
        async with asyncio.timeout(DEADLINE_S):
            while not asking.done():
                writer.write(head)
                await asyncio.sleep(0)
        assert await asking == b""
        writer.transport.abort()
    assert ended("too_much") == before + 1


@pytest.mark.parametrize("piece", [b"1\r\nx\r\n", b"1;" + b"e" * 2000 + b"\r\nx\r\n"], ids=["tiny", "extensions"])
async def test_a_body_is_more_body_than_framing(piece: bytes) -> None:
    async with site() as found:
        answer = await found.ask(
            b"POST /take HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + piece * (2_000_000 // len(piece))
        )
        assert b"200 OK" not in answer
        chunks = b"".join(b"100\r\n%s\r\n" % (b"x" * 256) for _ in range(1000)) + b"0\r\n\r\n"
        head = b"POST /take HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert b"200 OK" in await found.ask(head + chunks)
        assert found.bodies[-1] == b"x" * 256_000


async def test_a_small_body_in_small_pieces_is_taken() -> None:
    async with site() as found:
        head = b"POST /take HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert b"200 OK" in await found.ask(head + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n")
        assert found.bodies == [b"x" * 5000]


async def test_where_there_are_too_many_the_one_that_is_silent_for_longest_makes_room() -> None:
    async with site(most_connections=10) as found:
        silent = [await found.open() for _ in range(10)]
        good = [await found.open() for _ in range(5)]
        for reader, writer in good:
            writer.write(GET)
            assert b"200 OK" in await reader.readline()
        for reader, writer in silent[:5]:
            assert await until_the_end(reader) == b""
            writer.close()
        for _, writer in silent[5:]:
            assert not writer.is_closing()
            writer.write(GET)
        for reader, _ in silent[5:]:
            assert b"200 OK" in await reader.readline()
        for _, writer in silent + good:
            writer.transport.abort()


async def test_where_all_are_at_work_there_is_no_room() -> None:
    async with site(most_connections=3) as found:
        busy = [await found.open() for _ in range(3)]
        for _, writer in busy:
            writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        before = ended("no_room")
        async with asyncio.timeout(DEADLINE_S):
            while ended("no_room") == before:
                await found.ask(b"")
        found.go_on.set()
        for reader, writer in busy:
            assert b"at last" in await until_the_end(reader)
            writer.close()


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE"])
async def test_a_body_that_belongs_to_no_request_ends_the_connection(method: bytes) -> None:
    async with site() as found:
        answer = await found.ask(
            method + b" /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100
        )
        assert b"\r\nConnection: close\r\n" in answer
        assert found.bodies == []


async def test_whoever_waits_to_be_asked_for_the_body_is_asked_by_the_handler() -> None:
    async with site() as found:
        reader, writer = await found.open()
        writer.write(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert b"200 OK" in await reader.readline()
        writer.transport.abort()
        too_large = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n"
        assert b"100 Continue" not in await found.ask(too_large)


async def test_the_client_is_who_our_own_proxies_say_and_not_who_it_says_to_be() -> None:
    async with site() as found:
        for forwarded, expected in (
            (b"", b"127.0.0.1"),
            (b"X-Forwarded-For: 192.0.2.9\r\n", b"127.0.0.1"),
            (b"X-Forwarded-For: 10.9.9.9, 192.0.2.9, 10.0.0.1\r\n", b"192.0.2.9"),
            (b"X-Forwarded-For: 10.9.9.9, 192.0.2.9\r\nX-Forwarded-For: 10.0.0.1\r\n", b"192.0.2.9"),
            (b"X-Forwarded-For: nonsense, 10.0.0.1\r\n", b"127.0.0.1"),
        ):
            answer = await found.ask(b"GET /whence HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + forwarded + b"\r\n")
            assert answer.endswith(b"\r\n\r\n" + expected), forwarded
