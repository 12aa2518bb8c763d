"""What an integration is for is told by ids and names, in whatever shape a vendor shows them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.ids import Side
from shared.domain.mapping import Takes
from shared.fields.takes import is_for


def jira(value: Any) -> dict[str, Any]:
    return {"fields": {"f": value}}


def craft(value: Any) -> dict[str, Any]:
    return {"customFields": [{"id": "8", "value": "Other"}, {"id": "f", "name": "Product", "value": value}]}


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("Web", True),
        ("WEB", True),
        (["Desktop", "web"], True),
        ({"id": "1", "value": "Web"}, True),
        ({"id": "1", "name": "Web"}, True),
        ([{"id": "2", "name": "Desktop"}, {"id": "web"}], True),
        ({"id": "2", "value": "Desktop", "child": {"value": "Web"}}, False),
        ("Website", False),
        ("", False),
        ([], False),
        (None, False),
        (True, False),
        ({"name": None}, False),
    ],
)
@pytest.mark.parametrize("side", list(Side))
def test_an_item_is_meant_by_the_id_or_the_name_of_what_it_holds(side: Side, value: Any, *, meant: bool) -> None:
    rule = Takes(side=side, field="f" if side is Side.JIRA else "custom:f", values=("Web", "True"))
    assert is_for(rule, jira(value) if side is Side.JIRA else craft(value)) is meant


def test_a_property_of_crafts_item_is_one_too_and_what_is_not_shown_is_nothing() -> None:
    rule = Takes(side=Side.CRAFT, field="labels", values=("web", "7"))
    assert is_for(rule, {"labels": ["Web"]})
    assert is_for(rule, {"labels": 7})
    assert not is_for(rule, {})
    assert not is_for(rule, {"customFields": "odd"})
    assert not is_for(Takes(side=Side.JIRA, field="f", values=("1",)), {"fields": None})
