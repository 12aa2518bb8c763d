"""`tandem replay` on real Kafka: all that ever changed, told twice more, changes nothing and doubles nothing; dead
letters whose cause is mended are handled, also of items that have changed since.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from deploy.local import scene
from deploy.local.progress import SilentProgress
from deploy.local.story import Story
from deploy.local.system import DEFAULT_TUNING, System, running_system
from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import ConnectionId, EntityId, Side
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.runtime.envelope import encode
from shared.runtime.kafka import KafkaLog
from shared.runtime.log import ReceivedRecord
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic
from tests.conftest import Endpoints
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture
async def story(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Story]:
    """Yield a running system with people in it."""
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    async with running_system(tmp_path, SilentProgress(), DEFAULT_TUNING) as system:
        yield Story(system, [])


async def replay(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command and return its exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tandem_cli", "replay", *arguments, "--json"),
        env={**os.environ, "TANDEM_SECRET_KEY": "A" * 43 + "="},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(HANGS_S):
        out, problems = await process.communicate()
    assert out, problems.decode()
    said: dict[str, Any] = json.loads(out)
    return process.returncode or 0, said


async def ends(story: Story) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Return what both vendors hold, and how often Tandem wrote to them."""
    return await story.system.jira.state(), await story.system.craft.state(), await story.writes()


async def arrived(story: Story, issue: str) -> dict[str, Any]:
    """Return the item of an issue, once it is there."""
    return (await story.until("the item in Craft.io", lambda: story.item_of(issue)))[0]


async def handled(system: System) -> None:
    """Wait until the mapper has handled all changes."""
    admin = AIOKafkaAdminClient(bootstrap_servers=system.content["kafka"])
    consumer = AIOKafkaConsumer(bootstrap_servers=system.content["kafka"])
    prefix = system.content["topic_prefix"]
    changes = [prefix + topic for topic in (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT)]
    try:
        await admin.start()
        await consumer.start()
        found = await admin.describe_topics(changes)
        partitions = [TopicPartition(one["topic"], each["partition"]) for one in found for each in one["partitions"]]
        async with asyncio.timeout(HANGS_S):
            while True:
                ends = {each: end for each, end in (await consumer.end_offsets(partitions)).items() if end}
                done = await admin.list_consumer_group_offsets(f"{prefix}mapper")
                if all(each in done and done[each].offset >= end for each, end in ends.items()):
                    return
                await asyncio.sleep(0.1)
    finally:
        await consumer.stop()
        await admin.close()


async def test_told_again_changes_change_nothing_and_dead_letters_are_handled(story: Story) -> None:
    system = story.system
    issues = [await story.jira.create("Story", f"Item {n}") for n in range(4)]
    items = [await arrived(story, issue) for issue in issues]
    for n, issue in enumerate(issues[1:], start=1):
        await story.jira.edit(issue, summary=f"Renamed {n}")
    await story.craft.edit(items[0]["id"], title="Renamed 0")

    async def all_renamed() -> bool | None:
        shown = [(await arrived(story, issue))["title"] for issue in issues]
        shown.append((await story.jira.fields(issues[0]))["summary"])
        return shown == [*(f"Renamed {n}" for n in range(len(issues))), "Renamed 0"] or None

    await story.until("the edits on both sides", all_renamed)
    await handled(system)
    await story.settled()
    before = await ends(story)

    code, counted = await replay("changes", "--from", "beginning", "--dry-run")
    assert code == 0
    assert sum(counted["replayed"].values()) >= 9
    told: dict[str, Any] = {}
    for _ in range(2):
        code, told = await replay("changes", "--from", "beginning")
        # Changes go on being told meanwhile: the feed's own.
        assert (code, told["replayed"].keys()) == (0, counted["replayed"].keys())
        assert sum(told["replayed"].values()) >= sum(counted["replayed"].values())
        await handled(system)
        await story.settled()
        assert await ends(story) == before
    assert told["left"]["copy"] >= sum(counted["replayed"].values())

    # An issue whose webhook was put away for a reason that is mended by now, and which was renamed since then.
    await system.jira.put_faults([{"on": "webhook", "effect": "lose", "probability": 1.0}])
    late = await story.jira.create("Story", "As it was")
    shown = await story.jira.call("GET", f"/issue/{late}")
    await story.jira.edit(late, summary="As it is")
    await put_away(system, late, shown)
    assert (await replay("dead"))[1]["replayed"] == {Topic.CHANGES_JIRA: 1}
    item = await arrived(story, late)
    assert item["title"] == "As it is"
    assert (await replay("dead"))[1]["records"] == 0


async def put_away(system: System, issue: str, shown: dict[str, Any]) -> None:
    """Put a change on the dead-letter topic as a consumer does."""
    now = datetime.now(UTC)
    event = ChangeEvent(
        change_id="put away",
        side=Side.JIRA,
        connection_id=ConnectionId(scene.JIRA),
        entity_id=EntityId(issue),
        kind=ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=now,
        updated=datetime.fromisoformat(shown["fields"]["updated"]),
        snapshot=shown,
    )
    made = encode(event, topic=Topic.CHANGES_JIRA, source="test", now=now, event_id="e", traceparent="t")
    log = KafkaLog(system.content["kafka"], prefix=system.content["topic_prefix"], create_topics=False)
    try:
        publisher = Publisher(log, source="mapper", clock=SystemClock(), dice=SeededDice())
        received = ReceivedRecord(made.topic, 0, 10_000, made.key, made.value, made.headers)
        async with asyncio.timeout(HANGS_S):
            await publisher.dead(received, "a bug that is mended by now")
    finally:
        await log.close()
