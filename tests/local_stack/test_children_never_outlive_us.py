"""However the parent of a stack ends, its Kafka, Postgres and services end too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.jars import CHECKOUT
from tests.local_stack.processes import eventually, is_alive
from tests.patience import HANGS_S

EVERYTHING = {"kafka", "postgres", "service"}


@contextmanager
def _parent(folder: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """Yield a process that runs a stack, and the ids of its children."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.local_stack.parent", str(folder)],
        cwd=CHECKOUT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        try:
            assert parent.stdout is not None
            yield parent, json.loads(parent.stdout.readline())
        finally:
            parent.kill()


def test_children_end_with_their_parent_by_kill_or_sigterm_and_the_next_finds_their_data(tmp_path: Path) -> None:
    with _parent(tmp_path) as (parent, pids):
        assert pids.keys() == EVERYTHING
        assert all(is_alive(pid) for pid in pids.values())
        parent.kill()
        parent.wait(timeout=HANGS_S)
        # The kernel tells them.
        assert eventually(lambda: not any(is_alive(pid) for pid in pids.values()), deadline_s=HANGS_S)
    with _parent(tmp_path) as (parent, pids):
        assert pids.keys() == EVERYTHING
        parent.terminate()
        assert parent.wait(timeout=HANGS_S) == 128 + signal.SIGTERM
        assert not any(is_alive(pid) for pid in pids.values())


@pytest.mark.parametrize("cause", [signal.SIGINT, signal.SIGHUP], ids=lambda cause: cause.name)
def test_ctrl_c_and_a_closed_terminal_are_no_different(tmp_path: Path, cause: signal.Signals) -> None:
    # Without Kafka, which is named but never asked: it starts slowest.
    with _parent(tmp_path, TANDEM_KAFKA_BOOTSTRAP="127.0.0.1:1") as (parent, pids):
        assert pids.keys() == EVERYTHING - {"kafka"}
        parent.send_signal(cause)
        parent.send_signal(cause)
        assert parent.wait(timeout=HANGS_S) == 128 + cause
        assert not any(is_alive(pid) for pid in pids.values())
