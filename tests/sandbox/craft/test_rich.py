"""Custom fields of every type, and what items can point to."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.craft.account import RICH_CATALOGUES, RICH_FIELDS
from sandbox.craft.model import Workspace
from sandbox.craft.person import CraftPerson, RefusedError
from sandbox.craft.settings import ADA_KEY
from sandbox.craft.site import CraftSite
from tests.sandbox.jira.desk import TestClock


@pytest.fixture
def site() -> CraftSite:
    site = CraftSite(now=TestClock(), base_url="https://craft.test")
    site.account.seed_workspace("Rich", custom_fields=RICH_FIELDS, catalogues=RICH_CATALOGUES)
    return site


@pytest.fixture
def ada(site: CraftSite) -> CraftPerson:
    return site.person(ADA_KEY.key)


def custom(item: dict[str, Any], name: str) -> tuple[Any, Any]:
    """Return `value` and `values` of a custom field as an item shows it."""
    found: dict[str, Any] = next((each for each in item["customFields"] if each["name"] == name), {})
    return found.get("value"), found.get("values")


def test_fields_of_every_type_hold_what_they_are_for(site: CraftSite, ada: CraftPerson) -> None:
    fields = {"Platforms": ["Web", "API"], "Approved": True, "Launch day": "2026-01-02", "Design": "https://x.example"}
    item = ada.create_item(type="story", title="S", customFields=fields)
    platforms = site.workspace().custom_field("Platforms")
    assert custom(item, "Platforms") == (None, [platforms.option_id("Web"), platforms.option_id("API")])
    assert custom(item, "Approved") == ("true", None)
    assert custom(item, "Launch day") == ("2026-01-02", None)
    emptied = ada.edit(item["id"], customFields={"Platforms": None, "Approved": None})
    assert custom(emptied, "Platforms") == (None, None)
    assert custom(emptied, "Approved") == (None, None)


@pytest.mark.parametrize(
    ("name", "entry", "path", "words"),
    [
        ("Platforms", {"values": ["9"]}, "values", "no option with id 9"),
        ("Platforms", {"value": "x"}, "values", "'values' is required for a field with several values"),
        ("Approved", {"value": "yes"}, "value", "invalid boolean value"),
        ("Launch day", {"value": "2026-02-30"}, "value", "invalid ISO 8601 date format, i.e. YYYY-MM-DD"),
        ("Design", {"value": "figma"}, "value", "invalid url"),
        ("Area", {"values": ["x"]}, "value", "'value' is required for a field with one value"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_with_its_path(
    site: CraftSite, ada: CraftPerson, name: str, entry: dict[str, Any], path: str, words: str
) -> None:
    item = ada.create_item(type="story", title="S")
    body = [{"id": site.workspace().custom_field(name).id, **entry}]
    with pytest.raises(RefusedError) as refused:
        ada.edit(item["id"], customFields=body)
    assert f"customFields.$0.{path}" in str(refused.value)
    assert words in str(refused.value)


def test_items_point_to_sprints_quarters_objectives_and_personas(site: CraftSite, ada: CraftPerson) -> None:
    known = _catalogue(site.workspace())
    item = ada.create_item(
        type="story",
        title="S",
        sprint={"id": known["sprint", "Sprint 3"]},
        quarter={"id": known["quarter", "2026 Q1"]},
        objectives=[{"id": known["objectives", "Grow"]}],
        personas=[{"id": known["personas", "Buyer"]}],
    )
    assert (item["sprint"]["name"], item["quarter"]["name"]) == ("Sprint 3", "2026 Q1")
    assert [each["name"] for each in (*item["objectives"], *item["personas"])] == ["Grow", "Buyer"]


def test_an_assignee_is_shown_by_name_and_taken_off_by_null(site: CraftSite, ada: CraftPerson) -> None:
    user = next(iter(site.account.users.values()))
    item = ada.create_item(type="story", title="S", assignee={"id": user.id, "team": "Web"})
    assert item["assignee"] == {"id": user.id, "team": "Web", "user": user.name}
    assert ada.edit(item["id"], assignee=None)["assignee"] is None


def _catalogue(workspace: Workspace) -> dict[tuple[str, str], str]:
    return {(kind, each.name): each.id for kind, all_of in workspace.catalogues.items() for each in all_of.values()}
