"""Differences between two bodies: none between equal ones, at least one between all others, each in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.differences import connection_differences, integration_differences
from shared.domain.mapping import Integration, next_revision
from tests.unit.domain.bodies import INTEGRATIONS

BASE: dict[str, Any] = {
    "id": "demo",
    "revision": 3,
    "name": "Demo",
    "policy": "ask",
    "craft_root": None,
    "types": [{"jira": "1", "craft": "epic"}, {"jira": "2", "craft": "feature"}],
    "pairs": [
        {"id": "title", "kind": "string", "jira": "summary", "craft": "title", "since": 1},
        {"id": "rank", "kind": "option", "jira": "priority", "craft": "importance", "values": [
            {"jira": "1", "craft": "7"}, {"jira": "2", "craft": None},
        ]},
    ],
}  # fmt: skip


def changed(**changes: Any) -> dict[str, Any]:
    return {**BASE, **changes}


def with_pair(index: int, **changes: Any) -> dict[str, Any]:
    pairs = [{**pair, **changes} if n == index else pair for n, pair in enumerate(BASE["pairs"])]
    return changed(pairs=pairs)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (changed(policy="jira"), "who wins a conflict: ask → jira"),
        (changed(craft_root="77"), "Craft.io item above all others: not set → 77"),
        (changed(types=BASE["types"][:1]), "type pair removed: Jira 2 ↔ Craft.io feature"),
        (
            changed(types=[*BASE["types"], {"jira": "3", "craft": "epic"}]),
            "type pair added: Jira 3 ↔ Craft.io epic",
        ),
        (
            changed(types=BASE["types"][::-1]),
            "type pairs are in another order, and of several the first one counts",
        ),
        (changed(pairs=BASE["pairs"][1:]), "field pair title removed (string: Jira summary ↔ Craft.io title)"),
        (with_pair(0, jira="description"), "field pair title: Jira field: summary → description"),
        (
            with_pair(1, values=[{"jira": "1", "craft": "7"}]),
            "field pair rank: value pair removed: Jira 2 ↔ Craft.io not set",
        ),
        (changed(pairs=BASE["pairs"][::-1]), "field pairs are in another order"),
        (
            with_pair(1, create_missing=True),
            "field pair rank: missing versions are created in Jira: false → true",
        ),
        (changed(future={"a": 1}), 'future: not set → {"a": 1}'),
    ],
)
def test_each_difference_is_said_in_words(after: dict[str, Any], words: str) -> None:
    assert [each.words for each in integration_differences(BASE, after)] == [words]


def test_what_saving_writes_by_itself_is_no_difference() -> None:
    assert integration_differences(BASE, with_pair(0, since=9, fields_since=9) | {"revision": 4}) == []
    body = {"id": "a", "name": "A", "url": "https://a.example", "revision": 1, "account_id": None}
    assert connection_differences(body, {**body, "revision": 2, "account_id": "x", "paused_reason": "401"}) == []


def test_what_is_new_is_said_to_be_new() -> None:
    assert [each.words for each in integration_differences(None, BASE)] == ["new, with 2 type pairs and 2 field pairs"]
    body = {"kind": "craft", "name": "A", "url": "https://a.example"}
    assert [each.words for each in connection_differences(None, body)] == ["new: craft at https://a.example"]


def test_long_values_are_shown_in_short_but_kept_whole() -> None:
    (found,) = integration_differences(BASE, changed(name="x" * 5000))
    assert len(found.words) < 200
    assert found.after == "x" * 5000


@given(INTEGRATIONS, INTEGRATIONS)
def test_two_bodies_are_different_exactly_when_a_difference_is_told(one: Integration, other: Integration) -> None:
    first, second = (next_revision(None, each).model_dump(mode="json") for each in (one, other))
    same = _meaning(one) == _meaning(other)
    assert (integration_differences(first, second) == []) is same
    assert (integration_differences(second, first) == []) is same


@given(INTEGRATIONS, st.data())
def test_one_changed_property_is_found(one: Integration, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["name", "jira_project", "craft_workspace", "craft_key_field"]))
    after = one.model_copy(update={name: f"{getattr(one, name)}!"})
    found = integration_differences(one.model_dump(mode="json"), after.model_dump(mode="json"))
    assert [(each.path, each.change) for each in found] == [(name, "changed")]


def _meaning(integration: Integration) -> Integration:
    pairs = tuple(pair.model_copy(update={"since": 0, "fields_since": 0}) for pair in integration.pairs)
    return integration.model_copy(update={"id": "", "revision": 0, "pairs": pairs})


def test_a_body_from_before_versions_were_created_says_the_same_as_one_that_creates_none() -> None:
    assert integration_differences(BASE, with_pair(1, create_missing=False)) == []


def test_a_rule_for_new_items_is_told_in_words_and_none_is_like_before_there_were_any() -> None:
    rule = {"side": "craft", "field": "custom:9", "values": ["Web", "Mobile"]}
    (found,) = integration_differences(BASE, changed(takes=[rule]))
    assert found.words == "which new items it is for: all → Craft.io custom:9 is Web or Mobile"
    assert integration_differences(BASE, changed(takes=[])) == []


def test_the_id_of_the_project_is_found_out_and_no_difference() -> None:
    assert integration_differences(BASE, changed(jira_project_id="10100")) == []
