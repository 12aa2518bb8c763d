"""The list of events: every line of the code has one of it, none is left over, and the page is fresh."""

from __future__ import annotations

from shared.runtime.events import EVENTS
from tandem_ops.log_docs import DOCUMENT, document, logged


def test_every_line_that_the_code_logs_has_an_event_of_the_list_and_every_event_is_logged() -> None:
    names = [each.name for each in EVENTS]
    assert len(names) == len(set(names))
    found = logged()
    assert len(found) > 50
    assert {name: (each.levels, each.fields) for name, each in found.items() if name not in names} == {}
    assert set(names) - set(found) == set()


def test_every_event_says_something_and_what_to_do() -> None:
    assert [each.name for each in EVENTS if not each.says.endswith(".") or not each.do] == []


def test_the_page_is_fresh() -> None:
    assert DOCUMENT.read_text() == document(), "run: python -m tandem_ops.log_docs"
