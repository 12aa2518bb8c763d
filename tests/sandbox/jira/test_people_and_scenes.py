"""Laws of the conveniences: people act through REST, scenes seed, settings change, the state tells all."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.jira.person import PersonRefused
from sandbox.jira.site import ADA_EMAIL, GRACE_EMAIL, JiraSite
from tests.sandbox.jira.desk import Desk

KIM = "kim@example.com"
SCENE = {
    "accounts": [{"email": KIM, "name": "Kim Lee"}],
    "projects": [{"key": "SHOP", "name": "Shop"}],
    "webhooks": [{"url": "https://hook.test", "secret": "s"}],
    "issues": [
        {"project": "SHOP", "type": "Epic", "summary": "Checkout", "ref": "epic", "description": "Pay"},
        {"project": "SHOP", "type": "Story", "summary": "Cart", "parent": "epic", "reach": 3, "status": "Done"},
        {"project": "SHOP", "type": "Sub-task", "summary": "Icon", "parent": "Cart", "by": KIM},
    ],
}


def states(site: JiraSite) -> dict[str, Any]:
    issues: Any = site.state()["issues"]
    return {one["key"]: one for one in issues}


def test_a_person_sets_fields_by_name_and_the_state_tells_them_plainly(desk: Desk) -> None:
    ada = desk.site.person(ADA_EMAIL)
    epic = ada.create_issue("APP", "Epic", type="Epic")
    issue = ada.create_issue(
        "APP",
        "Story",
        type="Story",
        parent=epic,
        story_points=3,
        squad="Red",
        start_date="2026-01-05",
        priority="High",
        labels=["x"],
        description="Plain *bold*",
        customer_reference="C-1",
        reach=2,
        assignee=GRACE_EMAIL,
    )
    ada.edit(issue, summary="Renamed", duedate="2026-02-01", squad=None)
    ada.transition(issue, "Done")
    ada.comment(issue, "Hi")
    state = states(desk.site)["APP-2"]
    assert (state["id"], state["type"], state["parent"]) == (issue, "Story", epic)
    assert state["created_by"] == ada.account.account_id
    assert state["comments"] == ["Hi"]
    assert len(state["changelog"]) == 4
    expected = {
        "Summary": "Renamed",
        "Story Points": 3.0,
        "Squad": None,
        "Start date": "2026-01-05",
        "Priority": "High",
        "Labels": ["x"],
        "Description": "Plain *bold*",
        "Customer reference": "C-1",
        "Reach": 2.0,
        "Assignee": GRACE_EMAIL,
        "Due date": "2026-02-01",
        "Status": "Done",
        "Project": "APP",
    }
    assert expected.items() <= state["named"].items()
    ada.edit(issue, parent=None)
    assert states(desk.site)["APP-2"]["parent"] is None
    ada.delete(epic)
    assert set(states(desk.site)) == {"APP-2"}


def test_a_person_is_refused_like_anybody(desk: Desk) -> None:
    ada = desk.site.person(ADA_EMAIL)
    with pytest.raises(PersonRefused) as refused:
        ada.create_issue("APP", "x" * 300)
    assert refused.value.status == 400
    with pytest.raises(KeyError):
        desk.site.person("nobody@example.com")


def test_a_scene_is_seeded_by_people_with_parents_and_statuses(site: JiraSite) -> None:
    made: Any = site.seed_scene(SCENE)
    assert set(made["issues"]) == {"epic", "Cart", "Icon"}
    shown = states(site)
    assert shown["SHOP-2"]["parent"] == made["issues"]["epic"]
    assert shown["SHOP-2"]["named"]["Status"] == "Done"
    assert shown["SHOP-3"]["named"]["Creator"] == KIM
    assert len(site.drain_webhooks()) == 6


@pytest.mark.parametrize(
    "scene",
    [
        [],
        {"issue": []},
        {"issues": {}},
        {"issues": [{"project": "APP"}]},
        {"issues": [{"project": "APP", "type": "Saga", "summary": "x"}]},
        {"issues": [{"project": "APP", "type": "Task", "summary": "x", "colour": "red"}]},
        {"webhooks": [{"url": "nowhere"}]},
    ],
)
def test_a_bad_scene_is_refused_with_words(site: JiraSite, scene: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        site.seed_scene(scene)


def test_settings_change_while_running_and_bad_ones_are_refused_with_words(desk: Desk) -> None:
    shown: Any = desk.site.apply_settings({"index_lag_s": 3, "write_limit": False, "conflict_next": 1})
    assert (shown["index_lag_s"], shown["write_limit"]) == (3, False)
    issue = desk.create()
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": "x"}}).status == 409
    bad: list[object] = [[], {"nothing": 1}, {"index_lag_s": "3"}, {"write_limit": 1}, {"conflict_next": True}]
    for data in bad:
        with pytest.raises(ValueError, match=r"\w"):
            desk.site.apply_settings(data)
    assert desk.site.settings.index_lag_s == 3
