"""A parent of a local stack, to be killed: `python -m tests.local_stack.parent FOLDER`.

Run by `test_children_never_outlive_us`. Prints a line of JSON with the ids of its children once they answer, and stays.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from deploy.local.progress import SilentProgress
from deploy.local.signals import run_until_signal
from deploy.local.stack import local_stack
from deploy.local.supervisor import Supervisor
from tests.local_stack.echo_service import echo_spec


async def main(folder: Path) -> int:
    """Start a stack and a service, say so, and wait for the end."""
    async with local_stack(folder, SilentProgress()) as stack, Supervisor() as supervisor:
        service = supervisor.start(echo_spec(folder))
        await supervisor.wait_ready()
        pids = {"service": service.pid}
        if stack.kafka is not None:
            pids["kafka"] = stack.kafka.pid
        if stack.postgres is not None:
            pids["postgres"] = stack.postgres.pid
        sys.stdout.write(json.dumps(pids) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(run_until_signal(main(Path(sys.argv[1]))))
