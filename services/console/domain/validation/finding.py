"""How findings are made, by what they mean for saving. Pure."""

from __future__ import annotations

from shared.domain.finding import Finding, Severity

__all__ = ["Finding", "Severity", "error", "note", "warning"]


def error(code: str, path: str, message: str, fix: str) -> Finding:
    """Return a finding that keeps the draft from being saved."""
    return Finding(code=code, severity=Severity.ERROR, path=path, message=message, fix=fix)


def warning(code: str, path: str, message: str, fix: str) -> Finding:
    """Return a finding that tells of items or values that will not be synced."""
    return Finding(code=code, severity=Severity.WARNING, path=path, message=message, fix=fix)


def note(code: str, path: str, message: str, fix: str) -> Finding:
    """Return a finding that only informs."""
    return Finding(code=code, severity=Severity.NOTE, path=path, message=message, fix=fix)
