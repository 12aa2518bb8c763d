"""P1 on real Kafka: 202 means it is on the topic; Kafka away means 503 within a second, then 202 again by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession
from cryptography.fernet import Fernet

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.supervisor import SupervisedService, Supervisor, service_spec
from shared.domain.ids import Side
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.messages.change import ChangeEvent
from shared.runtime.envelope import decode
from shared.runtime.kafka import KafkaLog
from shared.runtime.topics import Topic
from shared.store.migrate import migrate
from shared.store.postgres import open_postgres
from tests.conftest import Endpoints
from tests.patience import HANGS_S
from tests.unit.gateway.harness import JIRA, SECRET, body, dump, signed

pytestmark = [pytest.mark.stack, pytest.mark.slow]
UPDATED = dump(body(Side.JIRA, "issue_updated"))
CREATED_AT = datetime(2026, 3, 4, tzinfo=UTC)


@dataclass
class Sender:
    """A vendor that sends webhooks and keeps a record of what it was answered."""

    http: ClientSession
    url: str
    accepted: set[str] = field(default_factory=set)
    sent: int = 0

    async def send(self) -> tuple[int, str | None]:
        """Send one webhook; return status (0: nobody answered) and Retry-After."""
        self.sent += 1
        identifier = f"w-{self.sent}"
        headers = {**signed(Side.JIRA, UPDATED), "X-Atlassian-Webhook-Identifier": identifier}
        try:
            async with self.http.post(self.url, data=UPDATED, headers=headers) as answer:
                await answer.read()
        except ClientConnectionError:
            return 0, None
        if answer.status == 202:
            self.accepted.add(f"{JIRA}:{identifier}")
        return answer.status, answer.headers.get("Retry-After")

    async def send_until(self, status: int, *, deadline_s: float = HANGS_S) -> None:
        """Send until it is answered `status`."""
        async with asyncio.timeout(deadline_s):
            while (await self.send())[0] != status:
                await asyncio.sleep(0.05)


@dataclass
class World:
    """One gateway process on a Postgres of its own."""

    postgres: PostgresServer
    gateway: SupervisedService
    sender: Sender


@asynccontextmanager
async def _world(bootstrap: str, prefix: str, postgres: PostgresServer, folder: Path) -> AsyncIterator[World]:
    key = Fernet.generate_key().decode()
    await migrate(postgres.url)
    async with open_postgres(postgres.url, key) as store:
        connection = Connection(
            id=JIRA, kind=ConnectionKind.JIRA_CLOUD, name="Orchard", url="https://orchard.example", email="a@b.example"
        )
        secrets = ConnectionSecrets(token="t", webhook_secrets=(SECRET,))
        await store.save_connection(connection, secrets, 0, "admin", CREATED_AT)
    settings = {
        "TANDEM_KAFKA_BOOTSTRAP": bootstrap,
        "TANDEM_DATABASE_URL": postgres.url,
        "TANDEM_TOPIC_PREFIX": prefix,
        "TANDEM_HTTP_HOST": "127.0.0.1",
        "TANDEM_SECRET_KEY": key,
    }
    async with Supervisor() as supervisor, ClientSession() as http:
        spec = service_spec("webhook_gateway", settings, folder)
        gateway = supervisor.start(spec)
        await supervisor.wait_ready()
        yield World(postgres, gateway, Sender(http, f"{spec.http}/webhooks/jira/{JIRA}"))


async def _on_topic(bootstrap: str, prefix: str, wanted: set[str], *, deadline_s: float = HANGS_S) -> set[str]:
    """Return the change ids on the topic; waits until all that are wanted are among them, or the deadline."""
    log = KafkaLog(bootstrap, prefix=prefix, client_id="witness")
    found: set[str] = set()
    try:
        subscription = await log.subscribe("witness", [Topic.CHANGES_JIRA])
        deadline = time.monotonic() + deadline_s
        while not wanted <= found and time.monotonic() < deadline:
            for record in await subscription.receive(500, 1.0):
                message = decode(record).message
                assert isinstance(message, ChangeEvent)
                found.add(message.change_id)
    finally:
        await log.close()
    return found


async def test_what_was_answered_202_is_on_the_topic_through_an_outage_without_a_restart(
    kafka_server: KafkaServer, topic_prefix: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    async with _world(kafka_server.bootstrap, topic_prefix, postgres_server, tmp_path) as world:
        sender, pid = world.sender, world.gateway.pid
        await sender.send_until(202)

        await kafka_server.kill()
        for _ in range(5):
            status, retry_after = await sender.send()
            assert status == 503
            assert retry_after is not None
            assert int(retry_after) >= 1

        await kafka_server.restart()
        await sender.send_until(202)
        for _ in range(20):
            assert (await sender.send())[0] == 202
        assert world.gateway.pid == pid
        assert world.gateway.restarts == 0

        # Killed in the middle of a stream of webhooks: whatever was accepted, is there.
        streams = [asyncio.create_task(_stream(sender, 40)) for _ in range(4)]
        await asyncio.sleep(0.05)
        await kafka_server.kill()
        await kafka_server.restart()
        await asyncio.gather(*streams)
        await sender.send_until(202)
        assert sender.accepted - await _on_topic(kafka_server.bootstrap, topic_prefix, sender.accepted) == set()


async def test_without_the_database_it_goes_on_and_after_a_restart_it_asks_to_be_sent_again(
    stack: Endpoints, topic_prefix: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    async with _world(stack.kafka_bootstrap, topic_prefix, postgres_server, tmp_path) as world:
        sender, pid = world.sender, world.gateway.pid
        assert pid is not None
        await sender.send_until(202)
        await world.postgres.kill()
        assert [(await sender.send())[0] for _ in range(5)] == [202] * 5

        await world.gateway.kill()
        await world.gateway.wait_for_other_process(pid)
        statuses: set[int] = set()
        async with asyncio.timeout(HANGS_S):
            while 503 not in statuses:
                statuses.add((await sender.send())[0])
                await asyncio.sleep(0.05)
        assert statuses <= {0, 503}  # never a 4xx: that would lose the event for good

        await world.postgres.restart()
        await sender.send_until(202)
        assert sender.accepted - await _on_topic(stack.kafka_bootstrap, topic_prefix, sender.accepted) == set()


async def _stream(sender: Sender, count: int) -> None:
    for _ in range(count):
        assert (await sender.send())[0] in (202, 503)
