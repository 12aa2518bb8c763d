"""Resolve Maven coordinates and copy their jars into a folder: `python -m deploy.local.fetch FOLDER COORDINATE…`.

Run by `jars.kafka_jars` as a process of its own, because the resolver takes its cache folders from the environment.
Never decides whether a jar may be used: `jars` checks names and digests.

Each coordinate is resolved by a call of its own: two in one call are resolved to a common older kafka-clients, with
which the broker dies of NoSuchMethodError.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import jgo


def main(argv: list[str]) -> None:
    """Copy the jars of all coordinates to the folder, each file name once; the first coordinate wins."""
    folder = Path(argv[0])
    folder.mkdir(parents=True, exist_ok=True)
    for coordinate in argv[1:]:
        for jar in jgo.build(coordinate).all_jars:
            target = folder / jar.name
            if not target.exists():
                shutil.copyfile(jar, target)


if __name__ == "__main__":
    main(sys.argv[1:])
