"""`tandem doctor` on a real Kafka and a real Postgres: a healthy installation is called healthy, and each planted fault
is found, named and given a way out.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from aiohttp import web
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.ports import free_port
from sandbox.jira.edition import CLOUD
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN
from shared.domain.clock import SystemClock
from shared.domain.differences import Difference
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.runtime.access import ACCESS
from shared.runtime.kafka import KafkaLog
from shared.runtime.log import LogUnavailable, ReceivedRecord, Record, Subscription
from shared.runtime.topics import POLICIES, Topic, ensure_topics
from shared.store.migrate import migrate
from shared.store.postgres import open_postgres
from shared.store.provisioning import FileFinding, FileState, ProvisionedFile, Subject
from shared.store.secrets import new_key
from tandem_ops.domain.report import EXIT_FAILED, EXIT_OK, Finding, Status, exit_code
from tandem_ops.entrypoint import world
from tandem_ops.handlers.checks import GROUPS
from tandem_ops.handlers.doctor import examine
from tandem_ops.handlers.given import given_settings
from tests.conformance.client_worlds import over_http
from tests.conformance.store_worlds import JIRA, connection
from tests.conftest import Endpoints
from tests.patience import HANGS_S

pytestmark = pytest.mark.stack
KEY = new_key()
PATIENT = str(HANGS_S)


@dataclass(frozen=True)
class Report:
    """What the doctor said."""

    findings: Sequence[Finding]

    def about(self, check: str) -> list[str]:
        """Return what is not well with one thing, each with what to do."""
        bad = (Status.FAILED, Status.WARNING)
        return [
            f"{each.what}: {each.private or ''} | {each.do}"
            for each in self.findings
            if each.check == check and each.status in bad
        ]

    def statuses(self, check: str) -> set[Status]:
        return {each.status for each in self.findings if each.check == check}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, stack: Endpoints) -> pytest.MonkeyPatch:
    """Give each test the settings of an installation, and nothing else of ours."""
    for name in [name for name in os.environ if name.startswith("TANDEM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("TANDEM_TEST_STACK_FOLDER", raising=False)
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_SECRET_KEY", KEY)
    monkeypatch.setenv("TANDEM_DOCTOR_TIMEOUT_S", PATIENT)
    # Where a test is not about Postgres.
    monkeypatch.setenv("TANDEM_DATABASE_URL", stack.database_url)
    return monkeypatch


async def doctor() -> Report:
    given, clock = given_settings(), SystemClock()
    return Report(await examine(given, clock, world(given.settings, clock, vendors=True), ACCESS))


@pytest.fixture(scope="module")
def well(stack: Endpoints) -> str:
    """Return the prefix of topics that are as they should be."""
    prefix = f"doctor-{new_key()[:8].replace('_', 'x')}."
    asyncio.run(ensure_topics(stack.kafka_bootstrap, prefix))
    return prefix


@asynccontextmanager
async def readers(stack: Endpoints, prefix: str) -> AsyncIterator[KafkaLog]:
    """Let somebody read in each group, as the services do."""
    log = KafkaLog(stack.kafka_bootstrap, prefix=prefix, create_topics=False)
    try:
        members = [await log.subscribe(group, topics) for group, topics in GROUPS.items()]
        await publish(log, *(topic for topics in GROUPS.values() for topic in topics))
        async with asyncio.timeout(HANGS_S):
            await asyncio.gather(*(_read_all(member) for member in members))
        yield log
    finally:
        await log.close()


async def publish(log: KafkaLog, *topics: str) -> None:
    """Put a record on each topic, more often than once where a busy machine does not acknowledge within a second."""
    async with asyncio.timeout(HANGS_S):
        while True:
            try:
                await log.publish([Record(topic, "k", b"{}", {}) for topic in topics])
            except LogUnavailable:
                await asyncio.sleep(0.1)
            else:
                return


async def _read_all(member: Subscription) -> None:
    """Read until something came, and say so."""
    received: Sequence[ReceivedRecord] = []
    while not received:
        received = await member.receive(100, 1.0)
    while received:
        await member.commit({(each.topic, each.partition): each.offset + 1 for each in received})
        received = await member.receive(100, 0.5)


@asynccontextmanager
async def answering(*, ready: bool = True, ahead: timedelta = timedelta()) -> AsyncIterator[str]:
    """Run what answers /readyz as a service does, by a clock that is ahead."""

    async def readyz(_: web.Request) -> web.Response:
        date = (datetime.now(UTC) + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT")
        body = {"status": "", "dependencies": {"kafka": True, "postgres": ready}}
        return web.json_response(body, status=200 if ready else 503, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_healthy_installation_is_called_healthy(
    stack: Endpoints, well: str, migrated_url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_TOPIC_PREFIX", well)
    environment.setenv("TANDEM_DATABASE_URL", migrated_url)
    environment.setenv("TANDEM_ALLOWED_INTERNAL_ADDRESSES", "127.0.0.0/8")
    environment.setenv("TANDEM_PLAIN_HTTP_HOSTS", "127.0.0.1")
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(readers(stack, well))
        jira = await opened.enter_async_context(over_http(CLOUD))
        service = await opened.enter_async_context(answering())
        environment.setenv("TANDEM_SERVICE_URLS", f"mapper={service}")
        await save(migrated_url, connection(JIRA, url=jira.jira_url, email=SYNC_EMAIL), SYNC_TOKEN)
        report = await doctor()
    assert [each for each in report.findings if each.status not in (Status.OK, Status.SKIPPED)] == []
    assert exit_code(report.findings) == EXIT_OK
    looked = {each.check for each in report.findings if each.status is Status.OK}
    assert looked >= {"settings", "kafka", "topics", "acls", "groups", "postgres", "migrations", "services", "clocks"}
    assert [each.what for each in report.findings if each.check == "connections"] == [f"{JIRA} works"]


async def test_what_is_wrong_with_settings_ends_no_other_check(
    well: str, migrated_url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_TOPIC_PREFIX", well)
    environment.setenv("TANDEM_DATABASE_URL", migrated_url)
    environment.setenv("TANDEM_SECRET_KEY", "not a key")
    environment.setenv("TANDEM_CONSOLE_TOKEN", "hunter2")
    environment.setenv("TANDEM_KAFKA_BOOTSTAP", "kafka:9092")
    environment.setenv("TANDEM_WEBHOOK_MAX_BYTES", "many")
    # What Kubernetes sets by itself for a Service of the name tandem-console.
    environment.setenv("TANDEM_CONSOLE_SERVICE_HOST", "10.0.0.1")
    environment.setenv("TANDEM_CONSOLE_PORT", "tcp://10.0.0.1:9090")
    environment.setenv("TANDEM_CONSOLE_PORT_9090_TCP_ADDR", "10.0.0.1")
    report = await doctor()
    told = report.about("settings")
    for name in ("TANDEM_SECRET_KEY", "TANDEM_CONSOLE_TOKEN", "TANDEM_WEBHOOK_MAX_BYTES"):
        assert any(each.startswith(f"{name} is wrong or missing: ") for each in told)
    assert any("means nothing: TANDEM_KAFKA_BOOTSTAP | " in each for each in told)
    # The token is too short to be taken, and too short to be a secret.
    assert len(told) == 5
    assert any("Is TANDEM_KAFKA_BOOTSTRAP meant?" in each for each in told)
    assert "hunter2" not in str(report.findings)
    assert (report.statuses("topics"), report.statuses("migrations")) == ({Status.OK}, {Status.OK})
    assert report.statuses("connections") == {Status.SKIPPED}
    assert exit_code(report.findings) == EXIT_FAILED


async def test_topics_that_are_missing_or_wrong_are_named(
    stack: Endpoints, topic_prefix: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    wrong = {
        Topic.CHANGES_JIRA: {"cleanup.policy": "compact"},
        Topic.STATUS: {"cleanup.policy": "delete"},
        Topic.OUTCOMES: {"retention.ms": "3600000"},
        Topic.REQUESTS: {"max.message.bytes": "1048588"},
        Topic.WRITES_JIRA: {"min.insync.replicas": "2"},
    }
    await create(stack, topic_prefix, wrong)
    report = await doctor()
    told = "\n".join(report.about("topics"))
    for topic, words in {
        Topic.CHANGES_JIRA: "has cleanup.policy=compact instead of delete: events get lost",
        Topic.STATUS: "has cleanup.policy=delete instead of compact",
        Topic.OUTCOMES: "forgets after 1 hours instead of 14 days",
        Topic.REQUESTS: "takes records of 1048588 bytes at most",
        Topic.WRITES_JIRA: "needs 2 replicas in sync (min.insync.replicas) and has 1: nothing can be written",
        Topic.DEAD: "is missing:  | Create it with 3 partitions and cleanup.policy=delete",
        Topic.CONFIG: "is missing",
    }.items():
        assert f"{topic_prefix}{topic} {words}" in told
    assert f"{topic_prefix}{Topic.CHANGES_JIRA} has 1 partitions instead of 12" in told
    # Nobody reads here, and what waits is lost on nobody.
    assert "nobody reads as" in "\n".join(report.about("groups"))


async def create(stack: Endpoints, prefix: str, settings: dict[Topic, dict[str, str]]) -> None:
    """Create these topics with one partition, all else as it should be."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(prefix + topic, 1, 1, topic_configs={**POLICIES[topic].configuration(), **own})
                for topic, own in settings.items()
            ]
        )
    finally:
        await admin.close()


async def test_what_waits_while_nobody_reads_and_what_could_not_be_handled_is_counted(
    stack: Endpoints, topic_prefix: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    await create(stack, topic_prefix, {Topic.WRITES_CRAFT: {}, Topic.DEAD: {}})
    log = KafkaLog(stack.kafka_bootstrap, prefix=topic_prefix, create_topics=False)
    try:
        await publish(log, Topic.WRITES_CRAFT)
        await publish(log, Topic.DEAD)
    finally:
        await log.close()
    report = await doctor()
    # A busy machine may have published more than once.
    groups = "\n".join(report.about("groups"))
    name = re.escape(f"{topic_prefix}craft_writer")
    assert re.search(rf"nobody reads as {name}: it has no member, [1-9]\d* records? waits?:", groups), groups
    assert re.match(r"[1-9]\d* messages? could not be handled within a day", report.about("dead letters")[0])


async def test_a_kafka_that_is_away_is_told_once_and_the_rest_is_looked_at(
    migrated_url: str, environment: pytest.MonkeyPatch
) -> None:
    port = free_port()
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")
    environment.setenv("TANDEM_DATABASE_URL", migrated_url)
    report = await doctor()
    assert report.about("kafka")[0].startswith(
        f"Kafka cannot be asked: 127.0.0.1:{port}: the connection is refused: nothing listens there | Check "
    )
    assert report.statuses("topics") == report.statuses("groups") == {Status.SKIPPED}
    assert report.statuses("migrations") == {Status.OK}


async def test_a_server_that_never_answers_costs_its_own_check_only(
    migrated_url: str, environment: pytest.MonkeyPatch
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")
        environment.setenv("TANDEM_DOCTOR_TIMEOUT_S", "3")
        environment.setenv("TANDEM_DATABASE_URL", migrated_url)
        report = await doctor()
    assert report.statuses("kafka") == {Status.FAILED}
    assert "not done within 3 s" in report.about("kafka")[0] or "no answer in time" in report.about("kafka")[0]
    assert Status.SKIPPED not in report.statuses("postgres")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody-knows-him:pw@{host}/postgres", "the user or the password in TANDEM_DATABASE_URL is"),
        ("postgresql://{user}@{host}/no_such_database", "there is no such database on the server"),
        ("postgresql://{user}@127.0.0.1:{closed}/x", "the connection is refused: nothing listens there"),
    ],
)
async def test_why_postgres_cannot_be_asked_is_told(
    url: str, words: str, stack: Endpoints, environment: pytest.MonkeyPatch
) -> None:
    user, _, host = stack.database_url.removeprefix("postgresql://").partition("/")[0].partition("@")
    where = url.format(user=user, host=host, closed=free_port())
    environment.setenv("TANDEM_DATABASE_URL", where)
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    report = await doctor()
    assert report.about("postgres")[0].startswith(f"Postgres cannot be asked: {words}")
    assert report.statuses("migrations") == report.statuses("connections") == {Status.SKIPPED}


async def test_tables_that_are_missing_behind_or_not_ours_to_use_are_told(
    database_url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    environment.setenv("TANDEM_DATABASE_URL", database_url)
    assert "the database has no tables of Tandem" in (await doctor()).about("migrations")[0]
    await migrate(database_url, revision="0013")
    behind = (await doctor()).about("migrations")[0]
    assert behind.startswith("the database has schema 0013 and this release needs ")
    assert "python -m shared.store.migrate" in behind
    await migrate(database_url)
    session = await asyncpg.connect(database_url)
    role = f"doctor_{free_port()}"
    try:
        await session.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        environment.setenv("TANDEM_DATABASE_URL", f"postgresql://{role}@{database_url.partition('@')[2]}")
        assert "may not DELETE on audit" in (await doctor()).about("migrations")[0]
    finally:
        await session.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await session.close()


async def test_services_that_are_away_not_ready_or_in_another_time_are_told(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    closed = free_port()
    async with answering(ready=False) as waiting, answering(ahead=timedelta(minutes=5)) as early:
        environment.setenv(
            "TANDEM_SERVICE_URLS", f"mapper={waiting}, console={early}, reconciler=http://127.0.0.1:{closed}"
        )
        report = await doctor()
    told = report.about("services")
    assert any("mapper is not ready: it waits for postgres" in each for each in told)
    assert any(
        f"reconciler does not answer: http://127.0.0.1:{closed}: the connection is refused" in each for each in told
    )
    assert any(each.startswith("the clock of console is 300 s ahead of") for each in report.about("clocks"))


async def save(url: str, saved: Connection, token: str, *, key: str = KEY) -> None:
    async with open_postgres(url, key) as store:
        secrets = ConnectionSecrets(
            token=token, webhook_secrets=("aaaaaaaaaaaaaaaaaaaaaaaa",) if "weak" in token else ()
        )
        stored = {each.id: each.revision for each in await store.connections()}
        await store.save_connection(saved, secrets, stored.get(saved.id, 0), "test", datetime.now(UTC))


async def test_connections_that_do_not_work_are_told_without_any_secret(
    migrated_url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    environment.setenv("TANDEM_DATABASE_URL", migrated_url)
    async with over_http(CLOUD) as jira:
        ours = connection(JIRA, url=jira.jira_url, email=SYNC_EMAIL)
        await save(migrated_url, ours, "weak-5ecret-token")
        withheld = await doctor()
        assert "its address is none that may be asked" in "".join(withheld.about("connections"))
        environment.setenv("TANDEM_ALLOWED_INTERNAL_ADDRESSES", "127.0.0.0/8")
        environment.setenv("TANDEM_PLAIN_HTTP_HOSTS", "127.0.0.1")
        refused = await doctor()
        told = "\n".join(refused.about("connections"))
        assert f"{JIRA}: the vendor refuses the credentials: " in told
        assert f"{JIRA}: A webhook secret repeats itself" in told
        assert "5ecret" not in str(refused.findings)
        assert SYNC_EMAIL not in str([replace(each, private=None) for each in refused.findings])
        await save(migrated_url, ours, SYNC_TOKEN)
        async with open_postgres(migrated_url, KEY) as store:
            await store.set_connection_paused(JIRA, "a reason with somebody's name")
        paused = await doctor()
        assert f"{JIRA} is paused: nothing is written through it" in "".join(paused.about("connections"))
        environment.setenv("TANDEM_SECRET_KEY", new_key())
        wrong = await doctor()
    assert "no key of TANDEM_SECRET_KEY opens the stored credentials" in "".join(wrong.about("connections"))


async def test_silent_and_refused_webhooks_are_told(migrated_url: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    environment.setenv("TANDEM_DATABASE_URL", migrated_url)
    await save(migrated_url, connection(JIRA), "token")
    async with open_postgres(migrated_url, KEY) as store:
        await store.report_silence(JIRA, datetime(2026, 3, 2, tzinfo=UTC))
    report = await doctor()
    assert "No webhook has ever arrived, although issues have changed" in report.about("webhooks")[0]


async def test_mounted_files_that_are_not_in_effect_and_changes_by_hand_are_told(
    migrated_url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    environment.setenv("TANDEM_DATABASE_URL", migrated_url)
    invalid = FileFinding(severity="error", line=12, column=3, where="integrations.demo.nmae", message="is not known")
    drift = Difference(path="name", change="changed", words="name: a → b")
    async with open_postgres(migrated_url, KEY) as store:
        await store.save_provisioned(
            ProvisionedFile(file="a.yaml", state=FileState.INVALID, since=datetime.now(UTC), findings=(invalid,))
        )
        subject = Subject(kind="integration", id="demo", drift=(drift,))
        await store.save_provisioned(
            ProvisionedFile(file="b.yaml", state=FileState.IN_EFFECT, since=datetime.now(UTC), subjects=(subject,))
        )
    told = (await doctor()).about("provisioning")
    assert "a.yaml:12: integrations.demo.nmae: is not known" in told[0]
    assert told[1].startswith("integration demo was changed by hand in 1 places since it was provisioned: b.yaml")
