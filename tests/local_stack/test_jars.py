"""The jars of Apache Kafka: only what is pinned is used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.local.jars import KAFKA_VERSION, cache_folder, check_digests, kafka_jars, pinned_digests
from deploy.local.processes import LocalStackError
from deploy.local.progress import SilentProgress


@pytest.fixture
async def jars(tmp_path: Path) -> Path:
    """Return a copy of the jars in a cache of this test's own."""
    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    shutil.copytree(await kafka_jars(SilentProgress()), folder)
    return folder


async def test_the_pinned_jars_are_accepted(jars: Path) -> None:
    check_digests(jars)
    assert await kafka_jars(SilentProgress(), cache=jars.parent) == jars
    assert len(pinned_digests()) == 46


async def test_a_jar_that_was_tampered_with_is_named(jars: Path) -> None:
    with (jars / "kafka-clients-4.3.1.jar").open("ab") as jar:
        jar.write(b"\0")
    with pytest.raises(LocalStackError, match=r"kafka-clients-4\.3\.1\.jar"):
        check_digests(jars)


@pytest.mark.parametrize("change", ["one more", "one less", "another version"])
async def test_another_set_of_jars_is_refused(jars: Path, change: str) -> None:
    if change != "one less":
        (jars / "kafka-clients-3.9.1.jar").write_bytes(b"PK")
    if change != "one more":
        (jars / "kafka-clients-4.3.1.jar").unlink()
    with pytest.raises(LocalStackError, match=r"kafka-clients|does not hold the pinned jars"):
        check_digests(jars)
    with pytest.raises(LocalStackError, match="does not hold the pinned jars"):
        await kafka_jars(SilentProgress(), cache=jars.parent)


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TANDEM_CACHE_DIR")
    assert cache_folder().name == ".cache"
