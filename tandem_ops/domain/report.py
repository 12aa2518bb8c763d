"""What the doctor says: one finding for each thing that was looked at, and the whole as lines, JSON and an exit code.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Status(StrEnum):
    """How something is. Each is worse than the one before."""

    SKIPPED = "skipped"
    """It was not looked at, for the reason that is told; that reason is a finding of its own, or a choice."""
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `what` and `do` are made of our words, names, addresses and numbers only."""

    check: str
    """Which check found it, as `--only` names it."""
    status: Status
    what: str
    do: str | None = None
    """What to do about it; None only where there is nothing to be done."""
    private: str | None = None
    """What a vendor said, who somebody is, what somebody has set: for an admin's eyes, never for a support bundle."""


EXIT_OK: Final = 0
EXIT_WARNING: Final = 1
EXIT_FAILED: Final = 2
_WIDTH: Final = 8


def ok(check: str, what: str, private: str | None = None) -> Finding:
    """Return that all is well."""
    return Finding(check, Status.OK, what, None, private)


def warning(check: str, what: str, do: str, private: str | None = None) -> Finding:
    """Return what works, but not as it should."""
    return Finding(check, Status.WARNING, what, do, private)


def failed(check: str, what: str, do: str, private: str | None = None) -> Finding:
    """Return what does not work."""
    return Finding(check, Status.FAILED, what, do, private)


def skipped(check: str, why: str) -> Finding:
    """Return that something was not looked at."""
    return Finding(check, Status.SKIPPED, why)


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 where all is well, 1 where something is not as it should be, 2 where something does not work."""
    statuses = {each.status for each in findings}
    return EXIT_FAILED if Status.FAILED in statuses else EXIT_WARNING if Status.WARNING in statuses else EXIT_OK


def report_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what people read: each finding, what to do below it, and the sum."""
    for each in findings:
        yield f"{each.status:<{_WIDTH}}{each.check}: {each.what}{f': {each.private}' if each.private else ''}"
        if each.do:
            yield f"{'':<{_WIDTH}}  -> {each.do}"
    yield verdict(findings)


def verdict(findings: Sequence[Finding]) -> str:
    """Return the sum in a sentence."""
    counts = {status: sum(each.status is status for each in findings) for status in Status}
    if not counts[Status.FAILED] and not counts[Status.WARNING]:
        words = "Nothing is wrong"
    else:
        words = f"{counts[Status.FAILED]} failed, {counts[Status.WARNING]} to be looked at"
    return f"{words} ({counts[Status.OK]} ok, {counts[Status.SKIPPED]} skipped)."


def report_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the same for programs."""
    code = exit_code(findings)
    return {
        "status": {EXIT_OK: Status.OK, EXIT_WARNING: Status.WARNING, EXIT_FAILED: Status.FAILED}[code],
        "findings": [
            {"check": each.check, "status": each.status, "what": each.what, "do": each.do, "private": each.private}
            for each in findings
        ],
    }
