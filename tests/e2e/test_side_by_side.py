"""Releases side by side, as real processes on one Kafka and one Postgres: each service of this release beside all
others of the one before, in the order that its changelog gives, and of the next one beside all others of this, in any
order.

The release before comes from the history of the repository; where that is not at hand, its part is left out, and said.
The next release is this one with a property more in every message and in every record, as it may have.
"""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from deploy.local.jars import CHECKOUT
from deploy.local.progress import SilentProgress
from deploy.local.story import Story
from deploy.local.system import DEFAULT_TUNING, SERVICES, running_system
from shared.runtime.topics import POLICIES, Topic
from tests.conftest import Endpoints

pytestmark = [pytest.mark.stack, pytest.mark.slow]
BEFORE = (CHECKOUT / "tests" / "fixtures" / "n_minus_1" / "commit").read_text().strip()
CODE = ("services", "shared")
IN_ORDER = ("console", "mapper", "jira_writer", "craft_writer", "reconciler", "webhook_gateway")
"""The last upgrade that has one: the release before refuses properties that it does not know."""
LATER = '''

def _later(message):
    """Say something new in every message."""
    return {**_body_of_today(message), "said_later": {"by": "the next release"}}


_body_of_today = lambda message: json.loads(_encoded_today(message))
_encoded_today, _body = _body, lambda message: json.dumps(_later(message)).encode()
'''
LATER_STORED = """

_link_today, _side_today = link_to_json, _side_to_json


def link_to_json(link):
    return {**_link_today(link), "stored_later": [1, 2]}


def _side_to_json(side):
    return {**_side_today(side), "stored_later": "for the next release"}
"""


def release_before(folder: Path) -> Path | None:
    """Return the code of the release before, None where the repository does not have it."""
    archive = subprocess.run(["git", "-C", CHECKOUT, "archive", BEFORE, *CODE], capture_output=True, check=False)
    if archive.returncode != 0:
        return None
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def next_release(folder: Path) -> Path:
    """Return the code of a release that says and stores more than this one knows."""
    for name in CODE:
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for module, more in (("runtime/envelope.py", LATER), ("store/codec.py", LATER_STORED)):
        file = folder / "shared" / module
        file.write_text(file.read_text() + more)
    return folder


@pytest.fixture
async def story(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Story]:
    """Yield a running system with people in it: the release before where it is at hand, on the schema of this one."""
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    before = release_before(tmp_path / "before")
    tuning = DEFAULT_TUNING if before is None else replace(DEFAULT_TUNING, code=before)
    async with running_system(tmp_path / "system", SilentProgress(), tuning) as system:
        yield Story(system, [])


async def upgraded(story: Story, code: Path, order: Sequence[str]) -> None:
    """Upgrade one service after the other; after each, edits on both sides still arrive."""
    supervisor = story.system.supervisor
    slots = {slot.spec.name: slot for slot in supervisor.services}
    for name in order:
        await slots[name].replace(code)
        await supervisor.wait_ready()
        await edits_arrive(story, f"{name} of {code.name}")


async def edits_arrive(story: Story, when: str) -> None:
    """Create an item and edit it on both sides."""
    issue = await story.jira.create("Story", f"Made beside {when}")
    item, _ = await story.until(f"the item, beside {when}", lambda: story.item_of(issue))
    await story.craft.edit(item["id"], title=f"Edited beside {when}")

    async def shows() -> bool | None:
        return (await story.jira.fields(issue))["summary"] == f"Edited beside {when}" or None

    await story.until(f"the edit, beside {when}", shows)


async def dead_letters(story: Story) -> int:
    """Return how many messages nobody could handle."""
    consumer = AIOKafkaConsumer(bootstrap_servers=story.system.content["kafka"])
    topic = story.system.content["topic_prefix"] + Topic.DEAD
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(POLICIES[Topic.DEAD].partitions)]
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


@pytest.mark.filterwarnings("default:the release before")
async def test_every_service_runs_beside_those_of_the_release_before_and_of_the_next(
    story: Story, tmp_path: Path
) -> None:
    if (tmp_path / "before").exists():
        await edits_arrive(story, "all of the release before")
        await upgraded(story, CHECKOUT, IN_ORDER)
        assert await dead_letters(story) == 0
    else:
        warnings.warn(f"the release before ({BEFORE[:7]}) is not in this clone: its part was left out", stacklevel=1)
    order = list(SERVICES)
    Random(BEFORE).shuffle(order)
    await upgraded(story, next_release(tmp_path / "next"), order)
    await story.settled()
    assert await dead_letters(story) == 0
