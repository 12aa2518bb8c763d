"""The commands: arguments in, lines or JSON out, and an exit code that CI can go by."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

from shared.as_code import commands
from shared.as_code.findings import Finding
from shared.as_code.ports import Console, Refused, Saving, Unreachable
from shared.as_code.reading import ReadFile, read_file
from shared.as_code.secret_places import SecretPlaces
from shared.as_code.yaml_text import write_yaml
from tandem_cli.adapters.http_console import open_console
from tandem_cli.domain.report import (
    counted,
    differences_json,
    finding_line,
    findings_json,
    plan_json,
    plan_lines,
)
from tandem_cli.domain.schema import file_schema
from tandem_cli.operations import WithOperations
from tandem_cli.settings import NotSet, console_access

ResultT = TypeVar("ResultT")

SCHEMA_FILE: Final = "tandem.schema.json"
_HEADING: Final = """\
yaml-language-server: $schema={schema}
Connections and integrations of Tandem. `tandem diff` compares with what is live, `tandem apply` saves.
Secrets are never in here. A connection names where they are, such as  secrets: {{token: {{env: JIRA_TOKEN}}}}
"""


class Exit(IntEnum):
    """What the exit code says."""

    DIFFERENT = 1
    """`diff --exit-code` found differences."""
    REFUSED = 2
    """The file is invalid, the console does not take it, or the command was not understood."""
    UNREACHABLE = 3
    """The console cannot be reached."""


_FILE = click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="tandem.yaml")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_SECRETS = click.option(
    "--replace-secrets",
    is_flag=True,
    help="Send all credentials that the file names, also where some are stored already (to replace a token).",
)


def version_text() -> str:
    """Return the release that is installed."""
    try:
        return version("tandem-sync")
    except PackageNotFoundError:
        return "(a checkout)"


@click.group(cls=WithOperations, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version_text(), message="tandem %(version)s")
def tandem() -> None:
    """Tandem's configuration as code, and what its operators need.

    TANDEM_CONSOLE_URL says where the console is, TANDEM_CONSOLE_TOKEN or TANDEM_CONSOLE_TOKEN_FILE who you are there.
    Exit codes: 0 done, 1 differences (with diff --exit-code), 2 invalid or refused, 3 the console cannot be reached.
    The commands for operators read a service's settings instead, and say their exit codes themselves.
    """


@tandem.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--workspace", help="Only this Craft.io workspace (its id), with the connections that it uses.")
@click.option("--schema", default=SCHEMA_FILE, show_default=True, help="Path or address of the schema, for editors.")
def export(output: Path | None, workspace: str | None, schema: str) -> None:
    """Write what is live as YAML, without secrets."""
    data = _with_console(lambda console: commands.export(console, workspace), as_json=False)
    _write(write_yaml(data, _HEADING.format(schema=schema)), output)


@tandem.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def schema(output: Path | None) -> None:
    """Write the JSON Schema of the file, by which editors complete and check it."""
    _write(schema_text(), output)


@tandem.command()
@_FILE
@click.option("--live", is_flag=True, help="Have the console check it against Jira and Craft.io too.")
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@_JSON
def validate(file: str, live: bool, strict: bool, as_json: bool) -> None:  # noqa: FBT001  # flags of the command line
    """Check a file. Without --live it needs no console."""
    said = _read(file, as_json=as_json)
    if live:
        checked = _with_console(lambda console: commands.validate(said, console), as_json=as_json)
    else:
        checked = asyncio.run(commands.validate(said, None))
    if as_json:
        _print_json({"findings": findings_json(checked.findings), "console_checked": checked.asked})
    else:
        _print(finding_line(finding, file) for finding in checked.findings)
        if checked.asked is False:
            _say("This console cannot check; the file was checked by itself only.")
        _say(_verdict(checked.findings))
    fatal = ("error", "warning") if strict else ("error",)
    if any(finding.severity in fatal for finding in checked.findings):
        sys.exit(Exit.REFUSED)


@tandem.command()
@_FILE
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are differences.")
@_SECRETS
@_JSON
def diff(file: str, exit_code: bool, replace_secrets: bool, as_json: bool) -> None:  # noqa: FBT001  # flags
    """Tell what `apply` would change."""
    found = _diff(file, replace_secrets=replace_secrets, as_json=as_json)
    if exit_code and found:
        sys.exit(Exit.DIFFERENT)


@tandem.command()
@_FILE
@click.option("--dry-run", is_flag=True, help="Tell only, like diff.")
@_SECRETS
@click.option("--unchecked", is_flag=True, help="Save also while Jira or Craft.io cannot be asked.")
@click.option(
    "--evaluate",
    type=click.Choice(["now", "later"]),
    default="now",
    show_default=True,
    help="When items that nobody touches are decided again by what was saved.",
)
@_JSON
def apply(
    file: str,
    dry_run: bool,  # noqa: FBT001
    replace_secrets: bool,  # noqa: FBT001
    unchecked: bool,  # noqa: FBT001
    evaluate: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Save what is different. Nothing is deleted, and nothing is saved over what somebody else saves meanwhile."""
    if dry_run:
        _diff(file, replace_secrets=replace_secrets, as_json=as_json)
        return
    said = _read(file, as_json=as_json)
    secrets = SecretPlaces(os.environ, Path() if file == "-" else Path(file).parent)
    how = Saving(unchecked, evaluate)
    applied = _with_console(
        lambda console: commands.apply(said, console, secrets, replace_secrets=replace_secrets, how=how),
        as_json=as_json,
    )
    if isinstance(applied, list):
        _fail_with(applied, file, as_json=as_json)
    if as_json:
        _print_json(_applied_json(applied))
    else:
        _print(_applied_lines(applied, file))
    if applied.why is not None:
        sys.exit(Exit.REFUSED if isinstance(applied.why, Refused) else Exit.UNREACHABLE)


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(file_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _diff(file: str, *, replace_secrets: bool, as_json: bool) -> bool:
    """Tell the differences; return whether there are any."""
    said = _read(file, as_json=as_json)
    found = _with_console(
        lambda console: commands.diff(said, console, replace_secrets=replace_secrets), as_json=as_json
    )
    if isinstance(found, list):
        _fail_with(found, file, as_json=as_json)
    if as_json:
        _print_json(plan_json(found))
    else:
        _print(plan_lines(found, "would be"))
    return bool(found.changes)


def _applied_lines(applied: commands.Applied, file: str) -> Iterable[str]:
    for saved in applied.saved:
        yield f"{saved.change.kind} {saved.change.id} saved as revision {saved.revision}:"
        yield from (f"  - {difference.words}" for difference in saved.change.differences)
        yield from (finding_line(finding, file) for finding in saved.findings)
    why, stopped = applied.why, applied.stopped_at
    if why is None or stopped is None:
        done = [saved.change for saved in applied.saved]
        yield f"{counted(done)} saved." if done else "No differences; nothing was saved."
        return
    if isinstance(why, Refused):
        yield f"{stopped.kind} {stopped.id} was not saved: {why.message}"
        yield from (f"  - meanwhile: {difference.words}" for difference in why.meanwhile)
        yield from (finding_line(finding, file) for finding in applied.findings)
        if why.meanwhile:
            yield "Take that into your file (`tandem diff` shows it), and apply again."
        elif why.next_step:
            yield why.next_step
    else:
        yield f"Whether {stopped.kind} {stopped.id} was saved is not known: {why}. Apply again to find out."
    left = len(applied.plan.changes) - len(applied.saved) - 1
    if left:
        yield f"{left} more not tried."


def _applied_json(applied: commands.Applied) -> dict[str, Any]:
    why, stopped = applied.why, applied.stopped_at
    failed: dict[str, Any] | None = None
    if why is not None and stopped is not None:
        failed = {"kind": stopped.kind, "id": stopped.id, "message": str(why)}
    if failed is not None and isinstance(why, Refused):
        failed |= {
            "status": why.status,
            "next_step": why.next_step,
            "meanwhile": differences_json(why.meanwhile),
            "findings": findings_json(applied.findings),
        }
    saved = [
        {
            "kind": each.change.kind,
            "id": each.change.id,
            "revision": each.revision,
            "findings": findings_json(each.findings),
        }
        for each in applied.saved
    ]
    return {**plan_json(applied.plan), "saved": saved, "failed": failed}


def _read(file: str, *, as_json: bool) -> ReadFile:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        _fail(Exit.REFUSED, f"{file} cannot be read: {error.strerror}", as_json=as_json)
    said = read_file(raw)
    if isinstance(said, list):
        _fail_with(said, file, as_json=as_json)
    return said


def _with_console(work: Callable[[Console], Awaitable[ResultT]], *, as_json: bool) -> ResultT:
    async def run() -> ResultT:
        access = console_access(os.environ)
        async with open_console(access.url, access.token) as console:
            return await work(console)

    try:
        return asyncio.run(run())
    except (Unreachable, NotSet) as error:
        _fail(Exit.UNREACHABLE, str(error), as_json=as_json)
    except Refused as error:
        _fail(Exit.REFUSED, " ".join(filter(None, (error.message, error.next_step))), as_json=as_json)


def _fail_with(findings: Sequence[Finding], file: str, *, as_json: bool) -> NoReturn:
    """End with what is wrong with the file."""
    if as_json:
        _print_json({"findings": findings_json(findings)})
    else:
        _print(finding_line(finding, file) for finding in findings)
        _say(_verdict(findings))
    sys.exit(Exit.REFUSED)


def _fail(code: Exit, message: str, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": {"code": code.name.lower(), "message": message}})
    else:
        _say(message)
    sys.exit(code)


def _verdict(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing is wrong."
    counts = [(what, sum(each.severity == what for each in findings)) for what in ("error", "warning", "note")]
    return " and ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counts if n) + "."


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(Exit.REFUSED, f"{output} cannot be written: {error.strerror}", as_json=False)
    _say(f"{output} written.")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _say(line: str) -> None:
    """Say something that is no result: on standard error, so that results can be piped."""
    click.echo(line, err=True)
