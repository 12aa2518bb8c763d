"""Laws of editing and deleting: screens, verbs, what changes nothing, conflicts, the changelog."""

from __future__ import annotations

import pytest

from sandbox.jira.site import ADA_EMAIL
from tests.sandbox.jira.desk import Desk, text

OP = {"type": "tandem", "extraData": {"op": "link-1:7"}}


def histories(desk: Desk, issue: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = desk.get(f"/issue/{issue}/changelog").json["values"]
    return found


def item(desk: Desk, issue: str, field: str) -> tuple[object, ...]:
    """Return from, fromString, to, toString of a field in the newest changelog entry."""
    newest = desk.get(f"/issue/{issue}", expand="changelog").json["changelog"]["histories"][0]
    (found,) = (one for one in newest["items"] if one["field"] == field)
    return found["from"], found["fromString"], found["to"], found["toString"]


def test_an_edit_is_204_and_one_entry_with_every_changed_field(desk: Desk) -> None:
    issue = desk.create("Old", labels=["a"])
    desk.clock.turn(60)
    reply = desk.put(f"/issue/{issue}", {"fields": {"summary": "New", "labels": ["a"], "duedate": "2026-02-03"}})
    assert (reply.status, reply.raw) == (204, b"")
    (entry,) = histories(desk, issue)
    assert [one["fieldId"] for one in entry["items"]] == ["summary", "duedate"]  # type: ignore[attr-defined]
    assert entry["created"] == "2026-01-02T03:05:05.000+0000"
    fields = desk.get(f"/issue/{issue}").json["fields"]
    assert (fields["summary"], fields["updated"]) == ("New", "2026-01-02T03:05:05.000+0000")


def test_an_edit_that_changes_nothing_leaves_no_trace(desk: Desk) -> None:
    issue = desk.create("Same", labels=["a"], description=text("Text"))
    desk.site.register_webhook("https://hook.test")
    desk.clock.turn(60)
    before = desk.get(f"/issue/{issue}").json["fields"]
    same = {"summary": "Same", "labels": ["a"], "description": text("Text"), desk.field("Reach"): None}
    assert desk.put(f"/issue/{issue}", {"fields": same}).status == 204
    assert desk.get(f"/issue/{issue}").json["fields"] == before
    assert histories(desk, issue) == []
    assert desk.site.drain_webhooks() == []


def test_return_issue_gives_the_issue_with_its_changelog_and_the_operation(desk: Desk) -> None:
    issue = desk.create("Old")
    body = {"fields": {"summary": "New"}, "historyMetadata": OP}
    reply = desk.put(f"/issue/{issue}", body, returnIssue="true", expand="changelog")
    assert reply.status == 200
    assert reply.json["fields"]["summary"] == "New"
    newest = reply.json["changelog"]["histories"][0]
    assert newest["historyMetadata"] == OP
    assert newest["items"][0] == {
        "field": "summary",
        "fieldtype": "jira",
        "fieldId": "summary",
        "from": None,
        "fromString": "Old",
        "to": None,
        "toString": "New",
    }


def test_history_metadata_can_be_lost_and_the_returned_issue_reduced_when_a_test_wants_it(desk: Desk) -> None:
    desk.site.configure(history_metadata=False, return_issue_fields="edited")
    issue = desk.create("Old", labels=["a"])
    body = {"fields": {"summary": "New"}, "update": {"labels": [{"add": "b"}]}, "historyMetadata": OP}
    reply = desk.put(f"/issue/{issue}", body, returnIssue="true", expand="changelog")
    assert reply.json["fields"] == {"summary": "New", "labels": ["a", "b"]}
    assert "historyMetadata" not in reply.json["changelog"]["histories"][0]


def test_a_persons_entry_has_no_metadata_and_its_own_author(desk: Desk) -> None:
    issue = desk.create()
    desk.site.person(ADA_EMAIL).edit(issue, summary="By Ada")
    (entry,) = histories(desk, issue)
    assert "historyMetadata" not in entry
    assert entry["author"]["displayName"] == "Ada Moreno"  # type: ignore[index]


def test_edits_within_one_tick_of_a_coarse_clock_have_equal_times_and_rising_ids(desk: Desk) -> None:
    issue = desk.create()
    for name in ("one", "two", "three"):
        desk.put(f"/issue/{issue}", {"fields": {"summary": name}})
    entries = histories(desk, issue)
    assert len({entry["created"] for entry in entries}) == 1
    numbers = [int(str(entry["id"])) for entry in entries]
    assert numbers == sorted(set(numbers))


def test_the_changelog_is_oldest_first_in_pages_and_newest_first_when_expanded(desk: Desk) -> None:
    issue = desk.create()
    for number in range(5):
        desk.put(f"/issue/{issue}", {"fields": {"summary": f"s{number}"}})
    page = desk.get(f"/issue/{issue}/changelog", startAt=1, maxResults=2).json
    assert [one["items"][0]["toString"] for one in page["values"]] == ["s1", "s2"]
    assert (page["total"], page["isLast"]) == (5, False)
    assert "startAt=3" in page["nextPage"]
    assert desk.get(f"/issue/{issue}/changelog", startAt=4).json["isLast"] is True
    desk.site.configure(expand_changelog_max=3)
    expanded = desk.get(f"/issue/{issue}", expand="changelog").json["changelog"]
    assert [one["items"][0]["toString"] for one in expanded["histories"]] == ["s4", "s3", "s2"]
    assert expanded["total"] == 5


def test_changelog_items_carry_ids_where_jira_does(desk: Desk) -> None:
    epic = desk.create(type="Epic")
    issue = desk.create(type="Story", labels=["a", "b"])
    points, squad, start = desk.field("Story Points"), desk.field("Squad"), desk.field("Start date")
    ada = desk.get("/user/search", query="ada").json[0]["accountId"]
    fields = {
        "priority": {"name": "Low"},
        "labels": ["b", "c"],
        points: 2.5,
        squad: {"value": "Blue"},
        start: "2026-02-03",
        "duedate": "2026-02-03",
        "assignee": {"accountId": ada},
        "parent": {"id": epic},
        "description": text("Hello"),
    }
    assert desk.put(f"/issue/{issue}", {"fields": fields}).status == 204
    assert item(desk, issue, "priority") == ("3", "Medium", "4", "Low")
    assert item(desk, issue, "labels") == ("", "a b", "", "b c")
    assert item(desk, issue, "Story Points") == (None, None, None, "2.5")
    assert item(desk, issue, "Squad") == (None, None, "10022", "Blue")
    assert item(desk, issue, "Start date") == (None, None, "2026-02-03", "03/Feb/26")
    assert item(desk, issue, "duedate") == (None, None, "2026-02-03", "2026-02-03 00:00:00.0")
    assert item(desk, issue, "assignee") == (None, None, ada, "Ada Moreno")
    assert item(desk, issue, "description") == (None, None, None, "Hello")
    assert item(desk, issue, "IssueParentAssociation") == (None, None, epic, "APP-1")
    desk.put(f"/issue/{issue}", {"fields": {points: 5}})
    assert item(desk, issue, "Story Points") == (None, "2.5", None, "5")


def test_a_field_off_the_edit_screen_rejects_the_whole_edit(desk: Desk) -> None:
    issue = desk.create("Old", duedate="2026-01-09")
    desk.site.screen("APP", "Task", "edit").remove("duedate")
    reply = desk.put(f"/issue/{issue}", {"fields": {"summary": "New", "duedate": "2026-02-03"}})
    words = "Field 'duedate' cannot be set. It is not on the appropriate screen, or unknown."
    assert (reply.status, reply.json) == (400, {"errorMessages": [], "errors": {"duedate": words}})
    fields = desk.get(f"/issue/{issue}").json["fields"]
    assert (fields["summary"], fields["duedate"]) == ("Old", "2026-01-09")
    assert "duedate" not in desk.get(f"/issue/{issue}/editmeta").json["fields"]


def test_project_and_status_cannot_be_edited_and_a_transition_in_an_edit_is_ignored(desk: Desk) -> None:
    issue = desk.create()
    for field in ("project", "status"):
        reply = desk.put(f"/issue/{issue}", {"fields": {field: {"id": "1"}}})
        assert set(reply.json["errors"]) == {field}
    assert desk.put(f"/issue/{issue}", {"transition": {"id": "11"}}).status == 204
    assert desk.get(f"/issue/{issue}").json["fields"]["status"]["name"] == "To Do"


def test_update_verbs_apply_in_order(desk: Desk) -> None:
    issue = desk.create(labels=["a"])
    verbs = [{"add": "b"}, {"add": "a"}, {"remove": "a"}, {"add": "c"}]
    assert desk.put(f"/issue/{issue}", {"update": {"labels": verbs, "summary": [{"set": "Set"}]}}).status == 204
    fields = desk.get(f"/issue/{issue}").json["fields"]
    assert (fields["labels"], fields["summary"]) == (["b", "c"], "Set")


@pytest.mark.parametrize(
    "body",
    [
        {"fields": {"labels": ["x"]}, "update": {"labels": [{"add": "y"}]}},
        {"update": {"summary": [{"add": "x"}]}},
        {"update": {"labels": {"add": "x"}}},
        {"update": {"labels": [{"add": "x", "remove": "y"}]}},
        {"update": {"labels": [{"add": "a b"}]}},
        {"update": []},
        {"historyMetadata": "x", "fields": {"summary": "n"}},
        {"historyMetadata": {"extraData": {"op": 1}}, "fields": {"summary": "n"}},
    ],
)
def test_a_malformed_edit_changes_nothing(desk: Desk, body: object) -> None:
    issue = desk.create("Old", labels=["a"])
    reply = desk.put(f"/issue/{issue}", body)
    assert reply.status == 400
    assert histories(desk, issue) == []


def test_a_parent_is_changed_and_cleared_but_not_of_a_sub_task(desk: Desk) -> None:
    one, two = desk.create(type="Epic"), desk.create(type="Epic")
    story = desk.create(type="Story", parent={"id": one})
    sub = desk.create(type="Sub-task", parent={"id": story})
    desk.put(f"/issue/{story}", {"fields": {"parent": {"id": two}}})
    assert desk.get(f"/issue/{story}").json["fields"]["parent"]["id"] == two
    none = {"update": {"parent": [{"set": {"none": True}}]}}
    assert desk.put(f"/issue/{story}", none).status == 204
    assert "parent" not in desk.get(f"/issue/{story}").json["fields"]
    assert desk.put(f"/issue/{sub}", none).status == 400


def test_a_type_changes_within_its_level_only(desk: Desk) -> None:
    issue = desk.create(type="Task")
    assert desk.put(f"/issue/{issue}", {"fields": {"issuetype": {"name": "Bug"}}}).status == 204
    for name in ("Epic", "Sub-task"):
        reply = desk.put(f"/issue/{issue}", {"fields": {"issuetype": {"name": name}}})
        assert reply.json["errors"]["issuetype"] == "The issue type selected is invalid."


def test_a_required_field_cannot_be_emptied(desk: Desk) -> None:
    issue = desk.create()
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": None}}).status == 400
    squad = desk.field("Squad")
    desk.put(f"/issue/{issue}", {"fields": {squad: {"value": "Red"}}})
    desk.site.screen("APP", "Task", "edit").add(squad, required=True)
    reply = desk.put(f"/issue/{issue}", {"fields": {squad: None}})
    assert reply.json["errors"] == {squad: "Squad is required."}


def test_409_comes_when_asked_for_and_has_no_effect(desk: Desk) -> None:
    issue, other = desk.create("Old"), desk.create("Other")
    desk.site.conflict_next(1, issue_id=issue)
    edit = {"fields": {"summary": "New"}}
    assert desk.put(f"/issue/{other}", edit).status == 204
    assert desk.put(f"/issue/{issue}", edit).status == 409
    assert desk.get(f"/issue/{issue}").json["fields"]["summary"] == "Old"
    assert desk.put(f"/issue/{issue}", edit).status == 204


def test_writes_to_one_issue_are_limited_and_others_go_on(desk: Desk) -> None:
    issue, other = desk.create(), desk.create()
    for number in range(20):
        assert desk.put(f"/issue/{issue}", {"fields": {"summary": f"s{number}"}}).status == 204
    refused = desk.put(f"/issue/{issue}", {"fields": {"summary": "one too many"}})
    assert refused.status == 429
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["ratelimit-reason"] == "jira-per-issue-on-write"
    assert refused.headers["x-ratelimit-limit"] == "20"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-ratelimit-reset"] == "2026-01-02T03:04:07Z"
    assert desk.get(f"/issue/{issue}").json["fields"]["summary"] == "s19"
    assert desk.put(f"/issue/{other}", {"fields": {"summary": "fine"}}).status == 204
    desk.clock.turn(2)
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": "later"}}).status == 204


def test_the_second_window_allows_a_hundred_writes_in_thirty_seconds(desk: Desk) -> None:
    issue = desk.create()
    statuses = []
    for number in range(101):
        statuses.append(desk.put(f"/issue/{issue}", {"fields": {"summary": f"s{number}"}}).status)
        desk.clock.turn(0.15)
    assert statuses == [204] * 100 + [429]
    desk.clock.turn(15)
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": "later"}}).status == 204


def test_deleting_takes_sub_tasks_only_when_asked_and_frees_children_of_an_epic(desk: Desk) -> None:
    epic = desk.create(type="Epic")
    story = desk.create(type="Story", parent={"id": epic})
    sub = desk.create(type="Sub-task", parent={"id": story})
    assert desk.delete(f"/issue/{story}").status == 400
    assert desk.delete(f"/issue/{epic}").status == 204
    assert "parent" not in desk.get(f"/issue/{story}").json["fields"]
    assert desk.delete(f"/issue/{story}", deleteSubtasks="true").status == 204
    assert {desk.get(f"/issue/{one}").status for one in (epic, story, sub)} == {404}
    assert desk.site.state() == {"issues": [], "deleted": [epic, sub, story]}


def test_a_moved_issue_keeps_its_id_and_is_found_by_its_old_key(desk: Desk) -> None:
    desk.site.seed_project("OPS", "Ops")
    issue = desk.create()
    desk.site.register_webhook("https://hook.test")
    assert desk.site.move_issue(issue, "OPS") == "OPS-1"
    found = desk.get("/issue/app-1").json
    assert (found["id"], found["key"], found["fields"]["project"]["key"]) == (issue, "OPS-1", "OPS")
    assert b'"issue_moved"' in desk.site.drain_webhooks()[0].body


def test_properties_are_any_json_and_touch_nothing_else(desk: Desk) -> None:
    issue = desk.create()
    before = desk.get(f"/issue/{issue}").json["fields"]["updated"]
    desk.clock.turn(5)
    path = f"/issue/{issue}/properties/tandem"
    assert desk.get(path).status == 404
    assert desk.put(path, {"intent": "1"}).status == 201
    assert desk.put(path, [1, None, "x"]).status == 200
    assert desk.get(path).json["value"] == [1, None, "x"]
    assert [one["key"] for one in desk.get(f"/issue/{issue}/properties").json["keys"]] == ["tandem"]
    assert desk.put(path, "x" * 32_768).status == 400
    assert desk.delete(path).status == 204
    assert desk.delete(path).status == 404
    assert desk.get(f"/issue/{issue}").json["fields"]["updated"] == before
    assert histories(desk, issue) == []


def test_fields_can_be_chosen(desk: Desk) -> None:
    issue = desk.create("Title")
    assert desk.get(f"/issue/{issue}", fields="summary,labels").json["fields"] == {"summary": "Title", "labels": []}
    without = desk.get(f"/issue/{issue}", fields="-description").json["fields"]
    assert "description" not in without
    assert "summary" in without
    assert set(desk.get(f"/issue/{issue}", expand="names,schema").json) >= {"names", "schema"}


def test_a_field_may_be_taken_with_a_good_answer_and_left_alone(desk: Desk) -> None:
    issue = desk.create("Old", labels=["a"])
    desk.site.configure(ignored_fields=("summary",))
    reply = desk.put(f"/issue/{issue}", {"fields": {"summary": "New", "labels": ["b"]}}, returnIssue="true")
    assert (reply.status, reply.json["fields"]["summary"], reply.json["fields"]["labels"]) == (200, "Old", ["b"])
    desk.put(f"/issue/{issue}", {"fields": {"summary": "New"}})
    assert len(histories(desk, issue)) == 1  # of the labels


def test_an_automation_may_set_a_field_back_at_once(desk: Desk) -> None:
    issue = desk.create("Old")
    desk.site.configure(put_back_fields=("summary",))
    reply = desk.put(f"/issue/{issue}", {"fields": {"summary": "New"}, "historyMetadata": OP}, returnIssue="true")
    assert reply.json["fields"]["summary"] == "Old"
    ours, back = histories(desk, issue)
    assert (ours["historyMetadata"], "historyMetadata" in back) == (OP, False)
    assert ours["author"] != back["author"]


def test_settings_that_name_fields_are_lists_on_the_control_surface(desk: Desk) -> None:
    desk.site.apply_settings({"ignored_fields": ["summary"]})
    assert desk.site.settings.ignored_fields == ("summary",)
    with pytest.raises(ValueError, match="ignored_fields"):
        desk.site.apply_settings({"ignored_fields": "summary"})


def test_a_renamed_key_is_new_everywhere_and_the_old_one_is_answered_to_as_before(desk: Desk) -> None:
    issue = desk.create()
    old = desk.get(f"/issue/{issue}").json["key"]
    desk.site.drain_webhooks()
    desk.site.rename_key("APP", "APX")
    assert desk.site.drain_webhooks() == []
    found = desk.get(f"/issue/{old}").json
    assert (found["id"], found["key"], found["fields"]["project"]["key"]) == (issue, old.replace("APP", "APX"), "APX")
    project = found["fields"]["project"]["id"]
    assert {desk.get(f"/project/{each}").json["key"] for each in ("APP", "APX", project)} == {"APX"}
    for named in ("APP", "APX", '"APP"', project):
        page = desk.site.person(ADA_EMAIL).send(
            "POST", "/search/jql", {"jql": f"project = {named}", "fields": ["summary"]}, api=3
        )
        assert [each["id"] for each in page["issues"]] == [issue], named  # type: ignore[attr-defined]
