"""`make drill`: cause every alert on the local stack, and prove that it fires, is explained and ends.

`NAME=TandemKafkaAway` plays one drill (the prefix may be left out), `NAME=healthy` `MINUTES=10` minutes of load that
may fire nothing but the watchdog.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from deploy.drills.drill import Drill
from deploy.drills.healthy import healthy
from deploy.drills.performance import DrillFailed, Seen, perform, staged
from deploy.drills.table import DRILLS
from deploy.drills.watchers import missing
from deploy.local.processes import LocalStackError
from deploy.local.progress import ConsoleProgress
from deploy.local.signals import run_until_signal
from sandbox.control import ControlError

HEALTHY = "healthy"


def chosen(names: Sequence[str]) -> tuple[Drill, ...]:
    """Return the drills of these names, all for none. Raises click.BadParameter for a name that there is none of."""
    known = {each.alert: each for each in DRILLS}
    full = [name if name.startswith("Tandem") else f"Tandem{name}" for name in names]
    if unknown := [name for name in full if name not in known]:
        raise click.BadParameter(f"{', '.join(unknown)}; there are {HEALTHY}, {', '.join(known)}")
    return tuple(known[name] for name in full) or DRILLS


def _line(seen: Seen) -> str:
    ends = "does not end, on purpose" if seen.ends_s is None else f"ended {seen.ends_s:.0f} s after it"
    late = "" if seen.fires_s <= seen.drill.window_s else f", later than {seen.drill.window_s:.0f} s"
    return (
        f"{seen.drill.alert}: fired after {seen.fires_s:.0f} s{late} (load {seen.load:.0f}); {ends}\n"
        f"  cause    {seen.drill.how}\n"
        f"  summary  {seen.summary}\n"
        f"  runbook  {seen.drill.cause}: {seen.shows}\n"
        f"  action   {seen.drill.action}"
    )


async def _drilled(drills: Sequence[Drill], console: Console, folder: Path) -> list[str]:
    """Play drills one after the other and return what did not hold."""
    failures = []
    with ConsoleProgress() as progress:
        async with staged(folder, progress) as stage:
            for drill in drills:
                progress.stage(drill.alert)
                try:
                    seen = await perform(drill, stage)
                except (DrillFailed, LocalStackError, ControlError, LookupError, OSError) as error:
                    failures.append(f"{drill.alert}: {error}")
                    console.print(f"✗ {failures[-1]}", soft_wrap=True, markup=False, highlight=False)
                else:
                    console.print(f"✓ {_line(seen)}", soft_wrap=True, markup=False, highlight=False)
    return failures


async def _main(names: Sequence[str], minutes: float) -> int:
    console = Console()
    if lacking := missing():
        packages = " ".join(lacking)
        console.print(
            f"Drills need real programs that are not on PATH: {packages} (Debian: apt install {packages})",
            soft_wrap=True,
        )
        return 2
    folder = Path(tempfile.mkdtemp(prefix="tandem-drill-"))
    try:
        failures = (
            await healthy(folder, minutes, console)
            if list(names) == [HEALTHY]
            else await _drilled(chosen(names), console, folder)
        )
    except LocalStackError as error:
        failures = [str(error)]
    if failures:
        console.print("\n".join(f"✗ {each}" for each in failures), soft_wrap=True, markup=False, highlight=False)
        console.print(f"Logs: {folder}", soft_wrap=True)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    console.print("All of it held.")
    return 0


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
@click.option("--minutes", default=10.0, show_default=True, help="How long the load of `healthy` lasts.")
def main(names: tuple[str, ...], minutes: float) -> None:
    """Play drills."""
    sys.exit(run_until_signal(_main(names, minutes)))


if __name__ == "__main__":
    main()
