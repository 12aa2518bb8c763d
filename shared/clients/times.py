"""Times in the vendors' JSON. Pure; used by the shapes of both."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(value: object) -> datetime | None:
    """Return an ISO 8601 time with any offset (none: UTC) as UTC, None if it is not one.

    Takes Jira's `2026-01-02T03:04:05.000+0000` and Craft.io's `2026-01-02T03:04:05.000Z`.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: at the edge of the calendar
        return None
