"""The whole system with the stand-ins: how long a single edit takes until the other side shows it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from deploy.local.people import CraftPerson, JiraPerson
from deploy.local.processes import LocalStackError
from deploy.local.progress import Progress
from deploy.local.story import Story
from deploy.local.system import QUICK, Tuning, running_system

Person = TypeVar("Person", JiraPerson, CraftPerson)

EDITS = 20
ITEMS = 4
"""Edited in turns: a link that is written to very often is parked by the breaker."""
_POLL_S = 0.02
_PASSED_S = 1.0
"""Until the echo of a write has passed, so that edits are single ones."""
_DEADLINE_S = 60.0


async def measure_lags(folder: Path, progress: Progress) -> dict[str, list[float]]:
    """Return the seconds that each of some edits took, by direction. One edit at a time; Craft.io pushes events.

    Raises LocalStackError if an edit is not shown within a minute.
    """
    async with running_system(folder, progress, Tuning(settings=QUICK, craft_webhook=True)) as system:
        progress.stage("Single edits, one side after the other")
        story = Story(system, [])
        jira, craft = story.jira, story.craft
        pairs = [await _linked_pair(story, number) for number in range(ITEMS)]
        await asyncio.sleep(_PASSED_S)
        lags: dict[str, list[float]] = {"Jira to Craft.io": [], "Craft.io to Jira": []}
        for number in range(EDITS):
            issue, item = pairs[number % ITEMS]
            title, began = f"Edited in Jira, {number}", time.monotonic()
            await jira.edit(issue, summary=title)
            await _until(title, _craft_title, craft, item)
            lags["Jira to Craft.io"].append(time.monotonic() - began)
            await asyncio.sleep(_PASSED_S)
            title, began = f"Edited in Craft.io, {number}", time.monotonic()
            await craft.edit(item, title=title)
            await _until(title, _jira_title, jira, issue)
            lags["Craft.io to Jira"].append(time.monotonic() - began)
            await asyncio.sleep(_PASSED_S)
        return lags


async def _linked_pair(story: Story, number: int) -> tuple[str, str]:
    issue = await story.jira.create("Story", f"Measured, {number}")
    found, _ = await story.until("the issue in Craft.io", lambda: story.item_of(issue))
    return issue, str(found["id"])


async def _craft_title(craft: CraftPerson, item: str) -> str:
    return str((await craft.call("GET", f"/item/{item}"))["title"])


async def _jira_title(jira: JiraPerson, issue: str) -> str:
    return str((await jira.fields(issue))["summary"])


async def _until(wanted: str, title: Callable[[Person, str], Awaitable[str]], person: Person, ident: str) -> None:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            while await title(person, ident) != wanted:
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise LocalStackError(f"not shown on the other side within {_DEADLINE_S:.0f} s: {wanted!r}") from None
