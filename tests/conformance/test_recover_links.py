"""`tandem recover-links` on a real Kafka and Postgres: links that only Kafka remembers are put back, once."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest
from click.testing import CliRunner

from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import EntityId, LinkId
from shared.domain.link import LinkState
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.runtime.kafka import KafkaLog
from shared.runtime.log import LogUnavailable
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic
from shared.store.postgres import open_postgres
from shared.store.recover import SKIPPED
from shared.store.secrets import new_key
from tandem_cli.entrypoint import tandem
from tests.conformance.store_worlds import CRAFT, INTEGRATION, JIRA, T0, connection, integration, link, load
from tests.conformance.test_doctor import create
from tests.conftest import Endpoints
from tests.patience import HANGS_S

pytestmark = pytest.mark.stack
KEY = new_key()


def status(name: str, state: DisplayState = DisplayState.IN_SYNC, *, whole: bool = True) -> SyncStatus:
    return SyncStatus(
        link_id=LinkId(f"link-{name}"),
        integration_id=INTEGRATION,
        state=state,
        cause=Cause.OK,
        message="as people saw it",
        revision=1,
        jira_id=EntityId(f"j-{name}"),
        craft_id=EntityId(f"c-{name}") if whole else None,
        at=T0,
    )


async def test_links_that_only_kafka_remembers_are_put_back_once(
    stack: Endpoints, migrated_url: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("TANDEM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", migrated_url)
    monkeypatch.setenv("TANDEM_SECRET_KEY", KEY)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    await create(stack, topic_prefix, {Topic.STATUS: {}})
    log = KafkaLog(stack.kafka_bootstrap, prefix=topic_prefix, create_topics=False)
    publish = Publisher(log, source="mapper", clock=SystemClock(), dice=SeededDice(1))
    told = [
        status("known"),
        status("lost", DisplayState.PENDING),
        status("lost"),
        status("begun", DisplayState.PENDING, whole=False),
        status("held", DisplayState.HELD, whole=False),
        status("apart", DisplayState.UNSYNCED),
    ]
    try:
        async with asyncio.timeout(HANGS_S):
            while True:
                try:
                    await publish.publish(*told)
                    break
                except LogUnavailable:
                    await asyncio.sleep(0.1)
    finally:
        await log.close()
    async with open_postgres(migrated_url, KEY) as store:
        for each in (JIRA, CRAFT):
            await store.save_connection(connection(each), None, 0, "admin", T0)
        await store.save_integration(integration(), 0, "admin", T0)
        async with store.transaction() as transaction:
            assert await transaction.insert(replace(link("known", LinkState.CREATING), state=LinkState.CREATING))
        ended = [await asyncio.to_thread(CliRunner().invoke, tandem, ["recover-links"]) for _ in range(2)]
        assert [each.exit_code for each in ended] == [0, 0], ended[0].output
        assert ended[0].output.startswith("3 links put back, 1 that lacked an item have it, 0 were known.")
        assert ended[1].output.startswith("0 links put back, 0 that lacked an item have it, 4 were known.")
        lost, begun = await load(store, LinkId("link-lost")), await load(store, LinkId("link-begun"))
        known, apart = await load(store, LinkId("link-known")), await load(store, LinkId("link-apart"))
        assert (lost.state, lost.jira.dirty, lost.craft.dirty) == (LinkState.ACTIVE, True, True)
        assert (begun.state, begun.craft_id, begun.not_before is not None) == (LinkState.CREATING, None, True)
        assert (known.state, known.craft_id) == (LinkState.ACTIVE, "c-known")
        assert known.next_seq > SKIPPED
        assert apart.state is LinkState.UNSYNCED
