"""Kafka, Postgres and the services themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deploy.drills.drill import Drill, no, some, zero
from deploy.drills.stage import Stage


@asynccontextmanager
async def frozen_kafka(stage: Stage) -> AsyncIterator[None]:
    """Have Kafka hang while the block runs."""
    kafka = stage.system.stack.kafka
    if kafka is None:
        raise LookupError("this drill needs a Kafka of its own: unset TANDEM_KAFKA_BOOTSTRAP")
    async with stage.hanging(kafka.pid):
        yield


@asynccontextmanager
async def _frozen_postgres(stage: Stage) -> AsyncIterator[None]:
    postgres = stage.system.stack.postgres
    if postgres is None:
        raise LookupError("this drill needs a Postgres of its own: unset TANDEM_DATABASE_URL")
    async with stage.hanging(postgres.pid):
        yield


@asynccontextmanager
async def _no_console(stage: Stage) -> AsyncIterator[None]:
    async with stage.without("console"):
        yield


@asynccontextmanager
async def _no_reconciler(stage: Stage) -> AsyncIterator[None]:
    async with stage.without("reconciler"):
        yield


@asynccontextmanager
async def _no_writer(stage: Stage) -> AsyncIterator[None]:
    issues = await stage.synced_stories(1)
    stage.cause_begins()
    async with stage.without("craft_writer"):
        await stage.retitle(issues)
        yield


SERVERS: Final = (
    Drill(
        "TandemKafkaAway",
        how="Kafka hangs (SIGSTOP)",
        play=frozen_kafka,
        cause="Kafka is down or failing over",
        shows=zero(),
        action="Kafka goes on",
    ),
    Drill(
        "TandemPostgresAway",
        how="Postgres and all its processes hang (SIGSTOP)",
        play=_frozen_postgres,
        cause="Postgres is down or failing over",
        shows=zero(),
        action="Postgres goes on",
    ),
    Drill(
        "TandemServiceAbsent",
        how="the console is stopped and not started again",
        play=_no_console,
        cause="It was scaled to nothing",
        shows=no(component="console"),
        action="the console is started",
    ),
    Drill(
        "TandemCensusStale",
        how="the reconciler is stopped and not started again",
        play=_no_reconciler,
        cause="No reconciler runs, or none is scraped",
        shows=no(),
        action="the reconciler is started",
    ),
    Drill(
        "TandemConsumerLag",
        how="the writer of Craft.io is stopped; somebody edits an issue",
        play=_no_writer,
        cause="A partition has no reader",
        shows=some(group="craft_writer"),
        action="the writer is started",
    ),
    Drill(
        "TandemOperationsOpenTooLong",
        how="the writer of Craft.io is stopped; somebody edits an issue",
        play=_no_writer,
        cause="No writer takes commands",
        shows=some(group="craft_writer"),
        action="the writer is started",
    ),
)
