"""The alert whose absence is the alarm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deploy.drills.drill import Drill, some
from deploy.drills.stage import PATIENCE_S, Stage
from deploy.local.processes import LocalStackError

_NAME: Final = "TandemWatchdog"


@asynccontextmanager
async def _heard_again(stage: Stage) -> AsyncIterator[None]:
    receiver, prometheus = stage.watchers.receiver, stage.watchers.prometheus
    if await receiver.fires(_NAME, after=0, within_s=PATIENCE_S) is None:
        raise LocalStackError("the watchdog never arrived")
    await prometheus.kill()
    try:
        if not await receiver.ends(_NAME, within_s=PATIENCE_S):
            raise LocalStackError("Prometheus is dead, and the watchdog goes on arriving")
    finally:
        stage.cause_begins()
        await prometheus.start()
    yield


WATCHDOG: Final = Drill(
    _NAME,
    how="Prometheus is killed: the watchdog no longer arrives. It is started again",
    play=_heard_again,
    cause="Prometheus or Alertmanager is down, or the rules were not loaded",
    shows=some(alertname=_NAME, alertstate="firing"),
    action="Prometheus is started, and the watchdog arrives again",
    over=False,
)
