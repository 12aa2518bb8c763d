"""Days and moments: what both vendors write as a time, as a calendar day in a time zone or as a moment in UTC. Pure.

A moment's normal form has milliseconds, which is what both vendors keep: `2026-01-02T03:04:05.000Z`. Nothing here
raises for odd text: what is no time is None.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(text: str, zone: tzinfo) -> str | None:
    """Return the day that a text names: a day as it stands, a moment as the day that it falls on in the zone."""
    if _DAY.fullmatch(text):
        return text if _exists(text) else None
    moment = _parse(text, zone)
    if moment is None:
        return None
    try:
        return moment.astimezone(zone).date().isoformat()
    except (OverflowError, ValueError):
        return None


def moment_of(text: str, zone: tzinfo) -> str | None:
    """Return the moment that a text names, in UTC; without an offset it is meant in the zone, a day is its midnight."""
    moment = _parse(text, zone)
    if moment is None:
        return None
    try:
        return _craft(moment.astimezone(UTC))
    except (OverflowError, ValueError):
        return None


def midnight(day: str, zone: tzinfo) -> str:
    """Return the first moment of a (valid) day in the zone, in UTC.

    Where clocks are put forward at midnight that is the moment of the change, so that it still falls on that day.
    """
    first = datetime.combine(date.fromisoformat(day), time(), zone)
    try:
        return _craft(first.astimezone(UTC))
    except OverflowError:  # the first and the last day of the calendar
        return f"{day}T00:00:00.000Z"


def jira_moment(moment: str) -> str:
    """Return a normal moment as Jira writes it: an offset without colon."""
    return moment.removesuffix("Z") + "+0000"


def _parse(text: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _craft(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
