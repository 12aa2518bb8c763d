"""The archive of Kafka's classes saves time and decides nothing: a JVM for which it is of no use does without."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.local.class_archive import archive_of
from deploy.local.jars import kafka_jars
from deploy.local.kafka import KafkaServer
from deploy.local.progress import SilentProgress


async def test_an_archive_that_is_of_no_use_stops_nobody(tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.symlink_to(await kafka_jars(SilentProgress()))
    archive_of(jars).write_bytes(b"of another JVM, or cut short")
    argv = KafkaServer(tmp_path / "kafka", jars)._java("kafka.tools.StorageTool", "random-uuid")
    assert f"-XX:SharedArchiveFile={archive_of(jars)}" in argv
    program = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out, _ = await program.communicate()
    assert program.returncode == 0
    assert len(out.decode().split()[-1]) == 22
