"""The census counts the same in memory and in Postgres, whatever becomes of items; one at a time takes it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import ConflictNote, LinkState
from shared.messages.status import Cause, DisplayState, Problem, SyncStatus
from shared.store.census import Census, ItemCount, Waiting
from tests.conformance.store_worlds import (
    CRAFT,
    INTEGRATION,
    JIRA,
    T0,
    TITLE,
    SetClock,
    Store,
    insert,
    insert_with_operation,
    link,
)

LEASE = timedelta(seconds=30)
OTHER = IntegrationId("other")


async def show(
    store: Store,
    name: str,
    state: DisplayState,
    cause: Cause = Cause.OK,
    *,
    at: datetime = T0,
    integration_id: IntegrationId = INTEGRATION,
    fails: bool = False,
) -> None:
    """Give a link a status."""
    status = SyncStatus(
        link_id=LinkId(name),
        integration_id=integration_id,
        state=state,
        cause=cause,
        message="words",
        revision=1,
        at=at,
    )
    async with store.transaction() as tx:
        await tx.after_commit_status(status)
        if fails:
            raise RuntimeError


def later(seconds: float) -> datetime:
    """Return a moment after the beginning."""
    return T0 + timedelta(seconds=seconds)


async def items(store: Store) -> list[ItemCount]:
    """Return the counts of items, in order."""
    found = (await store.census()).items
    return sorted(found, key=lambda each: (each.integration_id, each.state, each.cause))


async def test_a_new_store_has_nothing_to_tell_of(store: Store) -> None:
    assert await store.census() == Census([], {}, {}, {}, {}, {}, {}, {})


async def test_items_are_counted_by_integration_state_and_cause_as_they_change(store: Store) -> None:
    for name in "abc":
        await show(store, name, DisplayState.IN_SYNC)
    await show(store, "d", DisplayState.IN_SYNC, integration_id=OTHER)
    assert await items(store) == [
        ItemCount(INTEGRATION, DisplayState.IN_SYNC, Cause.OK, 3, None),
        ItemCount(OTHER, DisplayState.IN_SYNC, Cause.OK, 1, None),
    ]
    await show(store, "a", DisplayState.PENDING, Cause.OPERATION_OPEN, at=later(1))
    await show(store, "b", DisplayState.PENDING, Cause.OPERATION_OPEN, at=later(2))
    await show(store, "a", DisplayState.BLOCKED, Cause.REJECTED, at=later(3))
    await show(store, "d", DisplayState.BLOCKED, Cause.REJECTED, at=later(4))  # has gone to another integration
    assert await items(store) == [
        ItemCount(INTEGRATION, DisplayState.BLOCKED, Cause.REJECTED, 2, later(1)),
        ItemCount(INTEGRATION, DisplayState.IN_SYNC, Cause.OK, 1, None),
        ItemCount(INTEGRATION, DisplayState.PENDING, Cause.OPERATION_OPEN, 1, later(2)),
    ]


async def test_since_when_an_item_is_out_of_sync_outlives_its_states_until_it_is_in_sync(store: Store) -> None:
    await show(store, "a", DisplayState.PENDING, Cause.OPERATION_OPEN, at=later(1))
    await show(store, "a", DisplayState.CONFLICT, Cause.CONFLICT, at=later(5))
    await show(store, "a", DisplayState.PENDING, Cause.OPERATION_OPEN, at=later(9))
    assert [each.oldest for each in await items(store)] == [later(1)]
    await show(store, "a", DisplayState.IN_SYNC, at=later(10))
    assert [each.oldest for each in await items(store)] == [None]
    await show(store, "a", DisplayState.PENDING, Cause.OPERATION_OPEN, at=later(20))
    assert [each.oldest for each in await items(store)] == [later(20)]


async def test_what_is_rolled_back_is_not_counted(store: Store) -> None:
    await show(store, "a", DisplayState.IN_SYNC)
    with pytest.raises(RuntimeError):
        await show(store, "a", DisplayState.ASK, Cause.MAYBE_DUPLICATE, fails=True)
    assert [(each.state, each.items) for each in await items(store)] == [(DisplayState.IN_SYNC, 1)]


async def test_whatever_words_a_status_has_it_is_counted_by_its_own_cause(store: Store) -> None:
    words = 'a NUL \x00, "cause":"ok", half a pair \ud800, "at":"1999-01-01T00:00:00Z"}'
    problem = Problem(cause=Cause.VALUE_NOT_MAPPED, message=words, next_step=words, jira_value={"cause": "ok"})
    status = SyncStatus(
        link_id=LinkId("a"),
        integration_id=INTEGRATION,
        state=DisplayState.BLOCKED,
        cause=Cause.REJECTED,
        message=words.replace("\ud800", ""),
        problems=(problem.model_copy(update={"message": "", "next_step": ""}),),
        revision=1,
        at=later(3),
    )
    async with store.transaction() as tx:
        await tx.after_commit_status(status)
    assert await items(store) == [ItemCount(INTEGRATION, DisplayState.BLOCKED, Cause.REJECTED, 1, later(3))]


async def test_what_waits_is_counted_with_the_oldest(store: Store) -> None:
    dirty = link("a", LinkState.ASK, craft_id=EntityId("c-a"))
    dirty.craft.dirty_since = later(-7)
    dirty.open_conflicts[TITLE] = ConflictNote(TITLE, 1, 2, "ask", None, T0)
    later_on = link("b", LinkState.ACTIVE, jira_id=EntityId("j-b"))
    later_on.not_before = later(60)
    await insert(store, dirty, later_on)
    await show(store, later_on.id, DisplayState.PENDING, Cause.RETRY_LATER, at=later(-5))
    await insert_with_operation(store, link("c"), at=later(-3))
    await insert_with_operation(store, link("d"), at=later(-9))
    async with store.transaction() as tx:
        await tx.park(Side.JIRA, JIRA, EntityId("1"), b"{}", later(5))
        await tx.flag_stray(Side.CRAFT, CRAFT, EntityId("2"), None, "ours")
    found = await store.census()
    assert found.open_operations == {Side.CRAFT: Waiting(2, later(-9))}
    assert found.fresh_reads == {CRAFT: Waiting(1, later(-7))}
    assert found.put_off == {INTEGRATION: Waiting(1, later(-5))}
    assert found.parked[JIRA].count == 1
    assert (found.conflicts, found.strays) == ({INTEGRATION: 1}, {Side.CRAFT: 1})


async def test_one_leads_and_another_one_only_after_the_lease_or_a_word(store: Store, clock: SetClock) -> None:
    brief = timedelta(seconds=0.3)
    assert [await store.lead(name, brief) for name in ("one", "two", "one")] == [True, False, True]
    await store.resign("two")
    assert not await store.lead("two", brief)
    async with asyncio.timeout(60):
        while not await store.lead("two", LEASE):
            clock.time += timedelta(seconds=0.05)
            await asyncio.sleep(0.05)
    assert not await store.lead("one", LEASE)
    await store.resign("two")
    assert await store.lead("one", LEASE)
