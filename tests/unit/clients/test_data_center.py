"""The client of Data Center against the stand-in: who we are, pages, and the epic of an issue as its parent."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sandbox.jira.model import ALL_LEVELS, FieldDef, Kind
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, JiraSite
from sandbox.kit.inprocess import SiteTransport
from shared.clients.errors import BadCredentials, Rejected, Unavailable, UnclearEffect
from shared.clients.jira.data_center import DataCenterClient
from shared.clients.jira.shapes import account_of
from shared.clients.jira.site_facts import INVISIBLE_KEPT_S, KEPT_S
from shared.clients.transport import HttpRequest, HttpResponse
from shared.domain.ids import EntityId, LinkId, OperationId
from tests.unit.clients.site import (
    CLOCK,
    EPOCH,
    JIRA_URL,
    Scripted,
    answer,
    data_center_client,
    data_center_site,
    jira_client,
    on_virtual_time,
)

LINK, OP = LinkId("link-one"), OperationId("link:7")
EPIC, STORY, SUBTASK = "10000", "10001", "10004"


class Watched:
    """A site that remembers what it was asked, and fails where it is told to."""

    def __init__(self, site: JiraSite) -> None:
        self._way = SiteTransport({JIRA_URL: site}, CLOCK)
        self.asked: list[HttpRequest] = []
        self.fails: str | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        if self.fails is not None and f"{request.method} {request.url}".endswith(self.fails):
            return answer(503)
        return await self._way.send(request)

    def count(self, method: str, path: str) -> int:
        return sum(each.method == method and each.url.endswith(path) for each in self.asked)


def key(site: JiraSite, issue: str) -> str:
    return str(site.world.issues[issue].values["key"])


async def parent_of(client: DataCenterClient, issue: str) -> Any:
    return (await client.get_issue(EntityId(issue), ())).snapshot["fields"].get("parent", "not shown")


def below_an_epic(site: JiraSite) -> tuple[str, str, EntityId]:
    """Return two epics and a story below the first."""
    ada = site.person(ADA_EMAIL)
    first, second = (ada.create_issue("TAN", name, type="Epic") for name in ("One", "Two"))
    return first, second, EntityId(ada.create_issue("TAN", "Story", type="Story", parent=first))


@on_virtual_time
async def test_we_are_who_creators_changelogs_and_webhooks_name() -> None:
    site = data_center_site()
    site.register_webhook("http://gateway.test/?token=t")
    client = data_center_client(site)
    us = (await client.whoami()).id
    made = await client.create_issue("TAN", STORY, {"summary": "x"}, LINK)
    reading = await client.update_issue(made, {"summary": "y"}, OP, read_fields=())
    assert reading is not None
    assert account_of(reading.snapshot["fields"]["creator"]) == us
    assert [(entry.by, entry.op) for entry in reading.changelog] == [(us, OP)]
    assert {account_of(json.loads(each.body)["user"]) for each in site.drain_webhooks()} == {us}


@on_virtual_time
async def test_it_logs_in_with_a_token_or_with_name_and_password() -> None:
    site = data_center_site()
    by_token, by_password = data_center_client(site), data_center_client(site, "sync-password", username="sync")
    assert (await by_token.whoami()).id == (await by_password.whoami()).id
    for client, words in (
        (data_center_client(site, "wrong"), "personal access token"),
        (data_center_client(site, "wrong", username="sync"), "user name and password"),
    ):
        with pytest.raises(BadCredentials, match=words):
            await client.whoami()


@on_virtual_time
async def test_the_wrong_kind_of_connection_is_told() -> None:
    with pytest.raises(Rejected, match="jira_data_center"):
        await jira_client(Scripted(answer(404, {"errorMessages": ["null for uri"]}))).whoami()
    told = Scripted(answer(200, {"deploymentType": "Cloud"}))
    with pytest.raises(Rejected, match="jira_cloud"):
        await data_center_client(told).whoami()


@on_virtual_time
async def test_a_search_turns_its_pages_by_number_until_none_is_left() -> None:
    site = data_center_site()
    ada, client = site.person(ADA_EMAIL), data_center_client(site)
    made = {ada.create_issue("TAN", f"x{number}") for number in range(7)}
    seen: list[str] = []
    page: str | None = None
    pages = []
    while True:
        found = await client.search("project = TAN ORDER BY updated", ["summary"], page=page, max_results=3)
        seen += [each.entity_id for each in found.items]
        pages.append(page)
        assert found.total == 7
        page = found.next
        if page is None:
            break
    assert (pages, len(seen), set(seen)) == ([None, "3", "6"], 7, made)


@on_virtual_time
async def test_a_page_that_is_shorter_than_asked_for_is_not_the_last() -> None:
    page = {"startAt": 0, "maxResults": 1, "total": 3, "issues": [{"id": "1", "key": "TAN-1", "fields": {}}]}
    client = data_center_client(Scripted(answer(200, []), answer(200, page)))
    assert (await client.search("project = TAN", ())).next == "1"
    empty = data_center_client(Scripted(answer(200, []), answer(200, {**page, "issues": []})))
    assert (await empty.search("project = TAN", ())).next is None


@on_virtual_time
async def test_an_epic_is_a_parent_and_keeps_its_id_when_its_key_changes() -> None:
    site = data_center_site()
    site.seed_project("NEW", "New")
    client = data_center_client(site)
    epic, _, story = below_an_epic(site)
    assert await parent_of(client, story) == {"id": epic, "key": key(site, epic)}
    assert await parent_of(client, epic) is None
    site.move_issue(epic, "NEW")
    assert await parent_of(client, story) == {"id": epic, "key": "NEW-1"}
    (found,) = (await client.search(f"id = {story}", ())).items
    assert found.snapshot["fields"]["parent"]["id"] == epic


@on_virtual_time
async def test_a_parent_is_written_as_the_key_that_the_epic_has_at_that_moment() -> None:
    site = data_center_site()
    site.seed_project("NEW", "New")
    client = data_center_client(site)
    _, epic, story = below_an_epic(site)
    assert await parent_of(client, epic) is None
    site.move_issue(epic, "NEW")
    reading = await client.update_issue(story, {"parent": {"id": epic}}, OP, read_fields=())
    assert reading is not None
    assert reading.snapshot["fields"]["parent"] == {"id": epic, "key": "NEW-1"}
    assert site.world.issues[story].values[site.field_id("Epic Link")] == epic


@on_virtual_time
async def test_an_epic_that_we_may_not_see_is_a_parent_all_the_same() -> None:
    site = data_center_site()
    client = data_center_client(site)
    epic, _, story = below_an_epic(site)
    site.hide_issue(epic, SYNC_EMAIL)
    hidden = key(site, epic)
    assert await parent_of(client, story) == {"id": hidden, "key": hidden}
    site.world.issues[epic].hidden_from.clear()
    await asyncio.sleep(INVISIBLE_KEPT_S + 1)
    assert await parent_of(client, story) == {"id": epic, "key": hidden}


@on_virtual_time
async def test_an_epic_that_cannot_be_looked_up_just_now_fails_the_read() -> None:
    site = data_center_site()
    epic, _, story = below_an_epic(site)
    way = Watched(site)
    way.fails = f"GET {JIRA_URL}/rest/api/2/issue/{key(site, epic)}"
    with pytest.raises(Unavailable):
        await data_center_client(way).get_issue(story, ())


@on_virtual_time
async def test_where_epic_links_are_not_shown_nothing_is_said_of_a_parent() -> None:
    site = data_center_site()
    epic, _, story = below_an_epic(site)
    link = site.field_id("Epic Link")
    site.world.fields[link] = replace(site.world.fields[link], levels=frozenset({1}))
    assert await parent_of(data_center_client(site), story) == "not shown"
    del site.world.fields[link]
    client = data_center_client(site)
    assert await parent_of(client, story) == "not shown"
    with pytest.raises(Rejected) as refused:
        await client.update_issue(story, {"parent": {"id": epic}}, OP, read_fields=())
    assert refused.value.field_errors.keys() == {"parent"}


@on_virtual_time
async def test_what_the_site_is_called_is_asked_once_in_a_while() -> None:
    site = data_center_site()
    way = Watched(site)
    client = data_center_client(way)
    epic, _, story = below_an_epic(site)
    for _ in range(5):
        assert (await parent_of(client, story))["id"] == epic
    asked = [way.count("GET", "/field"), way.count("GET", f"/issue/{key(site, epic)}")]
    await asyncio.sleep(KEPT_S + 1)
    await parent_of(client, story)
    assert (asked, way.count("GET", "/field")) == ([1, 1], 2)


@on_virtual_time
async def test_a_new_epic_is_named_by_its_summary_unless_it_has_a_name() -> None:
    site = data_center_site()
    client = data_center_client(site)
    name = site.field_id("Epic Name")
    epic = await client.create_issue("TAN", EPIC, {"summary": "Checkout"}, LINK)
    named = await client.create_issue("TAN", EPIC, {"summary": "Checkout", name: "CO"}, LINK)
    story = await client.create_issue("TAN", STORY, {"summary": "Cart", "parent": None}, LINK)
    shown = [(await client.get_issue(each, [name])).snapshot["fields"].get(name) for each in (epic, named, story)]
    assert shown == ["Checkout", "CO", None]
    site.screen("TAN", "Epic", "create").remove(name)
    await asyncio.sleep(KEPT_S + 1)
    bare = await client.create_issue("TAN", EPIC, {"summary": "Bare"}, LINK)
    assert (await client.get_issue(bare, [name])).snapshot["fields"][name] is None


@on_virtual_time
async def test_a_refused_parent_is_named_as_the_parent_and_one_that_is_gone_is_never_sent() -> None:
    site = data_center_site()
    way = Watched(site)
    client = data_center_client(way)
    _, _, story = below_an_epic(site)
    other = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "Other", type="Story"))
    sub = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "Sub", type="Sub-task", parent=story))
    for issue, parent in ((story, other), (sub, other)):
        with pytest.raises(Rejected) as refused:
            await client.update_issue(issue, {"parent": {"id": parent}}, OP, read_fields=())
        assert refused.value.field_errors.keys() == {"parent"}
    with pytest.raises(Rejected) as refused:
        await client.create_issue("TAN", STORY, {"summary": "x", "parent": {"id": other}}, LINK)
    assert refused.value.field_errors.keys() == {"parent"}
    sent = way.count("PUT", f"/issue/{story}")
    with pytest.raises(Rejected) as refused:
        await client.update_issue(story, {"parent": {"id": "999"}}, OP, read_fields=())
    assert (set(refused.value.field_errors), way.count("PUT", f"/issue/{story}")) == ({"parent"}, sent)


@on_virtual_time
async def test_nothing_but_the_reading_may_fail_after_an_edit() -> None:
    site = data_center_site()
    way = Watched(site)
    client = data_center_client(way)
    _, _, story = below_an_epic(site)
    way.fails = "GET http://jira.test/rest/api/2/field"
    with pytest.raises(Unavailable):
        await client.update_issue(story, {"summary": "y"}, OP, read_fields=())
    assert way.count("PUT", f"/issue/{story}") == 0
    way.fails = f"GET {JIRA_URL}/rest/api/2/issue/{story}"
    assert await client.update_issue(story, {"summary": "y"}, OP, read_fields=()) is None
    assert site.world.issues[story].values["summary"] == "y"


@on_virtual_time
async def test_a_changelog_names_fields_by_id_and_epics_as_parents() -> None:
    site = data_center_site()
    ada, client = site.person(ADA_EMAIL), data_center_client(site)
    first, second, story = below_an_epic(site)
    ada.edit(story, story_points=5, summary="y")
    ada.edit(story, parent=second)
    entries = await client.get_changelog(story)
    assert [{item.field for item in entry.items} for entry in entries] == [
        {site.field_id("Story Points"), "summary"},
        {"parent"},
    ]
    assert [(item.old, item.new) for item in entries[1].items] == [(first, second)]


@on_virtual_time
async def test_of_two_fields_of_one_name_the_one_that_the_issue_shows_is_meant() -> None:
    site = data_center_site()
    twin = FieldDef(
        "customfield_999", "Story Points", Kind.NUMBER, {"type": "number", "custom": "x:y"}, ("Points",), custom=True,
        levels=frozenset({-1}),
    )  # fmt: skip
    site.world.fields[twin.id] = twin
    issue = EntityId(
        site.person(ADA_EMAIL).create_issue("TAN", "x", type="Story", **{site.field_id("Story Points"): 3})
    )
    site.person(ADA_EMAIL).edit(issue, **{site.field_id("Story Points"): 5})
    points = site.field_id("Story Points")
    (entry,) = (await data_center_client(site).get_issue(issue, [points, twin.id], changelog=True)).changelog
    assert entry.items[0].field == points
    site.world.fields[twin.id] = replace(twin, levels=ALL_LEVELS)
    (entry,) = (await data_center_client(site).get_issue(issue, [points, twin.id], changelog=True)).changelog
    assert entry.items[0].field == "Story Points"


@on_virtual_time
async def test_a_long_changelog_is_whole_in_one_answer() -> None:
    site = data_center_site()
    way = Watched(site)
    ada, client = site.person(ADA_EMAIL), data_center_client(way)
    issue = EntityId(ada.create_issue("TAN", "x"))
    for number in range(230):
        ada.edit(issue, summary=f"x{number}")
    reading = await client.get_issue(issue, (), changelog=True)
    assert [entry.items[0].new_label for entry in reading.changelog] == [f"x{n}" for n in range(230)]
    assert way.count("GET", f"/issue/{issue}") == 1


@on_virtual_time
async def test_a_create_is_found_by_its_key_among_many_of_ours_once_the_index_shows_it() -> None:
    site = data_center_site(index_lag_s=30)
    client = data_center_client(site)
    made = await client.create_issue("TAN", STORY, {"summary": "x"}, LINK)
    for number in range(70):
        await client.create_issue("TAN", STORY, {"summary": f"x{number}"}, LinkId(f"other-{number}"))
    assert await client.find_created(LINK, "TAN", EPOCH) is None
    await asyncio.sleep(31)
    assert await client.find_created(LINK, "TAN", EPOCH) == made
    assert await client.find_created(LinkId("unknown"), "TAN", EPOCH) is None


@on_virtual_time
async def test_retry_after_0_on_a_failed_create_promises_nothing() -> None:
    fields, broken = answer(200, []), answer(503, headers={"retry-after": "0"})
    with pytest.raises(UnclearEffect):
        await data_center_client(Scripted(fields, broken)).create_issue("TAN", STORY, {"summary": "x"}, LINK)


@on_virtual_time
async def test_retry_after_0_on_a_good_answer_holds_nothing_back() -> None:
    site = data_center_site(requests_per_interval=100)
    client = data_center_client(site)
    began = CLOCK.monotonic()
    for _ in range(20):
        await client.whoami()
    assert CLOCK.monotonic() - began < 1


@pytest.mark.parametrize("anonymous", [True, False])
@on_virtual_time
async def test_a_revoked_token_is_noticed_on_every_call(*, anonymous: bool) -> None:
    site = data_center_site(anonymous_reads=anonymous, html_401_every=2)
    client = data_center_client(site)
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x"))
    site.revoke_token("sync-token")
    for _ in range(2):
        for call in (
            client.myself(),
            client.search("project = TAN", ()),
            client.get_issue(issue, ()),
            client.update_issue(issue, {"summary": "y"}, OP, read_fields=()),
            client.create_issue("TAN", STORY, {"summary": "x"}, LINK),
        ):
            with pytest.raises(BadCredentials):
                await call


@on_virtual_time
async def test_tokens_tell_their_end_the_first_one_first() -> None:
    site = data_center_site()
    client = data_center_client(site)
    assert await client.token_ends() == []
    later, sooner = EPOCH + timedelta(days=90), EPOCH + timedelta(days=20)
    site.add_token(SYNC_EMAIL, "later", ends_at=later)
    site.add_token(SYNC_EMAIL, "sooner", ends_at=sooner)
    site.add_token(ADA_EMAIL, "hers", ends_at=EPOCH + timedelta(days=1))
    assert await client.token_ends() == [sooner, later]
