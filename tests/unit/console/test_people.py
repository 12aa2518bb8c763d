"""The report of people who are not found on the other side."""

from __future__ import annotations

from typing import Any

from deploy.local import scene
from shared.domain.ids import EntityId, LinkId, PairId, Side
from shared.domain.link import Held, Link, LinkState
from shared.domain.mapping import FieldKind, FieldPair, ValuePair
from shared.domain.person import Person
from tests.unit.console.harness import Desk, desk, with_connections

WHO = PairId("assignee")


async def _set_up(admin: Desk, **changes: Any) -> None:
    pair = FieldPair(
        id=WHO,
        kind=FieldKind.USER,
        jira="assignee",
        craft="assignee",
        values=(ValuePair(jira="ada", craft="1"),),
        **changes,
    )
    draft = admin.world.integration
    draft = draft.model_copy(update={"pairs": (*draft.pairs, pair)})
    await with_connections(admin)
    status, body = await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", draft.model_dump(mode="json"))
    assert status == 200, body
    now = admin.world.clock.now()
    await admin.world.store.remember_people(
        [
            Person(scene.JIRA, "ben", "ben@example.com", "Ben", True, now),
            Person(scene.CRAFT, "2", "ben@example.com", "Ben", True, now, "Web"),
            Person(scene.JIRA, "eve", None, "Eve", True, now),
            Person(scene.CRAFT, "9", None, "Product", True, now, "Core"),
        ]
    )
    for n, (jira, craft) in enumerate([("ada", "1"), ("ben", "2"), ("eve", "9"), ("eve", "9"), ("zoe", None)]):
        link = Link(
            id=LinkId(f"link-{n}"),
            integration_id=draft.id,
            jira_connection=scene.JIRA,
            craft_connection=scene.CRAFT,
            origin=Side.JIRA,
            state=LinkState.ACTIVE,
            created_at=now,
            jira_id=EntityId(f"j{n}"),
        )
        link.jira.pair(WHO).seen = Held(jira, now, None)
        link.craft.pair(WHO).seen = Held({"id": craft, "team": "Core"} if craft else None, now, None)
        async with admin.world.store.transaction() as tx:
            assert await tx.insert(link)


async def test_who_is_not_found_is_told_with_how_often_and_what_stands_in() -> None:
    async with desk() as admin:
        await _set_up(admin, fallback=ValuePair(jira=None, craft="9"))
        found = await admin.get(f"/people?integration={scene.INTEGRATION}")
    assert found["shown"] == 7
    stands_in = {"account_id": "9", "name": "Product", "email": None}
    assert [
        (each["side"], each["person"]["account_id"], each["person"]["name"], each["items"], each["instead"])
        for each in found["unmatched"]
    ] == [
        ("craft", "9", "Product", 2, None),
        ("jira", "eve", "Eve", 2, stands_in),
        ("jira", "zoe", None, 1, stands_in),
    ]
    assert "Add them to the value map of the pair assignee" in found["unmatched"][0]["next_step"]


async def test_a_side_that_is_not_carried_over_is_not_reported() -> None:
    async with desk() as admin:
        await _set_up(admin, direction="to_craft")
        found = await admin.get(f"/people?integration={scene.INTEGRATION}")
    assert {each["side"] for each in found["unmatched"]} == {"jira"}
    assert {each["instead"] for each in found["unmatched"]} == {None}


async def test_people_of_an_integration_that_there_is_not_are_a_404_and_of_none_a_422() -> None:
    async with desk() as admin:
        status, body = await admin.call("GET", "/people?integration=nope")
        assert (status, body["code"]) == (404, "not_found")
        status, _ = await admin.call("GET", "/people")
        assert status == 422
