"""Hold a stack for as long as somebody holds a lock: `python -m deploy.local.hold FOLDER`.

Run by `tests/conftest.py`, once for all processes of a test run. FOLDER/alive.lock is held by the test run; whenever
and however that ends, the kernel releases it, and the stack is stopped and FOLDER removed. FOLDER/endpoints.json
appears once the stack answers; FOLDER/failed.txt, if it could not be started.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from deploy.local.locks import file_lock
from deploy.local.processes import LocalStackError
from deploy.local.progress import SilentProgress
from deploy.local.signals import run_until_signal
from deploy.local.stack import local_stack

ALIVE = "alive.lock"
ENDPOINTS = "endpoints.json"
FAILED = "failed.txt"


async def hold(folder: Path) -> int:
    """Start a stack, tell where it is, and stop it when the lock is free."""
    try:
        async with local_stack(folder / "stack", SilentProgress()) as stack:
            endpoints = {"kafka_bootstrap": stack.kafka_bootstrap, "database_url": stack.database_url}
            draft = folder / f"{ENDPOINTS}.draft"
            draft.write_text(json.dumps(endpoints))
            draft.rename(folder / ENDPOINTS)
            async with file_lock(folder / ALIVE):
                pass
    except LocalStackError as failure:
        (folder / FAILED).write_text(str(failure))
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(run_until_signal(hold(Path(sys.argv[1]))))
