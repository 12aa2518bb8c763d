"""A healthy system under load: nothing may fire but the watchdog.

The rules are the real ones here, at their real tempo, and so are all settings of the services: it is what an operator
has, watched for as many minutes as the load lasts.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.drills.performance import staged
from deploy.drills.stage import Stage
from deploy.local.progress import ConsoleProgress
from deploy.local.system import DEFAULT_TUNING
from deploy.monitoring.rules import REAL

EDITED: Final = 20
"""How many items people work on."""
EVERY_S: Final = 1.0
"""How often somebody edits one in Jira, and somebody one in Craft.io."""
_WATCHDOG: Final = "TandemWatchdog"
_PENDING: Final = f'ALERTS{{alertname!="{_WATCHDOG}"}}'


async def healthy(folder: Path, minutes: float, console: Console) -> list[str]:
    """Put load on a system for so many minutes and return, in words, what fired and should not have."""
    with ConsoleProgress() as progress:
        async with staged(folder, progress, tempo=REAL, tuning=DEFAULT_TUNING) as stage:
            issues = await stage.synced_stories(EDITED)
            items = [await stage.item(issue) for issue in issues]
            progress.stage(f"{minutes:g} minutes of load")
            await stage.watchers.receiver.fires(_WATCHDOG, after=0, within_s=120)
            done = await _load(stage, issues, items, minutes * 60)
            # What was pending for a while is worth knowing; only what fired is a failure.
            pending = {
                each.labels["alertname"]
                for each in await stage.watchers.prometheus.ask(f"max_over_time({_PENDING}[{int(minutes * 60)}s])")
                or ()
            }
            fired = {each.name: each for each in stage.watchers.receiver.notices if each.firing}
            console.print(
                f"{done} edits in {minutes:g} minutes, load {os.getloadavg()[0]:.0f}; the watchdog "
                f"{'arrived' if _WATCHDOG in fired else 'did not arrive'}; "
                f"pending for a while: {', '.join(sorted(pending)) or 'nothing'}",
                soft_wrap=True,
                markup=False,
            )
            failures = [f"{each.name}: {each.annotations['summary']}" for each in fired.values()]
            failures = [each for each in failures if not each.startswith(_WATCHDOG)]
            return failures + ([] if _WATCHDOG in fired else ["the watchdog did not arrive"])


async def _load(stage: Stage, issues: list[str], items: list[str], for_s: float) -> int:
    """Edit items on both sides in turn, each of its own, and return how many edits were made."""
    deadline, done, half = time.monotonic() + for_s, 0, len(issues) // 2
    while time.monotonic() < deadline:
        turn = done // 2 % half
        await stage.jira.edit(issues[turn], summary=stage.named("Load"))
        await stage.craft.edit(items[half + turn], title=stage.named("Load"))
        done += 2
        await asyncio.sleep(EVERY_S)
    return done
