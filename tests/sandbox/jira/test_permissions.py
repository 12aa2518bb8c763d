"""Laws of permissions: what is told of them is what holds."""

from __future__ import annotations

from sandbox.jira.site import SYNC_EMAIL
from tests.sandbox.jira.desk import Desk, fields_of


def held(desk: Desk, *keys: str) -> dict[str, bool]:
    shown = desk.get("/mypermissions", projectKey="APP", permissions=",".join(keys)).json["permissions"]
    return {key: one["havePermission"] for key, one in shown.items()}


def test_whoever_sees_a_project_may_work_in_it_until_a_permission_is_taken(desk: Desk) -> None:
    keys = ("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES")
    assert held(desk, *keys) == dict.fromkeys(keys, True)
    desk.site.deny("APP", SYNC_EMAIL, "CREATE_ISSUES")
    assert held(desk, *keys) == {"BROWSE_PROJECTS": True, "CREATE_ISSUES": False, "EDIT_ISSUES": True}
    assert held(desk.as_ada(), "CREATE_ISSUES") == {"CREATE_ISSUES": True}


def test_permissions_have_to_be_named_and_known_and_the_project_visible(desk: Desk) -> None:
    assert desk.get("/mypermissions", projectKey="APP").status == 400
    assert desk.get("/mypermissions", projectKey="APP", permissions="FLY").status == 400
    desk.site.hide_project("APP", SYNC_EMAIL)
    assert desk.get("/mypermissions", projectKey="APP", permissions="EDIT_ISSUES").status == 404


def test_without_create_issues_nothing_is_offered_or_made(desk: Desk) -> None:
    desk.site.deny("APP", SYNC_EMAIL, "CREATE_ISSUES")
    assert desk.get("/issue/createmeta/APP/issuetypes").status == 404
    reply = desk.post("/issue", {"fields": fields_of("One")})
    assert (reply.status, list(reply.json["errors"])) == (400, ["pid"])


def test_without_edit_issues_the_edit_screen_is_empty_and_an_edit_refused(desk: Desk) -> None:
    issue = desk.create()
    desk.site.deny("APP", SYNC_EMAIL, "EDIT_ISSUES")
    assert desk.get(f"/issue/{issue}/editmeta").json == {"fields": {}}
    assert desk.put(f"/issue/{issue}", {"fields": {"summary": "Two"}}).status == 403
    assert desk.get(f"/issue/{issue}", fields="summary").json["fields"]["summary"] == "Something"


def test_without_transition_issues_no_transition_is_there(desk: Desk) -> None:
    issue = desk.create()
    desk.site.deny("APP", SYNC_EMAIL, "TRANSITION_ISSUES")
    assert desk.get(f"/issue/{issue}/transitions").json["transitions"] == []
    assert desk.post(f"/issue/{issue}/transitions", {"transition": {"id": "11"}}).status == 400


def test_priorities_come_in_pages_with_the_default_marked(desk: Desk) -> None:
    page = desk.get("/priority/search", startAt=2, maxResults=2).json
    assert [(one["name"], one["isDefault"]) for one in page["values"]] == [("Medium", True), ("Low", False)]
    assert (page["total"], page["isLast"]) == (5, False)
