"""Kafka and Postgres for the pods: those that the environment names, or two of this machine that pods can reach."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.jars import kafka_jars
from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import UNSYNCED, PostgresServer
from deploy.local.processes import all_of
from deploy.local.progress import SilentProgress


@dataclass(frozen=True)
class Servers:
    """Where they are, as pods see them."""

    kafka: str
    database_url: str


def named_servers() -> Servers | None:
    """Return what TANDEM_KAFKA_BOOTSTRAP and TANDEM_DATABASE_URL name, or None."""
    kafka, database = os.environ.get("TANDEM_KAFKA_BOOTSTRAP"), os.environ.get("TANDEM_DATABASE_URL")
    return Servers(kafka, database) if kafka and database else None


@asynccontextmanager
async def servers_at(address: str, folder: Path) -> AsyncIterator[Servers]:
    """Yield a Kafka and a Postgres of this machine that answer at `address`, and end them with the block.

    Whoever reaches that address reaches them, without a password. Raises LocalStackError when one does not start.
    """
    port, controller = free_port(), free_port()
    listeners = (
        f"listeners=PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:{controller}\n"
        f"advertised.listeners=PLAINTEXT://{address}:{port}\n"
    )
    kafka = KafkaServer(folder / "kafka", await kafka_jars(SilentProgress()), port, controller, listeners, lasting=True)
    admitted = _admitted(folder)
    postgres = PostgresServer(
        folder / "postgres",
        more_settings={**UNSYNCED, "listen_addresses": f"127.0.0.1,{address}", "hba_file": str(admitted)},
    )
    async with AsyncExitStack() as cleanup:
        for server in (kafka, postgres):
            cleanup.push_async_callback(server.stop)
        await all_of(kafka.start(), postgres.start())
        yield Servers(f"{address}:{port}", postgres.url.replace("127.0.0.1", address))


def _admitted(folder: Path) -> Path:
    """Write whom Postgres lets in, where the user as whom it runs can read it."""
    folder.chmod(0o755)
    path = folder / "admitted.conf"
    path.write_text("host all all 0.0.0.0/0 trust\n")
    path.chmod(0o644)
    return path
