"""What is told: as lines for people, as JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shared.as_code.findings import Finding
from shared.as_code.plan import Change, Plan
from shared.domain.differences import Difference


def finding_line(finding: Finding, file: str) -> str:
    """Return one line, in the form that editors and CI jump to: `file:line:column: severity: where: what. Fix.`"""
    place = f":{finding.place.line}:{finding.place.column}" if finding.place else ""
    where = f"{finding.where}: " if finding.path else ""
    fix = f" {finding.fix}" if finding.fix else ""
    return f"{file}{place}: {finding.severity}: {where}{finding.message}{fix}"


def plan_lines(plan: Plan, verb: str) -> Iterator[str]:
    """Yield what would be saved, then what is left alone. `verb`: "would be" or "will be"."""
    for change in plan.changes:
        how = f"changed (revision {change.revision} is live)" if change.revision else "created"
        yield f"{change.kind} {change.id} {verb} {how}:"
        for difference in change.differences:
            yield f"  - {difference.words}"
    for kind, ident in plan.only_live:
        yield f"{kind} {ident} is in Tandem only, and left alone."
    yield f"{counted(plan.changes)} {verb} saved." if plan.changes else "No differences."


def counted(changes: Sequence[Change]) -> str:
    """Return how many there are, such as `1 connection and 2 integrations`."""
    numbers = [(kind, sum(change.kind == kind for change in changes)) for kind in ("connection", "integration")]
    return " and ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in numbers if number)


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON."""
    return {
        "changes": [change_json(change) for change in plan.changes],
        "only_live": [{"kind": kind, "id": ident} for kind, ident in plan.only_live],
    }


def change_json(change: Change) -> dict[str, Any]:
    """Return a change as JSON. Secrets are named by their reference only."""
    return {
        "kind": change.kind,
        "id": change.id,
        "action": "change" if change.revision else "create",
        "revision": change.revision,
        "differences": differences_json(change.differences),
    }


def differences_json(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return differences as JSON."""
    return [difference.model_dump(mode="json") for difference in differences]


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON."""
    return [
        {
            "severity": finding.severity,
            "path": finding.where,
            "line": finding.place.line if finding.place else None,
            "column": finding.place.column if finding.place else None,
            "message": finding.message,
            "fix": finding.fix,
        }
        for finding in findings
    ]
