"""A victim under attack: start it, talk to it in raw bytes, measure what that cost it."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cache, reduce
from itertools import count
from pathlib import Path
from subprocess import Popen

import psutil
from cryptography.fernet import Fernet

from deploy.local.ports import free_port
from shared.domain.ids import Side
from tests.unit.gateway.harness import CRAFT, JIRA, URL_TOKEN, body, dump, signed

CHECKOUT = Path(__file__).parents[2]
TOKEN = "the-admins-own-long-token"
DEADLINE_S = 60.0
UPDATED = dump(body(Side.JIRA, "issue_updated"))
MB = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers in lower case, the body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Cost:
    """What something cost the victim."""

    cpu_s: float = 0.0
    grown_bytes: int = 0


class Caller:
    """One raw connection to the victim."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> bool:
        """Send, as long as the other side takes it; False: it has gone."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return False
        return not self.writer.is_closing()

    async def answer(self) -> Answer | None:
        """Return the next answer, None if the connection ended without one."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                head = await self.reader.readuntil(b"\r\n\r\n")
                status, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                content = await self.reader.readexactly(int(headers.get("content-length", 0)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Answer(int(status.split()[1]), headers, content)

    async def ended(self) -> bool:
        """Wait until the other side has ended the connection."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while await self.reader.read(MB):
                    pass
            except ConnectionError:
                pass
        return True


@dataclass
class Victim:
    """One process that serves on loopback."""

    process: Popen[bytes]
    port: int
    log: Path
    caller: str = "127.0.0.1"
    """The address that it is called from."""

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Caller]:
        """Yield a connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.caller, 0))
        try:
            yield Caller(reader, writer)
        finally:
            writer.transport.abort()

    async def ask(self, data: bytes) -> Answer | None:
        """Send a request on a connection of its own and return the answer."""
        async with self.call() as caller:
            await caller.send(data)
            return await caller.answer()

    async def webhook(self, raw: bytes = UPDATED) -> int:
        """Send one good webhook and return the status."""
        found = await self.ask(request("POST", f"/webhooks/jira/{JIRA}", raw, **signed(Side.JIRA, raw)))
        return 0 if found is None else found.status

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        """Measure CPU and the growth of memory within the block."""
        process, cost = psutil.Process(self.process.pid), Cost()
        cpu, rss = process.cpu_times(), process.memory_info().rss
        yield cost
        after = process.cpu_times()
        cost.cpu_s = after.user + after.system - cpu.user - cpu.system
        cost.grown_bytes = process.memory_info().rss - rss

    @property
    def highest_bytes(self) -> int:
        """Return the most memory that it ever had."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def must_live(self) -> None:
        """Fail with its last words if it has ended."""
        assert self.process.poll() is None, self.log.read_text()[-2000:]

    async def ready(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                self.must_live()
                try:
                    answer = await self.ask(request("GET", "/readyz"))
                except ConnectionError:
                    answer = None
                if answer is not None and answer.status == 200:
                    return
                await asyncio.sleep(0.05)

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


class Victims:
    """Victims that tests lend each other, as a start takes seconds: for what no other test's traces can hide.

    Not for a test of how much memory something takes: what an earlier one has left free is taken again unseen.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[str, Victim] = {}
        self._callers = count(2)

    @asynccontextmanager
    async def lent(self, name: str, **settings: object) -> AsyncIterator[Victim]:
        """Lend one until the end of the block, and call it from an address that nobody called it from before."""
        key = repr((name, sorted(settings.items())))
        if key not in self._started:
            folder = self._folder / str(len(self._started))
            folder.mkdir()
            self._started[key] = _start(name, folder, settings)
        found = replace(self._started[key], caller=f"127.0.0.{next(self._callers)}")
        await found.ready()
        yield found
        found.must_live()

    def end(self) -> None:
        """Kill them all."""
        for found in self._started.values():
            found.end()


@asynccontextmanager
async def victim(name: str, folder: Path, **settings: object) -> AsyncIterator[Victim]:
    """Run a service for this test alone, until the end of the block; it must still be there then."""
    found = _start(name, folder, settings)
    try:
        await found.ready()
        yield found
        found.must_live()
    finally:
        found.end()


def _start(name: str, folder: Path, settings: dict[str, object]) -> Victim:
    port = free_port()
    chosen = {
        "TANDEM_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "TANDEM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "TANDEM_SECRET_KEY": Fernet.generate_key().decode(),
        "TANDEM_HTTP_HOST": "127.0.0.1",
        "TANDEM_HTTP_PORT": str(port),
        "TANDEM_CONSOLE_TOKEN": TOKEN,
        **{f"TANDEM_{setting.upper()}": str(value) for setting, value in settings.items()},
    }
    path = folder / f"{name}.log"
    with path.open("wb") as log:
        program = (sys.executable, "-m", "tests.attacks.victim", name)
        process = Popen(program, cwd=CHECKOUT, env={**os.environ, **chosen}, stdout=log, stderr=log)
    return Victim(process, port, path)


def request(method: str, path: str, content: bytes = b"", **headers: str) -> bytes:
    """Return a whole request; `x_name=` gives header `x-name`."""
    return head(method, path, len(content), **headers) + content


def head(method: str, path: str, length: int | None = None, **headers: str) -> bytes:
    """Return the head of a request, with that length of a body; None: none is named."""
    told = {"Host": "victim", **({} if length is None else {"Content-Length": str(length)})}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode()


CRAFT_PATH = f"/webhooks/craft/{CRAFT}?token={URL_TOKEN}"
JIRA_PATH = f"/webhooks/jira/{JIRA}"
CLAIM = {"X-Hub-Signature": "sha256=" + "0" * 64}
"""A signature that anybody can make up."""


@cache
def bomb(unpacked_bytes: int, window: int = 31) -> bytes:
    """Return blanks, packed: by default as gzip. One packed piece again and again: packing them all takes seconds."""
    blanks, times = b" " * MB, unpacked_bytes // MB
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)) * times + packer.flush()
    if window < 0:
        return packed
    if window > 15:
        check = reduce(lambda so_far, _: zlib.crc32(blanks, so_far), range(times), 0)
        return b"\x1f\x8b\x08" + bytes(7) + packed + struct.pack("<II", check, unpacked_bytes)
    check = reduce(lambda so_far, _: zlib.adler32(blanks, so_far), range(times), 1)
    return b"\x78\xda" + packed + struct.pack(">I", check)
