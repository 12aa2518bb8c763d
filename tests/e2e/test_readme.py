"""README's way to one's own Kafka and Postgres is run as it stands there, on an empty database."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from deploy.local.jars import CHECKOUT
from deploy.local.ports import free_port
from deploy.local.processes import log_tail
from deploy.local.supervisor import Supervisor, service_spec
from deploy.local.system import SERVICES
from shared.store.migrate import migrate
from shared.store.postgres import open_postgres
from shared.store.postgres.schema import known_schemas
from shared.store.secrets import new_key
from tests.conftest import Endpoints
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]
BLOCK = re.compile(r"<!-- tests/e2e/test_readme\.py runs these lines -->\n```\n(.*?)```", re.DOTALL)


def script(stack: Endpoints, database_url: str, ports: dict[str, int]) -> str:
    """Return README's lines with the addresses of this machine in the place of the examples."""
    (lines,) = BLOCK.findall((CHECKOUT / "README.md").read_text())
    lines, count = re.subn(r"kafka\.example:9092", stack.kafka_bootstrap, lines)
    assert count == 1
    lines, count = re.subn(r"postgresql://tandem:password@postgres\.example:5432/tandem", database_url, lines)
    assert count == 1
    for name, port in ports.items():
        lines, count = re.subn(rf"TANDEM_HTTP_PORT=\d+ (.*services\.{name} )", rf"TANDEM_HTTP_PORT={port} \1", lines)
        assert count == 1, name
    return "set -e\n" + lines.replace(".venv/bin/python", sys.executable) + "wait\n"


async def ready(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_the_lines_of_readme_bring_all_services_up_on_an_empty_database(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    ports = {name: free_port() for name in SERVICES}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    log = tmp_path / "log"
    with log.open("wb") as out:
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-c", script(stack, database_url, ports)),
            cwd=CHECKOUT,
            env=inherited | {"TANDEM_TOPIC_PREFIX": topic_prefix, "TANDEM_HTTP_HOST": "127.0.0.1"},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    waiting = dict(ports)
    try:
        async with asyncio.timeout(HANGS_S), aiohttp.ClientSession() as http:
            while waiting:
                assert shell.returncode is None, log_tail(log)
                waiting = {name: port for name, port in waiting.items() if not await ready(http, port)}
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"not ready: {sorted(waiting)}\n{log_tail(log)}")
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        await shell.wait()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("older", [None, "0006"])
@pytest.mark.parametrize("service", ["console", "webhook_gateway"])
async def test_a_service_that_meets_an_empty_or_older_schema_says_so_in_one_line_and_starts_once_it_is_there(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, service: str, older: str | None
) -> None:
    if older is not None:
        await migrate(database_url, revision=older)
    settings = {
        "TANDEM_KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
        "TANDEM_DATABASE_URL": database_url,
        "TANDEM_TOPIC_PREFIX": topic_prefix,
        "TANDEM_SECRET_KEY": new_key(),
        "TANDEM_CONSOLE_TOKEN": "a-token-of-some-length",
        "TANDEM_HTTP_HOST": "127.0.0.1",
    }
    async with Supervisor() as supervisor:
        spec = service_spec(service, settings, tmp_path)
        started = supervisor.start(spec)

        def said() -> list[dict[str, str]]:
            lines = spec.log_path.read_text().splitlines() if spec.log_path.exists() else []
            return [json.loads(line) for line in lines]

        def told() -> list[dict[str, str]]:
            return [line for line in said() if line["level"] != "info"]

        async with asyncio.timeout(HANGS_S):
            while not told():
                await asyncio.sleep(0.1)
        line = told()[0]
        has = "no tables of Tandem yet" if older is None else f"schema {older} and this release needs"
        assert line["event"] == "cannot start yet"
        assert has in line["error"]
        assert "`python -m shared.store.migrate`" in line["error"]
        await migrate(database_url)
        await supervisor.wait_ready(started)
        assert started.restarts == 0
        assert told() == [line]


async def test_a_newer_schema_is_no_hindrance(database_url: str) -> None:
    await migrate(database_url)
    session = await asyncpg.connect(database_url)
    try:
        (found,) = await session.fetch("SELECT version_num FROM alembic_version")
        assert found["version_num"] == known_schemas()[0]
        await session.execute("UPDATE alembic_version SET version_num = '9999'")
    finally:
        await session.close()
    async with open_postgres(database_url, new_key()) as store:
        assert await store.healthy()
