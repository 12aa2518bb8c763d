"""A status speaks in the names that people know: those that an item showed, and those that the mapping keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.mapper.domain.names import called, keep_names
from shared.domain.ids import PairId, Side
from shared.domain.link import Result
from shared.domain.mapping import FieldKind, FieldPair, Shape, ValuePair
from shared.messages.change import ChangeEvent
from shared.messages.request import RequestKind
from shared.messages.status import SyncStatus
from tests.unit.mapper.harness import World, title_integration
from tests.unit.mapper.test_protocol_failures_handlers import BUG, US, Bench
from tests.unit.mapper.test_review import revise

TITLE = FieldPair(id=PairId("title"), kind=FieldKind.STRING, jira="summary", craft="title")
TIER = FieldPair(
    id=PairId("tier"),
    kind=FieldKind.OPTION,
    jira="customfield_10050",
    craft="custom:2300000000000000077",
    values=(ValuePair(jira="10201", craft="2300000000000000101"),),
    jira_name="Support tier",
    craft_name="Tier",
)
GOLD = {"id": "10209", "value": "Gold"}


def with_tier(event: ChangeEvent, tier: dict[str, Any] | None) -> ChangeEvent:
    snapshot = event.snapshot or {}
    shown: dict[str, Any]
    if event.side is Side.JIRA:
        shown = {"fields": {**snapshot["fields"], TIER.jira: tier}}
    else:
        shown = {"customFields": [{"id": TIER.craft.removeprefix("custom:"), "name": "Tier", **(tier or {})}]}
    return event.model_copy(update={"snapshot": {**snapshot, **shown}})


async def joined(bench: Bench, **changes: Any) -> Any:
    """Return the integration, with one item in step on both sides."""
    integration = await bench.configure(pairs=(TITLE, TIER), **changes)
    await bench.mapper.handle(with_tier(bench.jira("1", "a"), None))
    await bench.created((await bench.commands())[-1], "11", with_tier(bench.craft("11", "a", by=US), None))
    bench.clock.at += timedelta(minutes=1)
    return integration


async def said(bench: Bench) -> SyncStatus:
    status = (await bench.statuses())[-1]
    assert status.problems
    return status


async def test_a_value_that_is_not_mapped_is_told_by_its_name_and_that_of_its_field() -> None:
    bench = Bench()
    await joined(bench)
    await bench.mapper.handle(with_tier(bench.jira("1", "a"), GOLD))
    status = await said(bench)
    assert 'The value "Gold" of Jira\'s Support tier is not mapped to one in Craft.io.' in status.message
    assert status.next_step is not None
    assert 'Ask an admin to map "Gold"' in status.next_step
    assert status.field == "Support tier"


async def test_an_option_of_a_craft_custom_field_is_told_by_its_label() -> None:
    bench = Bench()
    await joined(bench)
    shown = {"value": "2300000000000000109", "label": "Silver"}
    await bench.mapper.handle(with_tier(bench.craft("11", "a"), shown))
    assert 'The value "Silver" of Craft.io\'s Tier' in (await said(bench)).message


async def test_a_name_lasts_through_decisions_that_see_no_item() -> None:
    bench = Bench()
    integration = await joined(bench)
    await bench.mapper.handle(with_tier(bench.jira("1", "a"), GOLD))
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    await bench.mapper.handle(bench.request(RequestKind.RETRY, link.id))
    assert '"Gold"' in (await said(bench)).message
    await revise(bench, integration, policy="craft")
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, link.id))
    assert '"Gold"' in (await said(bench)).message


async def test_an_item_of_a_type_that_is_not_mapped_says_what_the_type_is_called() -> None:
    bench = Bench()
    await bench.configure()
    event = bench.jira("1", "a", kind=BUG)
    assert event.snapshot is not None
    event.snapshot["fields"]["issuetype"]["name"] = "Bug"
    await bench.mapper.handle(event)
    assert 'The Jira type "Bug" is not mapped' in (await bench.statuses())[-1].message


async def test_an_item_that_waits_says_what_its_parent_is_called() -> None:
    bench = Bench()
    await bench.configure()
    event = bench.jira("1", "a", parent="99")
    assert event.snapshot is not None
    event.snapshot["fields"]["parent"] |= {"key": "TAN-99", "fields": {"summary": "Checkout"}}
    await bench.mapper.handle(event)
    assert 'The parent "TAN-99 Checkout" in Jira' in (await bench.statuses())[-1].message


async def test_a_refused_value_names_the_field_that_refused_it() -> None:
    bench = Bench()
    await joined(bench)
    await bench.mapper.handle(with_tier(bench.jira("1", "a"), {"id": "10201", "value": "Basic"}))
    command = (await bench.commands())[-1]
    await bench.mapper.handle(bench.outcome(command, Result.REJECTED, errors={TIER.id: "no"}))
    assert (await said(bench)).field == "Tier"


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        ({"id": "1", "value": "Europe", "child": {"id": "2", "value": "Berlin"}}, {"1": "Europe", "2": "Berlin"}),
        (None, {}),
        ("odd", {}),
    ],
)
def test_of_a_cascade_both_parts_have_a_name(shown: Any, names: dict[str, str]) -> None:
    region = FieldPair(
        id=PairId("region"), kind=FieldKind.OPTION, jira="customfield_1", craft="custom:9", jira_shape=Shape.CASCADE
    )
    world = World(title_integration().model_copy(update={"pairs": (region,)}))
    keep_names(world.link, Side.JIRA, world.integration, {"fields": {"customfield_1": shown}})
    assert called(world.link).get((Side.JIRA, region.id), {}) == names


def test_only_the_last_names_are_kept_and_what_is_shown_is_among_them() -> None:
    world = World(title_integration().model_copy(update={"pairs": (TIER,)}))
    for number in (*range(50), 45):
        shown = {"fields": {TIER.jira: {"id": str(number), "value": f"Option {number}"}}}
        keep_names(world.link, Side.JIRA, world.integration, shown)
    names = world.link.jira.pair(TIER.id).names
    assert len(names) == 20
    assert list(names.items())[-1] == ("45", "Option 45")
