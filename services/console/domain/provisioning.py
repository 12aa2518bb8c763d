"""What is said of mounted files. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from services.console.domain.views import View
from shared.as_code.commands import Applied
from shared.as_code.findings import Finding
from shared.as_code.ports import Refused
from shared.as_code.reading import ReadFile, placed
from shared.store.provisioning import FileFinding, FileState, ProvisionedFile, Subject


class ProvisionedFileView(View):
    """One file of the provisioning folder."""

    file: str
    state: FileState = Field(
        description="`in_effect`; `invalid` or `refused`: what it said before stays in effect, `findings` say why."
    )
    since: datetime = Field(description="Since when it is in this state.")
    applied_at: datetime | None = Field(description="When it was saved last.")
    findings: tuple[FileFinding, ...]
    provisions: tuple[Subject, ...] = Field(
        description="What it provisions. `drift`: what was changed by hand since, and is left alone."
    )


class ProvisioningView(View):
    """All files of the provisioning folder."""

    files: tuple[ProvisionedFileView, ...]

    @classmethod
    def of(cls, files: Sequence[ProvisionedFile]) -> ProvisioningView:
        """Return what is shown."""
        return cls(
            files=tuple(
                ProvisionedFileView(
                    file=each.file,
                    state=each.state,
                    since=each.since,
                    applied_at=each.applied_at,
                    findings=each.findings,
                    provisions=each.subjects,
                )
                for each in files
            )
        )


def claimed_twice(read: Mapping[str, ReadFile]) -> dict[str, list[Finding]]:
    """Return findings for files that say what a file before them says already: one thing has one place."""
    owners: dict[tuple[str, str], str] = {}
    found: dict[str, list[Finding]] = {}
    for name, said in sorted(read.items()):
        places = [("connections", ident) for ident in said.workspace.connections]
        places += [("integrations", ident) for ident in said.workspace.integrations]
        doubles = [
            Finding(place, f"is in {owners[place]} already; keep one of them") for place in places if place in owners
        ]
        if doubles:
            found[name] = placed(said, doubles)
        else:
            owners |= dict.fromkeys(places, name)
    return found


def refused_finding(said: ReadFile, applied: Applied) -> Sequence[Finding]:
    """Return why a file was not saved, or not all of it."""
    why, stopped = applied.why, applied.stopped_at
    if applied.findings or why is None or stopped is None:
        return applied.findings
    fix = why.next_step if isinstance(why, Refused) else "It is tried again by itself."
    return placed(said, [Finding((stopped.section, stopped.id), str(why), fix)])
