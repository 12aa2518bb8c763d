"""Laws of creating issues: defaults, screens, shapes, hierarchy, properties, bulk."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import JiraSite
from tests.sandbox.jira.desk import Desk, TestClock, fields_of, text

OFF_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


def errors(desk: Desk, **fields: object) -> dict[str, str]:
    """Return the errors of a refused create; nothing may have been made."""
    before = len(desk.site.world.issues)
    reply = desk.post("/issue", {"fields": {**fields_of("A summary"), **fields}})
    assert reply.status == 400, reply
    assert len(desk.site.world.issues) == before
    assert desk.site.drain_webhooks() == []
    found: dict[str, str] = reply.json["errors"]
    return found


def test_a_new_issue_has_jiras_defaults_and_every_value_that_was_sent(desk: Desk) -> None:
    points, start, ref, reach, squad = (
        desk.field(name) for name in ("Story Points", "Start date", "Customer reference", "Reach", "Squad")
    )
    sent: dict[str, Any] = {
        "description": text("Why"),
        "priority": {"name": "High"},
        "labels": ["a", "b"],
        "duedate": "2026-03-04",
        points: 3,
        start: "2026-02-01",
        ref: "C-1",
        reach: 1.5,
        squad: {"value": "Green"},
    }
    issue = desk.create("Title", type="Story", **sent)
    fields = desk.get(f"/issue/{issue}").json["fields"]
    assert fields["summary"] == "Title"
    assert fields["description"] == text("Why")
    assert fields["priority"]["id"] == "2"
    assert (fields["labels"], fields["duedate"], fields[start]) == (["a", "b"], "2026-03-04", "2026-02-01")
    assert (fields[points], fields[ref], fields[reach]) == (3, "C-1", 1.5)
    assert (fields[squad]["value"], fields[squad]["id"]) == ("Green", "10021")
    assert fields["status"]["name"] == "To Do"
    assert fields["creator"]["accountId"] == fields["reporter"]["accountId"]
    assert fields["created"] == fields["updated"] == "2026-01-02T03:04:05.000+0000"
    assert fields["assignee"] is None
    bare = desk.get(f"/issue/{desk.create()}").json["fields"]
    assert (bare["priority"]["name"], bare["labels"], bare["description"]) == ("Medium", [], None)


def test_null_is_empty_and_missing_does_not_apply(desk: Desk) -> None:
    story = desk.create(type="Story")
    sub = desk.create(type="Sub-task", parent={"id": story})
    points = desk.field("Story Points")
    assert desk.get(f"/issue/{story}").json["fields"][points] is None
    assert "parent" not in desk.get(f"/issue/{story}").json["fields"]
    assert points not in desk.get(f"/issue/{sub}").json["fields"]
    assert desk.get(f"/issue/{sub}").json["fields"]["parent"]["id"] == story
    assert [one["id"] for one in desk.get(f"/issue/{story}").json["fields"]["subtasks"]] == [sub]


def test_the_intent_in_the_create_call_is_readable_at_once(desk: Desk) -> None:
    body = {"fields": fields_of("x"), "properties": [{"key": "tandem", "value": {"intent": "i-1"}}]}
    issue = desk.post("/issue", body).json["id"]
    assert desk.get(f"/issue/{issue}/properties/tandem").json == {"key": "tandem", "value": {"intent": "i-1"}}
    assert desk.get(f"/issue/{issue}", properties="tandem").json["properties"] == {"tandem": {"intent": "i-1"}}
    assert "properties" not in desk.get(f"/issue/{issue}").json


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("summary", "x" * 256, "Summary must be less than or equal to 255 characters."),
        ("summary", "two\nlines", "The summary is invalid because it contains newline characters."),
        ("summary", "  ", "You must specify a summary of the issue."),
        ("summary", 5, "Operation value must be a string"),
        ("priority", "High", "Specify a valid 'id' or 'name' for Priority"),
        ("priority", {"id": "99"}, "The priority selected is invalid."),
        ("labels", ["a b"], "The label 'a b' contains spaces which is invalid."),
        ("labels", "a", "data was not an array"),
        ("duedate", "2.1.2026", "Error parsing date string: 2.1.2026"),
        ("duedate", "2026-02-30", "Error parsing date string: 2026-02-30"),
        ("description", "plain", "Operation value must be an Atlassian Document (see the Atlassian Document Format)"),
        ("parent", "APP-1", "data was not an object"),
        ("parent", {"key": "APP-99"}, "Could not find issue by id or key."),
        ("assignee", {"accountId": "nobody"}, "User 'nobody' cannot be assigned issues."),
        ("nonsense", 1, OFF_SCREEN.format("nonsense")),
        ("status", {"name": "Done"}, OFF_SCREEN.format("status")),
        ("created", "2026-01-01", OFF_SCREEN.format("created")),
    ],
)
def test_a_bad_value_is_refused_under_its_field(desk: Desk, field: str, value: object, message: str) -> None:
    assert errors(desk, **{field: value}) == {field: message}


def test_custom_fields_refuse_the_wrong_shape_in_jiras_words(desk: Desk) -> None:
    points, squad, ref = desk.field("Story Points"), desk.field("Squad"), desk.field("Customer reference")
    assert errors(desk, **{points: "3"}) == {points: "Operation value must be a number"}
    assert errors(desk, **{points: True}) == {points: "Operation value must be a number"}
    assert errors(desk, **{squad: "Green"}) == {squad: "Specify a valid 'id' or 'name' for Squad"}
    assert errors(desk, **{squad: {"value": "Mauve"}}) == {squad: "Option value 'Mauve' is not valid"}
    assert errors(desk, **{squad: {"id": "1"}}) == {squad: "Option id '1' is not valid"}
    assert errors(desk, **{ref: {"value": "x"}}) == {ref: "Operation value must be a string"}


def test_every_bad_field_is_named_at_once(desk: Desk) -> None:
    assert set(errors(desk, labels=["a b"], duedate="x", unknown=1)) == {"labels", "duedate", "unknown"}


def test_project_and_type_are_checked_first(desk: Desk) -> None:
    assert errors(desk, project={"key": "NONE"}) == {"project": "Specify a valid project ID or key"}
    assert errors(desk, issuetype={"name": "Saga"}) == {"issuetype": "Specify a valid issue type"}
    assert errors(desk, issuetype={"id": "77"}) == {"issuetype": "The issue type selected is invalid."}
    assert errors(desk, issuetype=None) == {"issuetype": "Specify an issue type"}


def test_invalid_documents_are_invalid_input(desk: Desk) -> None:
    empty_text = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": ""}]}],
    }
    bare_text = {"type": "doc", "version": 1, "content": [{"type": "text", "text": "x"}]}
    no_version = {"type": "doc", "content": []}
    unknown = {"type": "doc", "version": 1, "content": [{"type": "marquee"}]}
    for document in (empty_text, bare_text, no_version, unknown):
        reply = desk.post("/issue", {"fields": fields_of("x", description=document)})
        assert (reply.status, reply.json) == (400, {"errorMessages": ["INVALID_INPUT"], "errors": {}})


def test_a_field_off_the_create_screen_cannot_be_set_and_a_required_one_must_be(desk: Desk) -> None:
    points, squad = desk.field("Story Points"), desk.field("Squad")
    screen = desk.site.screen("APP", "Task", "create")
    screen.remove(points)
    screen.add(squad, required=True)
    assert errors(desk, **{points: 3, squad: {"value": "Red"}}) == {points: OFF_SCREEN.format(points)}
    assert errors(desk) == {squad: "Squad is required."}
    red: dict[str, Any] = {squad: {"value": "Red"}}
    three: dict[str, Any] = {points: 3}
    desk.create(**red)
    desk.create(type="Story", **three)


def test_a_parent_is_exactly_one_level_above(desk: Desk) -> None:
    epic = desk.create(type="Epic")
    story = desk.create(type="Story", parent={"id": epic})
    sub = desk.create(type="Sub-task", parent={"key": "APP-2"})
    wrong = {"parentId": "Given parent work item does not belong to appropriate hierarchy."}
    assert errors(desk, parent={"id": story}) == wrong
    assert errors(desk, issuetype={"name": "Epic"}, parent={"id": epic}) == wrong
    assert errors(desk, issuetype={"name": "Sub-task"}, parent={"id": epic}) == wrong
    assert errors(desk, issuetype={"name": "Sub-task"}, parent={"id": sub}) == wrong


def test_a_sub_task_needs_a_parent_in_its_own_project(desk: Desk) -> None:
    desk.site.seed_project("OPS", "Ops")
    missing = {"issuetype": "Issue type is a sub-task but parent issue key or id not specified."}
    assert errors(desk, issuetype={"name": "Sub-task"}) == missing
    story, epic = desk.create(type="Story"), desk.create(type="Epic")
    away = errors(desk, project={"key": "OPS"}, issuetype={"name": "Sub-task"}, parent={"id": story})
    assert away == {"project": "Sub-tasks must be created in the same project as the parent."}
    reply = desk.post("/issue", {"fields": fields_of("x", project="OPS", parent={"id": epic})})
    assert reply.status == 201


def test_bulk_makes_what_it_can_and_names_what_it_cannot(desk: Desk) -> None:
    good, bad = {"fields": fields_of("good")}, {"fields": fields_of("bad", labels=["a b"])}
    mixed = desk.post("/issue/bulk", {"issueUpdates": [good, bad, good]})
    assert mixed.status == 201
    assert [one["key"] for one in mixed.json["issues"]] == ["APP-1", "APP-2"]
    (failed,) = mixed.json["errors"]
    assert (failed["status"], failed["failedElementNumber"]) == (400, 1)
    assert set(failed["elementErrors"]["errors"]) == {"labels"}
    assert desk.post("/issue/bulk", {"issueUpdates": [bad]}).status == 400
    assert desk.post("/issue/bulk", {"issueUpdates": [good] * 51}).status == 400
    assert len(desk.site.world.issues) == 2


def test_v2_takes_wiki_strings_and_v3_shows_them_as_documents(desk: Desk) -> None:
    body = {"fields": fields_of("x", description="Plain text")}
    issue = desk.post("/issue", body, api=2).json["id"]
    assert desk.get(f"/issue/{issue}", api=2).json["fields"]["description"] == "Plain text"
    assert desk.get(f"/issue/{issue}").json["fields"]["description"] == text("Plain text")
    refused = desk.post("/issue", {"fields": fields_of("x", description=text("a"))}, api=2)
    assert refused.json["errors"] == {"description": "Operation value must be a string"}


def test_ids_can_lie_beyond_2_to_the_53(clock: TestClock) -> None:
    first = 2**53 + 7
    site = JiraSite(
        now=clock, base_url="https://jira.test", settings=JiraSiteSettings(first_issue_id=first, first_history_id=first)
    )
    site.seed_project("APP", "App")
    desk = Desk(site, clock)
    issue = desk.create()
    assert issue == "9007199254740999"
    desk.put(f"/issue/{issue}", {"fields": {"summary": "y"}})
    assert desk.get(f"/issue/{issue}/changelog").json["values"][0]["id"] == "9007199254740999"
    assert desk.found("project = APP", reconcileIssues=[first]) == [issue]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"fields":[]}', b'{"fields":{"summary":NaN}}', b"[" * 100_000, b"\xff\xfe"]
)
def test_a_body_that_is_no_request_is_400(desk: Desk, body: bytes) -> None:
    reply = desk.post("/issue", body)
    assert reply.status == 400
    assert set(reply.json) == {"errorMessages", "errors"}


def test_a_body_nested_to_break_parsers_is_400(desk: Desk) -> None:
    deep = b'{"fields":{"description":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}"
    assert desk.post("/issue", deep).status == 400
