"""Vendors that do not answer, hold us back, or refuse; and what waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deploy.drills.drill import Drill, some, zero
from deploy.drills.stage import Stage

_JIRA_IS_DOWN: Final = {"who": "sync@example.com", "effect": "status", "status": 503}
_CRAFT_IS_DOWN: Final = {"who": "Tandem Sync", "effect": "status", "status": 503}
_WAIT_S: Final = 100
"""The rule asks whether a wait is longer than a minute, for what is five minutes elsewhere and five seconds here."""


@asynccontextmanager
async def jira_is_down(stage: Stage) -> AsyncIterator[None]:
    """Have Jira answer Tandem with 503 while the block runs; people still get in."""
    async with stage.faults("jira", _JIRA_IS_DOWN):
        yield


@asynccontextmanager
async def _edit_while_craft_is_down(stage: Stage) -> AsyncIterator[None]:
    issues = await stage.synced_stories(1)
    stage.cause_begins()
    async with stage.faults("craft", _CRAFT_IS_DOWN):
        await stage.retitle(issues)
        yield
    await stage.in_sync(issues)


@asynccontextmanager
async def _read_while_jira_is_down(stage: Stage) -> AsyncIterator[None]:
    (issue,) = await stage.synced_stories(1)
    link = await stage.link(issue) or {}
    stage.cause_begins()
    async with stage.faults("jira", _JIRA_IS_DOWN):
        await stage.system.api.call("POST", f"/links/{link['id']}/requests", {"kind": "resync"})
        yield
    await stage.in_sync([issue])


@asynccontextmanager
async def _told_to_wait(stage: Stage) -> AsyncIterator[None]:
    issues = await stage.synced_stories(3)
    # A short one before, as on any ordinary day: a rate needs a series that was there.
    async with stage.faults("craft", _limit(wait_s=2)):
        await stage.retitle(issues)
        await stage.carried(issues)
    stage.cause_begins()
    async with (
        stage.faults("craft", _limit(wait_s=_WAIT_S)),
        stage.meanwhile(lambda: stage.retitle(issues), every_s=3),
    ):
        yield


def _limit(*, wait_s: int) -> dict[str, object]:
    return {
        "method": "PUT",
        "path": "/item",
        "who": "Tandem Sync",
        "effect": "status",
        "status": 429,
        "retry_after_s": wait_s,
        "next": 1,
    }


VENDORS: Final = (
    Drill(
        "TandemConnectionDown",
        how="Jira answers each request of Tandem with 503",
        play=jira_is_down,
        cause="The site is down, in maintenance, or behind a sign-on page",
        shows=some(system="jira"),
        action="the site is back, and Tandem goes on by itself",
    ),
    Drill(
        "TandemConnectionHeldBack",
        how=f"Craft.io answers one request with 429 and Retry-After {_WAIT_S}",
        play=_told_to_wait,
        cause="Somebody else uses the same account",
        shows=some(connection="craft-demo"),
        action="nothing is done: it ends when the vendor's time is over",
    ),
    Drill(
        "TandemItemsUnderWayTooLong",
        how="somebody edits an issue while Craft.io answers Tandem with 503",
        play=_edit_while_craft_is_down,
        cause="Its connection is down, paused or held back",
        shows=bool,
        action="the site is back, and the change is carried",
    ),
    Drill(
        "TandemReadsWaitTooLong",
        how="an item is asked to be read anew while Jira answers Tandem with 503",
        play=_read_while_jira_is_down,
        cause="The connection is down or held back",
        shows=zero(connection="jira-demo"),
        action="the site is back, and the item is read",
    ),
    Drill(
        "TandemDutyFails",
        how="Jira answers each request of Tandem with 503, so that the sweep fails",
        play=jira_is_down,
        cause="Its connection does not work",
        shows=zero(connection="jira-demo"),
        action="the site is back, and the duty works again",
    ),
)
