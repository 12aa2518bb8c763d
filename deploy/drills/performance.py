"""Plays drills and says what was seen.

A drill holds when the alert arrives at the receiver, the runbook that its link leads to has the cause, the query there
shows it, and the alert ends after the action. Seconds are measured and told; a busy machine fails nothing by them.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.drills.drill import Drill
from deploy.drills.runbook import at_tempo, query_of
from deploy.drills.stage import PATIENCE_S, TUNING, Stage
from deploy.drills.watchers import PAUSE_S, STILL_S, Sample, watching
from deploy.local.progress import Progress
from deploy.local.system import Tuning, running_system
from deploy.monitoring.rules import Tempo
from services.console.entrypoint.runbooks import PATH

FASTER: Final = Tempo(60)
_ENDS_WITHIN_S: Final = 600.0
"""The slowest burn rate looks back six hours, which are six minutes here, for what a drill before may have caused."""
_TOLD: Final = 6
"""How many series of an answer are told."""
_OF_TARGETS: Final = frozenset({"instance", "job", "pod", "__name__"})


class DrillFailed(Exception):
    """A drill did not hold; the text says what was not seen."""


@dataclass(frozen=True)
class Seen:
    """What a drill showed."""

    drill: Drill
    summary: str
    fires_s: float
    """From the beginning of the cause until the notification."""
    shows: str
    ends_s: float | None
    """From the beginning of the action until the notification; None: it does not end."""
    load: float
    """Of the machine, as `uptime` tells of the last minute."""


@asynccontextmanager
async def staged(
    folder: Path, progress: Progress, *, tempo: Tempo = FASTER, tuning: Tuning = TUNING
) -> AsyncIterator[Stage]:
    """Yield a stage: the whole system, and what watches it. Raises LocalStackError when something does not start."""
    async with AsyncExitStack() as cleanup:
        system = await cleanup.enter_async_context(running_system(folder, progress, tuning))
        progress.stage("Starting Prometheus and Alertmanager")
        targets = {name: [each["http"] for each in each_of] for name, each_of in system.content["services"].items()}
        runbooks = f"{system.content['console']}{PATH}"
        watchers = await cleanup.enter_async_context(
            watching(targets, folder / "watchers", system.http, tempo, runbooks)
        )
        yield Stage(system, watchers)


async def perform(drill: Drill, stage: Stage) -> Seen:
    """Play one drill. Raises DrillFailed, and LocalStackError for what the stage itself could not do."""
    receiver = stage.watchers.receiver
    if drill.over and not await receiver.ends(drill.alert, within_s=_ENDS_WITHIN_S):
        raise DrillFailed("it fires before anything was done")
    text = await _runbook(stage, drill)
    stage.cause_begins()
    async with drill.play(stage):
        notice = await receiver.fires(drill.alert, after=stage.began, within_s=PATIENCE_S)
        if notice is None:
            raise DrillFailed(f"it did not fire within {PATIENCE_S:.0f} s; what fires: {', '.join(receiver.firing())}")
        if notice.annotations["runbook_url"] != _address(stage, drill):
            raise DrillFailed(f"its link leads to {notice.annotations['runbook_url']}")
        query = query_of(text, drill.cause)
        shown = await _shown(stage, drill, at_tempo(query, FASTER) if drill.as_fast else query)
        load, began, acted = os.getloadavg()[0], stage.began, time.monotonic()
    ends_s: float | None = None
    if drill.over:
        if not await receiver.ends(drill.alert, within_s=_ENDS_WITHIN_S):
            raise DrillFailed(f"it still fires {_ENDS_WITHIN_S:.0f} s after this: {drill.action}")
        ends_s = time.monotonic() - acted - STILL_S
    return Seen(drill, notice.annotations["summary"], notice.at - began, shown, ends_s, load)


async def _runbook(stage: Stage, drill: Drill) -> str:
    """Return the runbook as the console serves it where the alert's link leads. Asked before the drill, as the console
    may be what is stopped.
    """
    url = _address(stage, drill)
    async with stage.system.http.get(url) as answer:
        if answer.status != 200:
            raise DrillFailed(f"{url} answers {answer.status}")
        return await answer.text()


def _address(stage: Stage, drill: Drill) -> str:
    return f"{stage.system.content['console']}{PATH}/{drill.alert}"


async def _shown(stage: Stage, drill: Drill, query: str) -> str:
    """Return what a runbook's query answers once that shows the cause."""
    deadline, answer = time.monotonic() + PATIENCE_S, list[Sample]()
    while time.monotonic() < deadline:
        found = await stage.watchers.prometheus.ask(query)
        if found is not None:
            answer = found
            if drill.shows(answer):
                return _told(answer)
        await asyncio.sleep(PAUSE_S)
    raise DrillFailed(f"the runbook's query {query!r} does not show the cause: {_told(answer)}")


def _told(answer: Sequence[Sample]) -> str:
    told = [f"{_labels(each)} {each.value:.4g}".strip() for each in answer]
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return ("; ".join(told[:_TOLD]) or "no series") + more


def _labels(sample: Sample) -> str:
    own = ((name, value) for name, value in sample.labels.items() if name not in _OF_TARGETS)
    return ",".join(f"{name}={value}" for name, value in own)
