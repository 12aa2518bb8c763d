"""Requests at the API: refused at the time of asking by the table, answered afterwards; what waits, and letting it go;
why an item has no link.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deploy.local import scene
from services.mapper.handlers.mapper import Mapper
from services.mapper.ports import Ports as MapperPorts
from shared.domain.clock import SeededDice
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import Absence, Absent, Link, LinkState
from shared.domain.requests import RequestKind, Step, situation_of
from shared.messages.change import ChangeEvent
from shared.messages.request import SyncRequest
from shared.messages.status import Cause
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic
from tests.unit.console.harness import Desk, desk, with_integration
from tests.unit.domain.test_requests import EXPECTED
from tests.unit.reconciler.world import PROJECT

STATES = [state for state in LinkState if state not in (LinkState.ACTIVE, LinkState.PAUSED)]


async def handled(admin: Desk) -> None:
    """Let the mapper handle every request so far."""
    world = admin.world
    publisher = Publisher(world.log, source="mapper", clock=world.clock, dice=SeededDice(5))
    mapper = Mapper(MapperPorts(world.log, world.store, world.clock, SeededDice(6)), publisher)
    for topic in (Topic.REQUESTS, Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT):
        for message in world.messages(topic):
            if isinstance(message, SyncRequest | ChangeEvent):
                await mapper.handle(message)


async def in_state(admin: Desk, state: LinkState) -> Link:
    def put(link: Link) -> None:
        link.enter(state, Cause.DIRECTION_MANUAL if state is LinkState.HELD else None)
        if state is LinkState.ABSENT:
            link.jira.absent = Absent(Absence.HIDDEN, admin.world.clock.now())

    item = admin.world.ada_craft.create_item(type="feature", title="One")["id"]
    single = state in (LinkState.HELD, LinkState.WAITING, LinkState.CREATING, LinkState.ASK, LinkState.EXCLUDED)
    issue = None if single else admin.world.ada_jira.create_issue(PROJECT, "One")
    link = await admin.world.link(jira_id=issue, craft_id=item, origin=Side.CRAFT)
    await admin.world.change(link.id, put)
    view = await admin.world.store.link_view(link.id)
    assert view is not None
    return view.link


@pytest.mark.parametrize("state", STATES)
async def test_what_a_situation_does_not_allow_is_refused_when_it_is_asked(state: LinkState) -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await in_state(admin, state)
        kinds = ("resync", "unsync", "link", "resolve", "retry", "carry")
        row = dict(zip(kinds, EXPECTED[situation_of(link)], strict=True))
        for kind in ("resync", "unsync", "retry", "push"):
            expected = row["carry" if kind == "push" else kind]
            status, body = await admin.call("POST", f"/links/{link.id}/requests", {"kind": kind})
            refused = not isinstance(expected, Step)
            assert (status, body.get("code")) == ((409, expected) if refused else (202, None)), (kind, body)


async def test_a_request_can_be_asked_about_until_it_is_answered_and_after() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await in_state(admin, LinkState.HELD)
        _, asked = await admin.call("POST", f"/links/{link.id}/requests", {"kind": "push"})
        path = asked["answer"].removeprefix("/api/v1")
        shown = await admin.get(path)
        assert (shown["state"], shown["kind"], shown["asked_by"]) == ("asked", "push", "admin")
        await handled(admin)
        shown = await admin.get(path)
        assert (shown["state"], shown["link_id"]) == ("done", link.id)
        requests = (await admin.get(f"/links/{link.id}"))["requests"]
        assert [each["id"] for each in requests] == [asked["request_id"]]
        status, body = await admin.call("GET", "/requests/never")
        assert (status, body["code"]) == (404, "not_found")


async def test_what_became_impossible_meanwhile_is_answered_with_the_reason() -> None:
    async with desk() as admin:
        await with_integration(admin)
        world = admin.world
        issue = world.ada_jira.create_issue(PROJECT, "One")
        item = world.ada_craft.create_item(type="feature", title="One")["id"]
        draft = {"kind": "link", "jira_id": issue, "craft_id": item, "integration_id": scene.INTEGRATION}
        status, asked = await admin.call("POST", "/requests", draft)
        assert status == 202, asked
        await world.link(jira_id=issue, craft_id="99")  # another one was faster
        await handled(admin)
        shown = await admin.get(f"/requests/{asked['request_id']}")
        assert (shown["state"], shown["code"]) == ("refused", "already_linked")
        assert shown["message"]
        assert shown["next_step"]


async def test_what_waits_is_counted_per_direction_and_let_go_by_one_call() -> None:
    async with desk() as admin:
        await with_integration(admin)
        path = f"/integrations/{scene.INTEGRATION}/waiting"
        assert (await admin.get(path))["total"] == 0
        link = await in_state(admin, LinkState.HELD)
        now = admin.world.clock.now()
        await admin.world.change(link.id, lambda found: found.hold(Cause.DIRECTION_MANUAL, "words", now))
        await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", await manual(admin))
        (waiting,) = (await admin.get(path))["waiting"]
        assert (waiting["target"], waiting["mode"], waiting["count"]) == ("jira", "manual", 1)
        assert "1 Craft.io item waits to be created in Jira" in waiting["message"]
        assert (await admin.call("POST", path, {"target": "nowhere"}))[0] == 422
        assert (await admin.call("POST", path, {"target": "jira"}))[0] == 202
        assert (await admin.get("/audit"))["entries"][0]["action"] == "let_go"
        assert (await admin.call("GET", "/integrations/none/waiting"))[0] == 404


async def test_what_waits_for_a_direction_that_is_off_is_not_let_go() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        assert (await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", {**saved, "to_jira": "off"}))[0] == 200
        status, body = await admin.call("POST", f"/integrations/{scene.INTEGRATION}/waiting", {"target": "jira"})
        assert (status, body["code"]) == (409, "direction_off")


async def manual(admin: Desk) -> dict[str, Any]:
    saved = await admin.get(f"/integrations/{scene.INTEGRATION}")
    return {**saved, "to_jira": "manual"}


async def test_an_item_without_a_link_is_told_why_in_its_own_words() -> None:
    async with desk() as admin:
        await with_integration(admin)
        world = admin.world
        world.jira.seed_project("OTHER", "Another")
        elsewhere = world.ada_jira.create_issue("OTHER", "Elsewhere")
        unheard = world.ada_jira.create_issue(PROJECT, "Not heard of")
        async with world.store.transaction() as tx:
            await tx.flag_stray(Side.JIRA, scene.JIRA, EntityId("77"), None, "second counterpart")
        texts: dict[str, str] = {}
        for ident in ("99999", elsewhere, unheard, "77"):
            status, body = await admin.call("GET", f"/items/jira/{ident}")
            assert (status, body["code"]) == (404, "not_found")
            assert body["next_step"]
            texts[ident] = body["message"]
    assert "shows Tandem no item 99999" in texts["99999"]
    assert "is in OTHER, which no integration covers (they cover TAN)" in texts[elsewhere]
    assert "has not heard of" in texts[unheard]
    assert "second counterpart" in texts["77"]
    assert len(set(texts.values())) == 4


async def test_an_item_is_found_by_a_key_that_only_the_vendor_knows() -> None:
    async with desk() as admin:
        await with_integration(admin)
        world = admin.world
        issue = world.ada_jira.create_issue(PROJECT, "One")
        link = await world.link(jira_id=issue)  # no status tells its key yet
        assert (await admin.get(f"/items/jira/{PROJECT}-1"))["id"] == link.id


async def test_a_link_says_where_its_items_went_and_what_is_absent() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await in_state(admin, LinkState.ABSENT)
        await admin.world.change(link.id, lambda found: found.successors.update({Side.CRAFT: LinkId("next")}))
        shown = await admin.get(f"/links/{link.id}")
        assert (shown["goes_on_in"], shown["comes_from"]) == (["next"], [])
        assert (shown["jira"]["absent"], shown["craft"]["absent"]) == ("hidden", None)


def test_every_kind_of_request_that_people_make_is_in_the_table() -> None:
    assert {kind.value for kind in RequestKind} >= {"resync", "unsync", "link", "resolve", "retry", "carry"}


async def test_what_was_refused_is_counted_and_tried_again_by_one_call() -> None:
    async with desk() as admin:
        await with_integration(admin)
        path = f"/integrations/{scene.INTEGRATION}/refused"
        shown = await admin.get(path)
        assert (shown["count"], shown["next_at"]) == (0, None)
        link = await in_state(admin, LinkState.EXCLUDED)
        again_at = admin.world.clock.now() + timedelta(hours=4)
        await admin.world.change(link.id, lambda found: setattr(found, "again_at", again_at))
        shown = await admin.get(path)
        assert shown["count"] == 1
        assert "1 item has something that Jira or Craft.io refused" in shown["message"]
        assert (await admin.call("POST", path))[0] == 202
        assert (await admin.get("/audit"))["entries"][0]["action"] == "retried"
        (due,) = await admin.world.store.due_links(admin.world.clock.now(), timedelta(days=9), 10)
        assert (due.link_id, due.retry) == (link.id, True)
        assert (await admin.call("GET", "/integrations/none/refused"))[0] == 404
        assert (await admin.call("POST", "/integrations/none/refused"))[0] == 404
