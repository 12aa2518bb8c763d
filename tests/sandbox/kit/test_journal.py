"""The journal: numbers without gaps that are never used twice, and a memory with an end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.kit.journal import Call, Journal, as_json

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _call(number: int) -> Call:
    return Call(number, NOW, "GET", "/item/1", (("fields", "all"),), 200, "Ada", answered=True, effects=(), body="")


def _filled(entries: int, keep: int = 1_000) -> Journal[Call]:
    journal: Journal[Call] = Journal(keep)
    for _ in range(entries):
        journal.add(_call(journal.next_number))
    return journal


def test_after_returns_what_is_newer_oldest_first() -> None:
    journal = _filled(5)
    assert [call.number for call in journal.after(3)] == [4, 5]
    assert [call.number for call in journal.after()] == [1, 2, 3, 4, 5]
    assert journal.after(5) == []
    assert journal.after(99) == []


def test_only_the_newest_are_kept_and_numbers_go_on() -> None:
    journal = _filled(25, keep=10)
    kept = [call.number for call in journal.after(0)]
    assert kept[-1] == 25
    assert kept == list(range(kept[0], 26))
    assert 10 <= len(kept) <= 20


def test_an_entry_out_of_turn_is_refused() -> None:
    journal = _filled(2)
    with pytest.raises(ValueError, match="follows"):
        journal.add(_call(2))


def test_an_entry_is_shown_as_json_with_an_iso_time() -> None:
    shown = as_json(_call(1))
    assert shown["time"] == "2026-01-02T03:04:05+00:00"
    assert (shown["number"], shown["method"], shown["path"], shown["status"], shown["who"]) == (
        1,
        "GET",
        "/item/1",
        200,
        "Ada",
    )
