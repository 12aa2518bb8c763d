"""A broad scenario in REST v3, and the law that all of it is as Atlassian's OpenAPI document says, when at hand."""

from __future__ import annotations

from sandbox.jira.routes import API_ROUTES, TOKEN_PAGED
from sandbox.jira.site import SYNC_TOKEN
from tests.sandbox.jira.desk import Desk, fields_of, text
from tests.sandbox.jira.openapi import Document, find_document

METADATA = (
    "/myself",
    "/serverInfo",
    "/field",
    "/priority",
    "/priority/search",
    "/issueLinkType",
    "/issuetype",
    "/status",
    "/project",
    "/project/search",
    "/project/APP",
    "/project/APP/statuses",
    "/issue/createmeta/APP/issuetypes",
    "/issue/createmeta/APP/issuetypes/10001",
    "/issue/createmeta/APP/issuetypes/10004",
)


def learn(desk: Desk) -> None:
    assert {desk.get(path).status for path in METADATA} == {200}
    assert len(desk.get("/user/search", query="Ada").json) == 1
    assert desk.get("/mypermissions", projectKey="APP", permissions="CREATE_ISSUES,EDIT_ISSUES").status == 200
    assert desk.get("/mypermissions", projectKey="APP").status == 400
    project = int(desk.get("/project/APP").json["id"])
    version = desk.post("/version", {"name": "2027 Q1", "projectId": project})
    assert version.status == 201
    assert desk.get(f"/version/{version.json['id']}").json == version.json
    assert desk.post("/version", {"name": "2027 Q1", "projectId": project}).status == 400
    assert desk.post("/version", {"name": "x", "projectId": 1}).status == 404


def write(desk: Desk) -> tuple[str, str, str]:
    """Create, edit, transition, comment; return epic, story and sub-task."""
    points, squad, start = desk.field("Story Points"), desk.field("Squad"), desk.field("Start date")
    epic = desk.create("Epic", type="Epic", description=text("Why", "What"))
    sent = {
        "fields": {**fields_of("Story", type="Story", parent={"id": epic}), points: 3, squad: {"value": "Red"}},
        "properties": [{"key": "tandem", "value": {"intent": "i-1"}}],
        "historyMetadata": {"type": "tandem", "extraData": {"op": "l:1"}},
    }
    story = desk.post("/issue", sent).json["id"]
    sub = desk.create("Sub", type="Sub-task", parent={"id": story})
    good, bad = {"fields": fields_of("Bulk")}, {"fields": fields_of("Bulk", labels=["a b"])}
    assert desk.post("/issue/bulk", {"issueUpdates": [good, bad]}).status == 201
    assert desk.post("/issue/bulk", {"issueUpdates": [bad]}).status == 400
    ada = desk.get("/user/search", query="Ada").json[0]["accountId"]
    edit = {
        "fields": {"summary": "New", start: "2026-02-03", "assignee": {"accountId": ada}, "description": text("D")},
        "update": {"labels": [{"add": "x"}]},
        "historyMetadata": {"type": "tandem", "extraData": {"op": "l:2"}},
    }
    assert desk.put(f"/issue/{story}", edit, returnIssue="true", expand="changelog").status == 200
    assert (
        desk.put(f"/issue/{story}", {"update": {"parent": [{"set": {"none": True}}]}}, notifyUsers="false").status
        == 204
    )
    assert desk.get(f"/issue/{story}/transitions", expand="transitions.fields").status == 200
    assert desk.post(f"/issue/{story}/transitions", {"transition": {"id": "11"}}).status == 204
    assert desk.post(f"/issue/{story}/comment", {"body": text("Hi")}).status == 201
    assert desk.put(f"/issue/{story}/properties/other", {"a": [1, None]}).status == 201
    return epic, story, sub


def read(desk: Desk, epic: str, story: str) -> None:
    everything = desk.get(f"/issue/{story}", expand="changelog,names,schema,editmeta", properties="*all")
    assert everything.json["properties"].keys() == {"tandem", "other"}
    paths = ("changelog", "editmeta", "properties", "properties/tandem", "comment", "transitions")
    assert {desk.get(f"/issue/{story}/{path}").status for path in paths} == {200}
    assert desk.get(f"/issue/{story}/changelog", startAt=1, maxResults=1).json["isLast"] is False
    body = {"jql": "project = APP ORDER BY updated", "maxResults": 2, "fields": ["*all"], "expand": "changelog"}
    first = desk.post("/search/jql", {**body, "reconcileIssues": [int(epic)]}).json
    assert desk.post("/search/jql", {**body, "nextPageToken": first["nextPageToken"]}).status == 200
    assert desk.get("/search/jql", jql="project = APP", fields="summary", maxResults=1).status == 200
    assert (
        desk.post("/jql/match", {"issueIds": [int(epic), int(story)], "jqls": ["type = Epic", "x = 1"]}).status == 200
    )
    assert desk.post("/search/approximate-count", {"jql": "project = APP"}).json == {"count": 4}


def link(desk: Desk, epic: str, story: str) -> None:
    wanted = {"type": {"name": "Blocks"}, "inwardIssue": {"id": epic}, "outwardIssue": {"id": story}}
    assert [desk.post("/issueLink", wanted).status for _ in range(2)] == [201, 201]
    (shown,) = desk.get(f"/issue/{epic}", fields="issuelinks").json["fields"]["issuelinks"]
    assert desk.get(f"/issueLink/{shown['id']}").json["outwardIssue"]["id"] == story
    assert desk.post("/issueLink", {**wanted, "type": {"name": "None"}}).status == 404
    assert [desk.delete(f"/issueLink/{shown['id']}").status for _ in range(2)] == [204, 404]


def be_refused(desk: Desk, story: str) -> None:
    assert desk.post("/issue", {"fields": fields_of("x", nonsense=1)}).status == 400
    assert desk.put(f"/issue/{story}", {"fields": {"summary": ""}}).status == 400
    assert desk.post(f"/issue/{story}/transitions", {"transition": {"id": "99"}}).status == 400
    assert desk.post("/search/jql", {"jql": ""}).status == 400
    assert desk.get("/search", jql="project = APP").status == 410
    assert desk.post("/search", {"jql": "project = APP"}).status == 410
    assert desk.get("/issue/NONE-1").status == 404
    desk.site.conflict_next(1)
    assert desk.put(f"/issue/{story}", {"fields": {"summary": "x"}}).status == 409
    statuses = [desk.put(f"/issue/{story}", {"fields": {"summary": f"s{number}"}}).status for number in range(25)]
    assert statuses[-1] == 429
    desk.clock.turn(60)
    desk.site.revoke_token(SYNC_TOKEN)
    assert desk.get("/myself").status == 401
    assert desk.get("/search/jql", jql="project = APP").json == {"issues": [], "isLast": True}
    assert desk.get(f"/issue/{story}").status == 404
    desk.site.restore_token(SYNC_TOKEN)


def test_a_broad_scenario_holds_and_conforms_to_atlassians_document(desk: Desk) -> None:
    learn(desk)
    epic, story, sub = write(desk)
    read(desk, epic, story)
    link(desk, epic, story)
    be_refused(desk, story)
    assert desk.delete(f"/issue/{story}/properties/other").status == 204
    assert desk.delete(f"/issue/{story}", deleteSubtasks="true").status == 204
    assert desk.get(f"/issue/{sub}").status == 404
    path = find_document()
    if path is not None:
        document = Document(path)
        assert document.problems(desk.seen) == []
        assert len(document.used) == len(API_ROUTES) + len(TOKEN_PAGED)
