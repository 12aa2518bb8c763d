"""Ids as vendors' JSON has them. Pure."""

from __future__ import annotations


def ident_of(raw: object) -> str | None:
    """Return an id as text: beyond 2^53 too. None for what is none."""
    if isinstance(raw, str):
        return raw or None
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else None
