"""P2, P3, P5, P6, P11 on the real thing: both sides edited, webhooks lost, doubled and reordered, every service
killed once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.local.people import CraftPerson, JiraPerson
from deploy.local.progress import SilentProgress
from deploy.local.story import POINTS, Story
from deploy.local.system import QUICK, SERVICES, System, Tuning, running_system
from shared.clients.craft.shapes import whole_item
from shared.clients.jira.shapes import with_parent_shown
from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Integration
from shared.fields import equivalent, read
from shared.fields.translate import Parents
from tests.conftest import Endpoints
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow]
ITEMS, EDITS = 50, 200
REST_S, QUIET_S = HANGS_S, 5.0
FAULTS = [
    {"on": "webhook", "effect": "lose", "probability": 0.05},
    {"on": "webhook", "effect": "repeat", "probability": 0.1},
    {"on": "webhook", "effect": "reorder", "probability": 0.1},
]
SETTINGS = {**QUICK, "TANDEM_SWEEP_INTERVAL_S": "5", "TANDEM_HEALTH_INTERVAL_S": "10"}


@dataclass
class Ends:
    """What both vendors and the console show at one moment."""

    links: list[dict[str, Any]]
    issues: dict[str, dict[str, Any]]
    items: dict[str, dict[str, Any]]

    def unsettled(self) -> list[str]:
        """Return the links that are neither in sync nor in a conflict on record."""
        settled = ("in_sync", "conflict", "blocked")
        return [f"{x['labels']} {x['state']}: {x['message']}" for x in self.links if x["state"] not in settled]

    def differences(self, integration: Integration) -> list[str]:
        """Return the mapped fields that differ without a problem on record."""
        known = {(Side.JIRA, EntityId(x["jira_id"])): EntityId(x["craft_id"]) for x in self.links if x["craft_id"]}
        known |= {(Side.CRAFT, EntityId(x["craft_id"])): EntityId(x["jira_id"]) for x in self.links if x["jira_id"]}
        parents = Parents(known, integration.craft_root)
        found = []
        for link in self.links:
            issue, item = self.issues.get(link["jira_id"]), self.items.get(link["craft_id"])
            if issue is None or item is None:
                found.append(f"{link['labels']} has only one side")
                continue
            on_record = {problem["pair"] for problem in link["problems"]}
            for pair in integration.pairs:
                jira, craft = read(Side.JIRA, pair, issue), read(Side.CRAFT, pair, whole_item(item))
                if jira is None or craft is None or pair.id in on_record:
                    continue
                if not equivalent(pair, jira.value, craft.value, parents):
                    found.append(f"{link['labels']} {pair.id}: Jira {jira.value!r}, Craft {craft.value!r}")
        return found


async def look(system: System) -> Ends:
    """Read everything from the vendors and the console."""
    links: list[dict[str, Any]] = []
    after = ""
    while True:
        page = await system.api.call("GET", f"/links?limit=200&after={after}")
        links += page["links"]
        if not page["next"]:
            break
        after = page["next"]
    jira = JiraPerson(system.places["jira"], system.http)
    ids = [x["jira_id"] for x in links if x["jira_id"]]
    issues = {each: dict(with_parent_shown(await jira.call("GET", f"/issue/{each}"))) for each in ids}
    return Ends(links, issues, await CraftPerson(system.places["craft"], system.http).items())


def jira_edit(field: str, number: int) -> dict[str, object]:
    """Return an edit of a field in Jira's shape."""
    edits: dict[str, dict[str, object]] = {
        "title": {"summary": f"Jira {number}"},
        "points": {POINTS: number},
        "labels": {"labels": [f"j{number}"]},
    }
    return edits[field]


def craft_edit(field: str, number: int) -> dict[str, object]:
    """Return an edit of a field in Craft.io's shape."""
    edits: dict[str, dict[str, object]] = {
        "title": {"title": f"Craft {number}"},
        "points": {"storyPoints": number},
        "labels": {"labels": [f"c{number}"]},
    }
    return edits[field]


async def edit_both_sides(story: Story, pairs: list[tuple[str, str]], dice: Random) -> None:
    """Make `EDITS` edits on random items, on both sides, several at a time."""
    free = asyncio.Semaphore(4)

    async def one(number: int) -> None:
        issue, item = dice.choice(pairs)
        field = dice.choice(("title", "points", "labels"))
        async with free:
            if dice.random() < 0.5:
                await story.jira.edit(issue, **jira_edit(field, number))
            else:
                await story.craft.edit(item, **craft_edit(field, number))

    await asyncio.gather(*(one(number) for number in range(EDITS)))


async def kill_each_service(system: System, dice: Random) -> None:
    """Kill every service once with -9; the supervisor starts it again."""
    for name in dice.sample(SERVICES, len(SERVICES)):
        service = next(s for s in system.supervisor.services if s.spec.name == name)
        pid = service.pid or 0
        await service.kill()
        await service.wait_for_other_process(pid)
        await system.supervisor.wait_ready(service)


async def settled(system: System) -> Ends:
    """Return what is shown once all links are settled. Fails with what is not after `REST_S` seconds."""
    deadline = time.monotonic() + REST_S
    while True:
        ends = await look(system)
        open_ends = ends.unsettled() or ends.differences(system.integration)
        if not open_ends:
            return ends
        if time.monotonic() > deadline:
            pytest.fail("not settled:\n" + "\n".join(open_ends[:10]))
        await asyncio.sleep(1.0)


async def test_both_sides_agree_after_edits_under_lost_webhooks_and_killed_services(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    dice = Random(11)
    async with running_system(tmp_path, SilentProgress(), Tuning(settings=SETTINGS, craft_webhook=True)) as system:
        story = Story(system, [])
        epic = await story.jira.create("Epic", "All of it")
        made = [await story.jira.create("Story", f"Item {n}", parent=epic) for n in range(ITEMS)]
        first = await settled_with(system, ITEMS + 1)
        pairs = [(x["jira_id"], x["craft_id"]) for x in first.links if x["jira_id"] in made]
        for control in (system.jira, system.craft):
            await control.put_faults(FAULTS, seed=3)
        await asyncio.gather(edit_both_sides(story, pairs, dice), kill_each_service(system, Random(5)))
        for control in (system.jira, system.craft):
            await control.clear_faults()
        ends = await settled(system)
        before = await story.writes()
        await asyncio.sleep(QUIET_S)
        assert await story.writes() == before, "Tandem wrote although nobody edited"
        assert ends.differences(system.integration) == []
        created = Counter(item["title"] for item in ends.items.values() if item["createdBy"]["name"] == "Tandem Sync")
        assert sum(created.values()) == ITEMS + 1, "a duplicate in Craft.io"
        assert len(ends.issues) == ITEMS + 1, "a duplicate in Jira"
        assert await system.api.call("GET", "/strays") == {"strays": []}


async def settled_with(system: System, count: int) -> Ends:
    """Return what is shown once that many links are settled."""
    deadline = time.monotonic() + REST_S
    while True:
        ends = await look(system)
        if len(ends.links) == count and not ends.unsettled():
            return ends
        if time.monotonic() > deadline:
            pytest.fail(f"{len(ends.links)} of {count} links; {ends.unsettled()[:5]}")
        await asyncio.sleep(0.5)
