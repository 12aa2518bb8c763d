"""`make run`: bring the whole system up with the stand-ins, configured, and keep it up until Ctrl-C.

Each time from scratch: the stand-ins forget everything when they end, so what Postgres and Kafka kept of them is
removed. `python -m deploy.local.run --jira data-center` does the same with a Jira Data Center.
"""

from __future__ import annotations

import asyncio
import json
import sys

from rich.console import Console

from deploy.local.jars import CHECKOUT
from deploy.local.processes import LocalStackError
from deploy.local.progress import ConsoleProgress
from deploy.local.scratch import from_scratch
from deploy.local.signals import run_until_signal
from deploy.local.stack_file import STACK_FILE
from deploy.local.system import QUICK, JiraEdition, System, Tuning, edition_argument, running_system

_FOLDER = CHECKOUT / ".run"
_BETWEEN = ("name", "jira_connection", "craft_connection", "jira_project", "craft_workspace", "craft_root")
"""Of the integration, what a suggestion is asked for with."""


def _tell(console: Console, system: System) -> None:
    content, jira, craft = system.content, system.places["jira"], system.places["craft"]
    console.print("\n[bold]Tandem is up.[/bold] Ctrl-C ends it.\n")
    for name, where in (
        ("Console API", f"{content['console']}/api/v1"),
        ("Gateway", content["gateway"]),
        ("Jira", jira["url"]),
        ("Craft.io", craft["url"]),
        ("Logs", content["logs"]),
        ("All of it", str(STACK_FILE)),
    ):
        console.print(f"  {name:<12} {where}", highlight=False, soft_wrap=True)
    person, member = jira["people"][0], craft["people"][0]
    issue = {"project": {"key": jira["project"]}, "issuetype": {"name": "Story"}, "summary": "Hello"}
    create = f"-H 'content-type: application/json' -d '{json.dumps({'fields': issue})}' {jira['url']}/rest/api/2/issue"
    login = f"-u {person['email']}:{person['token']}"
    if jira["edition"] == "data-center":
        login = f"-H 'authorization: Bearer {person['token']}'"
    items = f"'{craft['url']}/workspace/{craft['workspace_id']}/items?fields=title,type,status'"
    links = f"{content['console']}/api/v1/links"
    admin = f"-H 'authorization: Bearer {content['console_token']}'"
    between = {name: getattr(system.integration, name) for name in _BETWEEN}
    suggest = f"-H 'content-type: application/json' -d '{json.dumps(between)}'"
    suggestion = f"{content['console']}/api/v1/integrations/{content['integration_id']}/suggestion"
    access = f"TANDEM_CONSOLE_URL={content['console']} TANDEM_CONSOLE_TOKEN={content['console_token']}"
    lines = (
        ("Create an issue in Jira:", f"curl -s {login} {create}"),
        ("Find it in Craft.io a moment later:", f"curl -s -H 'x-api-key: {member['api_key']}' {items}"),
        ("See what Tandem says of it:", f"curl -s {admin} {links}"),
        ("Have a mapping suggested, with reasons:", f"curl -s {admin} {suggest} {suggestion}"),
        ("See the one in force as a file:", f"{access} .venv/bin/python -m tandem_cli export"),
    )
    for what, line in lines:
        console.print(f"\n{what}")
        console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)


async def _main(jira: JiraEdition) -> int:
    console = Console()
    try:
        with ConsoleProgress() as progress:
            tuning = Tuning(settings=QUICK, jira=jira)
            with from_scratch(_FOLDER):
                async with running_system(_FOLDER, progress, tuning, stack_file=STACK_FILE) as system:
                    progress.stage("Ready")
                    _tell(console, system)
                    await asyncio.Event().wait()
    except LocalStackError as error:
        console.print(f"[red]{error}[/red]", markup=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_until_signal(_main(edition_argument(__doc__))))
