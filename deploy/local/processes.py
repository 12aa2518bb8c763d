"""Child processes that are waited for and cannot outlive us; the one place of the local stack that starts programs.

Called by `kafka`, `postgres` and `supervisor`. Never detaches a process: every one is a direct child.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEASH = Path(__file__).with_name("leash.py")
POLL_INTERVAL_S = 0.05
LOG_TAIL_LINES = 30


class LocalStackError(Exception):
    """Something of the local stack did not start, or ended by itself; the message holds the end of its log."""


@dataclass(frozen=True)
class Child:
    """A running program and where it logs."""

    name: str
    process: asyncio.subprocess.Process
    log_path: Path
    log_start: int
    """Where in the log file this process began to write, in bytes."""

    @property
    def pid(self) -> int:
        """Return the process id of the program itself."""
        return self.process.pid

    @property
    def ended(self) -> bool:
        """Tell whether the program has ended and has been waited for."""
        return self.process.returncode is not None

    async def kill(self) -> None:
        """End the program at once (SIGKILL) and wait for it. Idempotent."""
        await self._end(signal.SIGKILL)

    async def stop(self, *, deadline_s: float, stop_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Ask the program to end; kill it when `deadline_s` seconds have passed. Idempotent.

        Return whether it ended by itself.
        """
        try:
            async with asyncio.timeout(deadline_s):
                await self._end(stop_signal)
        except TimeoutError:
            await self.kill()
            return False
        finally:
            if not self.ended:
                # Cancelled while waiting: nothing may stay behind.
                self.process.kill()
        return True

    async def _end(self, stop_signal: signal.Signals) -> None:
        if not self.ended:
            # It may end between the look and the signal; wait() collects it.
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(stop_signal)
        await self.process.wait()

    def log_tail(self) -> str:
        """Return the last lines that this process wrote, for an error message."""
        return log_tail(self.log_path, start=self.log_start)


def log_tail(path: Path, *, start: int = 0) -> str:
    """Return the last lines of a log file, none from before byte `start`; nothing when there is no file yet."""
    if not path.exists():
        return ""
    lines = path.read_bytes()[start:].decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:])


async def start_child(
    name: str,
    argv: Sequence[str],
    *,
    log_path: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    called: str | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start `argv` (its first element an absolute path) as a direct child that appends its output to `log_path`.

    It gets `death_signal` when the *thread* that called this ends (a property of Linux), so call it from the thread
    that lives as long as the program should. It is in a process group of its own: Ctrl-C reaches only us, and we stop
    our children in order. `env` replaces the environment; `user` needs root; `called` is the user name
    that it sees itself as, where its user is a number without one.

    Raises LocalStackError when the program does not exist.
    """
    if not Path(argv[0]).exists():
        raise LocalStackError(f"{name}: there is no {argv[0]}")
    log_path.parent.mkdir(parents=True, exist_ok=True)
    leash = [sys.executable, "-I", "-S", str(LEASH), str(int(death_signal)), str(os.getpid())]
    leash += [user or "-", called or "-", "--"]
    with log_path.open("ab") as log:
        log_start = log.seek(0, os.SEEK_END)
        process = await asyncio.create_subprocess_exec(
            *leash,
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    return Child(name=name, process=process, log_path=log_path, log_start=log_start)


async def run_to_end(
    name: str,
    argv: Sequence[str],
    *,
    log_path: Path,
    timeout_s: float,
    user: str | None = None,
    called: str | None = None,
) -> None:
    """Run a program that ends by itself, such as initdb.

    Raises LocalStackError with the end of its log when it fails or takes longer than `timeout_s` seconds.
    """
    child = await start_child(name, argv, log_path=log_path, user=user, called=called)
    try:
        async with asyncio.timeout(timeout_s):
            code = await child.process.wait()
    except TimeoutError as error:
        raise LocalStackError(f"{name} took longer than {timeout_s} s\n{child.log_tail()}") from error
    finally:
        await child.kill()
    if code != 0:
        raise LocalStackError(f"{name} failed with exit code {code}\n{child.log_tail()}")


async def all_of(*steps: Coroutine[Any, Any, None]) -> None:
    """Run `steps` at the same time; when one fails, cancel the others.

    Raises LocalStackError with the words of all that failed with one; other failures come as an exception group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as failures:
        _, others = failures.split(LocalStackError)
        if others is not None:
            raise
        raise LocalStackError("\n".join(str(failure) for failure in failures.exceptions)) from failures


async def wait_until_ready(child: Child, answers: Callable[[], Awaitable[bool]], *, deadline_s: float) -> None:
    """Wait until `answers` says yes.

    Raises LocalStackError with the end of the log when the program ends first or `deadline_s` seconds pass.
    """
    try:
        async with asyncio.timeout(deadline_s):
            while not child.ended:
                if await answers():
                    return
                await asyncio.sleep(POLL_INTERVAL_S)
    except TimeoutError as error:
        raise LocalStackError(f"{child.name} was not ready after {deadline_s} s\n{child.log_tail()}") from error
    raise LocalStackError(f"{child.name} ended with code {child.process.returncode}\n{child.log_tail()}")
