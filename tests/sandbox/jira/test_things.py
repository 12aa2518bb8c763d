"""Fields that hold things from lists: what Jira takes, refuses, shows and logs."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import JiraSite
from tests.sandbox.jira.desk import Desk, TestClock
from tests.sandbox.jira.openapi import Document, find_document


@pytest.fixture
def rich() -> Desk:
    clock = TestClock()
    site = JiraSite(now=clock, base_url="https://jira.test", settings=JiraSiteSettings(rich_fields=True))
    site.seed_project("APP", "App")
    return Desk(site, clock)


def new(desk: Desk, **fields: Any) -> str:
    """Create a story with fields by their display names; return its id."""
    sent = {"project": {"key": "APP"}, "issuetype": {"name": "Story"}, "summary": "S"}
    sent |= {desk.field(name) if name[0].isupper() else name: value for name, value in fields.items()}
    reply = desk.post("/issue", {"fields": sent})
    assert reply.status == 201, reply.json
    return str(reply.json["id"])


def shown(desk: Desk, issue: str, name: str) -> Any:
    """Return a field of an issue."""
    return desk.get(f"/issue/{issue}").json["fields"][desk.field(name) if name[0].isupper() else name]


GOOD: tuple[tuple[str, Any, Any], ...] = (
    ("components", [{"name": "Docs"}, {"id": "10601"}], [("10603", "Docs"), ("10601", "Back end")]),
    ("fixVersions", [{"name": "2026 Q2"}], [("10702", "2026 Q2")]),
    ("Platforms", [{"id": "10201"}, {"value": "API"}], [("10201", "Web"), ("10204", "API")]),
)


@pytest.mark.parametrize(("name", "sent", "expected"), GOOD)
def test_things_are_set_by_id_or_name_and_shown_with_both(
    rich: Desk, name: str, sent: Any, expected: list[tuple[str, str]]
) -> None:
    found = shown(rich, new(rich, **{name: sent}), name)
    assert [(one["id"], one.get("name", one.get("value"))) for one in found] == expected


def test_a_cascading_select_shows_its_child(rich: Desk) -> None:
    found = shown(rich, new(rich, Region={"value": "Europe", "child": {"id": "10412"}}), "Region")
    assert (found["id"], found["child"]["value"]) == ("10401", "Paris")
    assert "child" not in shown(rich, new(rich, Region={"id": "10402"}), "Region")


def test_empty_lists_of_jiras_own_are_lists_and_those_of_custom_fields_null(rich: Desk) -> None:
    issue = new(rich)
    assert [shown(rich, issue, name) for name in ("components", "fixVersions", "Platforms", "Sprint", "Region")] == [
        [], [], None, None, None,
    ]  # fmt: skip


def test_a_closed_sprint_stays_when_another_one_is_set(rich: Desk) -> None:
    issue = new(rich, Sprint=3)
    values = dict(rich.site.world.issues[issue].values)
    rich.site.world.put_values(rich.site.world.issues[issue], {**values, rich.field("Sprint"): ("1", "3")})
    assert rich.put(f"/issue/{issue}", {"fields": {rich.field("Sprint"): 4}}).status == 204
    assert [(one["id"], one["state"]) for one in shown(rich, issue, "Sprint")] == [(1, "closed"), (4, "future")]
    entry = rich.get(f"/issue/{issue}/changelog").json["values"][-1]["items"][0]
    assert (entry["from"], entry["to"], entry["toString"]) == ("1, 3", "1, 4", "Sprint 1, Sprint 4")


BAD: tuple[tuple[str, Any, str], ...] = (
    ("components", ["Docs"], "expected Object"),
    ("components", "Docs", "data was not an array"),
    ("components", [{"id": "9"}], "Component id '9' is not valid"),
    ("components", [{"name": "Nope"}], "Component name 'Nope' is not valid"),
    ("fixVersions", [{"name": "Nope"}], "Version name 'Nope' is not valid"),
    ("Platforms", [{"id": "9"}], "Option id '9' is not valid"),
    ("Region", {"id": "10401", "child": {"id": "10421"}}, "Option id '10421' is not valid"),
    ("Region", {"id": "10411"}, "Option id '10411' is not valid"),
    ("Sprint", "3", "Number value expected as the Sprint id."),
    ("Sprint", [3], "Number value expected as the Sprint id."),
    ("Sprint", 1, "Issue can be assigned only active or future sprints."),
    ("Sprint", 99, "Sprint with id 99 does not exist."),
    ("Design", "figma", "Not a valid URL"),
    ("Go live", "2026-01-02", "Error parsing time: 2026-01-02"),
    ("Reviewer", {"accountId": "nobody"}, "The reviewer specified is not a user."),
)


@pytest.mark.parametrize(("name", "sent", "words"), BAD)
def test_what_is_not_there_is_refused_by_field(rich: Desk, name: str, sent: Any, words: str) -> None:
    issue = new(rich)
    field = rich.field(name) if name[0].isupper() else name
    reply = rich.put(f"/issue/{issue}", {"fields": {field: sent}})
    assert (reply.status, reply.json["errors"]) == (400, {field: words})


def test_components_are_added_and_removed_and_logged_one_by_one(rich: Desk) -> None:
    issue = new(rich, components=[{"name": "Docs"}])
    verbs = [{"add": {"name": "Back end"}}, {"remove": {"name": "Docs"}}]
    assert rich.put(f"/issue/{issue}", {"update": {"components": verbs}}).status == 204
    items = rich.get(f"/issue/{issue}/changelog").json["values"][-1]["items"]
    assert [(one["field"], one["fieldId"], one["fromString"], one["toString"]) for one in items] == [
        ("Component", "components", "Docs", None),
        ("Component", "components", None, "Back end"),
    ]


def test_the_screens_tell_what_can_be_chosen(rich: Desk) -> None:
    issue = new(rich)
    meta = rich.get(f"/issue/{issue}/editmeta").json["fields"]
    assert [one["name"] for one in meta["components"]["allowedValues"]] == ["Back end", "Front end", "Docs"]
    regions = meta[rich.field("Region")]["allowedValues"]
    assert [child["value"] for child in regions[0]["children"]] == ["Berlin", "Paris"]
    assert "allowedValues" not in meta[rich.field("Sprint")]


def test_all_of_it_is_as_atlassian_describes(rich: Desk) -> None:
    path = find_document()
    for name, sent, _ in GOOD:
        new(rich, **{name: sent})
    issue = new(rich, Sprint=3, Design="https://figma.example/1", **{"Go live": "2026-01-02T03:04:05.000+0000"})
    for each in (f"/issue/{issue}", f"/issue/{issue}/editmeta", f"/issue/{issue}/changelog", "/field", "/project/APP"):
        assert rich.get(each).status == 200
    if path is not None:
        assert Document(path).problems(rich.seen) == []
