"""One mapper process on real Kafka and Postgres: how many change events it handles, how soon, in how much memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
from cryptography.fernet import Fernet
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.stack import Stack
from deploy.local.supervisor import SupervisedService, Supervisor, service_spec
from shared.domain.clock import SeededDice, SystemClock
from shared.runtime.kafka import KafkaLog, open_kafka_log
from shared.runtime.publisher import Publisher
from shared.runtime.settings import ServiceSettings
from shared.runtime.topics import Topic, ensure_topics
from shared.store.migrate import migrate
from shared.store.postgres import open_postgres
from tests.bench.figures import percentile
from tests.bench.links import change, link_of, seed

LINKS = 1_000
BACKLOG_EDITS = 4
"""Changes of each link that wait when the mapper starts."""
PACED_PER_S = 100
_FROM, _TO = 0.15, 0.95
"""The part of the backlog that is timed: without the start and the end."""
_POLL_S = 0.05
_DEADLINE_S = 180.0


@dataclass(frozen=True)
class MapperFigures:
    """What was measured of one way of handling."""

    inputs_per_s: float
    p50_ms: float
    p99_ms: float
    inputs_per_transaction: float
    memory_mb: float


async def measure_mapper(stack: Stack, folder: Path, name: str, settings: Mapping[str, str]) -> MapperFigures:
    """Run a mapper of its own, on topics and a database of its own, with these settings."""
    url = await _new_database(stack.database_url, f"bench_{name}")
    prefix, key = f"bench-{name}.", Fernet.generate_key().decode()
    await asyncio.gather(migrate(url), ensure_topics(stack.kafka_bootstrap, prefix))
    async with open_postgres(url, key) as store:
        await seed(store, LINKS)
    environment = {
        "TANDEM_KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
        "TANDEM_DATABASE_URL": url,
        "TANDEM_TOPIC_PREFIX": prefix,
        "TANDEM_HTTP_HOST": "127.0.0.1",
        "TANDEM_SECRET_KEY": key,
        **settings,
    }
    ours = ServiceSettings(kafka_bootstrap=stack.kafka_bootstrap, database_url=url, topic_prefix=prefix, secret_key=key)
    logs = folder / name
    logs.mkdir(parents=True)
    async with open_kafka_log(ours, client="bench") as log, Supervisor() as supervisor, aiohttp.ClientSession() as http:
        publisher = Publisher(log, source="bench", clock=SystemClock(), dice=SeededDice(1))
        for edit in range(1, BACKLOG_EDITS + 1):
            for first in range(0, LINKS, 250):
                await publisher.publish(*(change(number, edit) for number in range(first, first + 250)))
        mapper = supervisor.start(service_spec("mapper", environment, logs))
        rate, batch = await _drain(mapper, http)
        lags_ms = await _paced(log, publisher)
        return MapperFigures(
            inputs_per_s=rate,
            p50_ms=percentile(lags_ms, 50),
            p99_ms=percentile(lags_ms, 99),
            inputs_per_transaction=batch,
            memory_mb=_memory_mb(mapper.pid or 0),
        )


def better(left: MapperFigures, right: MapperFigures) -> MapperFigures:
    """Return the best of each figure: what else the machine had to do makes all of them worse."""
    return MapperFigures(
        inputs_per_s=max(left.inputs_per_s, right.inputs_per_s),
        p50_ms=min(left.p50_ms, right.p50_ms),
        p99_ms=min(left.p99_ms, right.p99_ms),
        inputs_per_transaction=max(left.inputs_per_transaction, right.inputs_per_transaction),
        memory_mb=max(left.memory_mb, right.memory_mb),
    )


async def _drain(mapper: SupervisedService, http: aiohttp.ClientSession) -> tuple[float, float]:
    """Return the inputs per second in the middle of the backlog, and the inputs per transaction in all of it."""
    total = LINKS * BACKLOG_EDITS
    times: list[tuple[float, float]] = []
    samples: dict[str, float] = {}
    async with asyncio.timeout(_DEADLINE_S):
        while not times or times[-1][1] < total:
            await asyncio.sleep(_POLL_S)
            samples = await _metrics(mapper, http)
            times.append((time.monotonic(), samples.get("tandem_messages_total", 0.0)))
    began = next(each for each in times if each[1] >= total * _FROM)
    ended = next(each for each in times if each[1] >= total * _TO)
    batch = samples["tandem_mapper_batch_inputs_sum"] / samples["tandem_mapper_batch_inputs_count"]
    return (ended[1] - began[1]) / (ended[0] - began[0]), batch


async def _paced(log: KafkaLog, publisher: Publisher) -> list[float]:
    """Publish one change of each link at a steady rate; return how long each took until its status was published."""
    statuses = await log.subscribe("bench", [Topic.STATUS])
    while await statuses.receive(10_000, 3.0):
        pass
    sent: dict[str, float] = {}

    async def publish() -> None:
        began = time.monotonic()
        for number in range(LINKS):
            await asyncio.sleep(max(0.0, began + number / PACED_PER_S - time.monotonic()))
            sent[link_of(number)] = time.time()
            tasks.create_task(publisher.publish(change(number, BACKLOG_EDITS + 1)))

    lags_ms: list[float] = []
    async with asyncio.timeout(_DEADLINE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(publish())
        while len(lags_ms) < LINKS:
            for record in await statuses.receive(10_000, 1.0):
                decided = datetime.fromisoformat(record.headers["ce_time"]).timestamp()
                lags_ms.append((decided - sent[record.key]) * 1000)
    await statuses.close()
    return lags_ms


async def _metrics(mapper: SupervisedService, http: aiohttp.ClientSession) -> dict[str, float]:
    """Return the sums of all samples by name, empty while the process does not answer."""
    found: dict[str, float] = {}
    try:
        async with http.get(f"{mapper.spec.http}/metrics") as answer:
            text = await answer.text()
    except aiohttp.ClientError:
        return found
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def _memory_mb(pid: int) -> float:
    """Return what the process holds in memory (VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


async def _new_database(url: str, name: str) -> str:
    session = await asyncpg.connect(url, timeout=10)
    try:
        await session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await session.execute(f'CREATE DATABASE "{name}"')
    finally:
        await session.close(timeout=10)
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
