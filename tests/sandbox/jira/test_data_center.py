"""Laws of the stand-in as a Data Center: what it does otherwise than Cloud, and nothing that only Cloud has."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.jira.accounts import LOGIN_REASON, bearer, credentials
from sandbox.jira.edition import data_center
from sandbox.jira.site import ADA_EMAIL, GRACE_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from tests.sandbox.jira.desk import Desk, TestClock, fields_of

LEGACY_HOOKS, HOOKS = "/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks"


class DataCenterDesk(Desk):
    """Calls as the sync account with a personal access token, over REST v2."""

    def headers(self) -> dict[str, str]:
        return {"authorization": bearer(self.token)} if self.token else {}

    def key(self, issue: str) -> str:
        return str(self.get(f"/issue/{issue}").json["key"])

    def epic(self, summary: str = "Epic") -> str:
        return self.create(summary, type="Epic", **{self.field("Epic Name"): summary})


def data_center_desk(version: str = "9.12.15") -> DataCenterDesk:
    clock = TestClock()
    site = JiraSite(now=clock, base_url="https://dc.test", edition=data_center(version))
    site.seed_project("APP", "App")
    return DataCenterDesk(site, clock, api=2)


@pytest.fixture
def desk() -> DataCenterDesk:
    return data_center_desk()


def bodies(desk: Desk) -> list[Any]:
    return [json.loads(one.body) for one in desk.site.drain_webhooks()]


def test_it_says_what_it_is(desk: DataCenterDesk) -> None:
    told = desk.get("/serverInfo").json
    assert (told["deploymentType"], told["version"], told["versionNumbers"]) == ("Server", "9.12.15", [9, 12, 15])
    with pytest.raises(ValueError, match="no version of Jira Data Center"):
        data_center("ten")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/api/3/myself"),
        ("POST", "/rest/api/2/search/jql"),
        ("POST", "/rest/api/2/jql/match"),
        ("POST", "/rest/api/2/search/approximate-count"),
        ("GET", "/rest/api/2/project/search"),
        ("POST", "/rest/api/2/issue/bulkfetch"),
    ],
)
def test_what_only_cloud_has_is_not_there(desk: DataCenterDesk, method: str, path: str) -> None:
    assert desk.call(method, path, {}).status in (404, 405)


def test_the_changelog_has_no_pages_of_its_own(desk: DataCenterDesk) -> None:
    assert desk.get(f"/issue/{desk.create()}/changelog").status == 404


def test_a_token_is_borne_and_a_password_goes_with_the_name(desk: DataCenterDesk) -> None:
    def status(authorization: str) -> int:
        desk.headers = lambda: {"authorization": authorization}  # type: ignore[method-assign]
        return desk.get("/myself").status

    assert status(bearer(SYNC_TOKEN)) == 200
    assert status(credentials("sync", "sync-password")) == 200
    assert status(credentials("sync", SYNC_TOKEN)) == 401
    assert status(bearer("sync-password")) == 401
    assert status(credentials(SYNC_EMAIL, "sync-password")) == 401
    assert status(credentials("ada", "sync-password")) == 401


def test_a_revoked_token_is_401_and_now_and_then_html(desk: DataCenterDesk) -> None:
    desk.site.revoke_token(SYNC_TOKEN)
    refused = [desk.get("/myself") for _ in range(3)]
    assert {one.status for one in refused} == {401}
    assert {one.headers[LOGIN_REASON] for one in refused} == {"AUTHENTICATED_FAILED"}
    assert refused[2].headers["content-type"].startswith("text/html")


def test_people_are_told_by_name_and_key_and_show_their_address(desk: DataCenterDesk) -> None:
    me = desk.get("/myself").json
    assert (me["name"], me["key"], me["emailAddress"]) == ("sync", "JIRAUSER10101", SYNC_EMAIL)
    assert "accountId" not in me
    assert desk.get("/user", username="grace").json["emailAddress"] == GRACE_EMAIL
    assert desk.get("/user", key=me["key"]).json["name"] == "sync"
    assert desk.get("/user", username="nobody").status == 404
    assert [one["name"] for one in desk.get("/user/search", username="grace@").json] == ["grace"]
    assert desk.get("/user/search", query="grace").status == 400


def test_people_are_set_by_name(desk: DataCenterDesk) -> None:
    issue = desk.create(assignee={"name": "ada"})
    assert desk.get(f"/issue/{issue}").json["fields"]["assignee"]["emailAddress"] == ADA_EMAIL
    key = desk.get("/user", username="ada").json["key"]
    assert desk.put(f"/issue/{issue}", {"fields": {"assignee": {"accountId": key}}}).status == 400
    assert desk.put(f"/issue/{issue}", {"fields": {"assignee": {"name": None}}}).status == 204
    assert desk.get(f"/issue/{issue}").json["fields"]["assignee"] is None


def test_types_have_no_level(desk: DataCenterDesk) -> None:
    types = {one["name"]: one for one in desk.get("/issuetype").json}
    assert types["Sub-task"]["subtask"]
    assert not types["Epic"]["subtask"]
    assert all("hierarchyLevel" not in one for one in types.values())


def test_an_epic_needs_its_name_when_it_is_created(desk: DataCenterDesk) -> None:
    reply = desk.post("/issue", {"fields": fields_of("Nameless", type="Epic")})
    assert (reply.status, reply.json["errors"]) == (400, {desk.field("Epic Name"): "Epic Name is required."})
    epic = desk.epic("Named")
    assert desk.put(f"/issue/{epic}", {"fields": {"summary": "Other"}}).status == 204
    assert desk.get(f"/issue/{epic}").json["fields"][desk.field("Epic Name")] == "Named"


def test_a_story_hangs_below_its_epic_by_the_epics_key(desk: DataCenterDesk) -> None:
    link, first, second = desk.field("Epic Link"), desk.epic("A"), desk.epic("B")
    story = desk.create(type="Story", **{link: desk.key(first)})
    fields = desk.get(f"/issue/{story}").json["fields"]
    assert fields[link] == desk.key(first)
    assert "parent" not in fields
    for bad in (first, "APP-99", desk.key(story), {"id": first}):
        assert desk.put(f"/issue/{story}", {"fields": {link: bad}}).json["errors"].keys() == {link}
    assert desk.put(f"/issue/{story}", {"fields": {"parent": {"id": second}}}).json["errors"].keys() == {"parent"}
    assert desk.put(f"/issue/{story}", {"fields": {link: desk.key(second)}}).status == 204
    (entry,) = desk.get(f"/issue/{story}", expand="changelog").json["changelog"]["histories"]
    assert entry["items"] == [
        {
            "field": "Epic Link",
            "fieldtype": "custom",
            "from": first,
            "fromString": desk.key(first),
            "to": second,
            "toString": desk.key(second),
        }
    ]
    assert desk.site.state()["issues"][2]["parent"] == second  # type: ignore[index]


def test_an_epic_link_follows_the_epics_key_and_ends_with_the_epic(desk: DataCenterDesk) -> None:
    desk.site.seed_project("NEW", "New")
    link, epic = desk.field("Epic Link"), desk.epic()
    story = desk.create(type="Story", **{link: desk.key(epic)})
    key = desk.site.move_issue(epic, "NEW")
    assert desk.get(f"/issue/{story}").json["fields"][link] == key == "NEW-1"
    assert desk.delete(f"/issue/{epic}").status == 204
    assert desk.get(f"/issue/{story}").json["fields"][link] is None


def test_only_sub_tasks_have_a_parent_and_keep_it(desk: DataCenterDesk) -> None:
    story = desk.create(type="Story")
    sub = desk.create(type="Sub-task", parent={"id": story})
    assert desk.get(f"/issue/{sub}").json["fields"]["parent"]["id"] == story
    other = desk.create(type="Story")
    assert desk.put(f"/issue/{sub}", {"fields": {"parent": {"id": other}}}).json["errors"].keys() == {"parent"}
    assert desk.get(f"/issue/{sub}").json["fields"][desk.field("Epic Link")] is None


def test_a_search_tells_start_and_total_and_shows_all_fields(desk: DataCenterDesk) -> None:
    made = [desk.create(f"x{number}") for number in range(5)]
    page = desk.post("/search", {"jql": "project = APP ORDER BY key ASC", "startAt": 3, "maxResults": 3}).json
    assert (page["startAt"], page["total"], [one["id"] for one in page["issues"]]) == (3, 5, made[3:])
    assert "summary" in page["issues"][0]["fields"]
    by_get = desk.get("/search", jql="project = APP", startAt=5, fields="summary").json
    assert (by_get["total"], by_get["issues"]) == (5, [])
    assert desk.get("/search").json["total"] == 5
    epic = desk.epic()
    story = desk.create(type="Story", **{desk.field("Epic Link"): desk.key(epic)})
    found = desk.post("/search", {"jql": f'"Epic Link" = {desk.key(epic)}'}).json["issues"]
    assert [one["id"] for one in found] == [story]


@pytest.mark.parametrize("extra", [{"nextPageToken": "x"}, {"reconcileIssues": [1]}, {"properties": ["tandem"]}])
def test_a_search_refuses_what_it_does_not_know(desk: DataCenterDesk, extra: dict[str, object]) -> None:
    assert desk.post("/search", {"jql": "project = APP", **extra}).status == 400


def test_an_edit_returns_nothing_and_its_entry_keeps_the_metadata(desk: DataCenterDesk) -> None:
    issue = desk.create()
    metadata = {"type": "tandem", "extraData": {"op": "l:1"}}
    body = {"fields": {"summary": "y"}, "historyMetadata": metadata}
    reply = desk.put(f"/issue/{issue}", body, returnIssue="true", expand="changelog")
    assert (reply.status, reply.raw) == (204, b"")
    changelog = desk.get(f"/issue/{issue}", expand="changelog").json["changelog"]
    assert [one["historyMetadata"] for one in changelog["histories"]] == [metadata]
    assert "fieldId" not in changelog["histories"][0]["items"][0]


def test_a_long_changelog_is_whole_and_oldest_first(desk: DataCenterDesk) -> None:
    issue = desk.create("x")
    for number in range(150):
        assert desk.put(f"/issue/{issue}", {"fields": {"summary": f"x{number}"}}).status == 204
    shown = desk.get(f"/issue/{issue}", expand="changelog").json["changelog"]
    assert [one["items"][0]["toString"] for one in shown["histories"]] == [f"x{n}" for n in range(150)]
    assert shown["total"] == 150


def test_wiki_markup_is_kept_as_it_was_written(desk: DataCenterDesk) -> None:
    text = "h1. Title\r\n\r\n* one\r\n*  two {panel:title=x}odd{panel}"
    issue = desk.create(description=text)
    assert desk.get(f"/issue/{issue}").json["fields"]["description"] == text


def test_create_metadata_comes_as_values(desk: DataCenterDesk) -> None:
    types = desk.get("/issue/createmeta/APP/issuetypes").json
    assert types["isLast"]
    epic = next(one["id"] for one in types["values"] if one["name"] == "Epic")
    fields = {one["fieldId"]: one for one in desk.get(f"/issue/createmeta/APP/issuetypes/{epic}").json["values"]}
    name = fields[desk.field("Epic Name")]
    assert (name["required"], name["schema"]["custom"]) == (True, "com.pyxis.greenhopper.jira:gh-epic-label")
    assert "parent" not in fields


def test_webhooks_are_unsigned_told_once_and_have_no_identifier(desk: DataCenterDesk) -> None:
    desk.site.register_webhook("https://gateway.test/?token=t", secret="s")
    desk.create()
    (sent,) = desk.site.drain_webhooks()
    assert set(sent.headers) == {"content-type", "user-agent"}
    assert (sent.max_retries, sent.retry_statuses, sent.url) == (0, frozenset(), "https://gateway.test/?token=t")


def test_from_version_10_a_webhook_with_a_secret_is_signed() -> None:
    desk = data_center_desk("10.3.2")
    desk.site.register_webhook("https://gateway.test/", secret="s")
    desk.create()
    (sent,) = desk.site.drain_webhooks()
    assert sent.headers["x-hub-signature"].startswith("sha256=")
    assert "x-atlassian-webhook-identifier" not in sent.headers


def test_a_webhook_shows_the_issue_and_people_as_data_center_does(desk: DataCenterDesk) -> None:
    desk.site.register_webhook("https://gateway.test/?token=t")
    link, epic = desk.field("Epic Link"), desk.epic()
    desk.create(type="Story", description="h1. x", **{link: desk.key(epic)})
    body = bodies(desk)[-1]
    assert body["issue"]["fields"][link] == desk.key(epic)
    assert body["issue"]["fields"]["description"] == "h1. x"
    assert "parent" not in body["issue"]["fields"]
    assert (body["user"]["name"], body["user"]["emailAddress"]) == ("sync", SYNC_EMAIL)


@pytest.mark.parametrize(
    ("version", "path", "other"), [("9.12.15", LEGACY_HOOKS, HOOKS), ("10.0.0", HOOKS, LEGACY_HOOKS)]
)
def test_webhooks_are_registered_where_the_version_has_them(version: str, path: str, other: str) -> None:
    desk = data_center_desk(version)
    hook = {"name": "n", "url": "https://gateway.test/", "events": ["jira:issue_created"], "secret": "s"}
    made = desk.post(path, hook)
    assert (made.status, made.json["isSigned"]) == (201, version.startswith("10"))
    assert made.json["self"].endswith(f"{path}/{made.json['self'].rpartition('/')[2]}")
    assert desk.post(other, hook).status == 404


def test_a_limit_on_requests_shows_on_every_answer_and_holds_by_user(desk: DataCenterDesk) -> None:
    assert "retry-after" not in desk.get("/myself").headers
    desk.site.configure(requests_per_interval=3)
    answers = [desk.get("/myself") for _ in range(4)]
    assert [one.status for one in answers] == [200, 200, 200, 429]
    assert [one.headers["retry-after"] for one in answers] == ["0", "0", "0", "1"]
    assert answers[0].headers["x-ratelimit-interval-seconds"] == "1"
    ada = DataCenterDesk(desk.site, desk.clock, ADA_EMAIL, "ada-token", api=2)
    assert ada.get("/myself").status == 200
    desk.clock.turn(1)
    assert desk.get("/myself").status == 200


def test_a_person_works_the_same_way_in_both_editions(desk: DataCenterDesk) -> None:
    ada = desk.site.person(ADA_EMAIL)
    epic = ada.create_issue("APP", "Epic", type="Epic")
    story = ada.create_issue("APP", "Story", type="Story", parent=epic, assignee=GRACE_EMAIL)
    sub = ada.create_issue("APP", "Sub", type="Sub-task", parent=story)
    parents = {one["id"]: one["parent"] for one in desk.site.state()["issues"]}  # type: ignore[attr-defined]
    assert parents == {epic: None, story: epic, sub: story}
    ada.edit(story, parent=None)
    ada.transition(story, "In Review")
    assert desk.get(f"/issue/{story}").json["fields"][desk.field("Epic Link")] is None


def test_a_personal_access_token_ends_at_its_time_and_is_listed_until_then(desk: DataCenterDesk) -> None:
    ends_at = desk.site.world.now() + timedelta(days=3)
    desk.site.add_token(SYNC_EMAIL, "brief", ends_at=ends_at)
    desk.token = "brief"
    listed = desk.call("GET", "/rest/pat/latest/tokens").json
    assert [each.get("expiringAt", "")[:10] for each in listed] == ["", f"{ends_at:%Y-%m-%d}"]
    assert all("rawToken" not in each for each in listed)
    desk.clock.turn(4 * 86_400)
    assert desk.call("GET", "/rest/api/2/myself").status == 401
