"""Where an item stands, by what people see of it: the four groups in which items are counted. Pure."""

from __future__ import annotations

from typing import Final

from shared.messages.status import Cause, DisplayState
from shared.observability.words import Standing

_BY_STATE: Final[dict[DisplayState, Standing]] = {
    DisplayState.IN_SYNC: "in_sync",
    DisplayState.PENDING: "under_way",
    DisplayState.HELD: "apart",
    DisplayState.WAITING: "stuck",
    DisplayState.BLOCKED: "stuck",
    DisplayState.CONFLICT: "stuck",
    DisplayState.ASK: "stuck",
    DisplayState.PAUSED: "stuck",
    DisplayState.UNSYNCED: "apart",
    DisplayState.EXCLUDED: "stuck",
    DisplayState.ABSENT: "stuck",
    DisplayState.GONE: "apart",
}
_ON_PURPOSE: Final = frozenset(
    {Cause.TYPE_NOT_MAPPED, Cause.DIRECTION_OFF, Cause.DIRECTION_MANUAL, Cause.ARCHIVED, Cause.DELETED}
)
"""Causes for which an item that is excluded or absent is so because somebody wanted it."""


def standing(state: DisplayState, cause: Cause) -> Standing:
    """Return where an item stands."""
    if state in (DisplayState.EXCLUDED, DisplayState.ABSENT) and cause in _ON_PURPOSE:
        return "apart"
    return _BY_STATE[state]
