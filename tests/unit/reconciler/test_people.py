"""People known on one side only are looked up in Jira by their e-mail address."""

from __future__ import annotations

import asyncio

from deploy.local import scene
from sandbox.jira.site import ADA_EMAIL
from shared.domain.ids import PairId
from shared.domain.mapping import FieldKind, FieldPair
from shared.domain.person import Person
from tests.unit.reconciler.world import World, on_virtual_time


async def _world(*, mapped: bool = True) -> World:
    world = World()
    if mapped:
        pair = FieldPair(id=PairId("who"), kind=FieldKind.USER, jira="assignee", craft="assignee")
        pairs = (*world.integration.pairs, pair)
        world.integration = world.integration.model_copy(update={"pairs": pairs})
    await world.configure()
    now = world.clock.now()
    for ident, email in (("1", ADA_EMAIL), ("2", "nobody@example.com")):
        await world.store.remember_people([Person(scene.CRAFT, ident, email, email, True, now)])
    return world


@on_virtual_time
async def test_who_is_known_in_craft_by_an_address_is_found_in_jira() -> None:
    world = await _world()
    async with world.running():
        await asyncio.sleep(5)
    found = await world.store.people(scene.JIRA, emails=[ADA_EMAIL])
    assert [each.account_id for each in found] == [world.jira.world.account_by_email(ADA_EMAIL).account_id]


@on_virtual_time
async def test_who_was_found_is_not_asked_for_again() -> None:
    world = await _world()
    async with world.running(people_interval_s=10):
        await asyncio.sleep(60)
    asked = [dict(each.query)["query"] for each in world.transport.requests if each.url.endswith("/user/search")]
    assert asked.count(ADA_EMAIL) == 1
    assert asked.count("nobody@example.com") > 3


@on_virtual_time
async def test_nobody_is_looked_up_where_people_are_not_mapped() -> None:
    world = await _world(mapped=False)
    async with world.running():
        await asyncio.sleep(5)
    assert not [request for request in world.transport.requests if "user/search" in request.url]
