"""Looking at processes that are not our children.

Called by the tests of the local stack. Never ends one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return not stat.parent.parent.joinpath("self").exists() or stat.read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(holds: Callable[[], bool], *, deadline_s: float) -> bool:
    """Return whether `holds` said yes within `deadline_s` seconds."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)  # noqa: TID251  # a condition with a deadline, in a synchronous test
    return holds()
