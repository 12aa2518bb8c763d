"""Laws of linking issues: a request for each link, only what is missing, nothing that a person did meanwhile."""

from __future__ import annotations

from typing import Any

from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL
from shared.domain.ids import EntityId, Side
from shared.domain.link import Result
from tests.unit.fields.test_links import PAIR
from tests.unit.writing.world import PROJECT, World, on_virtual_time


async def desk() -> tuple[World, EntityId, EntityId, EntityId]:
    world = World(pairs=lambda _: (PAIR,))
    await world.configure()
    one, two, three = (world.item(Side.JIRA, title) for title in ("One", "Two", "Three"))
    return world, one, two, three


def shown(world: World, issue: EntityId) -> set[tuple[str, str]]:
    fields: Any = world.jira.person(ADA_EMAIL).read(issue)["fields"]
    return {
        (each["type"][way], each[f"{way}Issue"]["id"])
        for each in fields["issuelinks"]
        for way in ("outward", "inward")
        if f"{way}Issue" in each
    }


def by_hand(world: World, kind: str, source: EntityId, target: EntityId) -> None:
    body = {"type": {"name": kind}, "inwardIssue": {"id": source}, "outwardIssue": {"id": target}}
    world.jira.person(ADA_EMAIL).send("POST", "/issueLink", body)


@on_virtual_time
async def test_each_missing_link_takes_one_request_and_each_that_is_gone_another() -> None:
    world, one, two, three = await desk()
    by_hand(world, "Blocks", one, two)
    op = await world.open_write(Side.JIRA, one, links=([f"10000/inward:{three}"], [f"10000/outward:{two}"]))
    await world.attempt(op)
    assert world.outcome(op).result is Result.APPLIED
    assert shown(world, one) == {("is blocked by", three)}
    assert shown(world, three) == {("blocks", one)}


@on_virtual_time
async def test_a_link_whose_ways_are_the_same_is_made_once_from_both_ends() -> None:
    world, one, two, _ = await desk()
    for issue, other in ((two, one), (one, two)):
        op = await world.open_write(Side.JIRA, issue, links=([f"10003:{other}"], []))
        await world.attempt(op)
        await world.close(op)
    assert shown(world, one) == {("relates to", two)}
    assert len(world.jira.world.issue_links) == 1


@on_virtual_time
async def test_what_a_person_linked_meanwhile_ends_it_as_moved_and_stays() -> None:
    world, one, two, three = await desk()
    op = await world.open_write(Side.JIRA, one, links=([f"10000/outward:{two}"], []))
    by_hand(world, "Duplicate", one, three)
    await world.attempt(op)
    assert world.outcome(op).result is Result.MOVED
    assert shown(world, one) == {("duplicates", three)}


@on_virtual_time
async def test_an_attempt_that_was_cut_short_is_gone_on_with_by_the_next() -> None:
    world, one, two, three = await desk()
    op = await world.open_write(Side.JIRA, one, links=(sorted((f"10000/outward:{two}", f"10003:{three}")), []))
    world.fail({"method": "POST", "path": "*/issueLink", "effect": "drop-response-after-doing-it", "next": 1})
    await world.attempt(op)
    assert world.outcomes(op) == []
    await world.work(op)
    assert shown(world, one) == {("blocks", two), ("relates to", three)}
    assert len(world.jira.world.issue_links) == 2


@on_virtual_time
async def test_a_refused_link_is_told_and_holds_up_no_other() -> None:
    world, one, two, _ = await desk()
    op = await world.open_write(Side.JIRA, one, links=(sorted(("10000/outward:4711", f"10003:{two}")), []))
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, set(outcome.errors)) == (Result.REJECTED, {PAIR.id})
    assert shown(world, one) == {("relates to", two)}


@on_virtual_time
async def test_a_link_that_we_may_not_remove_is_not_reported_as_removed() -> None:
    world, one, two, _ = await desk()
    by_hand(world, "Blocks", one, two)
    world.jira.deny(PROJECT, SYNC_EMAIL, "LINK_ISSUES")
    op = await world.open_write(Side.JIRA, one, links=([], [f"10000/outward:{two}"]))
    await world.attempt(op)
    assert world.outcome(op).result is Result.REJECTED
    assert shown(world, one) == {("blocks", two)}
