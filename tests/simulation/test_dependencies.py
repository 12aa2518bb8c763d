"""Dependencies of Craft.io become issue links of Jira, by all services on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sandbox.craft.settings import ADA_KEY
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL
from shared.domain.ids import EntityId
from tests.simulation.foresight import fair
from tests.simulation.world import PROJECT, World, in_virtual_time

Entries = set[tuple[str, str]]
ENOUGH_S = 90.0


def played(story: Callable[[World], Awaitable[None]]) -> None:
    """Play a story in a fair world."""

    async def play() -> None:
        world = World(1, fair(1))
        await world.prepare()
        await story(world)
        world.plant.end()

    in_virtual_time(play)


def item(world: World, title: str, kind: str = "feature") -> EntityId:
    above = None if kind == "product" else world.people.root
    made = EntityId(world.craft.person(ADA_KEY.key).create_item(type=kind, title=title, parent=above)["id"])
    world.mail.post()
    return made


def depend(world: World, one: EntityId, **others: EntityId) -> None:
    entries = [{"id": other, "value": relation.replace("_", " ")} for relation, other in others.items()]
    world.craft.person(ADA_KEY.key).edit(one, dependencies=entries)
    world.mail.post()


def issue_of(world: World, one: EntityId) -> EntityId | None:
    found = (link for link in world.store.tables.links.values() if link.craft_id == one)
    return next((link.jira_id for link in found), None)


def links_of(world: World, one: EntityId) -> Entries:
    """Return what an item's issue is linked to: words and summary."""
    issue = issue_of(world, one)
    shown = world.jira.person(ADA_EMAIL).read(issue)["fields"] if issue is not None else {}
    assert isinstance(shown, dict)
    found: Entries = set()
    for each in shown.get("issuelinks", ()):
        way = "outward" if "outwardIssue" in each else "inward"
        found.add((each["type"][way], each[f"{way}Issue"]["fields"]["summary"]))
    return found


async def until(world: World, one: EntityId, wanted: Entries) -> None:
    async with asyncio.timeout(ENOUGH_S):
        while links_of(world, one) != wanted:
            await asyncio.sleep(0.5)


def statuses(world: World, one: EntityId) -> list[str]:
    link = next(each for each in world.store.tables.links.values() if each.craft_id == one)
    return [str(problem.cause) for problem in world.store.tables.statuses[link.id].problems]


def test_a_dependency_becomes_an_issue_link_on_both_issues_and_goes_with_it() -> None:
    async def story(world: World) -> None:
        one, two, three = (item(world, title) for title in ("one", "two", "three"))
        depend(world, one, blocks=two, related=three)
        await until(world, one, {("blocks", "two"), ("relates to", "three")})
        await until(world, two, {("is blocked by", "one")})
        depend(world, one, blocked_by=two)
        await until(world, one, {("is blocked by", "two")})
        depend(world, one)
        await until(world, one, set())
        assert statuses(world, one) == statuses(world, two) == []

    played(story)


def test_what_people_linked_in_jira_stays() -> None:
    async def story(world: World) -> None:
        one, two = item(world, "one"), item(world, "two")
        await until(world, two, set())
        while None in (ends := (issue_of(world, one), issue_of(world, two))):
            await asyncio.sleep(0.5)
        body = {"type": {"name": "Duplicate"}, "inwardIssue": {"id": ends[0]}, "outwardIssue": {"id": ends[1]}}
        world.jira.person(ADA_EMAIL).send("POST", "/issueLink", body)
        depend(world, one, blocks=two)
        await until(world, one, {("duplicates", "two"), ("blocks", "two")})
        depend(world, one)
        await until(world, one, {("duplicates", "two")})

    played(story)


def test_a_dependency_on_an_item_without_issue_waits_for_it_and_holds_up_nothing_else() -> None:
    async def story(world: World) -> None:
        one, two = item(world, "one"), item(world, "two")
        product = item(world, "product", kind="product")  # not mapped
        depend(world, one, blocks=product, related=two)
        await until(world, one, {("relates to", "two")})
        await asyncio.sleep(10)
        assert statuses(world, one) == ["dependency_not_linked"]
        world.craft.person(ADA_KEY.key).edit(one, title="first")
        world.mail.post()
        await until(world, two, {("relates to", "first")})
        world.craft.person(ADA_KEY.key).edit(product, type="epic")
        world.mail.post()
        await until(world, one, {("relates to", "two"), ("blocks", "product")})
        assert statuses(world, one) == []

    played(story)


def test_a_link_that_jira_refuses_is_told_and_not_tried_again_and_again() -> None:
    async def story(world: World) -> None:
        one, two = item(world, "one"), item(world, "two")
        await until(world, two, set())
        world.jira.deny(PROJECT, SYNC_EMAIL, "LINK_ISSUES")
        depend(world, one, blocks=two)
        await asyncio.sleep(30)
        assert statuses(world, one) == ["rejected"]
        tried = [call for call in world.network.calls if call.path.endswith("/issueLink")]
        assert [call.status for call in tried] == [404, 404]  # once for each of the two items

    played(story)
