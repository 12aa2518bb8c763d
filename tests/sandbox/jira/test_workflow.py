"""Laws of the workflow: a status changes only by a transition that the present status offers."""

from __future__ import annotations

from sandbox.jira.site import ADA_EMAIL
from tests.sandbox.jira.desk import Desk


def offered(desk: Desk, issue: str) -> dict[str, str]:
    """Return the transitions of an issue: status name to transition id."""
    shown = desk.get(f"/issue/{issue}/transitions").json["transitions"]
    return {one["to"]["name"]: one["id"] for one in shown}


def go(desk: Desk, issue: str, transition_id: str, **more: object) -> int:
    return desk.post(f"/issue/{issue}/transitions", {"transition": {"id": transition_id}, **more}).status


def status(desk: Desk, issue: str) -> str:
    return str(desk.get(f"/issue/{issue}").json["fields"]["status"]["name"])


def test_there_and_back_with_ids_that_differ_by_status(desk: Desk) -> None:
    issue = desk.create()
    assert offered(desk, issue) == {"In Progress": "11"}
    assert go(desk, issue, "11") == 204
    assert offered(desk, issue) == {"In Review": "21", "To Do": "31"}
    assert go(desk, issue, "21") == 204
    assert go(desk, issue, "41") == 204
    assert status(desk, issue) == "Done"
    assert go(desk, issue, "61") == 204
    assert go(desk, issue, "51") == 204
    assert status(desk, issue) == "In Progress"


def test_what_is_not_offered_now_is_refused(desk: Desk) -> None:
    issue = desk.create()
    assert go(desk, issue, "41") == 400
    assert go(desk, issue, "999") == 400
    assert desk.post(f"/issue/{issue}/transitions", {"transition": {"name": "Approve"}}).status == 400
    assert desk.get(f"/issue/{issue}/transitions", transitionId="41").json["transitions"] == []
    assert status(desk, issue) == "To Do"


def test_done_sets_a_resolution_and_leaving_it_clears_it_in_one_entry_each(desk: Desk) -> None:
    issue = desk.create()
    desk.site.person(ADA_EMAIL).transition(issue, "Done")
    assert desk.get(f"/issue/{issue}").json["fields"]["resolution"]["name"] == "Done"
    newest = desk.get(f"/issue/{issue}", expand="changelog").json["changelog"]["histories"][0]
    assert {one["field"]: one["toString"] for one in newest["items"]} == {"status": "Done", "resolution": "Done"}
    desk.site.person(ADA_EMAIL).transition(issue, "To Do")
    assert desk.get(f"/issue/{issue}").json["fields"]["resolution"] is None
    assert status(desk, issue) == "To Do"


def test_a_transition_screen_names_and_demands_its_fields(desk: Desk) -> None:
    issue, squad = desk.create(), desk.field("Squad")
    desk.site.transition_screen("APP", "11", squad)
    (shown,) = desk.get(f"/issue/{issue}/transitions", expand="transitions.fields").json["transitions"]
    assert shown["fields"][squad]["required"] is True
    assert shown["hasScreen"] is True
    refused = desk.post(f"/issue/{issue}/transitions", {"transition": {"id": "11"}})
    assert (refused.status, refused.json["errors"]) == (400, {squad: "Squad is required."})
    assert go(desk, issue, "11", fields={squad: {"value": "Red"}}) == 204
    assert go(desk, issue, "21", fields={squad: {"value": "Blue"}}) == 400


def test_history_metadata_of_a_transition_shows_in_its_entry(desk: Desk) -> None:
    issue = desk.create()
    metadata = {"type": "tandem", "extraData": {"op": "1"}}
    assert go(desk, issue, "11", historyMetadata=metadata) == 204
    assert desk.get(f"/issue/{issue}/changelog").json["values"][0]["historyMetadata"] == metadata
