"""Run the main coroutine of a command so that Ctrl-C, SIGTERM and a closed terminal end it in good order.

Called by the command lines of the local stack. Never ends the process itself: every `async with` gets its turn first.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_signal(main: Coroutine[Any, Any, int]) -> int:
    """Run `main` and return its exit code, or 128 + the signal that cancelled it. Call it from the main thread.

    Only the first signal counts: an impatient second Ctrl-C does not interrupt the cleaning up.
    """
    received: list[signal.Signals] = []

    async def supervised() -> int:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(main)

        def stop(number: signal.Signals) -> None:
            if not received:
                received.append(number)
                task.cancel()

        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop, number)
        try:
            return await task
        except asyncio.CancelledError:
            if not received:
                raise
            return 128 + received[0]

    return asyncio.run(supervised())
