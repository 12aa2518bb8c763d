"""A mapping is judged before it is saved: what is wrong is refused with all findings, and what was read is not old."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deploy.local import scene
from sandbox.craft.settings import ADA_KEY
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN
from sandbox.kit.fault_rules import RequestRule
from services.console.adapters.vendor_metadata import MAX_AGE_S, VendorMetadata
from services.console.ports import Access
from shared.clients.errors import Unavailable
from shared.domain.clock import SeededDice
from shared.domain.differences import integration_differences
from shared.domain.ids import Side
from shared.domain.mapping import next_revision
from shared.runtime.topics import Topic
from tests.unit.console.harness import Desk, desk, jira_draft, with_connections, with_integration
from tests.unit.mapper.harness import title_integration
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time

DEMO = f"/integrations/{scene.INTEGRATION}"


def draft(admin: Desk, **changes: Any) -> dict[str, Any]:
    return {**admin.world.integration.model_dump(mode="json"), **changes}


def with_pair(body: dict[str, Any], pair_id: str, **changes: Any) -> dict[str, Any]:
    return {**body, "pairs": [{**pair, **changes} if pair["id"] == pair_id else pair for pair in body["pairs"]]}


def wrong(admin: Desk) -> dict[str, Any]:
    """Return a draft with two errors."""
    body = with_pair(draft(admin), "points", jira="customfield_10999")
    return with_pair(body, "customer", craft="shortId")


def wanted() -> dict[str, Any]:
    return {"name": "Demo", "jira_connection": scene.JIRA, "craft_connection": scene.CRAFT, "jira_project": PROJECT}


async def test_a_mapping_with_errors_is_refused_with_all_findings_and_nothing_is_saved() -> None:
    async with desk() as admin:
        await with_connections(admin)
        told = len(admin.world.messages(Topic.CONFIG))
        status, body = await admin.call("PUT", DEMO, wrong(admin))
        assert (status, body["code"]) == (422, "mapping_has_errors")
        errors = {(each["code"], each["path"]) for each in body["findings"] if each["severity"] == "error"}
        assert errors == {("jira_field_missing", "pairs[4].jira"), ("craft_read_only", "pairs[7].craft")}
        assert {"warning", "note"} < {each["severity"] for each in body["findings"]}
        assert {each["path"] for each in body["problems"]} == {"pairs[4].jira", "pairs[7].craft"}
        assert "and 1 more" in body["message"]
        assert await admin.world.store.integrations() == []
        assert len(admin.world.messages(Topic.CONFIG)) == told


async def test_warnings_and_notes_come_with_what_was_saved_and_may_be_sent_back() -> None:
    async with desk() as admin:
        await with_connections(admin)
        status, saved = await admin.call("PUT", DEMO, draft(admin))
        assert status == 200, saved
        assert "story_becomes_subtask" in {each["code"] for each in saved["findings"]}
        assert "findings" not in await admin.get(DEMO)
        status, again = await admin.call("PUT", DEMO, saved)
        assert (status, again["revision"]) == (200, 2)


async def test_pairs_that_write_one_field_are_told_in_words() -> None:
    async with desk() as admin:
        await with_connections(admin)
        body = with_pair(draft(admin), "reach", craft="storyPoints")
        status, answer = await admin.call("PUT", DEMO, body)
        assert status == 422
        found = next(each for each in answer["findings"] if each["code"] == "written_twice")
        assert (found["path"], "Story Points" in found["message"]) == ("pairs[8].craft", True)


async def test_a_draft_is_checked_without_being_saved() -> None:
    async with desk() as admin:
        await with_connections(admin)
        status, good = await admin.call("POST", f"{DEMO}/check", draft(admin))
        assert (status, good["can_be_saved"]) == (200, True)
        status, bad = await admin.call("POST", f"{DEMO}/check", wrong(admin))
        assert (status, bad["can_be_saved"]) == (200, False)
        assert len(bad["findings"]) > len(good["findings"])
        assert await admin.world.store.integrations() == []
        status, other = await admin.call("POST", "/integrations/other/check", draft(admin))
        assert (status, other["problems"][0]["path"]) == (422, "id")


async def test_a_vendor_that_cannot_be_asked_keeps_a_mapping_from_being_saved_unless_it_has_to_be_now() -> None:
    async with desk() as admin:
        await with_connections(admin)
        admin.world.faults.replace([RequestRule(effect="refuse")])
        for method, path in (("PUT", DEMO), ("POST", f"{DEMO}/check")):
            status, body = await admin.call(method, path, draft(admin))
            assert (status, body["code"]) == (502, "vendor_unavailable")
            assert await admin.world.store.integrations() == []
        status, body = await admin.call("PUT", DEMO, draft(admin))
        assert "unchecked=true" in body["next_step"]
        status, saved = await admin.call("PUT", f"{DEMO}?unchecked=true", draft(admin))
        assert (status, saved["revision"]) == (200, 1)
        assert [(each["code"], each["severity"]) for each in saved["findings"]] == [("not_checked", "warning")]


async def test_unchecked_saves_nothing_that_was_found_wrong_nor_what_no_integration_may_be() -> None:
    async with desk() as admin:
        await with_connections(admin)
        status, body = await admin.call("PUT", f"{DEMO}?unchecked=true", wrong(admin))
        assert (status, body["code"]) == (422, "mapping_has_errors")
        admin.world.faults.replace([RequestRule(effect="refuse")])
        twice = with_pair(draft(admin), "reach", craft="storyPoints")
        status, body = await admin.call("PUT", f"{DEMO}?unchecked=true", twice)
        assert status == 422
        assert "storyPoints" in body["message"]
        assert await admin.world.store.integrations() == []


async def test_a_refused_token_says_whose_it_is() -> None:
    async with desk() as admin:
        await with_connections(admin)
        admin.world.jira.revoke_token(SYNC_TOKEN)
        status, body = await admin.call("PUT", DEMO, draft(admin))
        assert status == 502
        assert "Jira refuses" in body["message"]


async def test_what_was_mended_in_jira_is_seen_at_once() -> None:
    async with desk() as admin:
        await with_connections(admin)
        admin.world.jira.deny(PROJECT, SYNC_EMAIL, "CREATE_ISSUES")
        status, body = await admin.call("PUT", DEMO, draft(admin))
        assert (status, body["findings"][0]["code"]) == (422, "permission_missing")
        project = admin.world.jira.world.project(PROJECT)
        assert project is not None
        project.denied.clear()
        status, body = await admin.call("PUT", DEMO, draft(admin))
        assert status == 200, body


async def test_saving_again_asks_the_vendors_for_little() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        before = len(admin.world.transport.requests)
        status, body = await admin.call("PUT", DEMO, {**saved, "name": "Again"})
        assert status == 200, body
        assert len(admin.world.transport.requests) == before


async def test_a_new_token_is_asked_with_at_once() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        before = len(admin.world.transport.requests)
        await admin.call("PUT", f"/connections/{scene.JIRA}", jira_draft(revision=1))
        await admin.call("PUT", DEMO, {**saved, "name": "Again"})
        asked = [each.url for each in admin.world.transport.requests[before:]]
        assert any("createmeta" in url for url in asked)


async def test_a_mapping_is_suggested_and_can_be_saved_as_it_is() -> None:
    async with desk() as admin:
        await with_connections(admin)
        item = admin.world.ada_craft.create_item(type="product", title="Root", importance="Must have")
        body = {**wanted(), "craft_workspace": admin.world.workspace, "craft_root": item["id"]}
        status, suggested = await admin.call("POST", f"{DEMO}/suggestion", body)
        assert status == 200, suggested
        assert len(suggested["draft"]["pairs"]) >= 10
        assert suggested["reasons"][0]["reason"]
        assert suggested["left_out"][0]["why"]
        status, saved = await admin.call("PUT", DEMO, suggested["draft"])
        assert status == 200, saved
        assert saved["findings"] == suggested["findings"]


@pytest.mark.parametrize(
    ("change", "status", "path"),
    [
        ({"jira_project": "LOST"}, 422, "jira_project"),
        ({"craft_workspace": "1"}, 422, "craft_workspace"),
        ({"jira_connection": "none"}, 422, "jira_connection"),
        ({"jira_connection": str(scene.CRAFT)}, 422, "jira_connection"),
        ({"name": ""}, 422, "name"),
    ],
)
async def test_nothing_is_suggested_between_what_is_not_there(change: dict[str, Any], status: int, path: str) -> None:
    async with desk() as admin:
        await with_connections(admin)
        body = {**wanted(), "craft_workspace": admin.world.workspace, **change}
        answered, answer = await admin.call("POST", f"{DEMO}/suggestion", body)
    assert (answered, answer["problems"][0]["path"]) == (status, path)


# The memory


async def _accesses(world: World) -> tuple[Access, Access]:
    await world.configure()
    found = {each.id: each for each in await world.store.connections()}
    accesses = []
    for side in Side:
        connection = found[world.integration.connection(side)]
        secrets = await world.store.secrets(connection)
        assert secrets is not None
        accesses.append(Access(connection, secrets))
    return accesses[0], accesses[1]


def _metadata(world: World, *, whole_timeout_s: float = 20.0) -> VendorMetadata:
    return VendorMetadata(world.transport, world.clock, SeededDice(1), timeout_s=5.0, whole_timeout_s=whole_timeout_s)


@on_virtual_time
async def test_metadata_is_kept_for_a_minute_and_no_longer() -> None:
    world = World()
    jira, craft = await _accesses(world)
    metadata = _metadata(world)
    first = await metadata.read(world.integration, jira, craft)
    asked = len(world.transport.requests)
    again = await metadata.read(world.integration, jira, craft)
    assert (first.from_memory, again.from_memory, len(world.transport.requests)) == (False, True, asked)
    fresh = await metadata.read(world.integration, jira, craft, fresh=True)
    assert (fresh.from_memory, len(world.transport.requests)) == (False, 2 * asked)
    await asyncio.sleep(MAX_AGE_S + 1)
    late = await metadata.read(world.integration, jira, craft)
    assert (late.from_memory, len(world.transport.requests)) == (False, 3 * asked)


@on_virtual_time
async def test_many_who_ask_at_once_cause_one_read() -> None:
    world = World()
    jira, craft = await _accesses(world)
    metadata = _metadata(world)
    await _metadata(world).read(world.integration, jira, craft)
    alone = len(world.transport.requests)
    await asyncio.gather(*(metadata.read(world.integration, jira, craft) for _ in range(10)))
    assert len(world.transport.requests) == 2 * alone


@on_virtual_time
async def test_a_failure_is_not_kept_and_slow_vendors_are_given_up() -> None:
    world = World()
    world.ada_craft.create_item(type="feature", title="One")
    jira, craft = await _accesses(world)
    metadata = _metadata(world, whole_timeout_s=3.0)
    world.faults.replace([RequestRule(effect="delay", delay_s=4.0)])
    began = world.clock.monotonic()
    with pytest.raises(Unavailable, match="within 3 s"):
        await metadata.read(world.integration, jira, craft)
    assert world.clock.monotonic() - began <= 3.1
    world.faults.replace([])
    assert (await metadata.read(world.integration, jira, craft)).jira.visible


@on_virtual_time
async def test_the_root_is_looked_at_each_time() -> None:
    world = World()
    root = world.ada_craft.create_item(type="product", title="Root")["id"]
    jira, craft = await _accesses(world)
    metadata = _metadata(world)
    draft = world.integration.model_copy(update={"craft_root": root})
    assert (await metadata.read(draft, jira, craft)).craft.looked_at[root] is not None
    world.craft.person(ADA_KEY.key).delete(root)
    assert (await metadata.read(draft, jira, craft)).craft.looked_at[root] is None


async def test_what_people_call_the_fields_is_kept_with_the_mapping_and_is_no_change_of_what_it_means() -> None:
    async with desk() as admin:
        await with_connections(admin)
        first = (await admin.call("PUT", DEMO, draft(admin)))[1]
        named = {pair["id"]: (pair["jira_name"], pair["craft_name"]) for pair in first["pairs"]}
        assert (named["title"], named["customer"]) == (("Summary", "Title"), ("Customer reference", "Customer"))
        claimed = with_pair(draft(admin), "customer", jira_name="Mine")
        second = (await admin.call("PUT", DEMO, {**claimed, "revision": 1}))[1]
        assert [(pair["since"], pair["jira_name"]) for pair in second["pairs"]] == [
            (1, pair["jira_name"]) for pair in first["pairs"]
        ]


def test_a_field_that_is_called_otherwise_now_holds_what_it_held() -> None:
    before = next_revision(None, title_integration())
    renamed = [pair.model_copy(update={"jira_name": "New name", "craft_name": "Another"}) for pair in before.pairs]
    after = next_revision(before, before.model_copy(update={"pairs": tuple(renamed)}))
    assert [pair.since for pair in after.pairs] == [pair.since for pair in before.pairs]
    assert {pair.jira_name for pair in after.pairs} == {"New name"}
    bodies = [each.model_dump(mode="json") for each in (before, after)]
    assert integration_differences(*bodies) == []


async def saved_project(admin: Desk) -> tuple[str, str | None]:
    (saved,) = await admin.world.store.integrations()
    return saved.jira_project, saved.jira_project_id


async def test_a_project_is_kept_by_its_id_and_shown_by_the_key_that_it_has_when_it_is_saved() -> None:
    async with desk() as admin:
        await with_connections(admin)
        project = admin.world.jira.world.project(PROJECT)
        assert project is not None
        status, body = await admin.call("PUT", DEMO, draft(admin, jira_project_id="4711"))
        assert (status, await saved_project(admin)) == (200, (PROJECT, project.id))
        admin.world.jira.rename_key(PROJECT, "TANX")
        admin.world.clock.leap(MAX_AGE_S + 1)
        status, body = await admin.call("PUT", DEMO, {**draft(admin), "revision": 1})
        assert (status, await saved_project(admin)) == (200, ("TANX", project.id))
        told = next(each for each in body["findings"] if each["code"] == "project_key_differs")
        assert (told["severity"], "TANX now, not TAN" in told["message"]) == ("note", True)


async def test_unchecked_the_projects_id_is_what_was_found_out_before_and_never_what_is_sent() -> None:
    async with desk() as admin:
        await with_connections(admin)
        project = admin.world.jira.world.project(PROJECT)
        assert project is not None
        await admin.call("PUT", DEMO, draft(admin))
        admin.world.faults.replace([RequestRule(effect="refuse")])
        admin.world.clock.leap(MAX_AGE_S + 1)
        again = {**draft(admin, jira_project_id="4711"), "revision": 1}
        status, _ = await admin.call("PUT", f"{DEMO}?unchecked=true", again)
        assert (status, await saved_project(admin)) == (200, (PROJECT, project.id))
        other = {**draft(admin, jira_project="OTHER", jira_project_id=project.id), "revision": 2}
        status, _ = await admin.call("PUT", f"{DEMO}?unchecked=true", other)
        assert (status, await saved_project(admin)) == (200, ("OTHER", None))
