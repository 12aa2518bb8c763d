"""A refusal is about the pairs whose fields it names, however it writes their names."""

from __future__ import annotations

import pytest

from shared.clients.errors import Rejected
from shared.domain.ids import PairId, Side
from shared.domain.mapping import FieldKind, FieldPair
from shared.writing.fault import named

LABELS = FieldPair(id=PairId("labels"), kind=FieldKind.LABELS, jira="labels", craft="customFields.7", craft_name="Tags")
DUE = FieldPair(id=PairId("due"), kind=FieldKind.DATE, jira="duedate", craft="endDate")
SQUAD = FieldPair(
    id=PairId("squad"), kind=FieldKind.STRING, jira="customfield_10020", craft="customFields.8", jira_name="Squad"
)
SENT = (LABELS, DUE, SQUAD)


@pytest.mark.parametrize(
    ("message", "errors", "at_fault"),
    [
        ("", {"labels": "expected Object"}, {"labels"}),
        ("", {"Labels": "expected Object"}, {"labels"}),
        ("", {"Due date": "is required.", "SQUAD": "no"}, {"due", "squad"}),
        ("", {"customfield_10020": "no"}, {"squad"}),
        ("", {"customfield_1002": "another field"}, set()),
        ("Field 'customfield_10020' cannot be set. It is unknown.", {}, {"squad"}),
        ('The field "Due Date" cannot be set.', {}, {"due"}),
        ("Option 'Squad' is not valid.", {}, set()),
        ("Field 'labels' cannot be set.", {"summary": "too long"}, set()),
    ],
)
def test_jira_names_a_field_by_its_id_or_as_it_shows_it(
    message: str, errors: dict[str, str], at_fault: set[str]
) -> None:
    found = named(Side.JIRA, SENT, Rejected(400, message, errors))
    assert set(found) == at_fault
    assert all(words in (message, *errors.values()) for words in found.values())


def test_craft_is_read_by_its_own_names() -> None:
    found = named(Side.CRAFT, SENT, Rejected(400, "", {"Tags": "too many", "squad": "not there"}))
    assert found == {"labels": "too many"}
