"""Laws of search: what a query means, pages by token, the lag of the index, and what is refused."""

from __future__ import annotations

import pytest

from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL
from tests.sandbox.jira.desk import Desk, text


def test_by_default_only_ids_come_back(desk: Desk) -> None:
    issue = desk.create()
    reply = desk.post("/search/jql", {"jql": "project = APP"})
    assert reply.json == {"issues": [{"id": issue}], "isLast": True}
    (keyed,) = desk.get("/search/jql", jql="project = APP", fields="key").json["issues"]
    assert keyed["key"] == "APP-1"
    assert "fields" not in keyed
    (named,) = desk.get("/search/jql", jql="project = APP", fields="summary,labels").json["issues"]
    assert named["fields"] == {"summary": "Something", "labels": []}


@pytest.mark.parametrize("jql", ["", "ORDER BY key DESC", "  order by created"])
def test_an_unbounded_query_is_refused(desk: Desk, jql: str) -> None:
    reply = desk.post("/search/jql", {"jql": jql})
    assert reply.status == 400
    assert "Unbounded JQL" in reply.json["errorMessages"][0]
    assert desk.post("/search/approximate-count", {"jql": jql}).status == 400


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("project = NONE", "The value 'NONE' does not exist for the field 'project'."),
        ("status = Nowhere", "The value 'Nowhere' does not exist for the field 'status'."),
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("project APP", "Error in the JQL Query: Expecting operator but got 'APP'."),
        ("project = APP AND", "Error in the JQL Query: Expecting a field name but got the end of the query."),
        ("(project = APP", "Error in the JQL Query: Expecting ')' but got the end of the query."),
        ("project = APP project = APP", "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'project'."),
        ("key = APP-77", "An issue with key 'APP-77' does not exist for field 'key'."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("assignee = nobody()", "Unable to find JQL function 'nobody()'."),
        ("status WAS Done", "Error in the JQL Query: Expecting operator but got 'WAS'."),
    ],
)
def test_a_query_that_jira_refuses_is_400_in_its_words(desk: Desk, jql: str, words: str) -> None:
    reply = desk.post("/search/jql", {"jql": jql})
    assert (reply.status, reply.json) == (400, {"errorMessages": [words], "errors": {}})


def test_the_old_search_is_gone(desk: Desk) -> None:
    assert desk.get("/search", jql="project = APP").status == 410
    assert desk.post("/search", {"jql": "project = APP"}).status == 410
    assert desk.get("/search", api=2, jql="project = APP").status == 410


def test_clauses_mean_what_they_say(desk: Desk) -> None:
    points, squad = desk.field("Story Points"), desk.field("Squad")
    epic = desk.create("Epic of search", type="Epic")
    fields = {
        "parent": {"id": epic},
        "labels": ["red", "blue"],
        "priority": {"name": "High"},
        "duedate": "2026-03-01",
        points: 5,
        squad: {"value": "Green"},
        "description": text("A needle in hay"),
    }
    one = desk.create("First needle", type="Story", **fields)
    two = desk.create("Second", type="Bug")
    desk.site.person(ADA_EMAIL).edit(two, assignee=ADA_EMAIL)
    desk.site.person(ADA_EMAIL).transition(two, "In Progress")
    cases = {
        "project = APP": [two, one, epic],
        "project = app AND issuetype = Story": [one],
        "type in (Story, Bug) ORDER BY key ASC": [one, two],
        "type not in (Story, Bug)": [epic],
        "NOT (type = Story OR type = Bug)": [epic],
        "parent = APP-1": [one],
        f"parent = {epic}": [one],
        "labels = red": [one],
        "labels in (red, green)": [one],
        "labels != green": [one],
        "labels is EMPTY": [two, epic],
        "priority = High": [one],
        "priority != High": [two, epic],
        "assignee is EMPTY": [one, epic],
        "assignee = ada@example.com": [two],
        "assignee != ada@example.com": [],
        "creator = currentUser()": [two, one, epic],
        "status = 'In Progress'": [two],
        "statusCategory != Done AND statusCategory != new": [two],
        '"Story Points" >= 5': [one],
        f"cf[{points.removeprefix('customfield_')}] < 5": [],
        "Squad = Green": [one],
        "due <= 2026-03-01": [one],
        "duedate > '2026-03-01'": [],
        "summary ~ needle": [one],
        "summary ~ need": [],
        'summary ~ "need*"': [one],
        "text ~ hay": [one],
        "summary !~ needle": [two, epic],
        "key in (APP-1, APP-3)": [two, epic],
        f"id = {two}": [two],
        "key > APP-1 order by key": [one, two],
        "project = APP ORDER BY priority, key": [one, epic, two],
        "project = APP ORDER BY summary ASC": [epic, one, two],
        "updated >= -5m and project = APP": [two, one, epic],
        "created < -1h": [],
        "created >= startOfDay()": [two, one, epic],
    }
    found = {jql: desk.found(jql) for jql in cases}
    assert found == cases


def test_dates_are_read_in_the_callers_time_zone(desk: Desk) -> None:
    desk.site.add_account("far@example.com", "Far", token="far", utc_offset_min=330)
    issue = desk.create()
    far = Desk(desk.site, desk.clock, "far@example.com", "far")
    assert far.found("created >= '2026-01-02 08:34'") == [issue]
    assert desk.found("created >= '2026-01-02 08:34'") == []
    assert far.get(f"/issue/{issue}").json["fields"]["created"] == "2026-01-02T08:34:05.000+0530"


def test_pages_follow_the_token_to_the_last_one_and_show_each_issue_once(desk: Desk) -> None:
    made = [desk.create(f"n{number}") for number in range(7)]
    body = {"jql": "project = APP ORDER BY created", "maxResults": 3}
    seen, token, pages = [], None, 0
    while True:
        reply = desk.post("/search/jql", body | ({"nextPageToken": token} if token else {})).json
        seen += [one["id"] for one in reply["issues"]]
        pages += 1
        token = reply.get("nextPageToken")
        assert reply["isLast"] is (token is None)
        if token is None:
            break
        desk.clock.turn(1)
        desk.put(f"/issue/{made[0]}", {"fields": {"summary": f"moved {pages}"}})
    assert pages == 3
    assert sorted(seen) == sorted(made)


def test_a_token_belongs_to_its_query_and_lives_seven_days(desk: Desk) -> None:
    for _ in range(3):
        desk.create()
    token = desk.post("/search/jql", {"jql": "project = APP", "maxResults": 1}).json["nextPageToken"]
    again = {"jql": "project = APP", "maxResults": 1, "nextPageToken": token}
    assert desk.post("/search/jql", again).status == 200
    assert desk.post("/search/jql", again | {"jql": "type = Task"}).status == 400
    assert desk.post("/search/jql", again | {"nextPageToken": "made up"}).status == 400
    desk.clock.turn(7 * 86_400 + 1)
    assert desk.post("/search/jql", again).status == 400


def test_what_was_created_or_edited_shows_only_after_the_lag(desk: Desk) -> None:
    desk.site.configure(index_lag_s=10)
    issue = desk.create("Old")
    assert desk.found("project = APP") == []
    assert desk.post("/search/approximate-count", {"jql": "project = APP"}).json == {"count": 0}
    assert desk.get(f"/issue/{issue}").status == 200
    desk.clock.turn(10)
    assert desk.found("project = APP") == [issue]
    desk.put(f"/issue/{issue}", {"fields": {"summary": "New"}})
    assert desk.found("summary ~ Old") == [issue]
    (row,) = desk.post("/search/jql", {"jql": "project = APP", "fields": ["summary"]}).json["issues"]
    assert row["fields"]["summary"] == "Old"
    desk.clock.turn(10)
    assert desk.found("summary ~ Old") == []


def test_named_issues_are_shown_as_they_are_in_spite_of_the_lag(desk: Desk) -> None:
    desk.site.configure(index_lag_s=10)
    issue, other = desk.create("Fresh"), desk.create("Other")
    assert desk.found("project = APP", reconcileIssues=[int(issue)]) == [issue]
    assert desk.get("/search/jql", jql="project = APP", reconcileIssues=other).json["issues"] == [{"id": other}]
    assert desk.post("/search/jql", {"jql": "project = APP", "reconcileIssues": [1] * 51}).status == 400
    assert desk.post("/search/jql", {"jql": "project = APP", "reconcileIssues": [issue]}).status == 400


def test_an_unknown_part_of_the_request_is_refused(desk: Desk) -> None:
    assert desk.post("/search/jql", {"jql": "project = APP", "startAt": 0}).status == 400
    assert desk.post("/search/jql", {"jql": 5}).status == 400
    assert desk.post("/search/jql", {"jql": "project = APP", "maxResults": "ten"}).status == 400


def test_match_tells_which_issues_a_query_would_find(desk: Desk) -> None:
    story, task = desk.create(type="Story"), desk.create()
    body = {"issueIds": [int(story), int(task), 999], "jqls": ["type = Story", "project = APP", "type = Nothing"]}
    matches = desk.post("/jql/match", body).json["matches"]
    assert [one["matchedIssues"] for one in matches] == [[int(story)], [int(story), int(task)], []]
    assert [len(one["errors"]) for one in matches] == [0, 0, 1]
    assert desk.post("/jql/match", {"issueIds": [story], "jqls": []}).status == 400


def test_a_deleted_issue_never_shows(desk: Desk) -> None:
    issue = desk.create()
    desk.delete(f"/issue/{issue}")
    assert desk.found("project = APP") == []


def test_properties_and_the_changelog_come_with_a_search(desk: Desk) -> None:
    issue = desk.create()
    desk.put(f"/issue/{issue}/properties/tandem", {"intent": "1"})
    desk.put(f"/issue/{issue}", {"fields": {"summary": "New"}})
    body = {"jql": f"creator = '{SYNC_EMAIL}'", "fields": ["summary"], "properties": ["tandem"], "expand": "changelog"}
    (row,) = desk.post("/search/jql", body).json["issues"]
    assert row["properties"] == {"tandem": {"intent": "1"}}
    assert row["changelog"]["total"] == 1
