"""What a request held is free when it ends, however it ends, without the collector of garbage."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.domain.ids import Side
from shared.fakes.log import MemoryLog
from shared.runtime.http_serving import serving
from shared.runtime.log import LogUnavailable, Record
from tests.unit.gateway.harness import CRAFT, JIRA, URL_TOKEN, Rig, body, dump, signed

SIZE = 1024 * 1024
UPDATED = dump(body(Side.JIRA, "issue_updated"))
WHOLE = UPDATED + b" " * (SIZE - len(UPDATED))
PATH = f"/webhooks/jira/{JIRA}"
CLAIM = {"X-Hub-Signature": "sha256=" + "0" * 64}


class ForgetfulLog(MemoryLog):
    """Keeps nothing; refuses while `available` is false."""

    async def publish(self, records: Sequence[Record]) -> None:
        del records
        await asyncio.sleep(0)
        if not self.available:
            raise LogUnavailable("away")


class HangingLog(MemoryLog):
    """Never answers."""

    async def publish(self, records: Sequence[Record]) -> None:
        del records
        await asyncio.Event().wait()


def head(path: str, length: int, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


ENDINGS = {
    "accepted": (PATH, WHOLE, len(WHOLE), signed(Side.JIRA, WHOLE)),
    "token": (f"/webhooks/craft/{CRAFT}?token={URL_TOKEN}", WHOLE, len(WHOLE), {}),
    "bad signature": (PATH, WHOLE, len(WHOLE), CLAIM),
    "not json": (PATH, b"{" * SIZE, SIZE, signed(Side.JIRA, b"{" * SIZE)),
    "broken off": (PATH, WHOLE, len(WHOLE) + 1, CLAIM),
    "broken packing": (PATH, WHOLE, len(WHOLE), {**signed(Side.JIRA, WHOLE), "Content-Encoding": "gzip"}),
    "unknown": ("/webhooks/jira/nobody", WHOLE, len(WHOLE), CLAIM),
    "not signed": (PATH, WHOLE, len(WHOLE), {}),
    "no such path": ("/nothing", WHOLE, len(WHOLE), {}),
    "too large": (PATH, WHOLE, 30 * SIZE, CLAIM),
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Keep the collector from tidying up."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
        gc.enable()
        gc.collect()


@asynccontextmanager
async def served(log: MemoryLog, **changed: object) -> AsyncIterator[tuple[Rig, int]]:
    rig = await Rig(changed, log=log).load()
    async with serving("webhook_gateway", rig.service.routes(), "127.0.0.1", 0) as ((_, port),):
        yield rig, port


async def post(port: int, path: str, raw: bytes, length: int, headers: dict[str, str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head(path, length, headers) + raw)
        if length > len(raw):
            await writer.drain()
            writer.write_eof()
        await reader.readline()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
        await asyncio.sleep(0.01)


async def growth(port: int, times: int, ending: tuple[str, bytes, int, dict[str, str]]) -> int:
    for _ in range(3):
        await post(port, *ending)
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(times):
        await post(port, *ending)
    return tracemalloc.get_traced_memory()[0] - before


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("name", ENDINGS)
async def test_nothing_of_a_body_stays_when_its_request_has_ended(name: str) -> None:
    async with served(ForgetfulLog()) as (_, port):
        assert await growth(port, 10, ENDINGS[name]) < SIZE // 2


@pytest.mark.usefixtures("no_collector")
async def test_nothing_stays_of_what_the_log_did_not_take() -> None:
    log = ForgetfulLog()
    log.available = False
    async with served(log) as (_, port):
        assert await growth(port, 10, ENDINGS["accepted"]) < SIZE // 2
    async with served(HangingLog(), webhook_publish_timeout_s=0.01) as (_, port):
        assert await growth(port, 10, ENDINGS["accepted"]) < SIZE // 2


@pytest.mark.usefixtures("no_collector")
async def test_nothing_stays_of_a_body_that_came_too_slowly_or_was_taken_away() -> None:
    async with served(ForgetfulLog(), webhook_body_timeout_s=0.05) as (rig, port):
        ending = (PATH, WHOLE[:-1], len(WHOLE), CLAIM)
        before = 0
        for number in range(12):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(PATH, len(WHOLE), CLAIM) + ending[1])
            await reader.readline()
            writer.transport.abort()
            if number == 2:
                before, _ = tracemalloc.get_traced_memory()
        assert tracemalloc.get_traced_memory()[0] - before < SIZE // 2
        assert not rig.service._room._shares
