"""Items that do not get in step: refused, in conflict with themselves, or late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from deploy.drills.drill import Drill, Shows, some
from deploy.drills.stage import Stage
from deploy.local import scene

_TANDEM: Final = "sync@example.com"
"""Who Tandem is in Jira."""
_REFUSED: Final = 12
"""More than the ten writes, and the five items, from which on the rules speak."""
_REFUSES: Final = {
    "method": "PUT",
    "path": "/item",
    "who": "Tandem Sync",
    "effect": "status",
    "status": 400,
    "body": {"message": "The field Cost centre is required"},
}
_LATE_S: Final = 14
"""Later than the ten seconds that are promised."""


@asynccontextmanager
async def _refused(stage: Stage) -> AsyncIterator[None]:
    issues = await stage.synced_stories(_REFUSED)
    stage.cause_begins()
    async with stage.faults("craft", _REFUSES):
        await stage.retitle(issues)
        yield
    # The runbook: all that was refused is tried again at once.
    await stage.system.api.call("POST", f"/integrations/{scene.INTEGRATION}/refused")
    await stage.in_sync(issues)


@asynccontextmanager
async def _late(stage: Stage) -> AsyncIterator[None]:
    issues = await stage.synced_stories(_REFUSED)
    limit = {"who": "Tandem Sync", "effect": "status", "status": 429, "retry_after_s": _LATE_S, "next": 1}

    async def edited_while_held_back() -> None:
        await stage.control("craft").put_faults([limit])
        await stage.retitle(issues)

    stage.cause_begins()
    async with stage.meanwhile(edited_while_held_back, every_s=_LATE_S + 2):
        yield
    await stage.control("craft").clear_faults()
    await stage.in_sync(issues)


@asynccontextmanager
async def _twice(stage: Stage) -> AsyncIterator[None]:
    jira = stage.control("jira")
    await jira.put_settings({"index_lag_s": float(_LATE_S)})
    lost = (
        {"method": "POST", "path": "*/issue", "who": _TANDEM, "effect": "drop-response-after-doing-it", "next": 1},
        {"on": "webhook", "effect": "lose", "next": 1},
    )
    title = stage.named("Twice")
    async with stage.faults("jira", *lost):
        await stage.craft.create("feature", title, stage.system.integration.craft_root)
        yield
    await jira.put_settings({"index_lag_s": 0.0})
    for stray in (await stage.system.api.call("GET", "/strays"))["strays"]:
        if stray["side"] == "jira":
            await stage.jira.call("DELETE", f"/issue/{stray['entity_id']}")


def _is_held_back() -> Shows:
    return some(connection="craft-demo")


def _refusals(alert: str, cause: str, shows: Shows, window_s: float = 60.0) -> Drill:
    return Drill(
        alert,
        how=f"Craft.io refuses the writes of {_REFUSED} items",
        play=_refused,
        cause=cause,
        shows=shows,
        action="Craft.io refuses no more, and all that was refused is tried again (POST …/refused)",
        window_s=window_s,
    )


def _lateness(alert: str, window_s: float = 60.0) -> Drill:
    return Drill(
        alert,
        how=f"Craft.io answers with 429 and Retry-After {_LATE_S} again and again while {_REFUSED} issues are edited",
        play=_late,
        cause="A vendor's limit, or a site that is not well",
        shows=_is_held_back(),
        action="the limit is lifted",
        window_s=window_s,
    )


ITEMS: Final[Sequence[Drill]] = (
    _lateness("TandemSyncLagBudgetBurnsFast"),
    _lateness("TandemSyncLagBudgetBurns"),
    _refusals("TandemInSyncBudgetBurnsFast", "The vendor refuses (`rejected`)", some(system="craft")),
    _refusals("TandemInSyncBudgetBurns", "The vendor refuses (`rejected`)", some(system="craft")),
    _refusals("TandemWritesRefused", "The account lost a right", some(system="craft")),
    Drill(
        "TandemDuplicatesFlagged",
        how="Jira makes an issue, its answer and webhook are lost, and its search does not show it for a while",
        play=_twice,
        cause="An answer was lost while the vendor's search lagged behind",
        shows=some(system="jira", result="unclear"),
        action="the copy is deleted in Jira",
        window_s=60.0 + _LATE_S,
    ),
    # An hour is a minute, and the oldest has to be stuck for an hour.
    _refusals("TandemItemsStuck", "`rejected`: the vendor refused", some(system="craft"), window_s=80.0),
)
