"""What is wrong with an admin's words is told without those of a programming language."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.mapping import Integration
from shared.domain.plain_words import in_words

DRAFT: dict[str, Any] = {
    "id": "i", "name": "I", "jira_connection": "j", "craft_connection": "c", "jira_project": "P",
    "craft_workspace": "W", "types": [], "pairs": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pairs": {}}, "must be a list"),
        ({"types": ["epic"]}, "must be an object"),
        ({"revision": "x"}, "must be a whole number"),
        ({"revision": -1}, "must be greater than or equal to 0"),
        ({"policy": "newest"}, "must be 'jira', 'craft', 'latest' or 'ask'"),
        ({"name": "x" * 201}, "must have at most 200 characters"),
        ({"name": " "}, "must not be empty"),
        ({"name": 7}, "must be text in quotation marks (ids too: they may be longer than a number can hold)"),
        ({"colour": "red"}, "is not known here; is it misspelt?"),
        ({"time_zone": "Mars"}, "there is no time zone Mars; use an IANA name such as Europe/Berlin"),
    ],
)
def test_problems_are_told_in_plain_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Integration.model_validate({**DRAFT, **change})
    (problem,) = caught.value.errors()
    assert in_words(problem["type"], problem["msg"]) == words
