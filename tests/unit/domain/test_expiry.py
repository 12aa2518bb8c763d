"""What is said of the end of credentials."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.expiry import end_of, expiry_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_nobody_knows_and_it_says_what_to_enter() -> None:
    found = expiry_of(None, NOW)
    assert (found.at, found.days_left, found.expired) == (None, None, False)
    assert found.next_step is not None
    assert "expires_on" in found.next_step


@pytest.mark.parametrize(
    ("left", "words", "urgent"),
    [
        (timedelta(days=92, hours=2), "in 92 days", False),
        (timedelta(days=30), "in 30 days", True),
        (timedelta(days=1, hours=1), "in 1 day,", True),
        (timedelta(hours=3), "today or tomorrow", True),
    ],
)
def test_days_are_counted_down_and_the_last_thirty_ask_for_a_new_token(
    left: timedelta,
    words: str,
    urgent: bool,  # a column of the table
) -> None:
    found = expiry_of(NOW + left, NOW)
    assert words in found.message
    assert (found.next_step is not None) is urgent
    assert not found.expired


def test_what_has_ended_says_so() -> None:
    found = expiry_of(NOW - timedelta(days=2), NOW)
    assert found.expired
    assert found.message == "These credentials ended on 27 February 2026."


def test_a_day_counts_to_its_end() -> None:
    assert end_of(date(2026, 3, 1)) > NOW
    assert end_of(date(2026, 2, 28)) < NOW
