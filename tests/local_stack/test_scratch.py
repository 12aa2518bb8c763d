"""`make run` begins from nothing, and only once at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local import scene
from deploy.local.processes import LocalStackError
from deploy.local.scratch import from_scratch, must_be_unused
from shared.domain.clock import SystemClock
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.store.migrate import migrate
from shared.store.postgres import open_postgres
from tests.unit.console.harness import KEY


def test_what_the_stack_before_left_behind_is_gone_but_its_logs_stay(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with from_scratch(folder):
        for name in ("postgres", "kafka", "logs"):
            (folder / name / "deep").mkdir(parents=True)
            (folder / name / "deep" / "file").write_text("old")
    with from_scratch(folder):
        assert sorted(each.name for each in folder.iterdir()) == ["logs", "run.lock"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    with from_scratch(tmp_path):
        (tmp_path / "postgres").mkdir()
        with pytest.raises(LocalStackError, match="already up"), from_scratch(tmp_path):
            pytest.fail("two stacks share a folder")
        assert (tmp_path / "postgres").exists()


async def test_a_database_of_an_earlier_stack_is_refused_with_what_to_do(database_url: str) -> None:
    await migrate(database_url)
    await must_be_unused(database_url)
    async with open_postgres(database_url, KEY) as store:
        made = Connection(id=scene.JIRA, kind=ConnectionKind.JIRA_CLOUD, name="Site", url="http://jira.test")
        await store.save_connection(made, ConnectionSecrets(token="t"), 0, "test", SystemClock().now())
    with pytest.raises(LocalStackError, match="name an empty database"):
        await must_be_unused(database_url)
