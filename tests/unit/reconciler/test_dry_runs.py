"""How dry runs are carried on: which items are chosen, how they are read, and what becomes of trouble."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from deploy.local import scene
from sandbox.kit.fault_rules import RequestRule
from shared.domain.dry_run import (
    KEPT_FOR,
    DryRun,
    DryRunId,
    DryRunState,
    ItemForecast,
    Outlook,
)
from shared.domain.ids import EntityId, Side
from shared.messages.change import ChangeKind, Origin
from shared.messages.rehearsal import Rehearsal
from shared.runtime.topics import Topic
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time

RUN = DryRunId("run")
ANSWER = ItemForecast(outlooks=(Outlook.IN_SYNC,))
QUICK: dict[str, Any] = {"dry_run_again_s": 5.0}


async def asked(world: World, sample: int | None = None, **changes: Any) -> DryRun:
    run = DryRun(
        id=RUN,
        integration_id=world.integration.id,
        draft=world.integration,
        sample=sample,
        requested_by="ada",
        created_at=world.clock.now(),
        base_revision=1,
    ).model_copy(update=changes)
    await world.store.open_dry_run(run, 10)
    return run


async def state_of(world: World, ident: DryRunId = RUN) -> DryRun:
    found = await world.store.dry_run(ident)
    assert found is not None
    return found


def rehearsals(world: World) -> list[Rehearsal]:
    return [message for message in world.messages(Topic.REHEARSALS) if isinstance(message, Rehearsal)]


async def answer_all(world: World, ident: DryRunId = RUN) -> bool:
    """Be the mapper; tell whether the dry run is over."""
    for message in rehearsals(world):
        if message.dry_run_id == ident:
            await world.store.answer_dry_run_item(ident, message.item, ANSWER, [])
    return (await state_of(world, ident)).state.over


def issue(world: World, title: str, kind: str = "Story") -> EntityId:
    return EntityId(world.ada_jira.create_issue(PROJECT, title, type=kind))


def item(world: World, title: str, kind: str = "feature") -> EntityId:
    return EntityId(world.ada_craft.create_item(type=kind, title=title)["id"])


@on_virtual_time
async def test_all_items_are_read_once_both_sides_of_links_together() -> None:
    world = World()
    await world.configure()
    jira_id, craft_id, lone, other = issue(world, "a"), item(world, "a"), issue(world, "b"), item(world, "c")
    await world.link(jira_id=jira_id, craft_id=craft_id)
    await asked(world)
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    shown = {(m.jira.entity_id if m.jira else None, m.craft.entity_id if m.craft else None) for m in rehearsals(world)}
    assert shown == {(jira_id, craft_id), (lone, None), (None, other)}
    linked = next(m for m in rehearsals(world) if m.jira is not None and m.craft is not None)
    assert linked.jira is not None
    assert (linked.jira.origin, linked.jira.ticket, linked.jira.kind) == (Origin.FRESH, 0, ChangeKind.SEEN)
    assert linked.jira.snapshot is not None
    assert "summary" in linked.jira.snapshot["fields"]
    found = await state_of(world)
    assert (found.state, found.note) == (DryRunState.DONE, None)
    assert (await world.store.dry_run_counts(RUN)).outlooks == {Outlook.IN_SYNC: 3}


@on_virtual_time
async def test_a_sample_is_the_newest_of_each_side_and_some_of_each_mapped_type() -> None:
    world = World()
    await world.configure()
    epic = issue(world, "old epic", "Epic")
    story = item(world, "old story", "story")
    for number in range(4):
        await world.clock.sleep(60)
        issue(world, f"bug {number}", "Bug")
        item(world, f"epic {number}", "epic")
    newest = [issue(world, "new bug", "Bug"), issue(world, "newest", "Task")]
    await asked(world, sample=2)
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    jira = {m.jira.entity_id for m in rehearsals(world) if m.jira}
    craft = [m.craft for m in rehearsals(world) if m.craft]
    assert jira == {*newest, epic}
    assert story in {event.entity_id for event in craft}
    assert sum(str((event.snapshot or {}).get("title")).startswith("epic") for event in craft) == 2
    assert "2 most recently" in ((await state_of(world)).note or "")


@on_virtual_time
async def test_more_items_than_may_be_are_cut_off_with_words_links_first() -> None:
    world = World()
    await world.configure()
    for number in range(4):
        issue(world, f"i {number}")
    jira_id, craft_id = issue(world, "a"), item(world, "a")
    await world.link(jira_id=jira_id, craft_id=craft_id)
    await asked(world)
    async with world.running(dry_run_max_items=2, **QUICK):
        await world.until(lambda: answer_all(world))
    assert len({m.item for m in rehearsals(world)}) == 2
    assert any(m.craft is not None for m in rehearsals(world))
    assert "There are 5 items; 2 of them" in ((await state_of(world)).note or "")


@on_virtual_time
async def test_a_crash_in_the_middle_costs_a_repeated_read() -> None:
    world = World()
    await world.configure()
    for number in range(3):
        issue(world, f"i {number}")
    await asked(world)
    async with world.running(**QUICK):
        await world.until(lambda: len(rehearsals(world)) == 3)
    # the mapper answered one and lost the others; the reconciler starts anew
    await world.store.answer_dry_run_item(RUN, 1, ANSWER, [])
    async with world.running(**QUICK):
        await world.until(lambda: len(rehearsals(world)) == 5)
        assert sorted(m.item for m in rehearsals(world)) == [1, 2, 2, 3, 3]
        await world.until(lambda: answer_all(world))
    assert (await state_of(world)).state is DryRunState.DONE


@on_virtual_time
async def test_an_item_that_never_gets_an_answer_says_so_in_the_end() -> None:
    world = World()
    await world.configure()
    issue(world, "a")
    await asked(world)

    async def over() -> bool:
        return (await state_of(world)).state.over

    async with world.running(**QUICK):
        await world.until(over)
    (found,) = await world.store.dry_run_items(RUN, Outlook.UNREADABLE, 0, 10)
    assert found.forecast is not None
    assert "cannot be read" in (found.forecast.why or "")
    assert len(rehearsals(world)) == 3


@on_virtual_time
async def test_an_item_that_the_vendor_does_not_show_delays_no_other() -> None:
    world = World()
    await world.configure()
    bad, good = issue(world, "bad"), issue(world, "good")
    world.faults.replace([RequestRule(method="GET", path=f"/rest/api/3/issue/{bad}", effect="status", status=500)])
    await asked(world)
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    assert {m.jira.entity_id for m in rehearsals(world) if m.jira} == {good}
    (found,) = await world.store.dry_run_items(RUN, Outlook.UNREADABLE, 0, 10)
    assert found.jira_id == bad


@on_virtual_time
async def test_an_item_that_is_not_found_is_told_as_such() -> None:
    world = World()
    await world.configure()
    jira_id, craft_id = issue(world, "a"), item(world, "a")
    await world.link(jira_id=jira_id, craft_id=craft_id)
    world.ada_jira.delete(jira_id)
    await asked(world)
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    (message,) = {m.item: m for m in rehearsals(world)}.values()
    assert message.jira is not None
    assert message.craft is not None
    assert (message.jira.kind, message.craft.kind) == (ChangeKind.HIDDEN, ChangeKind.SEEN)


@on_virtual_time
async def test_a_project_that_is_not_there_fails_it_with_words() -> None:
    world = World()
    await world.configure()
    await asked(world, draft=world.integration.model_copy(update={"jira_project": "NOPE"}))
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    found = await state_of(world)
    assert found.state is DryRunState.FAILED
    assert "no project NOPE" in (found.why or "")


@on_virtual_time
async def test_a_connection_that_does_not_work_fails_it_with_words() -> None:
    world = World()
    await world.configure()
    await world.store.set_connection_paused(scene.CRAFT, "the key was refused")
    world.faults.replace([RequestRule(path="/me/api-key", effect="status", status=503)])  # it stays so
    issue(world, "a")
    await asked(world)
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    found = await state_of(world)
    assert found.state is DryRunState.FAILED
    assert "the key was refused" in (found.why or "")
    assert rehearsals(world) == []


@on_virtual_time
async def test_an_empty_workspace_is_done_at_once() -> None:
    world = World()
    await world.configure()
    await asked(world)
    async with world.running(**QUICK):
        await world.until(lambda: answer_all(world))
    assert "no items" in ((await state_of(world)).note or "")


@on_virtual_time
async def test_a_cancelled_one_is_read_no_further_and_two_go_on_beside_each_other() -> None:
    world = World()
    await world.configure()
    for number in range(6):
        issue(world, f"i {number}")
    await asked(world)
    await asked(world, id=DryRunId("second"))
    async with world.running(dry_run_batch=2, **QUICK):
        await world.until(lambda: {m.dry_run_id for m in rehearsals(world)} == {RUN, "second"})
        await world.store.end_dry_run(RUN, DryRunState.CANCELLED, world.clock.now())
        await world.until(lambda: answer_all(world, DryRunId("second")))
    assert len({m.item for m in rehearsals(world) if m.dry_run_id == RUN}) <= 4
    assert (await state_of(world)).state is DryRunState.CANCELLED
    assert (await world.store.dry_run_counts(DryRunId("second"))).answered == 6


@on_virtual_time
async def test_old_ones_are_removed() -> None:
    world = World()
    await world.configure()
    await asked(world, created_at=world.clock.now() - KEPT_FOR - timedelta(seconds=1))

    async def gone() -> bool:
        return await world.store.dry_run(RUN) is None

    async with world.running(**QUICK):
        await world.until(gone)


@on_virtual_time
async def test_no_more_wait_for_the_mapper_than_one_round_reads() -> None:
    world = World()
    await world.configure()
    for number in range(5):
        issue(world, f"i {number}")
    await asked(world)
    async with world.running(dry_run_batch=2, dry_run_again_s=1000.0):
        await world.until(lambda: len(rehearsals(world)) == 2)
        await world.clock.sleep(20)
        assert len(rehearsals(world)) == 2
        await world.until(lambda: answer_all(world))
    assert {m.jira.side for m in rehearsals(world) if m.jira} == {Side.JIRA}
