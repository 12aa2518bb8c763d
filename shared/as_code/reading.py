"""Reading the file, and naming places in it for what the console says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.as_code.findings import Document, Finding, Path
from shared.as_code.ports import Fault
from shared.as_code.workspace import Workspace, pair_path, read_workspace
from shared.as_code.yaml_text import read_yaml

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that says something sound."""

    workspace: Workspace
    document: Document


def read_file(raw: bytes) -> ReadFile | list[Finding]:
    """Return what a file says, or all that is wrong with it."""
    document = read_yaml(raw)
    if isinstance(document, Finding):
        return [document]
    workspace = read_workspace(document)
    return workspace if isinstance(workspace, list) else ReadFile(workspace, document)


def placed(file: ReadFile, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with their place in the file."""
    return [replace(finding, place=file.document.place(finding.path)) for finding in findings]


def from_console(file: ReadFile, section: str, ident: str, faults: Sequence[Fault]) -> list[Finding]:
    """Return what the console finds in one connection or integration, in the terms of the file."""
    integration = file.workspace.integrations.get(ident) if section == "integrations" else None
    names = [str(pair.id) for pair in integration.pairs] if integration is not None else []
    findings = [
        Finding(
            (section, ident, *pair_path(_steps(fault.path), names)),
            fault.message,
            fault.fix,
            fault.severity,
        )
        for fault in faults
    ]
    return placed(file, findings)


def _steps(path: str) -> Path:
    return tuple(int(number) if number else name for name, number in _STEP.findall(path))
