"""The Craft.io client against the stand-in: whole items, pages, filters, keys."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sandbox.craft.settings import ADA_KEY
from shared.clients.errors import BadCredentials, NotFound, Rejected
from shared.domain.ids import EntityId
from tests.unit.clients.site import EPOCH, Scripted, answer, craft_client, craft_site, on_virtual_time


@on_virtual_time
async def test_an_item_is_read_whole_and_its_empty_properties_are_empty_not_missing() -> None:
    site = craft_site()
    client = craft_client(site)
    made = site.person(ADA_KEY.key).create_item(type="feature", title="x")
    reading = await client.get_item(EntityId(made["id"]))
    assert reading.entity_id == made["id"]
    assert int(made["id"]) > 2**53
    assert (reading.snapshot["storyPoints"], reading.snapshot["description"]) == (None, None)
    assert (reading.updated, reading.server_date) == (EPOCH, EPOCH)


@on_virtual_time
async def test_a_write_sends_the_id_and_the_named_properties_only() -> None:
    site = craft_site()
    client = craft_client(site)
    made = site.person(ADA_KEY.key).create_item(type="feature", title="x", storyPoints=3)
    await asyncio.sleep(5)
    written = await client.update_item(EntityId(made["id"]), {"title": "y"})
    assert written.updated == EPOCH + timedelta(seconds=5)
    assert written.reading is not None
    assert (written.reading.snapshot["title"], written.reading.snapshot["storyPoints"]) == ("y", 3)


@on_virtual_time
async def test_an_answer_that_shows_only_part_of_an_item_is_not_taken_for_all_of_it() -> None:
    vendor = Scripted(answer(200, {"id": "1", "title": "y", "updateTime": "2026-01-05T09:00:00.000Z"}))
    written = await craft_client(vendor).update_item(EntityId("1"), {"title": "y"})
    assert (written.updated, written.reading) == (EPOCH, None)


@on_virtual_time
async def test_lists_are_read_page_by_page_with_their_filters() -> None:
    site = craft_site()
    client = craft_client(site, requests_per_second=1000)
    workspace = site.workspace().id
    ada = site.person(ADA_KEY.key)
    ada.create_item(type="feature", title="before")
    await asyncio.sleep(60)
    made = {ada.create_item(type="feature", title=f"x{n}")["id"] for n in range(7)}
    seen: list[str] = []
    page: str | None = None
    while True:
        part = await client.list_items(workspace, page=page, limit=3, updated_from=EPOCH + timedelta(seconds=30))
        assert part.total == 7
        seen += [each.entity_id for each in part.items]
        page = part.next
        if page is None:
            break
    assert (len(seen), set(seen)) == (7, made)


@on_virtual_time
async def test_only_items_of_one_creator_and_window_are_found() -> None:
    site = craft_site(visibility_lag=timedelta(seconds=30))
    client = craft_client(site)
    workspace = site.workspace()
    us = (await client.whoami()).id
    key = workspace.custom_field("Jira key").id
    site.person(ADA_KEY.key).create_item(type="feature", title="x")
    body = {"type": "feature", "workspaceId": workspace.id, "title": "x", "parent": None}
    made, reading = await client.create_item({**body, "customFields": [{"id": key, "value": "link-one"}]})
    assert reading is not None
    await asyncio.sleep(31)
    found = await client.find_created(workspace.id, us, EPOCH, key_field=key)
    assert [(each.entity_id, each.correlation_key) for each in found] == [(made, "link-one")]
    assert await client.find_created(workspace.id, us, EPOCH + timedelta(seconds=1)) == ()


@on_virtual_time
async def test_metadata_of_a_workspace() -> None:
    site = craft_site()
    client = craft_client(site)
    workspace = site.workspace().id
    fields = {field["name"]: field for field in await client.custom_fields(workspace)}
    assert {option["label"] for option in fields["Area"]["options"]} == {"Web", "Mobile", "Platform"}
    assert "feature" in await client.terminology(workspace)


@on_virtual_time
async def test_a_revoked_key_a_missing_item_and_a_refused_value_are_told_apart() -> None:
    site = craft_site()
    client = craft_client(site)
    made = EntityId(site.person(ADA_KEY.key).create_item(type="feature", title="x", storyPoints=1)["id"])
    with pytest.raises(NotFound):
        await client.get_item(EntityId("1"))
    with pytest.raises(Rejected) as caught:
        await client.update_item(made, {"storyPoints": None, "title": "y"})
    assert set(caught.value.field_errors) == {"storyPoints"}
    site.revoke_token("craft-key-of-tandem")
    with pytest.raises(BadCredentials):
        await client.get_item(made)
