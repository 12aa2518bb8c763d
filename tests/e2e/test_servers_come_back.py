"""Kafka or Postgres killed with -9 under a running system: brought back with their data, and everything goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.processes import LocalStackError
from deploy.local.progress import SilentProgress
from deploy.local.story import Story
from deploy.local.system import DEFAULT_TUNING, running_system
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def killed_and_back(server: KafkaServer | PostgresServer) -> None:
    """Kill a server as `kill -9` would, the process alone, and wait until another one answers."""
    before = server.pid
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(HANGS_S):
        while not (pid_of(server) not in (None, before) and await server.answers()):
            await asyncio.sleep(0.1)


def pid_of(server: KafkaServer | PostgresServer) -> int | None:
    try:
        return server.pid
    except LocalStackError:
        return None


async def test_kafka_and_postgres_that_are_killed_come_back_with_their_data_and_all_services_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("TANDEM_KAFKA_BOOTSTRAP", "TANDEM_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    async with running_system(tmp_path, SilentProgress(), DEFAULT_TUNING) as system:
        story, stack = Story(system, []), system.stack
        assert stack.kafka is not None
        assert stack.postgres is not None
        issues = [await story.jira.create("Story", "Before")]
        await _carried(story, issues[-1])
        for server in (stack.postgres, stack.kafka, stack.postgres):
            await killed_and_back(server)
            issues.append(await story.jira.create("Story", f"After {type(server).__name__}"))
            await _carried(story, issues[-1])
        for issue in issues:
            assert await story.link_of(issue), "a link was lost"
        assert {service.spec.name: service.restarts for service in system.supervisor.services} == dict.fromkeys(
            system.supervisor.entries(), 0
        )


async def _carried(story: Story, issue: str) -> None:
    """Wait until an issue is an item in Craft.io. A webhook that came while Kafka was away is found by the sweep."""
    async with asyncio.timeout(HANGS_S):
        while True:
            try:
                if await story.item_of(issue):
                    return
            except LocalStackError:
                pass  # the console says 503 while the database is on its way
            await asyncio.sleep(0.2)
