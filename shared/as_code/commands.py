"""What each command does with the file and the console, and what it has to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.as_code.findings import Finding
from shared.as_code.plan import Change, Live, Plan, plan
from shared.as_code.ports import AT_ONCE, Console, Refused, Saving, Secrets, SecretUnreadable, Unreachable
from shared.as_code.reading import ReadFile, from_console, placed
from shared.as_code.workspace import SecretReference, Workspace, file_data


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a file. `asked`: whether the console was asked and could answer; None: it was not asked."""

    findings: Sequence[Finding]
    asked: bool | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved as which revision, and what the console says of it all the same."""

    change: Change
    revision: int
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Applied:
    """How far an apply came. `stopped_at`: what was not saved, and `why`; what comes after it was not tried.

    After `Unreachable` it may have been saved all the same: the next apply finds out.
    """

    plan: Plan
    saved: Sequence[Saved]
    stopped_at: Change | None = None
    why: Refused | Unreachable | None = None
    findings: Sequence[Finding] = field(default=())


async def export(console: Console, workspace: str | None) -> dict[str, Any]:
    """Return the file's data for all that is live, or for one Craft.io workspace with the connections it uses."""
    live = await console.live()
    integrations = {
        ident: each for ident, each in live.integrations.items() if workspace in (None, each.craft_workspace)
    }
    used = {name for each in integrations.values() for name in (each.jira_connection, each.craft_connection)}
    return file_data(
        {
            ident: each.connection.model_dump(mode="json")
            for ident, each in live.connections.items()
            if workspace is None or ident in used
        },
        {ident: each.model_dump(mode="json") for ident, each in integrations.items()},
    )


async def validate(file: ReadFile, console: Console | None) -> Checked:
    """Return what else is wrong with a sound file: by itself, or as the console finds by asking both vendors."""
    if console is None:
        return Checked(placed(file, _unknown_here(file.workspace)))
    live = await console.live()
    found = plan(file.workspace, live)
    findings = placed(file, found) if isinstance(found, list) else []
    asked = True
    for ident, integration in file.workspace.integrations.items():
        there = live.integrations.get(ident)
        draft = integration.model_copy(update={"revision": there.revision if there else 0})
        try:
            faults = await console.check(draft)
        except Refused as refusal:
            findings += _refusal_findings(file, "integrations", ident, refusal)
            continue
        if faults is None:
            asked = False
            break
        findings += from_console(file, "integrations", ident, faults)
    return Checked(findings, asked)


async def diff(file: ReadFile, console: Console, *, replace_secrets: bool) -> Plan | list[Finding]:
    """Return what would be saved, or why that cannot be told."""
    return _planned(file, await console.live(), replace_secrets=replace_secrets)


async def apply(
    file: ReadFile, console: Console, secrets: Secrets, *, replace_secrets: bool, how: Saving = AT_ONCE
) -> Applied | list[Finding]:
    """Save what is different, connections first, each on the revision that it was compared with.

    Nothing is saved unless every secret can be read. Idempotent: what is as the file says is not saved again. Findings:
    nothing was saved.
    """
    found = _planned(file, await console.live(), replace_secrets=replace_secrets)
    if isinstance(found, list):
        return found
    read = _read_secrets(file, found, secrets)
    if isinstance(read, list):
        return read
    saved: list[Saved] = []
    for change in found.changes:
        try:
            stored = await console.save(change, read[change.section, change.id], how)
        except Refused as refusal:
            findings = from_console(file, change.section, change.id, refusal.faults)
            return Applied(found, saved, change, refusal, findings)
        except Unreachable as error:
            return Applied(found, saved, change, error)
        saved.append(Saved(change, stored.revision, from_console(file, change.section, change.id, stored.faults)))
    return Applied(found, saved)


def _planned(file: ReadFile, live: Live, *, replace_secrets: bool) -> Plan | list[Finding]:
    found = plan(file.workspace, live, replace_secrets=replace_secrets)
    return placed(file, found) if isinstance(found, list) else found


def _read_secrets(
    file: ReadFile, found: Plan, secrets: Secrets
) -> Mapping[tuple[str, str], Mapping[str, Any]] | list[Finding]:
    findings: list[Finding] = []

    def read(change: Change, name: str, references: tuple[SecretReference, ...]) -> list[str]:
        texts = []
        for number, reference in enumerate(references):
            try:
                texts.append(secrets.read(reference))
            except SecretUnreadable as error:
                place = (number,) if name == "webhook_secrets" else ()
                findings.append(Finding((change.section, change.id, "secrets", name, *place), str(error)))
        return texts

    values: dict[tuple[str, str], dict[str, Any]] = {}
    for change in found.changes:
        texts = {name: read(change, name, references) for name, references in change.secrets.items()}
        values[change.section, change.id] = {
            name: given if name == "webhook_secrets" else "".join(given) or None for name, given in texts.items()
        }
    return placed(file, findings) if findings else values


def _unknown_here(workspace: Workspace) -> list[Finding]:
    return [
        Finding(
            ("integrations", ident, name),
            f"{getattr(integration, name)} is not in this file; it has to be in Tandem already",
            severity="warning",
        )
        for ident, integration in workspace.integrations.items()
        for name in ("jira_connection", "craft_connection")
        if getattr(integration, name) not in workspace.connections
    ]


def _refusal_findings(file: ReadFile, section: str, ident: str, refusal: Refused) -> list[Finding]:
    if refusal.faults:
        return from_console(file, section, ident, refusal.faults)
    return placed(file, [Finding((section, ident), refusal.message, refusal.next_step)])
