"""A stack that begins from nothing each time: the stand-ins of Jira and Craft.io forget everything when they end, so
what Postgres and Kafka still know of them is of no use.

Called by `make run`, whose folder is always the same one, and wherever somebody's own Postgres may be used.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from deploy.local.processes import LocalStackError

_DATA = ("postgres", "kafka")


@contextmanager
def from_scratch(folder: Path) -> Iterator[None]:
    """Own `folder` (made if need be) while the block runs, after removing the data of the stack before. Logs stay.

    Raises LocalStackError if another process owns it; nothing is removed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalStackError(f"a stack is already up in {folder}; end it first") from error
        with tempfile.TemporaryDirectory(prefix="old-", dir=folder, ignore_cleanup_errors=True) as old:
            for name in _DATA:
                # moved first: a server that was killed may still be on its way out
                if (folder / name).exists():
                    shutil.move(folder / name, Path(old) / name)
        yield


async def must_be_unused(database_url: str) -> None:
    """Raise LocalStackError for a database (with our tables) that an earlier stack left configured: its items are gone,
    and the key that its credentials are sealed with was that stack's own.
    """
    session = await asyncpg.connect(database_url, timeout=10)
    try:
        used = await session.fetchval("SELECT EXISTS (SELECT FROM connections)")
    finally:
        await session.close()
    if used:
        raise LocalStackError(
            "The database that TANDEM_DATABASE_URL names was used by another stack already. The stand-ins of Jira and "
            "Craft.io begin anew each time, so it is of no use to this one: name an empty database (createdb), or "
            "leave TANDEM_DATABASE_URL out, and a Postgres is started for you."
        )
