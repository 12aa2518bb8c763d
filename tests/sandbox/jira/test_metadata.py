"""Laws of metadata: what a client learns of a site before it writes."""

from __future__ import annotations

from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import JiraSite
from tests.sandbox.jira.desk import Desk, TestClock


def test_story_points_are_known_by_their_schema_and_their_id_differs_by_site(desk: Desk, clock: TestClock) -> None:
    def points(at: Desk) -> str:
        (found,) = (
            one["id"]
            for one in at.get("/field").json
            if one.get("schema", {}).get("custom") == "com.pyxis.greenhopper.jira:jsw-story-points"
        )
        return str(found)

    other = JiraSite(now=clock, base_url="https://b.test", settings=JiraSiteSettings(first_custom_field_id=12_345))
    assert points(desk) == desk.field("Story Points")
    assert points(Desk(other, clock)) == "customfield_12346"


def test_types_have_levels_and_only_the_lowest_is_a_sub_task(desk: Desk) -> None:
    levels = {one["name"]: (one["hierarchyLevel"], one["subtask"]) for one in desk.get("/issuetype").json}
    assert levels == {
        "Epic": (1, False),
        "Story": (0, False),
        "Task": (0, False),
        "Bug": (0, False),
        "Sub-task": (-1, True),
    }


def test_statuses_have_the_three_categories(desk: Desk) -> None:
    shown = {one["name"]: one["statusCategory"]["key"] for one in desk.get("/status").json}
    assert shown == {"To Do": "new", "In Progress": "indeterminate", "In Review": "indeterminate", "Done": "done"}


def test_create_metadata_is_the_create_screen_in_pages(desk: Desk) -> None:
    types = desk.get("/issue/createmeta/APP/issuetypes").json
    story = next(one["id"] for one in types["issueTypes"] if one["name"] == "Story")
    path = f"/issue/createmeta/APP/issuetypes/{story}"
    first = desk.get(path, maxResults=4).json
    second = desk.get(path, startAt=4).json
    ids = [one["fieldId"] for one in first["fields"] + second["fields"]]
    assert len(first["fields"]) == 4
    assert len(ids) == len(set(ids)) == first["total"]
    assert set(ids) == set(desk.site.screen("APP", "Story", "create").fields)
    assert desk.get("/issue/createmeta/APP/issuetypes/77").status == 404
    assert desk.get("/issue/createmeta/NONE/issuetypes").status == 404


def test_metadata_says_what_is_required_and_what_is_allowed(desk: Desk) -> None:
    desk.site.screen("APP", "Story", "create").add("duedate", required=True)
    fields = {one["fieldId"]: one for one in desk.get("/issue/createmeta/APP/issuetypes/10001").json["fields"]}
    assert fields["duedate"]["required"] is True
    assert fields["description"]["required"] is False
    assert [one["name"] for one in fields["priority"]["allowedValues"]] == [
        "Highest",
        "High",
        "Medium",
        "Low",
        "Lowest",
    ]
    assert [one["value"] for one in fields[desk.field("Squad")]["allowedValues"]] == ["Red", "Green", "Blue"]
    assert fields["labels"]["operations"] == ["add", "set", "remove"]


def test_edit_metadata_offers_types_of_the_same_level_and_no_project(desk: Desk) -> None:
    fields = desk.get(f"/issue/{desk.create()}/editmeta").json["fields"]
    assert {one["name"] for one in fields["issuetype"]["allowedValues"]} == {"Story", "Task", "Bug"}
    assert "project" not in fields


def test_a_sub_task_has_no_story_points_on_its_screens(desk: Desk) -> None:
    fields = desk.get("/issue/createmeta/APP/issuetypes/10004").json["fields"]
    assert desk.field("Story Points") not in {one["fieldId"] for one in fields}
    assert next(one for one in fields if one["fieldId"] == "parent")["required"] is True


def test_a_project_is_found_by_key_and_id_and_lists_its_types_and_statuses(desk: Desk) -> None:
    by_key = desk.get("/project/APP").json
    assert desk.get(f"/project/{by_key['id']}").json == by_key
    assert len(by_key["issueTypes"]) == 5
    assert [one["key"] for one in desk.get("/project").json] == ["APP"]
    assert desk.get("/project/search").json["total"] == 1
    assert {len(one["statuses"]) for one in desk.get("/project/APP/statuses").json} == {4}
    assert desk.get("/project/NONE").status == 404


def test_server_info_says_cloud_and_its_date_header_is_the_sites_clock(desk: Desk) -> None:
    reply = desk.get("/serverInfo")
    assert reply.json["deploymentType"] == "Cloud"
    assert reply.headers["date"] == "Fri, 02 Jan 2026 03:04:05 GMT"


def test_an_unknown_path_is_404_and_an_unknown_method_405(desk: Desk) -> None:
    assert desk.get("/nothing/here").status == 404
    reply = desk.put("/myself", {})
    assert (reply.status, reply.headers["allow"]) == (405, "GET")
