"""P8 on the real thing: a saved mapping is in effect under load without a restart, the command line's too.

Within five seconds is a law on virtual time (tests/unit/reconciler/test_clocks.py); here the lags are printed, not
judged.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from deploy.local import scene
from deploy.local.progress import SilentProgress
from deploy.local.story import POINTS, Story
from deploy.local.system import DEFAULT_TUNING, System, running_system
from tests.conftest import Endpoints, new_database
from tests.patience import HANGS_S

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
SAVES, ITEMS = 8, 30
EDITS_PER_S = 8.0
DEMO = f"/integrations/{scene.INTEGRATION}"
PROBES, BUSY = ("1", "2", "3", "5"), "4"
"""Priorities in Jira."""
PRIORITY = PROBES[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    """Yield a running system with people in it, the same to all tests: each has items of its own."""
    async with new_database(stack) as database_url:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
            environment.setenv("TANDEM_DATABASE_URL", database_url)
            environment.setenv("TANDEM_TOPIC_PREFIX", f"test-{uuid.uuid4().hex[:12]}.")
            async with running_system(tmp_path_factory.mktemp("system"), SilentProgress(), DEFAULT_TUNING) as system:
                yield Story(system, [])


@asynccontextmanager
async def load(story: Story, issues: list[str]) -> AsyncIterator[list[int]]:
    """Have people edit these issues all the time; yield the count of edits in a list of one."""
    dice, count = Random(8), [0]

    async def edit() -> None:
        while True:
            count[0] += 1
            issue = dice.choice(issues)
            await story.jira.edit(issue, summary=f"Edit {count[0]}", **{POINTS: count[0]})
            await asyncio.sleep(2 / EDITS_PER_S)

    editors = [asyncio.create_task(edit()) for _ in range(2)]
    try:
        yield count
        assert not any(editor.done() for editor in editors), "an editor gave up"
    finally:
        for editor in editors:
            editor.cancel()
        await asyncio.gather(*editors, return_exceptions=True)


def remapped(body: dict[str, Any], priority: str, importance: str) -> dict[str, Any]:
    """Return an integration in which a priority means that importance, and Jira wins where both differ."""
    pairs = []
    for pair in body["pairs"]:
        if pair["id"] == "importance":
            rest = [value for value in pair["values"] if value["jira"] != priority]
            pairs.append({**pair, "policy": "jira", "values": [{"jira": priority, "craft": importance}, *rest]})
        else:
            pairs.append(pair)
    return {**body, "pairs": pairs}


async def seconds_until(story: Story, item: str, importance: str) -> float:
    """Return how long it takes until an item in Craft.io that nobody touches has an importance."""
    began = time.monotonic()
    while time.monotonic() - began < HANGS_S:
        shown = await story.craft.call("GET", f"/item/{item}?fields=all")
        if shown["importance"]["id"] == importance:
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    pytest.fail(f"{item} never had the importance {importance}")


async def revision_that_decided(system: System, issue: str, wanted: int) -> int:
    """Return the revision that the status of an issue names, once it is `wanted` or nothing moves any more."""
    deadline = time.monotonic() + HANGS_S
    while True:
        status = (await system.api.call("GET", f"/items/jira/{issue}"))["status"]
        if status["revision"] == wanted or time.monotonic() > deadline:
            return int(status["revision"])
        await asyncio.sleep(0.05)


async def test_every_saved_mapping_is_in_effect_under_load(story: Story) -> None:
    system = story.system
    # Several, so that none is written so often that its breaker parks it.
    probes = {each: await story.jira.create("Story", f"Probe {each}", priority={"id": each}) for each in PROBES}
    # Every save has all links decided again, and one of them written: how fast many can be written is the vendors' say.
    busy = [await story.jira.create("Story", f"Item {n}", priority={"id": BUSY}) for n in range(ITEMS)]

    async def all_there() -> dict[str, str] | None:
        links = {issue: await story.link_of(issue) for issue in (*probes.values(), *busy)}
        known = {issue: link["craft"]["entity_id"] for issue, link in links.items() if link}
        return known if len(known) == len(links) and all(known.values()) else None

    items, _ = await story.until("all items in Craft.io", all_there)
    importances = [each["id"] for each in (await system.craft.state())["workspaces"][0]["importances"]]
    body = await system.api.call("GET", DEMO)
    lags: list[float] = []
    async with load(story, busy) as edits:
        for number in range(SAVES):
            priority = PROBES[number % len(PROBES)]
            importance = importances[(number % len(PROBES) + number // len(PROBES)) % len(importances)]
            body = await system.api.call("PUT", DEMO, remapped(body, priority, importance))
            lags.append(await seconds_until(story, items[probes[priority]], importance))
            decided = await revision_that_decided(system, probes[priority], body["revision"])
            assert decided == body["revision"], [round(lag, 2) for lag in lags]
    lags.sort()
    sys.stdout.write(f"\n{SAVES} saves under {edits[0]} edits: p50 {lags[SAVES // 2]:.2f} s, most {lags[-1]:.2f} s\n")


async def tandem(system: System, *arguments: str) -> tuple[int, str]:
    """Run the command line against the running console; return its exit code and output."""
    access = {
        "TANDEM_CONSOLE_URL": system.content["console"],
        "TANDEM_CONSOLE_TOKEN": system.content["console_token"],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tandem_cli", *arguments),
        env={**os.environ, **access},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(HANGS_S):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_mapping_applied_by_the_command_line_is_in_effect(story: Story, tmp_path: Path) -> None:
    system, file = story.system, tmp_path / "tandem.yaml"
    revision = (await system.api.call("GET", DEMO))["revision"]
    issue = await story.jira.create("Story", "Probe", priority={"id": PRIORITY})
    item, _ = await story.until("the item in Craft.io", lambda: story.item_of(issue))
    assert (await tandem(system, "export", "-o", str(file)))[0] == 0
    assert await tandem(system, "diff", str(file), "--exit-code") == (0, "No differences.\n")
    old = item["importance"]["id"]
    new = next(each["id"] for each in (await system.craft.state())["workspaces"][0]["importances"] if each["id"] != old)
    text = file.read_text()
    changed = text.replace(f'- {{jira: "{PRIORITY}", craft: "{old}"}}', f'- {{jira: "{PRIORITY}", craft: "{new}"}}')
    if "policy: jira" not in changed:
        changed = changed.replace("craft: importance\n", "craft: importance\n        policy: jira\n")
    file.write_text(changed)
    code, out = await tandem(system, "diff", str(file), "--exit-code")
    assert (code, out.count("value pair")) == (1, 2), out
    code, out = await tandem(system, "apply", str(file))
    assert (code, f"saved as revision {revision + 1}" in out) == (0, True), out
    await seconds_until(story, item["id"], new)
    assert await tandem(system, "diff", str(file), "--exit-code") == (0, "No differences.\n")
