"""Laws of issue links: which end shows which words, what a repeat and a deletion do, who may, and what is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL
from tests.sandbox.jira.desk import Desk

URL = "https://hook.test/jira/1"


def wanted(begins: str, ends: str, kind: str = "Blocks") -> dict[str, object]:
    return {"type": {"name": kind}, "inwardIssue": {"id": begins}, "outwardIssue": {"id": ends}}


def shown(desk: Desk, issue: str) -> list[Any]:
    links = desk.get(f"/issue/{issue}", fields="issuelinks").json["fields"]["issuelinks"]
    return [(each["type"]["name"], end, each[end]["id"]) for each in links for end in each if end.endswith("Issue")]


def test_where_a_link_begins_the_other_issue_is_the_outward_one(desk: Desk) -> None:
    one, other = desk.create("One"), desk.create("Other")
    assert desk.post("/issueLink", wanted(one, other)).status == 201
    assert shown(desk, one) == [("Blocks", "outwardIssue", other)]
    assert shown(desk, other) == [("Blocks", "inwardIssue", one)]
    assert desk.site.world.issues[one].values["updated"] == desk.site.world.now()
    (entry,) = desk.get(f"/issue/{other}/changelog").json["values"]
    assert entry["items"][0]["toString"] == "This issue is blocked by APP-1"


def test_a_repeat_is_answered_alike_and_makes_no_second_link(desk: Desk) -> None:
    one, other = desk.create("One"), desk.create("Other")
    replies = [desk.post("/issueLink", wanted(one, other)) for _ in range(2)]
    assert [(each.status, each.json) for each in replies] == [(201, None), (201, None)]
    assert len(shown(desk, one)) == 1
    assert desk.post("/issueLink", wanted(other, one)).status == 201  # the other way round it is another one
    assert len(shown(desk, one)) == 2


def test_a_deleted_link_is_gone_from_both_issues(desk: Desk) -> None:
    one, other = desk.create("One"), desk.create("Other")
    desk.post("/issueLink", wanted(one, other))
    link = desk.get(f"/issue/{one}").json["fields"]["issuelinks"][0]["id"]
    assert desk.delete(f"/issueLink/{link}").status == 204
    assert (shown(desk, one), shown(desk, other)) == ([], [])
    assert desk.delete(f"/issueLink/{link}").status == 404
    assert desk.get(f"/issueLink/{link}").status == 404


def test_links_go_with_an_issue(desk: Desk) -> None:
    one, other = desk.create("One"), desk.create("Other")
    desk.post("/issueLink", wanted(one, other, "Relates"))
    desk.delete(f"/issue/{other}")
    assert shown(desk, one) == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": {"name": "Nothing"}}, 404),
        ({"outwardIssue": {"id": "1"}}, 404),
        ({"outwardIssue": {}}, 400),
        ({"nonsense": 1}, 400),
    ],
)
def test_what_jira_does_not_take_is_refused(desk: Desk, change: dict[str, object], status: int) -> None:
    one, other = desk.create("One"), desk.create("Other")
    assert desk.post("/issueLink", {**wanted(one, other), **change}).status == status
    assert desk.post("/issueLink", wanted(one, one)).status == 400
    assert shown(desk, one) == []


def test_linking_takes_a_permission(desk: Desk) -> None:
    one, other = desk.create("One"), desk.create("Other")
    ada = desk.site.person(ADA_EMAIL)
    ada.send("POST", "/issueLink", wanted(one, other))
    desk.site.deny("APP", SYNC_EMAIL, "LINK_ISSUES")
    link = desk.get(f"/issue/{one}").json["fields"]["issuelinks"][0]["id"]
    assert desk.post("/issueLink", wanted(other, one)).status == 404
    assert desk.delete(f"/issueLink/{link}").status == 404
    assert shown(desk, one) == [("Blocks", "outwardIssue", other)]
    ada.send("DELETE", f"/issueLink/{link}")
    assert shown(desk, other) == []


def test_a_link_is_told_by_the_ids_of_both_issues_as_numbers(desk: Desk) -> None:
    one, other = desk.create("One"), desk.create("Other")
    desk.site.register_webhook(URL)
    ada = desk.site.person(ADA_EMAIL)
    ada.send("POST", "/issueLink", wanted(one, other))
    link = desk.get(f"/issue/{one}").json["fields"]["issuelinks"][0]["id"]
    ada.send("DELETE", f"/issueLink/{link}")
    made, gone = (json.loads(each.body) for each in desk.site.drain_webhooks())
    assert [made["webhookEvent"], gone["webhookEvent"]] == ["issuelink_created", "issuelink_deleted"]
    assert made["issueLink"] == gone["issueLink"]
    assert (made["issueLink"]["sourceIssueId"], made["issueLink"]["destinationIssueId"]) == (int(one), int(other))
    assert "issue" not in made
    assert "user" not in made
