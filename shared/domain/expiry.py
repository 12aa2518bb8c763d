"""When the credentials of a connection end, in words and as a moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

SOON: Final = timedelta(days=30)
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Expiry:
    """What is known of the end of credentials. `at` None: nothing. `next_step` None: nothing is to be done yet."""

    at: datetime | None
    days_left: int | None
    expired: bool
    message: str
    next_step: str | None


def end_of(day: date) -> datetime:
    """Return the last moment of a day. Vendors end tokens some time on it; nobody tells when."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def expiry_of(at: datetime | None, now: datetime) -> Expiry:
    """Return what to say about credentials that end at a time, None if nobody knows."""
    if at is None:
        return Expiry(
            None,
            None,
            expired=False,
            message="Nobody has said when these credentials end.",
            next_step="Enter the date that was shown when the token was made (expires_on): Tandem warns before it.",
        )
    left = at - now
    days = int(left.total_seconds() // _DAY_S)
    day = f"{at:%d %B %Y}"
    renew = "Create a new token there, and save it in this connection with its own date. Nothing is lost meanwhile."
    if left <= timedelta(0):
        return Expiry(at, days, expired=True, message=f"These credentials ended on {day}.", next_step=renew)
    when = "today or tomorrow" if days < 1 else f"in {days} day{'' if days == 1 else 's'}"
    return Expiry(at, days, False, f"These credentials end {when}, on {day}.", renew if left <= SOON else None)
