"""The supervisor: it starts what dies, stops everything, and says why something cannot run."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import aiohttp
import pytest

from deploy.local.processes import LocalStackError
from deploy.local.stack_file import StackContent, remove_stack_file, write_stack_file
from deploy.local.supervisor import ServiceSpec, Supervisor, service_spec
from tests.local_stack.echo_service import echo_spec
from tests.local_stack.processes import is_alive
from tests.patience import HANGS_S


async def _pid_that_answers(spec: ServiceSpec) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{spec.http}/pid") as answer:
        return int(await answer.text())


async def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    spec = echo_spec(tmp_path)
    changes: list[int] = []
    async with Supervisor(on_change=lambda: changes.append(1)) as supervisor:
        service = supervisor.start(spec)
        await supervisor.wait_ready()
        first = await _pid_that_answers(spec)
        assert service.pid == first

        await service.kill()
        second = await service.wait_for_other_process(first, deadline_s=HANGS_S)
        await supervisor.wait_ready()
        assert await _pid_that_answers(spec) == second
        assert service.restarts == 1
        assert supervisor.entries() == {"echo": [{"pid": second, "http": spec.http, "log": str(spec.log_path)}]}
        assert len(changes) == 2
    assert not is_alive(second)


async def test_stopping_kills_who_ignores_it(tmp_path: Path) -> None:
    polite, stubborn = echo_spec(tmp_path / "polite"), echo_spec(tmp_path / "stubborn", "stubborn")
    async with Supervisor() as supervisor:
        services = [supervisor.start(polite), supervisor.start(stubborn)]
        await supervisor.wait_ready()
        pids = [service.pid for service in services]
        assert await supervisor.stop(deadline_s=1) == ["echo"]
        assert [pid for pid in pids if pid is not None and is_alive(pid)] == []


async def test_a_service_that_dies_at_start_is_reported_with_its_own_words(tmp_path: Path) -> None:
    async with Supervisor() as supervisor:
        supervisor.start(echo_spec(tmp_path, "broken"))
        with pytest.raises(LocalStackError, match="TANDEM_DATABASE_URL is missing"):
            await supervisor.wait_ready(deadline_s=HANGS_S)


async def test_a_program_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    spec = ServiceSpec("ghost", (str(tmp_path / "ghost"),), {}, tmp_path / "ghost.log", "http://127.0.0.1:1")
    async with Supervisor() as supervisor:
        supervisor.start(spec)
        with pytest.raises(LocalStackError, match="ghost"):
            await supervisor.wait_ready(deadline_s=HANGS_S)


async def test_services_get_their_settings_and_none_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "of the developer")
    spec = service_spec("mapper", {"TANDEM_TOPIC_PREFIX": "t."}, tmp_path, http_port=1234, instance=2)
    given = {key: value for key, value in spec.env.items() if key.startswith("TANDEM_")}
    assert given == {"TANDEM_TOPIC_PREFIX": "t.", "TANDEM_HTTP_PORT": "1234"}
    assert spec.env["PATH"] == os.environ["PATH"]
    assert spec.argv[1:] == ("-m", "services.mapper")
    assert (spec.http, spec.log_path) == ("http://127.0.0.1:1234", tmp_path / "mapper-2.log")


async def test_the_stack_file_is_whole_whenever_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / ".run" / "stack.json"
    content = _content()

    def read_until_gone() -> int:
        reads = 0
        while path.exists():
            try:
                assert json.loads(path.read_text())["gateway"] == "http://127.0.0.1:1"
            except FileNotFoundError:
                break
            reads += 1
        return reads

    write_stack_file(content, path)
    reader = asyncio.create_task(asyncio.to_thread(read_until_gone))
    await asyncio.sleep(0)
    for _ in range(200):
        write_stack_file(content, path)
    assert path.stat().st_mode & 0o077 == 0
    remove_stack_file(path)
    remove_stack_file(path)
    assert await reader > 0
    assert list(path.parent.iterdir()) == []


def _content() -> StackContent:
    return {
        "gateway": "http://127.0.0.1:1",
        "console": "http://127.0.0.1:2",
        "console_token": "token",
        "kafka": "127.0.0.1:3",
        "topic_prefix": "tandem.",
        "database_url": "postgresql://tandem@127.0.0.1:4/tandem",
        "connections": {
            "jira": {"id": "jira-1", "webhook_secret": "one"},
            "craft": {"id": "craft-1", "webhook_secret": "two"},
        },
        "integration_id": "integration-1",
        "sandbox": {
            "jira": {"url": "u", "email": "e", "token": "t", "project": "DEMO", "control": "c", "edition": "cloud"},
            "craft": {"url": "u", "api_key": "k", "workspace_id": "w", "control": "c"},
        },
        "services": {"mapper": [{"pid": 1, "http": "http://127.0.0.1:5", "log": "mapper.log"}]},
        "logs": "logs",
        "supervisor_pid": 2,
    }
