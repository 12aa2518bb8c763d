"""Laws of creates: at most one counterpart, whatever gets lost: Jira, keyed Craft.io, Craft.io without a key (F8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from deploy.local import scene
from sandbox.craft.settings import ADA_KEY, SYNC_KEY, CraftSiteSettings
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Result
from tests.unit.writing.world import EPOCH, World, body, on_virtual_time

LAG_S = 240
KINDS = pytest.mark.parametrize(("side", "keyed"), [(Side.JIRA, True), (Side.CRAFT, True), (Side.CRAFT, False)])
LOST = {"method": "POST", "path": "*/i*", "effect": "drop-response-after-doing-it", "next": 1}
CREATE_PATH = {Side.JIRA: "/rest/api/3/issue", Side.CRAFT: "/item"}


def lagging(*, keyed: bool = True) -> World:
    """Return a world whose searches and lists show nothing for up to four minutes."""
    return World(
        keyed=keyed,
        jira=JiraSiteSettings(index_lag_s=LAG_S, html_401_every=0),
        craft=CraftSiteSettings(visibility_lag=timedelta(seconds=LAG_S)),
        craft_index_lag_s=300,
    )


@KINDS
@on_virtual_time
async def test_a_create_makes_one_item_that_carries_the_link_id(side: Side, *, keyed: bool) -> None:
    world = World(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New", labels=["x"])
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, world.titles(side)) == (Result.APPLIED, ["New"])
    assert outcome.entity_id == world.operation(op).result_id is not None
    if side is Side.JIRA:
        issue = world.jira.person(SYNC_EMAIL).send("GET", f"/issue/{outcome.entity_id}", query={"properties": "*all"})
        assert issue["properties"] == {"tandem": {"link": world.operation(op).link_id}}
    else:
        fields = world.craft.person(SYNC_KEY.key).read(str(outcome.entity_id))["customFields"]
        assert [field["value"] for field in fields] == ([world.operation(op).link_id] if keyed else [])


@KINDS
@on_virtual_time
async def test_a_lost_answer_makes_no_second_item_however_late_the_search_shows_the_first(
    side: Side, *, keyed: bool
) -> None:
    """F8: look-ups only, until the search shows it."""
    world = lagging(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New", labels=["x"])
    world.fail(LOST)
    outcome = await world.work(op)
    assert (outcome.result, world.titles(side)) == (Result.ALREADY, ["New"])
    assert outcome.entity_id is not None
    assert world.title(side, outcome.entity_id) == "New"


@KINDS
@on_virtual_time
async def test_looks_follow_one_another_within_ten_seconds_and_hold_up_nobody(side: Side, *, keyed: bool) -> None:
    world = lagging(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.fail(LOST)
    await world.attempt(op)
    began = world.clock.monotonic()
    await asyncio.sleep(11)
    await world.attempt(op)
    assert world.clock.monotonic() - began < 12
    assert world.outcomes(op) == []
    lease = world.operation(op).lease_until
    assert lease is not None
    assert timedelta(seconds=9) < lease - world.clock.now() <= timedelta(seconds=10)


@KINDS
@on_virtual_time
async def test_a_create_that_never_arrived_is_sent_again_once_it_can_no_longer_appear(
    side: Side, *, keyed: bool
) -> None:
    world = lagging(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.fail({"method": "POST", "path": CREATE_PATH[side], "effect": "status", "status": 504, "next": 1})
    outcome = await world.work(op)
    assert (outcome.result, world.titles(side)) == (Result.APPLIED, ["New"])
    assert world.clock.monotonic() > 20 + 20 + 300


@KINDS
@on_virtual_time
async def test_a_crash_between_the_effect_and_its_record_makes_no_second_item(side: Side, *, keyed: bool) -> None:
    world = lagging(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.fail({"method": "POST", "path": CREATE_PATH[side], "effect": "delay", "delay_s": 1})
    attempt = asyncio.create_task(world.attempt(op))
    await asyncio.sleep(0.5)
    attempt.cancel()  # kill -9: the request is under way, nothing of it is recorded
    outcome = await world.work(op)
    assert (outcome.result, world.titles(side)) == (Result.ALREADY, ["New"])


@KINDS
@on_virtual_time
async def test_a_crash_before_the_request_left_costs_time_but_makes_the_item(side: Side, *, keyed: bool) -> None:
    world = World(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.change_operation(op, post_started_at=world.clock.now(), lease_until=world.clock.now(), attempts=1)
    outcome = await world.work(op)
    assert (outcome.result, world.titles(side)) == (Result.APPLIED, ["New"])


@KINDS
@on_virtual_time
async def test_a_create_whose_result_is_known_is_reported_and_nothing_else(side: Side, *, keyed: bool) -> None:
    world = World(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.change_operation(op, post_started_at=world.clock.now(), result_id=EntityId("4711"), attempts=1)
    await world.attempt(op)
    assert (world.outcome(op).result, world.outcome(op).entity_id) == (Result.APPLIED, "4711")
    assert world.done == []


@KINDS
@on_virtual_time
async def test_a_rate_limited_create_is_tried_again_and_made_once(side: Side, *, keyed: bool) -> None:
    world = World(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.fail(
        {"method": "POST", "path": CREATE_PATH[side], "effect": "status", "status": 429, "retry_after_s": 3, "next": 2}
    )
    await world.attempt(op)
    assert (world.outcome(op).result, world.titles(side)) == (Result.APPLIED, ["New"])
    assert world.clock.monotonic() >= 6


@KINDS
@on_virtual_time
async def test_a_refused_token_defers_a_create_that_sent_nothing_but_never_one_that_may_have(
    side: Side, *, keyed: bool
) -> None:
    world = lagging(keyed=keyed)
    await world.configure()
    site, token = (world.jira, SYNC_TOKEN) if side is Side.JIRA else (world.craft, SYNC_KEY.key)
    lost = await world.open_create(side, title="Lost answer")
    world.fail(LOST)
    await world.attempt(lost)
    site.revoke_token(token)
    await asyncio.sleep(15)
    await world.attempt(lost)
    assert world.outcomes(lost) == []
    new = await world.open_create(side, title="New")
    await world.attempt(new)
    assert world.outcome(new).result is Result.DEFERRED
    await world.close(new)
    site.restore_token(token)
    await world.store.set_connection_paused(scene.JIRA if side is Side.JIRA else scene.CRAFT, None)
    assert (await world.work(lost)).result is Result.ALREADY
    assert world.titles(side) == ["Lost answer"]


@KINDS
@on_virtual_time
async def test_a_create_reported_as_not_made_is_not_made_after_all_while_the_mapper_is_away(
    side: Side, *, keyed: bool
) -> None:
    """The mapper would read that it failed, open another create, and there would be two."""
    world = World(keyed=keyed)
    await world.configure()
    op = await world.open_create(side, title="New")
    world.fail({"effect": "refuse"})
    await world.attempt(op)
    assert world.outcome(op).result is Result.DEFERRED
    world.fail()
    other = await world.open_create(side, title="Other")
    await asyncio.sleep(600)
    await world.work(other)
    assert world.outcome(op).result is Result.DEFERRED
    assert world.titles(side) == ["Other"]


@on_virtual_time
async def test_a_required_field_rejects_a_jira_create_with_jiras_words() -> None:
    world = World()
    await world.configure()
    screen = world.jira.screen("TAN", "Story", "create")
    screen.fields[world.jira.field_id("Customer reference")] = True
    op = await world.open_create(Side.JIRA, title="New")
    await world.attempt(op)
    outcome = world.outcome(op)
    assert (outcome.result, outcome.errors, outcome.entity_id) == (Result.REJECTED, {}, None)
    assert outcome.message is not None
    assert "Customer reference is required." in outcome.message


@on_virtual_time
async def test_a_craft_create_under_a_parent_that_is_gone_is_rejected_for_its_parent() -> None:
    world = World()
    await world.configure()
    op = await world.open_create(Side.CRAFT, title="New", parent="2300000000000000000")
    await world.attempt(op)
    assert world.outcome(op).result is Result.REJECTED
    assert set(world.outcome(op).errors) == {PairId("parent")}


@on_virtual_time
async def test_equal_creates_without_a_key_go_one_after_the_other() -> None:
    """Two equal items could not be told apart after a lost answer, so the second waits until the first is settled."""
    world = lagging(keyed=False)
    await world.configure()
    one = await world.open_create(Side.CRAFT, title="Twin")
    await asyncio.sleep(1)
    two = await world.open_create(Side.CRAFT, title="Twin")
    world.fail(LOST)
    await world.attempt(one)
    for _ in range(5):
        await world.attempt(two)
        await asyncio.sleep(11)
    assert world.outcomes(two) == []
    assert len(world.titles(Side.CRAFT)) == 1
    first = await world.work(one)
    await world.close(one)
    second = await world.work(two)
    assert world.titles(Side.CRAFT) == ["Twin", "Twin"]
    assert first.entity_id != second.entity_id


@on_virtual_time
async def test_without_a_key_one_of_ours_that_a_person_changed_is_asked_about_and_never_doubled() -> None:
    world = lagging(keyed=False)
    await world.configure()
    op = await world.open_create(Side.CRAFT, title="New")
    world.fail(LOST)
    await world.attempt(op)
    made = _only_item(world)
    world.edit(Side.CRAFT, made, "Renamed")
    outcome = await world.work(op)
    assert (outcome.ambiguous, outcome.entity_id) == ((made,), None)
    assert world.titles(Side.CRAFT) == ["Renamed"]


@on_virtual_time
@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("title", ["New", "Renamed"])
async def test_one_of_ours_that_a_person_converted_is_not_created_again(title: str, *, keyed: bool) -> None:
    world = lagging(keyed=keyed)
    await world.configure()
    op = await world.open_create(Side.CRAFT, title="New")
    world.fail(LOST)
    await world.attempt(op)
    made = _only_item(world)
    world.craft.person(ADA_KEY.key).edit(made, type="epic", title=title)
    outcome = await world.work(op)
    assert made in (outcome.entity_id, *outcome.ambiguous)
    assert world.titles(Side.CRAFT) == [title]


@on_virtual_time
async def test_without_a_key_an_equal_item_that_is_in_a_link_already_is_not_adopted() -> None:
    world = World(keyed=False)
    await world.configure()
    first = await world.open_create(Side.CRAFT, title="Same")
    await world.attempt(first)
    await world.close(first)
    op = await world.open_create(Side.CRAFT, title="Same")
    world.change_operation(op, post_started_at=world.clock.now(), lease_until=world.clock.now(), attempts=1)
    outcome = await world.work(op)
    assert outcome.result is Result.APPLIED
    assert outcome.entity_id != world.outcome(first).entity_id


@on_virtual_time
async def test_without_a_key_two_equal_items_of_ours_are_asked_about() -> None:
    world = World(keyed=False)
    await world.configure()
    ours = world.craft.person(SYNC_KEY.key)
    made = sorted(EntityId(ours.create_item(type="feature", title="Same")["id"]) for _ in range(2))
    op = await world.open_create(Side.CRAFT, title="Same")
    world.change_operation(op, post_started_at=world.clock.now(), lease_until=world.clock.now(), attempts=1)
    assert sorted((await world.work(op)).ambiguous) == made


@on_virtual_time
async def test_an_item_that_a_person_made_meanwhile_is_never_taken_for_ours() -> None:
    world = World(keyed=False)
    await world.configure()
    op = await world.open_create(Side.CRAFT, title="Same")
    theirs = world.item(Side.CRAFT, "Same")
    world.change_operation(op, post_started_at=world.clock.now(), lease_until=world.clock.now(), attempts=1)
    outcome = await world.work(op)
    assert outcome.result is Result.APPLIED
    assert outcome.entity_id != theirs


@on_virtual_time
async def test_a_503_that_may_come_from_a_gateway_is_no_reason_to_repeat_a_create() -> None:
    world = lagging()
    await world.configure()
    op = await world.open_create(Side.JIRA, title="New")
    world.fail({"method": "POST", "path": CREATE_PATH[Side.JIRA], "effect": "status", "status": 503, "next": 1})
    await world.attempt(op)
    assert world.outcomes(op) == []
    assert world.sent("POST") == []


@on_virtual_time
async def test_a_create_sends_project_type_parent_and_all_values_in_one_call() -> None:
    world, text = World(), "Two\n\nparagraphs"
    await world.configure()
    epic = world.jira.person("ada@example.com").create_issue("TAN", "Epic", type="Epic")
    op = await world.open_create(
        Side.JIRA,
        title="New",
        description={"html": "<p>Two</p><p>paragraphs</p>"},
        importance="2",
        points=5,
        parent=epic,
        start="2026-01-09",
    )
    await world.attempt(op)
    assert len(world.sent("POST")) == 1
    entity = world.outcome(op).entity_id
    assert entity is not None
    shown: Any = world.jira.person("ada@example.com").read(entity)
    fields = shown["fields"]
    assert (fields["priority"]["id"], fields["parent"]["id"], fields["description"]) == ("2", epic, text)
    assert body(world.sent("POST")[0])["fields"]["project"] == {"id": world.integration.jira_project_id}


@on_virtual_time
async def test_post_started_is_committed_before_anything_leaves() -> None:
    world = World()
    await world.configure()
    op = await world.open_create(Side.CRAFT, title="New")
    seen: list[object] = []
    world.transport._on_effect = lambda *_: seen.append(world.operation(op).post_started_at)
    await world.attempt(op)
    assert seen == [EPOCH]


def _only_item(world: World) -> EntityId:
    items: Any = world.craft.state()["items"]
    assert len(items) == 1
    return EntityId(items[0]["id"])


@pytest.mark.parametrize("lost", [False, True], ids=["told", "looked for"])
@on_virtual_time
async def test_an_issue_is_created_once_in_a_project_whose_key_was_changed(*, lost: bool) -> None:
    world = World()
    await world.configure()
    world.jira.rename_key("TAN", "TANX")
    op = await world.open_create(Side.JIRA, title="New")
    if lost:
        world.fail(LOST)
    outcome = await world.work(op)
    assert world.titles(Side.JIRA) == ["New"]
    made = world.jira.person(SYNC_EMAIL).read(str(outcome.entity_id))
    assert str(made["key"]).startswith("TANX-")
