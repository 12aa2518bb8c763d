"""Jira Data Center on the real thing: the same story as on Cloud, with webhooks that prove themselves by their URL
alone and are sent once, and epics that are a field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.local.progress import SilentProgress
from deploy.local.story import Story, backlog, conflict, craft_edit, jira_edit, no_echo, status, unmapped
from deploy.local.story_content import conversion, rich_text, status_to_jira
from deploy.local.story_mapping import refused, saved, suggestion, tried
from deploy.local.system import QUICK, Tuning, running_system
from tests.conftest import Endpoints

pytestmark = [pytest.mark.stack, pytest.mark.slow]
SETTINGS = {**QUICK, "TANDEM_SWEEP_INTERVAL_S": "5"}
LOST = [{"on": "webhook", "effect": "lose"}]


async def known(story: Story) -> None:
    """The gateway knows the connection a second after it was saved, and believes nobody without the token."""
    content = story.system.content
    url = f"{content['gateway']}/webhooks/jira/{content['connections']['jira']['id']}"

    async def refused() -> bool | None:
        async with story.system.http.post(url, data=b"{}") as answer:
            return True if answer.status == 401 else None

    await story.until("a webhook without the token refused", refused)


async def reparent_in_jira(story: Story) -> None:
    """Another epic in Jira puts the item below another one in Craft.io."""
    story.issues["other epic"] = await story.jira.create("Epic", "Returns")
    await story.jira.move(story.issues["pay"], story.issues["other epic"])
    _, lag = await story.until("the item below the other epic", lambda: _below(story, "pay", "other epic"))
    story.note("moved in Jira", held=True, seen="below the other epic", lag_s=lag)


async def reparent_in_craft(story: Story) -> None:
    """Another parent in Craft.io becomes the issue's Epic Link, by the epic's key."""
    item, epic = await story.item_of(story.issues["pay"]), await story.item_of(story.issues["epic"])
    assert item is not None
    assert epic is not None
    await story.craft.edit(item["id"], parent={"id": epic["id"]})
    key = (await story.jira.call("GET", f"/issue/{story.issues['epic']}"))["key"]

    async def linked() -> bool | None:
        return True if key in (await story.jira.fields(story.issues["pay"])).values() else None

    _, lag = await story.until("the first epic's key in Epic Link", linked)
    story.note("moved in Craft.io", held=True, seen=key, lag_s=lag)


async def created_in_craft(story: Story) -> None:
    """An epic and a feature of Craft.io become an epic with a name and a story with its key."""
    root = story.system.integration.craft_root
    epic = await story.craft.create("epic", "Gift cards", root)
    feature = await story.craft.create("feature", "Buy a gift card", epic)

    async def arrived() -> dict[str, Any] | None:
        issues = (await story.system.jira.state())["issues"]
        by_title = {issue["fields"]["summary"]: issue for issue in issues}
        return by_title if {"Gift cards", "Buy a gift card"} <= by_title.keys() else None

    found, lag = await story.until(f"issues of {epic} and {feature}", arrived)
    made, below = found["Gift cards"], found["Buy a gift card"]
    held = below["parent"] == made["id"] and made["named"]["Epic Name"] == "Gift cards"
    story.note("created below its epic", held=held, seen=f"{made['key']} > {below['key']}", lag_s=lag)


async def lost_webhook(story: Story) -> None:
    """A webhook that never comes is sent no second time: the sweep finds the edit, and the move."""
    await story.system.jira.put_faults(LOST)
    await story.jira.edit(story.issues["mail"], summary="Found by the sweep")
    await story.jira.move(story.issues["mail"], story.issues["other epic"])

    async def shows() -> bool | None:
        item = await story.item_of(story.issues["mail"])
        there = await _below(story, "mail", "other epic")
        return True if item and item["title"] == "Found by the sweep" and there else None

    _, lag = await story.until("the edit that nobody told of", shows)
    await story.system.jira.clear_faults()
    lost = [each for each in await story.system.jira.webhooks() if "lost on purpose" in each["error"]]
    again = [each for each in await story.system.jira.webhooks() if each["attempt"] > 1]
    story.note("found by the sweep", held=len(lost) >= 2 and not again, seen=f"{len(lost)} lost", lag_s=lag)


async def unsigned(story: Story) -> None:
    """All other webhooks were believed, by the token in their URL."""
    told = [each for each in await story.system.jira.webhooks() if each["attempt"] == 1]
    accepted = {each["status"] for each in told}
    by_token = all("?token=" in each["url"] for each in told)
    story.note("believed by their URL", held=accepted == {202} and by_token, seen=f"{len(told)} webhooks: {accepted}")


async def _below(story: Story, name: str, epic: str) -> bool | None:
    item, above = await story.item_of(story.issues[name]), await story.item_of(story.issues[epic])
    return True if item and above and (item["parent"] or {}).get("id") == above["id"] else None


STEPS = (
    known,
    suggestion,
    backlog,
    jira_edit,
    craft_edit,
    rich_text,
    reparent_in_jira,
    reparent_in_craft,
    created_in_craft,
    status,
    status_to_jira,
    no_echo,
    conversion,
    unmapped,
    refused,
    tried,
    saved,
    conflict,
    lost_webhook,
    unsigned,
)


async def test_the_story_holds_with_a_data_center(
    stack: Endpoints, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)
    monkeypatch.setenv("TANDEM_DATABASE_URL", database_url)
    monkeypatch.setenv("TANDEM_TOPIC_PREFIX", topic_prefix)
    tuning = Tuning(settings=SETTINGS, jira="data-center")
    async with running_system(tmp_path, SilentProgress(), tuning) as system:
        story = Story(system, [])
        for step in STEPS:
            await step(story)
        bug = [issue["id"] for issue in (await system.jira.state())["issues"] if issue["type"] == "Bug"]
        assert len(bug) == 1
        assert [check for check in story.checks if not check.held] == []
        assert await system.api.call("GET", "/strays") == {"strays": []}
