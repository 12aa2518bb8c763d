"""A folder for a stack that begins from nothing each time: the stand-ins of Jira and Craft.io forget everything when
they end, so what Postgres and Kafka still know of them is of no use.

Called by `make run`, whose folder is always the same one.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
