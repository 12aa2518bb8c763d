"""What Jira's changelog tells of each shape: what our write replaced, and whether an entry is our write."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.ids import PairId
from shared.domain.kinds import FieldKind, Shape
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.fields import same
from shared.fields.changelog import replaced, set_to
from shared.messages.change import ChangelogItem


def pair(kind: FieldKind, shape: Shape | None = None, jira: str = "customfield_10050") -> FieldPair:
    """Return a pair with that Jira side."""
    craft = {"user": "assignee", "parent": "parent"}.get(kind, "custom:9")
    return FieldPair(id=PairId("p"), kind=kind, jira=jira, craft=craft, jira_shape=shape)


def item(old: str | None, old_label: str | None, new: str | None, new_label: str | None) -> ChangelogItem:
    """Return an item of one field."""
    return ChangelogItem(field="f", old=old, old_label=old_label, new=new, new_label=new_label)


@pytest.mark.parametrize(
    ("one", "logged", "before", "after"),
    [
        (pair(FieldKind.STRING), item(None, "a", None, "b"), "a", "b"),
        (pair(FieldKind.NUMBER), item(None, "3", None, "5.5"), 3, 5.5),
        (pair(FieldKind.OPTION, Shape.NUMBER), item(None, "3", None, None), "3", None),
        (pair(FieldKind.OPTION), item("10020", "Red", "10021", "Blue"), "10020", "10021"),
        (pair(FieldKind.OPTION, Shape.ONE_REFERENCE), item("[10300]", "Yes", "", ""), "10300", None),
        (
            pair(FieldKind.OPTIONS),
            item("[10020, 10021]", "Red,Blue", "[10021]", "Blue"),
            ["10020", "10021"],
            ["10021"],
        ),
        (pair(FieldKind.LABELS, jira="labels"), item(None, "b a", None, ""), ["a", "b"], []),
        (pair(FieldKind.DATE), item("2026-01-02", "2/Jan/26", "2026-01-03", "3/Jan/26"), "2026-01-02", "2026-01-03"),
        (
            pair(FieldKind.DATETIME),
            item("2026-01-02T03:04:05.000+0000", "2/Jan/26 3:04 AM", None, None),
            "2026-01-02T03:04:05.000Z",
            None,
        ),
        (
            pair(FieldKind.OPTION, Shape.CASCADE),
            item(None, "", None, "Parent values: EU(1)Level 1 values: Berlin(11)"),
            None,
            "1/11",
        ),
        (pair(FieldKind.OPTION, Shape.SPRINT), item("3, 5", "S3, S5", "3, 7", "S3, S7"), "5", "7"),
        (pair(FieldKind.OPTION, Shape.SPRINT), item("3", "S3", "3, 7", "S3, S7"), None, "7"),
        (pair(FieldKind.USER, Shape.ACCOUNT, "assignee"), item("557058:a", "Ada", None, None), "557058:a", None),
        (
            pair(FieldKind.USER, Shape.USERNAME, "assignee"),
            item("JIRAUSER1", "Ada", "JIRAUSER2", "Ben"),
            {"name": "ada", "key": "JIRAUSER1"},
            {"name": "ben", "key": "JIRAUSER2"},
        ),
    ],
)
def test_an_item_tells_what_was_there_and_what_was_set(
    one: FieldPair, logged: ChangelogItem, before: Json, after: Json
) -> None:
    found = replaced(one, [logged], after)
    assert found is not None
    assert same(one.kind, found.value, before)
    assert set_to(one, [logged], after)
    assert not set_to(one, [logged], before)


def test_components_are_logged_one_by_one_and_put_together_again() -> None:
    ids, names = pair(FieldKind.OPTIONS, jira="components"), pair(FieldKind.LABELS, jira="components")
    items = [item("1", "API", None, None), item(None, None, "3", "Web")]
    by_id, by_name = replaced(ids, items, ["2", "3"]), replaced(names, items, ["Docs", "Web"])
    assert by_id is not None
    assert by_id.value == ["1", "2"]
    assert by_name is not None
    assert by_name.value == ["API", "Docs"]
    assert set_to(ids, items, ["2", "3"])
    assert not set_to(ids, items, ["1", "3"])
    assert not set_to(ids, items, ["2"])


def test_one_version_of_several_is_told_only_where_it_was_the_only_one() -> None:
    version = pair(FieldKind.OPTION, Shape.NAME, "fixVersions")
    one = replaced(version, [item("1", "1.0", None, None), item(None, None, "2", "2.0")], "2.0")
    assert one is not None
    assert one.value == "1.0"
    assert replaced(version, [item("1", "1.0", None, None), item("2", "2.0", None, None)], None) is None


@pytest.mark.parametrize(
    ("one", "logged"),
    [
        (pair(FieldKind.DATE), item(None, "2. Januar", None, None)),
        (pair(FieldKind.OPTION, Shape.CASCADE), item(None, "Europe", None, None)),
        (pair(FieldKind.OPTIONS), item(None, "Red,Blue", None, None)),
        (pair(FieldKind.NUMBER), item(None, "drei", None, None)),
    ],
)
def test_what_is_only_told_in_words_is_not_guessed(one: FieldPair, logged: Any) -> None:
    assert replaced(one, [logged], None) is None
