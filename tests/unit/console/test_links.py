"""What the console shows of links, and what people may ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deploy.local import scene
from shared.domain.ids import EntityId, LinkId, PairId, Side
from shared.domain.link import Agreed, ConflictNote, Held, HistoryNote, Link, LinkState
from shared.messages.change import ChangeEvent, Origin
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import DisplayState
from shared.runtime.topics import Topic
from tests.unit.console.harness import Desk, desk, with_integration, with_status
from tests.unit.reconciler.world import PROJECT

BIG = 2**61 + 1


async def linked(admin: Desk, **more: Any) -> Link:
    """Return a link of a real issue and a real item."""
    world = admin.world
    issue = world.ada_jira.create_issue(PROJECT, "One")
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    return await world.link(jira_id=issue, craft_id=item, **more)


async def test_a_link_is_shown_with_both_sides_its_operation_conflicts_and_history() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)
        await admin.world.open_operation(link)
        now = admin.world.clock.now()

        def fill(found: Link) -> None:
            title = found.jira.pair(PairId("title"))
            title.seen, title.base = Held("new", now, "user"), Agreed("old", 1)
            found.craft.pair(PairId("points")).seen = Held(BIG, now, None)
            note = ConflictNote(PairId("title"), "a", "b", "ask", None, now)
            found.open_conflicts[PairId("title")] = note
            found.new_conflicts.append(note)
            found.new_history.append(HistoryNote(PairId("title"), Side.CRAFT, "c", "overwritten", now))

        await admin.world.change(link.id, fill)
        await with_status(admin, link, DisplayState.CONFLICT)
        shown = await admin.get(f"/links/{link.id}")
    values = {each["pair"]: each for each in shown["values"]}
    assert (values["title"]["jira"]["value"], values["title"]["jira"]["agreed"]) == ("new", "old")
    assert (values["title"]["jira_field"], values["title"]["craft_field"]) == ("summary", "title")
    assert values["title"]["craft"] == {**values["title"]["craft"], "seen": False, "value": None}
    assert values["points"]["craft"]["value"] == str(BIG)
    assert shown["open_operation"]["pairs"]["title"] == {"value": "new", "expect": "old", "source": "new"}
    assert [each["id"] for each in shown["operations"]] == [shown["open_operation"]["id"]]
    assert [(c["jira_value"], c["craft_value"], c["resolved_by"]) for c in shown["conflicts"]] == [("a", "b", None)]
    assert shown["open_conflicts"] == shown["conflicts"]
    assert [(h["side"], h["value"], h["why"]) for h in shown["history"]] == [("craft", "c", "overwritten")]
    assert shown["status"]["state"] == "conflict"
    assert shown["craft"]["entity_id"] == link.craft_id


async def test_an_item_is_found_by_id_on_both_sides_and_by_the_name_that_people_use() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)
        await with_status(admin, link, DisplayState.IN_SYNC, jira_key="TAN-7", craft_short_id="CRK-20091")
        for path in (
            f"/items/jira/{link.jira_id}",
            f"/items/craft/{link.craft_id}",
            "/items/jira/TAN-7",
            "/items/jira/tan-7",
            "/items/craft/CRK-20091",
        ):
            assert (await admin.get(path))["id"] == link.id
        for path in ("/items/jira/99", "/items/jira/TAN-8", "/items/craft/TAN-7"):
            status, body = await admin.call("GET", path)
            assert (status, body["code"]) == (404, "not_found")
        status, body = await admin.call("GET", "/items/other/7")
        assert status == 422


async def test_a_stray_says_what_it_is() -> None:
    async with desk() as admin:
        await with_integration(admin)
        async with admin.world.store.transaction() as tx:
            await tx.flag_stray(Side.CRAFT, scene.CRAFT, EntityId("99"), None, "second counterpart")
        status, body = await admin.call("GET", "/items/craft/99")
        assert status == 404
        assert "second counterpart" in body["message"]
        assert [stray["entity_id"] for stray in (await admin.get("/strays"))["strays"]] == ["99"]
        assert (await admin.get("/summary"))["strays"] == 1


async def test_pages_of_links_cover_all_of_them_once() -> None:
    async with desk() as admin:
        await with_integration(admin)
        for number in range(7):
            link = await admin.world.link(jira_id=str(number), id=f"link-{number}")
            await with_status(admin, link, DisplayState.IN_SYNC if number % 2 else DisplayState.BLOCKED)
        found: list[str] = []
        after = ""
        while True:
            page = await admin.get(f"/links?limit=3&after={after}")
            found += [link["link_id"] for link in page["links"]]
            if page["next"] is None:
                break
            after = page["next"]
        assert found == [f"link-{number}" for number in range(7)]
        blocked = await admin.get("/links?state=blocked&integration=demo")
        assert [link["link_id"] for link in blocked["links"]] == ["link-0", "link-2", "link-4", "link-6"]
        assert (await admin.get("/links?integration=other"))["links"] == []
        summary = await admin.get("/summary")
        assert (summary["total"], summary["states"]) == (7, {"blocked": 4, "in_sync": 3})
        assert summary["integrations"][0]["states"] == summary["states"]


@pytest.mark.parametrize("kind", ["retry", "resync", "unsync", "decide"])
async def test_a_request_about_a_link_is_handed_to_the_mapper(kind: str) -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)
        status, body = await admin.call("POST", f"/links/{link.id}/requests", {"kind": kind})
        assert (status, body["kind"], body["watch"]) == (202, kind, f"/api/v1/links/{link.id}")
        (request,) = admin.world.messages(Topic.REQUESTS)
    assert isinstance(request, SyncRequest)
    assert (request.kind, request.link_id, request.requested_by) == (RequestKind(kind), link.id, "admin")
    assert request.request_id == body["request_id"]


async def test_a_conflict_is_settled_by_naming_the_winner_and_only_while_it_is_open() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)
        path, draft = f"/links/{link.id}/requests", {"kind": "resolve", "pair": "title", "winner": "craft"}
        assert (await admin.call("POST", path, draft))[0] == 409
        assert (await admin.call("POST", path, {"kind": "resolve"}))[0] == 422
        assert (await admin.call("POST", path, {"kind": "retry", "winner": "jira"}))[0] == 422
        note = ConflictNote(PairId("title"), "a", "b", "ask", None, admin.world.clock.now())
        await admin.world.change(link.id, lambda found: found.open_conflicts.update({PairId("title"): note}))
        assert (await admin.call("POST", path, draft))[0] == 202
        (request,) = admin.world.messages(Topic.REQUESTS)
    assert isinstance(request, SyncRequest)
    assert (request.pair, request.winner, request.conflict_at) == ("title", Side.CRAFT, note.at)


async def test_a_choice_between_values_that_are_no_longer_shown_is_refused() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)
        note = ConflictNote(PairId("title"), "a", "b", "ask", None, admin.world.clock.now())
        await admin.world.change(link.id, lambda found: found.open_conflicts.update({PairId("title"): note}))
        path, draft = f"/links/{link.id}/requests", {"kind": "resolve", "pair": "title", "winner": "craft"}
        before = (note.at - timedelta(seconds=5)).isoformat()
        status, body = await admin.call("POST", path, {**draft, "conflict_at": before})
        assert (status, body["code"]) == (409, "conflict_changed")
        shown = (await admin.call("GET", f"/links/{link.id}"))[1]["open_conflicts"][0]["at"]
        assert (await admin.call("POST", path, {**draft, "conflict_at": shown}))[0] == 202
        assert (await admin.call("POST", f"/links/{link.id}/requests", {"kind": "retry", "conflict_at": shown}))[
            0
        ] == 422


@pytest.mark.parametrize(("kind", "side"), [("push", Side.CRAFT), ("pull", Side.JIRA)])
async def test_push_and_pull_tell_what_the_item_shows_now(kind: str, side: Side) -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)
        status, body = await admin.call("POST", f"/links/{link.id}/requests", {"kind": kind})
        assert status == 202, body
        alone = await admin.world.link(id="alone", **{f"{side.other}_id": "1"})
        status, body = await admin.call("POST", f"/links/{alone.id}/requests", {"kind": kind})
        assert (status, body["code"]) == (409, "no_item")
        (event,) = admin.world.events(side)
    assert isinstance(event, ChangeEvent)
    assert (event.origin, event.entity_id, event.ticket) == (Origin.REQUEST, link.entity_id(side), None)
    assert event.snapshot
    assert event.correlation_read


async def test_a_link_is_shown_with_the_names_of_its_fields_and_values() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await linked(admin)

        def fill(found: Link) -> None:
            record = found.jira.pair(PairId("status"))
            record.seen, record.names = Held("3", admin.world.clock.now(), None), {"3": "In Progress"}

        await admin.world.change(link.id, fill)
        values = {each["pair"]: each for each in (await admin.get(f"/links/{link.id}"))["values"]}
    assert (values["status"]["jira"]["value"], values["status"]["jira"]["value_name"]) == ("3", "In Progress")
    assert (values["points"]["jira_name"], values["points"]["craft_name"]) == ("Story Points", "Story Points")
    assert values["customer"]["craft_name"] == "Customer"


async def test_items_without_a_link_can_be_pushed_pulled_and_joined() -> None:
    async with desk() as admin:
        await with_integration(admin)
        world = admin.world
        issue = world.ada_jira.create_issue(PROJECT, "One")
        item = world.ada_craft.create_item(type="feature", title="One")["id"]
        base = {"integration_id": scene.INTEGRATION}
        for draft in (
            {"kind": "pull", "jira_id": f"{PROJECT}-1", **base},
            {"kind": "push", "craft_id": item, **base},
            {"kind": "link", "jira_id": f"{PROJECT}-1", "craft_id": item, **base},
        ):
            status, body = await admin.call("POST", "/requests", draft)
            assert status == 202, body
        assert [event.entity_id for event in world.events(Side.JIRA)] == [issue]
        assert [event.entity_id for event in world.events(Side.CRAFT)] == [item]
        told = [*world.events(Side.JIRA), *world.events(Side.CRAFT)]
        assert {each.integration_id for each in told} == {scene.INTEGRATION}
        (request,) = world.messages(Topic.REQUESTS)
        assert isinstance(request, SyncRequest)
        assert (request.kind, request.jira_id, request.craft_id) == (RequestKind.LINK, issue, item)


async def test_an_item_is_not_asked_for_where_the_integration_would_not_create_it() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        off = {**saved, "to_craft": "off"}
        assert (await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", off))[0] == 200
        issue = admin.world.ada_jira.create_issue(PROJECT, "One")
        draft = {"kind": "pull", "jira_id": issue, "integration_id": scene.INTEGRATION}
        status, body = await admin.call("POST", "/requests", draft)
        assert (status, body["code"]) == (409, "direction_off")
        assert admin.world.events(Side.JIRA) == []
        await admin.world.link(jira_id=issue, craft_id=None)
        assert (await admin.call("POST", "/requests", draft))[0] == 202


async def test_an_item_can_be_adopted_by_a_link_that_has_no_counterpart() -> None:
    async with desk() as admin:
        await with_integration(admin)
        world = admin.world
        issue = world.ada_jira.create_issue(PROJECT, "One")
        item = world.ada_craft.create_item(type="feature", title="One")["id"]
        await world.link(jira_id=issue, craft_id=None, state=LinkState.ASK)
        draft = {"kind": "link", "jira_id": issue, "craft_id": item, "integration_id": scene.INTEGRATION}
        status, body = await admin.call("POST", "/requests", draft)
        assert status == 202, body
        (request,) = world.messages(Topic.REQUESTS)
        assert isinstance(request, SyncRequest)
        assert (request.kind, request.craft_id) == (RequestKind.LINK, item)


async def test_what_cannot_be_asked_for_is_refused_with_the_reason() -> None:
    async with desk() as admin:
        await with_integration(admin)
        world = admin.world
        link = await linked(admin)
        world.jira.seed_project("OTHER", "Another")
        stranger = world.ada_jira.create_issue("OTHER", "Elsewhere")
        item = world.ada_craft.create_item(type="feature", title="Two")["id"]
        base = {"integration_id": scene.INTEGRATION}
        for draft, expected in (
            ({"kind": "pull", "jira_id": "99999", **base}, 404),
            ({"kind": "pull", "jira_id": stranger, **base}, 422),
            ({"kind": "pull", **base}, 422),
            ({"kind": "pull", "jira_id": "1", "integration_id": "none"}, 404),
            ({"kind": "link", "jira_id": link.jira_id, "craft_id": item, **base}, 409),
        ):
            status, body = await admin.call("POST", "/requests", draft)
            assert status == expected, (draft, body)
            assert body["message"]
            assert body["next_step"]
        assert world.messages(Topic.REQUESTS) == []
        assert world.events(Side.JIRA) == []
        assert (await admin.call("POST", f"/links/{LinkId('none')}/requests", {"kind": "retry"}))[0] == 404
