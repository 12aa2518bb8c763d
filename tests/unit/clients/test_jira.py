"""The Jira client against the stand-in: shapes, changelog, searches that lag, creates that are found again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL
from shared.clients.errors import BadCredentials, NotFound
from shared.clients.jira.answers import ALWAYS
from shared.domain.ids import EntityId, LinkId, OperationId
from tests.unit.clients.site import CLOCK, EPOCH, jira_client, jira_site, on_virtual_time

LINK = LinkId("link-one")


@on_virtual_time
async def test_an_issue_is_read_with_its_documents_and_all_that_every_reader_needs() -> None:
    site = jira_site(first_issue_id=2**60)
    client = jira_client(site)
    text = "h1. Title\n\n* one"
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x", description=text))
    reading = await client.get_issue(issue, ["description", "labels"])
    assert reading.entity_id == issue == str(2**60)
    assert [node["type"] for node in reading.snapshot["fields"]["description"]["content"]] == ["heading", "bulletList"]
    assert (reading.updated, reading.server_date) == (EPOCH, EPOCH)
    assert (reading.correlation_key, reading.correlation_read) == (None, True)
    assert set(reading.snapshot["fields"]) >= set(ALWAYS)


@on_virtual_time
async def test_a_long_changelog_is_read_to_its_end() -> None:
    site = jira_site(write_limit=False)
    client = jira_client(site, requests_per_second=1000)
    ada = site.person(ADA_EMAIL)
    issue = EntityId(ada.create_issue("TAN", "x"))
    for number in range(230):
        ada.edit(issue, summary=f"x{number}")
    whole = await client.get_issue(issue, (), changelog=True)
    assert [entry.items[0].new_label for entry in whole.changelog] == [f"x{n}" for n in range(230)]
    newest = await client.get_issue(issue, (), changelog=True, whole=False)
    assert [entry.id for entry in newest.changelog] == [entry.id for entry in whole.changelog[-100:]]


@pytest.mark.parametrize("shown", ["all", "edited"])
@on_virtual_time
async def test_an_edit_returns_the_whole_issue_and_its_changelog(shown: str) -> None:
    site = jira_site(return_issue_fields=shown)
    client = jira_client(site)
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x", labels=["a"]))
    fields = {"summary": "y", "priority": {"id": "1"}}
    reading = await client.update_issue(issue, fields, OperationId("link:7"), read_fields=["labels", "priority"])
    assert reading is not None
    assert reading.snapshot["fields"]["labels"] == ["a"]
    assert reading.snapshot["fields"]["priority"]["id"] == "1"
    assert reading.changelog[-1].op == "link:7"
    assert reading.updated is not None
    assert "assignee" not in reading.snapshot["fields"]


@on_virtual_time
async def test_a_created_issue_is_found_by_its_key_once_the_search_shows_it() -> None:
    site = jira_site(index_lag_s=120)
    client = jira_client(site)
    since = CLOCK.now()
    made = await client.create_issue("TAN", "10001", {"summary": "x"}, LINK)
    await client.create_issue("TAN", "10001", {"summary": "x"}, LinkId("another"))
    assert await client.find_created(LINK, "TAN", since) is None
    await asyncio.sleep(121)
    assert await client.find_created(LINK, "TAN", since) == made
    assert await client.find_created(LinkId("unknown"), "TAN", since) is None
    assert (await client.get_issue(made, ())).correlation_key == LINK


@on_virtual_time
async def test_a_person_who_copies_the_property_is_not_taken_for_us() -> None:
    site = jira_site()
    client = jira_client(site)
    ada = site.person(ADA_EMAIL)
    issue = ada.create_issue("TAN", "x")
    ada.send("PUT", f"/issue/{issue}/properties/tandem", {"link": LINK})
    assert await client.find_created(LINK, "TAN", EPOCH) is None


@on_virtual_time
async def test_an_old_create_is_found_however_long_ago_it_was() -> None:
    site = jira_site()
    client = jira_client(site)
    made = await client.create_issue("TAN", "10001", {"summary": "x"}, LINK)
    for _ in range(6):
        await asyncio.sleep(timedelta(hours=12).total_seconds())
    assert await client.find_created(LINK, "TAN", EPOCH) == made


@on_virtual_time
async def test_a_search_gives_whole_pages_until_none_is_left() -> None:
    site = jira_site()
    client = jira_client(site, requests_per_second=1000)
    ada = site.person(ADA_EMAIL)
    made = {ada.create_issue("TAN", f"x{n}") for n in range(7)}
    seen: list[str] = []
    page: str | None = None
    while True:
        found = await client.search("project = TAN ORDER BY updated", ["summary"], page=page, max_results=3)
        seen += [each.entity_id for each in found.items]
        assert all("summary" in each.snapshot["fields"] for each in found.items)
        page = found.next
        if page is None:
            break
    assert (len(seen), set(seen)) == (7, made)


@on_virtual_time
async def test_a_search_shows_long_text_as_reads_do() -> None:
    site = jira_site()
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x", description="h1. Title\n\n* one"))
    client = jira_client(site)
    (found,) = (await client.search("project = TAN", ["description"])).items
    read = await client.get_issue(issue, ["description"])
    assert found.snapshot["fields"]["description"] == read.snapshot["fields"]["description"]


@on_virtual_time
async def test_issues_named_for_reconciliation_are_searched_as_they_are() -> None:
    site = jira_site(index_lag_s=60)
    client = jira_client(site)
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x"))
    assert (await client.search("project = TAN", ())).items == ()
    found = await client.search("project = TAN", (), reconcile=[issue])
    assert [each.entity_id for each in found.items] == [issue]


@on_virtual_time
async def test_a_parent_is_emptied() -> None:
    site = jira_site()
    client = jira_client(site)
    ada = site.person(ADA_EMAIL)
    epic = ada.create_issue("TAN", "Epic", type="Epic")
    story = EntityId(ada.create_issue("TAN", "Story", type="Story", parent=epic))
    reading = await client.update_issue(story, {"parent": None, "summary": "y"}, OperationId("o"), read_fields=())
    assert reading is not None
    assert reading.snapshot["fields"]["parent"] is None


@on_virtual_time
async def test_whoami_is_the_account_that_creates() -> None:
    site = jira_site()
    client = jira_client(site)
    made = await client.create_issue("TAN", "10001", {"summary": "x"}, LINK)
    shown: Any = (await client.get_issue(made, ())).snapshot
    assert shown["fields"]["creator"]["accountId"] == (await client.whoami()).id
    assert (await client.myself()).name == "Sync Service"


@pytest.mark.parametrize("anonymous", [True, False])
@on_virtual_time
async def test_a_revoked_token_is_noticed_on_every_call(*, anonymous: bool) -> None:
    site = jira_site(anonymous_reads=anonymous, html_401_every=2)
    client = jira_client(site)
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x"))
    site.revoke_token("sync-token")
    for _ in range(2):
        for call in (
            client.myself(),
            client.search("project = TAN", ()),
            client.get_issue(issue, ()),
            client.update_issue(issue, {"summary": "y"}, OperationId("o"), read_fields=()),
            client.create_issue("TAN", "10001", {"summary": "x"}, LINK),
        ):
            with pytest.raises(BadCredentials):
                await call


@on_virtual_time
async def test_an_invisible_issue_is_not_found() -> None:
    site = jira_site()
    client = jira_client(site)
    issue = EntityId(site.person(ADA_EMAIL).create_issue("TAN", "x"))
    site.hide_issue(issue, SYNC_EMAIL)
    with pytest.raises(NotFound):
        await client.get_issue(issue, ())
