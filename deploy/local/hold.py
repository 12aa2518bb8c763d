"""Hold a stack for as long as somebody holds a lock: `python -m deploy.local.hold FOLDER`.

Run by `tests/conftest.py`, once for all processes of a test run. FOLDER/alive.lock is held by the test run; whenever
and however that ends, the kernel releases it, and the stack is stopped and FOLDER removed. FOLDER/endpoints.json
appears once the stack answers; FOLDER/failed.txt, if it could not be started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.locks import file_lock
from deploy.local.processes import LocalStackError
from deploy.local.progress import SilentProgress
from deploy.local.signals import run_until_signal
from deploy.local.stack import local_stack

ALIVE = "alive.lock"
ENDPOINTS = "endpoints.json"
FAILED = "failed.txt"


TRIES = 3
"""A port that another process takes between the look and the use is no reason to fail a whole test run."""


async def hold(folder: Path) -> int:
    """Start a stack, tell where it is, and stop it when the lock is free."""
    failures: list[str] = []
    for number in range(TRIES):
        try:
            await _hold_once(folder, folder / f"stack-{number}")
        except LocalStackError as failure:
            failures.append(str(failure))
        else:
            shutil.rmtree(folder)
            return 0
    (folder / FAILED).write_text("\n".join(failures))
    return 1


async def _hold_once(folder: Path, data: Path) -> None:
    async with local_stack(data, SilentProgress(), synced=False) as stack:
        endpoints = {"kafka_bootstrap": stack.kafka_bootstrap, "database_url": stack.database_url}
        draft = folder / f"{ENDPOINTS}.draft"
        draft.write_text(json.dumps(endpoints))
        draft.rename(folder / ENDPOINTS)
        archiving = asyncio.create_task(_archive(stack.kafka))
        async with file_lock(folder / ALIVE):
            archiving.cancel()
        await asyncio.wait([archiving])


async def _archive(kafka: KafkaServer | None) -> None:
    """Let the many brokers that a test run starts start faster, from soon on."""
    if kafka is not None:
        with contextlib.suppress(LocalStackError):
            await kafka.archive_classes()


if __name__ == "__main__":
    sys.exit(run_until_signal(hold(Path(sys.argv[1]))))
