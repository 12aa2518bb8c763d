"""Laws of webhooks: who gets which event, what is in it, and how it is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sandbox.jira.site import ADA_EMAIL
from sandbox.kit.site import WebhookDelivery
from tests.sandbox.jira.conftest import SECRET
from tests.sandbox.jira.desk import Desk, text

URL = "https://hook.test/jira/1"


def events(desk: Desk) -> list[Any]:
    return [json.loads(one.body) for one in desk.site.drain_webhooks()]


def only(desk: Desk) -> WebhookDelivery:
    (delivery,) = desk.site.drain_webhooks()
    return delivery


def test_a_created_issue_is_told_in_v2_shape_without_addresses(desk: Desk) -> None:
    desk.site.register_webhook(URL)
    issue = desk.create(description=text("As wiki"))
    delivery = only(desk)
    event = json.loads(delivery.body)
    assert delivery.url == URL
    assert (event["webhookEvent"], event["issue_event_type_name"]) == ("jira:issue_created", "issue_created")
    assert event["timestamp"] == 1_767_323_045_000
    assert "changelog" not in event
    assert event["issue"]["id"] == issue
    assert event["issue"]["self"] == f"https://jira.test/rest/api/2/issue/{issue}"
    assert event["issue"]["fields"]["description"] == "As wiki"
    assert b"@example.com" not in delivery.body


def test_an_edit_is_told_with_the_same_changelog_that_the_issue_has(desk: Desk) -> None:
    issue = desk.create()
    desk.site.register_webhook(URL)
    desk.site.person(ADA_EMAIL).edit(issue, summary="New", priority="Low")
    (event,) = events(desk)
    (entry,) = desk.get(f"/issue/{issue}/changelog").json["values"]
    assert event["changelog"] == {"id": entry["id"], "items": entry["items"]}
    assert event["user"]["displayName"] == "Ada Moreno"
    assert event["issue_event_type_name"] == "issue_updated"


def test_the_kind_of_update_is_named(desk: Desk) -> None:
    issue = desk.create()
    desk.site.register_webhook(URL)
    ada = desk.site.person(ADA_EMAIL)
    ada.edit(issue, assignee=ADA_EMAIL)
    ada.transition(issue, "In Progress")
    assert [one["issue_event_type_name"] for one in events(desk)] == ["issue_assigned", "issue_generic"]


def test_the_signature_is_over_the_raw_body(desk: Desk) -> None:
    desk.site.register_webhook(URL, secret=SECRET)
    desk.create("Über")
    delivery = only(desk)
    digest = hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["x-hub-signature"] == f"sha256={digest}"
    assert "Über".encode() in delivery.body


def test_a_webhook_without_a_secret_is_not_signed(desk: Desk) -> None:
    desk.site.register_webhook(URL)
    desk.create()
    assert "x-hub-signature" not in only(desk).headers


def test_each_delivery_has_its_own_identifier_and_jiras_retry_rules(desk: Desk) -> None:
    desk.site.register_webhook(URL)
    desk.site.register_webhook(URL + "2")
    desk.create()
    one, two = desk.site.drain_webhooks()
    assert one.identifier != two.identifier
    assert one.headers["x-atlassian-webhook-identifier"] == one.identifier
    assert one.headers["x-atlassian-webhook-flow"] == "Primary"
    assert one.max_retries == 5
    assert {408, 409, 425, 429, 500, 503} <= one.retry_statuses
    assert not one.retry_statuses & {400, 401, 403, 404, 413, 422}
    assert desk.site.drain_webhooks() == []


def test_a_filter_and_the_list_of_events_decide(desk: Desk) -> None:
    desk.site.register_webhook(URL, jql="issuetype = Story")
    desk.site.register_webhook(URL + "/gone", events=("jira:issue_deleted",))
    desk.create(type="Task")
    assert desk.site.drain_webhooks() == []
    story = desk.create(type="Story")
    assert len(desk.site.drain_webhooks()) == 1
    desk.delete(f"/issue/{story}")
    assert {one.url for one in desk.site.drain_webhooks()} == {URL, URL + "/gone"}


def test_a_comment_is_told_twice_reduced_and_without_changelog(desk: Desk) -> None:
    issue = desk.create(description=text("Long"))
    desk.site.register_webhook(URL)
    desk.clock.turn(1)
    comment = desk.site.person(ADA_EMAIL).comment(issue, "Well *done*")
    created, updated = events(desk)
    assert created["webhookEvent"] == "comment_created"
    assert (created["comment"]["id"], created["comment"]["body"]) == (comment, "Well *done*")
    assert "user" not in created
    assert set(created["issue"]["fields"]) == {"summary", "issuetype", "project", "assignee", "priority", "status"}
    assert (updated["webhookEvent"], updated["issue_event_type_name"]) == ("jira:issue_updated", "issue_commented")
    assert "changelog" not in updated
    assert updated["issue"]["fields"]["updated"] == "2026-01-02T03:04:06.000+0000"
    shown = desk.get(f"/issue/{issue}/comment").json["comments"]
    assert shown[0]["body"]["type"] == "doc"


def test_old_sites_tell_of_a_comment_without_any_issue(desk: Desk) -> None:
    desk.site.configure(comment_issue="absent", comment_updates_issue=False)
    issue = desk.create()
    desk.site.register_webhook(URL)
    desk.post(f"/issue/{issue}/comment", {"body": text("x")})
    (event,) = events(desk)
    assert "issue" not in event
    assert f"/issue/{issue}/comment/" in event["comment"]["self"]


def test_sub_tasks_deleted_with_their_parent_are_told_as_secondary(desk: Desk) -> None:
    story = desk.create(type="Story")
    sub = desk.create(type="Sub-task", parent={"id": story})
    desk.site.register_webhook(URL)
    desk.delete(f"/issue/{story}", deleteSubtasks="true")
    told = desk.site.drain_webhooks()
    flows = [(json.loads(one.body)["issue"]["id"], one.headers["x-atlassian-webhook-flow"]) for one in told]
    assert flows == [(story, "Primary"), (sub, "Secondary")]
    assert {json.loads(one.body)["webhookEvent"] for one in told} == {"jira:issue_deleted"}


def test_a_refused_request_is_not_told(desk: Desk) -> None:
    issue = desk.create()
    desk.site.register_webhook(URL)
    desk.put(f"/issue/{issue}", {"fields": {"summary": "x", "nothing": 1}})
    desk.post("/issue", {"fields": {}})
    assert desk.site.drain_webhooks() == []


def test_a_body_shows_the_issue_as_it_was_when_the_event_happened(desk: Desk) -> None:
    issue = desk.create("First")
    desk.site.register_webhook(URL)
    for name in ("Second", "Third"):
        desk.put(f"/issue/{issue}", {"fields": {"summary": name}})
    assert [one["issue"]["fields"]["summary"] for one in events(desk)] == ["Second", "Third"]


def test_administrators_register_read_and_remove_webhooks_and_never_see_the_secret(desk: Desk) -> None:
    body = {
        "name": "Tandem",
        "url": "https://hook.test/{issue.key}?p=${project.key}",
        "events": ["jira:issue_created"],
        "filters": {"issue-related-events-section": "project = APP"},
        "excludeBody": True,
        "secret": SECRET,
    }
    made = desk.post("/rest/webhooks/1.0/webhook", body)
    assert (made.status, made.json["isSigned"]) == (201, True)
    path = made.json["self"].removeprefix("https://jira.test")
    listed = desk.get("/rest/webhooks/1.0/webhook")
    assert listed.json == [desk.get(path).json]
    assert SECRET.encode() not in made.raw + listed.raw
    desk.create()
    delivery = only(desk)
    assert (delivery.url, delivery.body) == ("https://hook.test/APP-1?p=APP", b"")
    assert desk.as_ada().get("/rest/webhooks/1.0/webhook").status == 403
    assert desk.anonymous().get("/rest/webhooks/1.0/webhook").status == 401
    assert desk.delete(path).status == 204
    assert desk.get(path).status == 404
    desk.create()
    assert desk.site.drain_webhooks() == []


def test_properties_are_told_to_those_who_ask(desk: Desk) -> None:
    issue = desk.create()
    desk.site.register_webhook(URL, events=("issue_property_set", "issue_property_deleted"))
    desk.put(f"/issue/{issue}/properties/k", 1)
    desk.delete(f"/issue/{issue}/properties/k")
    assert [one["webhookEvent"] for one in events(desk)] == ["issue_property_set", "issue_property_deleted"]


def test_bulk_creates_are_told_as_secondary(desk: Desk) -> None:
    desk.site.register_webhook(URL)
    fields = {"project": {"key": "APP"}, "issuetype": {"name": "Task"}, "summary": "x"}
    desk.post("/issue/bulk", {"issueUpdates": [{"fields": fields}] * 2})
    assert [one.headers["x-atlassian-webhook-flow"] for one in desk.site.drain_webhooks()] == ["Secondary"] * 2
