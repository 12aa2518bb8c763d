"""`make demo`: the story of the README played on the whole system, and checked. Exit code 0 only if all of it held."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.local.processes import LocalStackError
from deploy.local.progress import ConsoleProgress
from deploy.local.signals import run_until_signal
from deploy.local.story import (
    Check,
    Story,
    StoryError,
    backlog,
    conflict,
    craft_edit,
    jira_edit,
    killed_writer,
    no_echo,
    status,
    unmapped,
)
from deploy.local.story_content import conversion, rich_text, status_to_jira
from deploy.local.story_mapping import refused, saved, suggestion, tried
from deploy.local.system import QUICK, JiraEdition, Tuning, edition_argument, running_system

STEPS: tuple[tuple[str, Callable[[Story], Awaitable[None]]], ...] = (
    ("A mapping is suggested", suggestion),
    ("Jira backlog arrives in Craft.io", backlog),
    ("Jira edit goes to Craft.io", jira_edit),
    ("Craft.io edit goes to Jira", craft_edit),
    ("Rich text, there and back", rich_text),
    ("Status to Craft.io", status),
    ("Status to Jira, over two transitions", status_to_jira),
    ("Quiet: no echo", no_echo),
    ("Items are converted", conversion),
    ("Unmapped type", unmapped),
    ("A wrong mapping is refused", refused),
    ("A better one is tried on live items", tried),
    ("It is saved", saved),
    ("Conflict", conflict),
    ("Writer killed in the middle", killed_writer),
)


async def _main(jira: JiraEdition) -> int:
    console = Console()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tandem-demo-"))
    checks: list[Check] = []
    failure: str | None = None
    try:
        with ConsoleProgress() as progress:
            async with running_system(folder, progress, Tuning(settings=QUICK, jira=jira)) as system:
                story = Story(system, checks)
                for name, step in STEPS:
                    progress.stage(name)
                    await step(story)
    except (StoryError, LocalStackError) as error:
        failure = str(error)
    _table(console, checks)
    took = time.monotonic() - began
    if failure is None and all(check.held for check in checks):
        shutil.rmtree(folder, ignore_errors=True)
        console.print(f"\n[green]All {len(checks)} checks held[/green] in {took:.0f} s.")
        return 0
    console.print(f"\n[red]The story did not hold[/red] after {took:.0f} s. {failure or ''}", soft_wrap=True)
    console.print(f"Logs: {folder / 'logs'}", soft_wrap=True)
    return 1


def _table(console: Console, checks: list[Check]) -> None:
    table = Table(title="What was checked")
    for column in ("", "check", "what was seen", "lag"):
        table.add_column(column)
    for check in checks:
        lag = "" if check.lag_s is None else f"{check.lag_s:.2f} s"
        table.add_row("[green]✓[/green]" if check.held else "[red]✗[/red]", check.name, check.seen, lag)
    console.print(table)


if __name__ == "__main__":
    sys.exit(run_until_signal(_main(edition_argument(__doc__))))
