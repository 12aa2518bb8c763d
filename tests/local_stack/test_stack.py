"""Kafka and Postgres of the local stack: they answer when they say so, and keep their data through a kill."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import OLD_PROCESSES_REMAIN, UNPRIVILEGED_USER, PostgresServer
from deploy.local.processes import LEASH, LocalStackError, start_child
from deploy.local.progress import SilentProgress
from deploy.local.stack import local_stack
from tests.conftest import Endpoints
from tests.patience import HANGS_S


async def _create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        assert [code for _, code, *_ in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def _topics(bootstrap: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return list(await admin.list_topics())
    finally:
        await admin.close()


async def _write(bootstrap: str, topic: str, values: list[bytes], *, timeout_ms: int = 40_000) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=timeout_ms)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def _read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(HANGS_S):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_the_shared_stack_takes_writes_at_once(stack: Endpoints, database_url: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}greetings"
    await _create_topic(stack.kafka_bootstrap, topic)
    await _write(stack.kafka_bootstrap, topic, [b"one"], timeout_ms=40_000)
    connection = await asyncpg.connect(database_url, timeout=HANGS_S)
    try:
        assert await connection.fetchval("SHOW server_version_num") >= "180000"
    finally:
        await connection.close()
    assert await _read(stack.kafka_bootstrap, topic, 1) == [b"one"]


async def test_each_test_has_a_database_of_its_own(database_url: str, stack: Endpoints) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
        await connection.execute("CREATE TABLE of_this_test (id int)")
    finally:
        await connection.close()
    assert database_url != stack.database_url


async def test_kafka_keeps_acknowledged_records_through_kill_and_restart(kafka_server: KafkaServer) -> None:
    assert await _topics(kafka_server.bootstrap) == []
    await _create_topic(kafka_server.bootstrap, "kept")
    values = [b"%d" % number for number in range(100)]
    await _write(kafka_server.bootstrap, "kept", values)
    before = kafka_server.pid

    await kafka_server.kill()
    assert not await kafka_server.answers()
    await kafka_server.restart()

    assert kafka_server.pid != before
    # Ready means ready: a write needs no second try.
    await _write(kafka_server.bootstrap, "kept", [b"after"], timeout_ms=40_000)
    assert await _read(kafka_server.bootstrap, "kept", 101) == [*values, b"after"]
    assert await _topics(kafka_server.bootstrap) == ["kept"]


async def still_answers(connection: asyncpg.Connection) -> bool:
    """Tell whether an old connection still works: the process behind it outlives a killed server for a moment."""
    try:
        await connection.fetchval("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        return False
    return True


async def test_postgres_keeps_committed_rows_through_kill_and_restart(postgres_server: PostgresServer) -> None:
    connection = await asyncpg.connect(postgres_server.url)
    await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
    before = postgres_server.pid

    await postgres_server.kill()
    assert not await postgres_server.answers()
    async with asyncio.timeout(HANGS_S):
        while await still_answers(connection):
            await asyncio.sleep(0.05)
    await postgres_server.restart()

    assert postgres_server.pid != before
    connection = await asyncpg.connect(postgres_server.url, timeout=HANGS_S)
    try:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 1000
    finally:
        await connection.close()


async def test_two_servers_never_share_a_folder(postgres_server: PostgresServer) -> None:
    with pytest.raises(LocalStackError, match="another process runs Postgres"):
        await PostgresServer(postgres_server.folder).start()
    assert await postgres_server.answers()


async def test_postgres_restarts_although_a_process_of_the_killed_one_lingers(postgres_server: PostgresServer) -> None:
    connection = await asyncpg.connect(postgres_server.url)
    lingering: int = await connection.fetchval("SELECT pg_backend_pid()")
    os.kill(lingering, signal.SIGSTOP)
    try:
        os.kill(postgres_server.pid, signal.SIGKILL)  # the server alone, as somebody else would
        await postgres_server.wait()
        restarting = asyncio.create_task(postgres_server.restart())
        async with asyncio.timeout(HANGS_S):
            while OLD_PROCESSES_REMAIN not in postgres_server.log_path.read_text():
                await asyncio.sleep(0.02)
    finally:
        os.kill(lingering, signal.SIGCONT)
    await restarting
    assert await postgres_server.answers()
    connection.terminate()


async def test_a_stale_lock_file_of_postgres_does_not_stop_the_next_start(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    await postgres_server.stop()
    # The number of the dead server now belongs to another live process of the same user.
    user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
    other = await start_child("other", [shutil.which("sleep") or "", "60"], log_path=tmp_path / "other.log", user=user)
    try:
        (postgres_server.folder / "data" / "postmaster.pid").write_text(f"{other.pid}\n")
        await postgres_server.start()
        assert await postgres_server.answers()
    finally:
        await other.kill()


async def test_who_answers_on_our_port_must_be_ours(stack: Endpoints, tmp_path: Path) -> None:
    kafka, postgres = (urlsplit(address).port or 0 for address in (f"//{stack.kafka_bootstrap}", stack.database_url))
    assert not await KafkaServer(tmp_path / "other", tmp_path, port=kafka).answers()
    assert not await PostgresServer(tmp_path / "other", port=postgres).answers()


async def test_a_server_that_cannot_start_says_why(postgres_server: PostgresServer, tmp_path: Path) -> None:
    same_port = PostgresServer(tmp_path / "other", port=postgres_server.port)
    with pytest.raises(LocalStackError, match="Address already in use"):
        await same_port.start()


async def test_servers_named_in_the_environment_are_used_as_they_are(
    stack: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", stack.database_url)
    async with local_stack(tmp_path, SilentProgress()) as attached:
        assert (attached.kafka_bootstrap, attached.database_url) == (stack.kafka_bootstrap, stack.database_url)
        assert attached.kafka is None
        assert attached.postgres is None
    assert list(tmp_path.iterdir()) == []


def test_no_cluster_has_a_name_that_looks_like_an_option(tmp_path: Path) -> None:
    names = {KafkaServer(tmp_path / str(n), tmp_path, 1, 2)._cluster_id() for n in range(1000)}

    assert len(names) == 1000
    assert {len(name) for name in names} == {22}
    assert not [name for name in names if name.startswith("-")]


NAMELESS = "1000650000"
"""A number like those that OpenShift gives to containers."""


async def test_postgres_runs_for_a_user_without_a_name(tmp_path: Path) -> None:
    # pytest's folders are closed to others; the server may pass them, initdb in its namespace may not.
    for folder in (tmp_path, *tmp_path.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o011)
    user = NAMELESS if os.geteuid() == 0 else None
    server = PostgresServer(tmp_path / "postgres", user=user)
    try:
        await server.start()
        assert (server.folder / "data").stat().st_uid == int(user or os.geteuid())
        await server.kill()
        await server.restart()
        assert await server.answers()
    finally:
        await server.stop()


def test_where_no_name_can_be_given_one_line_says_what_to_do() -> None:
    leash = f"exec {sys.executable} -I -S {LEASH} 9 $PPID - nobody -- /bin/true"
    # In a namespace in which no more may be made; where none may be made anyway, the same without.
    limited = f"exec unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; {leash}'"
    refusing = f"unshare -Ur true || {leash}; {limited}"
    done = subprocess.run(["sh", "-c", refusing], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert "has no name in /etc/passwd" in line
    assert "TANDEM_DATABASE_URL" in line
