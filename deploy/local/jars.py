"""The jars of Apache Kafka: downloaded once, checked against a pinned list, kept in a cache that `make clean` leaves.

Called by `stack`. Never uses a jar whose digest is not in `kafka_jars.sha256` (format of sha256sum(1)).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from deploy.local.locks import file_lock
from deploy.local.processes import LocalStackError, start_child
from deploy.local.progress import Progress

KAFKA_VERSION = "4.3.1"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Without it the broker writes no log.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
PINNED = Path(__file__).with_name("kafka_jars.sha256")
DOWNLOAD_TIMEOUT_S = 600.0
CHECKOUT = Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """Return where downloads are kept: TANDEM_CACHE_DIR, or `.cache` in the checkout."""
    return Path(os.environ.get("TANDEM_CACHE_DIR") or CHECKOUT / ".cache").resolve()


async def kafka_jars(progress: Progress, cache: Path | None = None) -> Path:
    """Return the folder that holds exactly the pinned jars; download them when it is not there yet.

    Safe to call from several processes at once: one downloads, the others wait. Raises LocalStackError when the
    download fails or brings something else than what is pinned.
    """
    cache = cache or cache_folder()
    folder = cache / f"kafka-{KAFKA_VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        async with file_lock(cache / "download.lock"):
            if not folder.exists():
                await _download(cache, folder, progress)
    # Digests were checked when the folder was made; names tell whether the list has changed since.
    if {path.name for path in folder.iterdir()} != set(pinned_digests()):
        raise LocalStackError(f"{folder} does not hold the pinned jars: remove it, and it is downloaded again")
    return folder


def pinned_digests() -> dict[str, str]:
    """Return file name and SHA-256 of each jar."""
    lines = (line.split() for line in PINNED.read_text().splitlines())
    return {name: digest for digest, name in lines}


def check_digests(folder: Path) -> None:
    """Raise LocalStackError that names each jar of `folder` that is missing, not pinned, or not what was pinned."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    pinned = pinned_digests()
    wrong = sorted(name for name in found.keys() | pinned.keys() if found.get(name) != pinned.get(name))
    if wrong:
        raise LocalStackError(f"not the pinned jars of Apache Kafka {KAFKA_VERSION}: {', '.join(wrong)}")


async def _download(cache: Path, folder: Path, progress: Progress) -> None:
    """Let the resolver fill a folder beside `folder`, check it, and give it its name in one step."""
    progress.stage(f"Downloading Apache Kafka {KAFKA_VERSION} (45 MB, once)")
    work = Path(tempfile.mkdtemp(prefix="download-", dir=cache))
    try:
        jars = work / "jars"
        env = {**os.environ, "M2_REPO": str(work / "m2"), "JGO_CACHE_DIR": str(work / "jgo")}
        if not env.get("HOME"):
            env["HOME"] = str(work)
        child = await start_child(
            "download of Apache Kafka",
            [sys.executable, "-m", "deploy.local.fetch", str(jars), *COORDINATES],
            log_path=cache / "download.log",
            env=env,
            cwd=CHECKOUT,
        )
        try:
            async with asyncio.timeout(DOWNLOAD_TIMEOUT_S):
                while not child.ended:
                    progress.advance(sum(1 for _ in work.glob("m2/**/*.jar")), len(pinned_digests()))
                    await asyncio.sleep(0.25)
        finally:
            await child.kill()
        if child.process.returncode != 0:
            raise LocalStackError(f"the jars of Apache Kafka could not be fetched\n{child.log_tail()}")
        progress.advance(len(pinned_digests()), len(pinned_digests()))
        check_digests(jars)
        jars.rename(folder)
    except TimeoutError as error:
        raise LocalStackError(f"the download took longer than {DOWNLOAD_TIMEOUT_S} s; try again") from error
    finally:
        shutil.rmtree(work)
