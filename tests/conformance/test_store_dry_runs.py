"""The laws of dry runs and of looking (`shared.store.dry_runs`), on the store in memory and on a real Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.domain.dry_run import (
    DryRun,
    DryRunId,
    DryRunItem,
    DryRunState,
    FieldForecast,
    ItemForecast,
    Outlook,
    SideForecast,
    ValueName,
    Verdict,
)
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, PairId, Side
from shared.domain.link import LinkState
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.dry_runs import TooManyDryRuns
from shared.store.port import InvariantBroken, LinkTransaction
from tests.conformance.store_worlds import (
    CRAFT,
    INTEGRATION,
    JIRA,
    T0,
    TITLE,
    Store,
    change,
    ended,
    insert,
    integration,
    link,
    load,
    open_operation,
)

RUN = DryRunId("run-1")
AGAIN = timedelta(seconds=60)


def dry_run(ident: str = "run-1", age_s: float = 0.0, **changes: object) -> DryRun:
    made = DryRun(
        id=DryRunId(ident),
        integration_id=INTEGRATION,
        draft=integration(name="Draft"),
        sample=3,
        requested_by="an admin",
        created_at=T0 - timedelta(seconds=age_s),
        base_revision=1,
    )
    return made.model_copy(update=changes)


def items(count: int) -> list[DryRunItem]:
    return [DryRunItem(n=n, jira_id=EntityId(f"j-{n}")) for n in range(1, count + 1)]


def forecast(*outlooks: Outlook, verdict: Verdict = Verdict.WRITE) -> ItemForecast:
    field = FieldForecast(
        pair=TITLE,
        jira_field="summary",
        craft_field="title",
        verdict=verdict,
        jira=SideForecast(now="ключ", seen=True),
        craft=SideForecast(now=None, seen=True, would_be=["a", 2305843009213693953, 0.5], changes=True),
    )
    return ItemForecast(outlooks=outlooks, fields=(field,), labels={"title": "One"}, compared_with=1, at=T0)


async def reading(store: Store, count: int = 3) -> None:
    await store.open_dry_run(dry_run(), 2)
    assert await store.plan_dry_run(RUN, items(count), "of 3")


async def claim(store: Store, after_s: float = 0.0, most: int = 100, limit: int = 100) -> list[tuple[int, int]]:
    claimed = await store.claim_dry_run_items(RUN, T0 + timedelta(seconds=after_s), AGAIN, most, limit)
    return [(item.n, item.attempts) for item in claimed]


async def test_a_dry_run_is_found_by_its_state_until_it_is_over(store: Store) -> None:
    await store.open_dry_run(dry_run(), 2)
    await store.open_dry_run(dry_run("run-0", age_s=5), 2)
    assert [each.id for each in await store.open_dry_runs()] == ["run-0", RUN]
    assert await store.dry_run(RUN) == dry_run()
    assert await store.end_dry_run(RUN, DryRunState.CANCELLED, T0)
    assert not await store.end_dry_run(RUN, DryRunState.FAILED, T0, "too late")
    assert [each.id for each in await store.open_dry_runs()] == ["run-0"]
    assert await store.dry_run(RUN) == dry_run(state=DryRunState.CANCELLED, ended_at=T0)
    assert [each.id for each in await store.dry_runs_of(INTEGRATION, 10)] == [RUN, "run-0"]
    assert [each.id for each in await store.dry_runs_of(INTEGRATION, 1)] == [RUN]
    assert await store.dry_runs_of(IntegrationId("another"), 10) == []
    assert await store.dry_run(DryRunId("nothing")) is None


async def test_no_more_are_opened_at_once_than_may_be(store: Store) -> None:
    opening = [store.open_dry_run(dry_run(f"run-{n}"), 2) for n in range(6)]
    ends = await asyncio.gather(*opening, return_exceptions=True)
    assert sum(isinstance(end, TooManyDryRuns) for end in ends) == 4
    first = (await store.open_dry_runs())[0]
    await store.end_dry_run(first.id, DryRunState.FAILED, T0, "why")
    await store.open_dry_run(dry_run("another"), 2)
    assert len(await store.open_dry_runs()) == 2


async def test_items_are_chosen_once(store: Store) -> None:
    await reading(store)
    assert not await store.plan_dry_run(RUN, items(9), None)
    found = await store.dry_run(RUN)
    assert found is not None
    assert (found.state, found.note) == (DryRunState.READING, "of 3")
    assert (await store.dry_run_counts(RUN)).items == 3


async def test_each_item_is_taken_once_until_its_time_is_over(store: Store) -> None:
    await reading(store)
    takers = [store.claim_dry_run_items(RUN, T0, AGAIN, 100, 2) for _ in range(2)]
    taken = [item.n for part in await asyncio.gather(*takers) for item in part]
    assert sorted({*taken, *(n for n, _ in await claim(store))}) == [1, 2, 3]
    assert len(taken) == len(set(taken))
    assert await claim(store, after_s=59) == []
    assert await claim(store, after_s=60) == [(1, 2), (2, 2), (3, 2)]


async def test_no_more_are_under_way_than_may_be(store: Store) -> None:
    await reading(store, 5)
    assert await claim(store, most=2) == [(1, 1), (2, 1)]
    assert await claim(store, most=2) == []
    assert await store.answer_dry_run_item(RUN, 1, forecast(Outlook.IN_SYNC), [])
    assert await claim(store, most=2) == [(3, 1)]
    assert await claim(store, after_s=60, most=2) == [(2, 2), (3, 2)]


async def test_an_item_is_answered_once_and_only_while_it_is_read(store: Store) -> None:
    await store.open_dry_run(dry_run(), 2)
    assert not await store.answer_dry_run_item(RUN, 1, forecast(Outlook.IN_SYNC), [])
    await store.plan_dry_run(RUN, items(2), None)
    assert await store.answer_dry_run_item(RUN, 1, forecast(Outlook.WRITE_CRAFT, Outlook.CONFLICT), [])
    assert not await store.answer_dry_run_item(RUN, 1, forecast(Outlook.IN_SYNC), [])
    assert not await store.answer_dry_run_item(RUN, 7, forecast(Outlook.IN_SYNC), [])
    assert [item.forecast for item in await store.dry_run_items(RUN, None, 0, 10)] == [
        forecast(Outlook.WRITE_CRAFT, Outlook.CONFLICT)
    ]
    await store.end_dry_run(RUN, DryRunState.CANCELLED, T0)
    assert not await store.answer_dry_run_item(RUN, 2, forecast(Outlook.IN_SYNC), [])
    assert await claim(store) == []


async def test_it_is_done_when_all_items_are_answered(store: Store) -> None:
    await reading(store, 2)
    for n in (1, 2):
        assert not await store.finish_dry_run(RUN, T0)
        await store.answer_dry_run_item(RUN, n, forecast(Outlook.IN_SYNC), [])
    assert await store.finish_dry_run(RUN, T0)
    assert not await store.finish_dry_run(RUN, T0)
    found = await store.dry_run(RUN)
    assert found is not None
    assert (found.state, found.ended_at, found.why) == (DryRunState.DONE, T0, None)


async def test_one_without_items_is_done_at_once(store: Store) -> None:
    await reading(store, 0)
    assert await store.finish_dry_run(RUN, T0)


async def test_what_was_found_is_counted_and_listed_by_outlook(store: Store) -> None:
    await reading(store, 4)
    for n, outlooks in ((1, [Outlook.WRITE_JIRA, Outlook.CONFLICT]), (2, [Outlook.IN_SYNC]), (4, [Outlook.CONFLICT])):
        verdict = Verdict.SAME if n == 2 else Verdict.WRITE
        await store.answer_dry_run_item(RUN, n, forecast(*outlooks, verdict=verdict), [])
    counts = await store.dry_run_counts(RUN)
    assert (counts.items, counts.answered) == (4, 3)
    assert counts.outlooks == {Outlook.WRITE_JIRA: 1, Outlook.CONFLICT: 2, Outlook.IN_SYNC: 1}
    assert counts.verdicts == {TITLE: {Verdict.WRITE: 2, Verdict.SAME: 1}}
    assert [item.n for item in await store.dry_run_items(RUN, Outlook.CONFLICT, 0, 10)] == [1, 4]
    assert [item.n for item in await store.dry_run_items(RUN, Outlook.CONFLICT, 1, 10)] == [4]
    assert [item.n for item in await store.dry_run_items(RUN, None, 0, 2)] == [1, 2]
    assert (await store.dry_run_counts(DryRunId("nothing"))).items == 0


async def test_values_are_named_by_the_first_who_shows_them(store: Store) -> None:
    await reading(store)
    high = ValueName(side=Side.JIRA, pair=PairId("importance"), value="2", name="High")
    other = high.model_copy(update={"pair": PairId("area"), "name": "Green"})
    await store.answer_dry_run_item(RUN, 1, forecast(Outlook.IN_SYNC), [high])
    await store.answer_dry_run_item(RUN, 2, forecast(Outlook.IN_SYNC), [high.model_copy(update={"name": "x"}), other])
    assert await store.value_names(RUN, ["2", "3"]) == [other, high]
    assert await store.value_names(RUN, ["3"]) == []


async def test_old_ones_are_removed_with_all_that_belongs_to_them(store: Store) -> None:
    await reading(store)
    await store.answer_dry_run_item(RUN, 1, forecast(Outlook.IN_SYNC), [])
    await store.open_dry_run(dry_run("old", age_s=100), 2)
    assert await store.remove_dry_runs(T0 - timedelta(seconds=50)) == 1
    assert await store.dry_run(DryRunId("old")) is None
    assert await store.remove_dry_runs(T0 + timedelta(seconds=1)) == 1
    assert await store.dry_run_items(RUN, None, 0, 10) == []
    assert (await store.dry_run_counts(RUN)).items == 0


async def test_the_ends_of_links_are_found_by_entity_and_by_integration(store: Store) -> None:
    gone, lone = link("b", LinkState.GONE), link("c", LinkState.CREATING)
    one = link("a")
    one.jira.mark, one.craft.mark = 3, 7
    elsewhere = link("d", integration_id=IntegrationId("another"))
    await insert(store, one, gone, lone, elsewhere)
    found = await store.link_ends(Side.JIRA, JIRA, [EntityId("j-a"), EntityId("j-b"), EntityId("j-x")])
    assert [(each.link_id, each.craft_id, each.mark(Side.JIRA), each.mark(Side.CRAFT)) for each in found] == [
        ("link-a", "c-a", 3, 7),
        ("link-b", "c-b", 0, 0),
    ]
    assert await store.link_ends(Side.CRAFT, ConnectionId("another"), [EntityId("c-a")]) == []
    listed = await store.link_ends_of(INTEGRATION, "", 10)
    assert [(each.link_id, each.entity_id(Side.CRAFT)) for each in listed] == [("link-a", "c-a"), ("link-c", None)]
    assert [each.link_id for each in await store.link_ends_of(INTEGRATION, "link-a", 10)] == ["link-c"]
    assert [each.link_id for each in await store.link_ends_of(INTEGRATION, "", 1)] == ["link-a"]


async def test_looking_waits_for_nobody_and_holds_up_nobody(store: Store) -> None:
    await insert(store, link("a"))
    async with store.transaction() as tx, store.look() as look:
        assert await tx.lock_link(LinkId("link-a")) is not None
        assert await tx.integration(INTEGRATION) is not None
        found = await ended(asyncio.create_task(look.lock_entity(Side.JIRA, JIRA, EntityId("j-a"))))
        assert found is not None
        assert await look.lock_link(LinkId("link-a")) is found
        assert await ended(asyncio.create_task(look.share_entity(Side.CRAFT, CRAFT, EntityId("c-a")))) is found
    async with store.look() as look:
        assert await look.lock_link(LinkId("link-a")) is not None
        await ended(asyncio.create_task(change(store, LinkId("link-a"), lambda found: found.labels.update(title="x"))))
        current = (await store.integrations())[0]
        saving = store.save_integration(current.model_copy(update={"name": "Two"}), 1, "an admin", T0)
        await ended(asyncio.create_task(saving))


async def test_what_is_looked_at_is_shown_with_its_ledger_and_stays_as_it_is(store: Store) -> None:
    made = link("a")
    open_operation(made)
    await insert(store, made)
    before = await load(store, made.id)
    async with store.look() as look:
        found = await look.lock_link(made.id)
        assert found == before
        found.state, found.labels["title"] = LinkState.GONE, "changed"
        found.operations.clear()
        assert await look.lock_link(made.id) is found
        assert await look.lock_link(LinkId("nothing")) is None
        assert await look.share_entity(Side.JIRA, JIRA, EntityId("nothing")) is None
        assert [op.id for op in await look.open_creates(Side.CRAFT, CRAFT)] == []
        assert await look.parked(Side.JIRA, JIRA, EntityId("j-a")) is None
        assert await look.waiting_children(JIRA, EntityId("j-a"), Side.JIRA) == []
        assert [each.id for each in await look.integrations_of(JIRA)] == [INTEGRATION]
        assert await look.connection(JIRA) is not None
    assert await load(store, made.id) == before


STATUS = SyncStatus(
    link_id=LinkId("link-a"),
    integration_id=INTEGRATION,
    state=DisplayState.IN_SYNC,
    cause=Cause.OK,
    message="ok",
    revision=1,
    at=T0,
)
PLACE = (Side.JIRA, JIRA, EntityId("j-a"))
WRITES: dict[str, Callable[[LinkTransaction], Awaitable[object]]] = {
    "insert": lambda look: look.insert(link("z")),
    "status": lambda look: look.after_commit_status(STATUS),
    "park": lambda look: look.park(*PLACE, b"{}", T0),
    "unpark": lambda look: look.unpark(*PLACE),
    "stray": lambda look: look.flag_stray(*PLACE, None, "why"),
    "no stray": lambda look: look.unflag_stray(*PLACE),
}


async def try_to(what: str, store: Store) -> None:
    async with store.look() as look:
        found = await look.lock_link(LinkId("link-a"))
        assert found is not None
        await (look.save(found) if what == "save" else WRITES[what](look))


@pytest.mark.parametrize("what", [*WRITES, "save"])
async def test_looking_changes_nothing(store: Store, what: str) -> None:
    await insert(store, link("a"))
    with pytest.raises(InvariantBroken):
        await try_to(what, store)
    assert await store.link_view(LinkId("link-z")) is None
    assert await store.strays(10) == []
