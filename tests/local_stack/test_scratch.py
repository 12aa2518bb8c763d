"""`make run` begins from nothing, and only once at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.processes import LocalStackError
from deploy.local.scratch import from_scratch


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
