"""What vendors say in the headers of an answer: until when to wait, and what time it is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for (a number or an HTTP date), None without a readable one."""
    raw = headers.get("retry-after", "").strip()
    if not raw:
        return None
    try:
        return max(0.0, float(raw))
    except ValueError:
        pass
    moment = _http_date(raw)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """Return the vendor's own clock from the `Date` header, in UTC and whole seconds."""
    return _http_date(headers.get("date", ""))


def _http_date(raw: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(raw)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
