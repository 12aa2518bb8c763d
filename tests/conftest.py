"""Fixtures that stand on the real Kafka and Postgres of `deploy/local`, shared by all processes of a test run.

The first test that asks for `stack` starts it, in a process of its own that lives until the test run ends, however it
ends (`deploy/local/hold.py`). A test that kills a server takes one of its own: `kafka_server`, `postgres_server`.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from deploy.local.hold import ALIVE, ENDPOINTS, FAILED
from deploy.local.jars import CHECKOUT, kafka_jars
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.progress import SilentProgress
from tests.patience import HANGS_S

FOLDER_VARIABLE = "TANDEM_TEST_STACK_FOLDER"
START_DEADLINE_S = 600.0
STOP_DEADLINE_S = HANGS_S
# A deadline, or a health check of how fast examples are made, judges the machine and not the code.
settings.register_profile("tandem", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("tandem")
_ALIVE_LOCK = pytest.StashKey[IO[str]]()


@dataclass(frozen=True)
class Endpoints:
    """Where the shared Kafka and Postgres of this test run are."""

    kafka_bootstrap: str
    database_url: str


def pytest_configure(config: pytest.Config) -> None:
    """Let the process that owns the test run hold the lock by whose end the stack knows that it is over."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="tandem-tests-"))
    os.environ[FOLDER_VARIABLE] = str(folder)
    alive = (folder / ALIVE).open("w")
    fcntl.flock(alive, fcntl.LOCK_EX)
    config.stash[_ALIVE_LOCK] = alive


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the stack end, and wait for that, so that nothing is left running."""
    alive = config.stash.get(_ALIVE_LOCK, None)
    if alive is None:
        return
    folder = Path(os.environ.pop(FOLDER_VARIABLE))
    alive.close()
    deadline = time.monotonic() + STOP_DEADLINE_S
    while (folder / ENDPOINTS).exists() and time.monotonic() < deadline:
        # A synchronous hook, and the stack is not our child: nothing tells us when its folder is gone.
        time.sleep(0.05)  # noqa: TID251
    shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected, nor ever again at what lives to the end: modules and tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def stack() -> Endpoints:
    """Return where a real Kafka and a real Postgres answer; starts them when nobody of this test run has yet."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    with (folder / "start.lock").open("w") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not (folder / ENDPOINTS).exists() and not (folder / FAILED).exists():
            _start_holder(folder)
    if (folder / FAILED).exists():
        pytest.fail(f"the local stack did not start: {(folder / FAILED).read_text()}", pytrace=False)
    return Endpoints(**json.loads((folder / ENDPOINTS).read_text()))


@asynccontextmanager
async def new_database(stack: Endpoints) -> AsyncIterator[str]:
    """Yield the address of a new, empty database, for a fixture that several tests share."""
    name = f"test_{uuid.uuid4().hex}"
    await _execute(stack.database_url, f'CREATE DATABASE "{name}"')
    try:
        yield f"{stack.database_url.rsplit('/', 1)[0]}/{name}"
    finally:
        await _execute(stack.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database_url(stack: Endpoints) -> AsyncIterator[str]:
    """Yield the address of a new, empty database of this test's own."""
    async with new_database(stack) as url:
        yield url


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix of topic names that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}."


@pytest.fixture
async def kafka_server(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    """Yield a Kafka of this test's own, to kill and restart at will (5 s)."""
    server = KafkaServer(tmp_path / "kafka", await kafka_jars(SilentProgress()))
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


@pytest.fixture
async def postgres_server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    """Yield a Postgres of this test's own, to kill and restart at will (1 s)."""
    server = PostgresServer(tmp_path / "postgres")
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=10)


def _start_holder(folder: Path) -> None:
    """Start the process that holds the stack, and wait until it says that it is ready or failed.

    Not with `subprocess`, which complains about a process that is not waited for: it outlives this test worker.
    """
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    log = folder / "hold.log"
    holder = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "deploy.local.hold", str(folder)],
        {**os.environ, "PYTHONPATH": str(CHECKOUT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), writing, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    deadline = time.monotonic() + START_DEADLINE_S
    while not (folder / ENDPOINTS).exists() and not (folder / FAILED).exists():
        ended, _ = os.waitpid(holder, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            (folder / FAILED).write_text(log.read_text() or "it said nothing")
        time.sleep(0.05)  # noqa: TID251  # a condition with a deadline, in a synchronous fixture
