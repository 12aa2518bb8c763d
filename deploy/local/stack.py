"""Kafka and Postgres together: what `make demo`, `make run` and the tests stand on.

Called by them as an async context manager. Never starts a service: `supervisor` does.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.jars import kafka_jars
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import UNSYNCED, PostgresServer
from deploy.local.processes import all_of
from deploy.local.progress import Progress


@dataclass(frozen=True)
class Stack:
    """Where Kafka and Postgres are, and the servers themselves when they are ours."""

    kafka_bootstrap: str
    database_url: str
    kafka: KafkaServer | None
    """None when TANDEM_KAFKA_BOOTSTRAP names one that is already there."""
    postgres: PostgresServer | None
    """None when TANDEM_DATABASE_URL names one that is already there."""


@asynccontextmanager
async def local_stack(
    folder: Path, progress: Progress, *, lasting: bool = False, synced: bool = True
) -> AsyncIterator[Stack]:
    """Yield a Kafka and a Postgres that answer; end what was started when the block ends, by whatever cause.

    Data lie in `folder` and are found again by the next stack on it. TANDEM_KAFKA_BOOTSTRAP and TANDEM_DATABASE_URL,
    when set, are used as they are. `lasting`: Kafka is to be fast under load rather than there soon; `synced`: commits
    wait for the disk. Call it from the main thread: the servers end with the thread that started them.

    Raises LocalStackError when one of them does not start.
    """
    folder = folder.resolve()
    bootstrap = os.environ.get("TANDEM_KAFKA_BOOTSTRAP")
    database_url = os.environ.get("TANDEM_DATABASE_URL")
    kafka = None if bootstrap else KafkaServer(folder / "kafka", await kafka_jars(progress), lasting=lasting)
    postgres = None if database_url else PostgresServer(folder / "postgres", more_settings={} if synced else UNSYNCED)
    async with AsyncExitStack() as cleanup:
        progress.stage("Starting Kafka and Postgres")
        servers = [server for server in (kafka, postgres) if server is not None]
        for server in servers:
            cleanup.push_async_callback(server.stop)
        await all_of(*(server.start() for server in servers))
        yield Stack(
            kafka_bootstrap=kafka.bootstrap if kafka is not None else bootstrap or "",
            database_url=postgres.url if postgres is not None else database_url or "",
            kafka=kafka,
            postgres=postgres,
        )
