"""The laws of the clocks' queries (`WorkStore`) and of reading for people, in memory and on a real Postgres."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Blocked, Link, LinkState, OperationKind
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.port import LEDGER_AGE, LEDGER_LENGTH, DirtySide, Pruned
from tests.conformance.store_worlds import (
    CRAFT,
    INTEGRATION,
    JIRA,
    LEASE,
    T0,
    TITLE,
    SetClock,
    Store,
    change,
    close_operation,
    insert,
    insert_with_operation,
    integration,
    link,
    load,
    open_operation,
    pass_time,
)

FIVE_S = timedelta(seconds=5)
A_MINUTE = timedelta(minutes=1)
A_DAY = timedelta(days=1)
NOW = T0 + timedelta(days=30)


async def stale(store: Store, at: timedelta, limit: int = 10) -> list[str]:
    return [found.operation.id for found in await store.stale_operations(T0 + at, FIVE_S, limit)]


async def due(store: Store, at: timedelta, limit: int = 10) -> list[LinkId]:
    return [found.link_id for found in await store.due_links(T0 + at, A_MINUTE, limit)]


async def test_an_operation_is_stale_when_nobody_claimed_it_in_time(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    assert await stale(store, FIVE_S - timedelta(microseconds=1)) == []
    assert await stale(store, FIVE_S) == [op_id]
    found = (await store.stale_operations(T0 + FIVE_S, FIVE_S, 10))[0]
    assert found.integration_id == INTEGRATION
    assert found.operation.pairs[TITLE].value == "new"


async def test_a_link_is_due_when_something_that_was_refused_is_to_be_tried_again(store: Store) -> None:
    refused, later, apart = link("refused"), link("later"), link("apart", LinkState.UNSYNCED)
    for each, after in ((refused, A_MINUTE), (later, 2 * A_MINUTE), (apart, A_MINUTE)):
        each.jira.pair(TITLE).blocked = Blocked("hash", "rejected", "No.", None, T0 + after)
    excluded = link("excluded", LinkState.EXCLUDED, again_at=T0 + A_MINUTE)
    await insert(store, refused, later, apart, excluded)
    assert await due(store, timedelta(seconds=59)) == []
    assert sorted(await due(store, A_MINUTE)) == sorted([refused.id, excluded.id])
    await change(store, refused.id, lambda found: setattr(found.jira.pair(TITLE), "blocked", None))
    await change(store, excluded.id, lambda found: setattr(found, "again_at", None))
    assert await due(store, A_MINUTE) == []


async def test_one_connections_stale_operations_hide_nobody_elses(store: Store) -> None:
    """P7: the limit is for each connection that is written to."""
    slow = [await insert_with_operation(store, link(f"s{number}")) for number in range(4)]
    other = link("other", craft_connection=ConnectionId("craft-2"))
    late = await insert_with_operation(store, other, at=T0 + timedelta(seconds=1))
    assert await stale(store, A_MINUTE, limit=2) == [*sorted(slow)[:2], late]


async def test_an_operation_is_stale_when_its_lease_is_over(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    await store.claim(op_id, "writer", LEASE)
    await pass_time(store, LEASE / 2)
    assert await stale(store, A_DAY) == []
    await pass_time(store, LEASE / 2)
    assert await stale(store, -A_DAY) == [op_id]  # whatever the clock of the one who asks says


async def test_an_operation_that_was_released_for_a_time_is_stale_after_it(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    await store.claim(op_id, "writer", LEASE)
    await store.release(op_id, "writer", LEASE)
    await pass_time(store, LEASE / 2)
    assert await stale(store, A_DAY) == []
    await pass_time(store, LEASE / 2)
    assert await stale(store, -A_DAY) == [op_id]


async def test_what_nobody_may_claim_is_not_stale(store: Store) -> None:
    await insert_with_operation(store, link("paused", LinkState.PAUSED))
    await insert_with_operation(store, link("create"), OperationKind.CREATE)
    done = link("done")
    close_operation(done, open_operation(done))
    await insert(store, done)
    assert await stale(store, LEASE) == []


async def test_stale_operations_come_oldest_first_up_to_the_limit(store: Store) -> None:
    for name, second in (("c", 3), ("a", 1), ("b", 2)):
        await insert_with_operation(store, link(name), at=T0 + timedelta(seconds=second))
    assert await stale(store, LEASE, limit=2) == ["link-a:1", "link-b:1"]


async def test_dirty_sides_come_oldest_first_with_their_ticket(store: Store) -> None:
    one, two = link("a"), link("b")
    one.jira.dirty_since, one.jira.mark = T0 + FIVE_S, 3
    one.craft.dirty_since, one.craft.mark = T0, 4
    two.craft.dirty_since = T0 + timedelta(seconds=1)
    unknown = link("c", LinkState.CREATING)
    unknown.craft.dirty_since = T0
    await insert(store, one, two, unknown, link("clean"))
    assert list(await store.dirty_sides(10)) == [
        DirtySide(LinkId("link-a"), INTEGRATION, Side.CRAFT, CRAFT, EntityId("c-a"), 4, T0),
        DirtySide(LinkId("link-b"), INTEGRATION, Side.CRAFT, CRAFT, EntityId("c-b"), 0, T0 + timedelta(seconds=1)),
        DirtySide(LinkId("link-a"), INTEGRATION, Side.JIRA, JIRA, EntityId("j-a"), 3, T0 + FIVE_S),
    ]
    assert len(await store.dirty_sides(2)) == 2
    await change(store, LinkId("link-a"), lambda found: setattr(found.craft, "dirty_since", None))
    assert [d.link_id for d in await store.dirty_sides(10)] == ["link-b", "link-a"]


async def test_a_connection_is_asked_for_alone_so_that_another_hides_nothing(store: Store) -> None:
    for name, where, second in (("a", JIRA, 0), ("b", JIRA, 1), ("c", "jira-2", 2)):
        dirty = link(name, jira_connection=where)
        dirty.jira.dirty_since = T0 + timedelta(seconds=second)
        await insert(store, dirty)
    assert [d.link_id for d in await store.dirty_sides(1, ConnectionId("jira-2"))] == ["link-c"]
    assert [d.link_id for d in await store.dirty_sides(1, JIRA)] == ["link-a"]
    assert await store.dirty_sides(1, CRAFT) == []


async def test_a_link_is_due_when_its_time_has_come(store: Store) -> None:
    await insert(store, link(not_before=T0 + FIVE_S))
    assert await due(store, FIVE_S - timedelta(microseconds=1)) == []
    assert await due(store, FIVE_S) == ["link-a"]
    await change(store, LinkId("link-a"), lambda found: setattr(found, "not_before", None))
    assert await due(store, FIVE_S) == []


@pytest.mark.parametrize("state", [LinkState.WAITING, LinkState.ACTIVE])
async def test_a_waiting_link_is_due_when_nobody_looked_for_a_minute(store: Store, state: LinkState) -> None:
    await insert(store, link("a", state, waits_for=EntityId("j-parent")))
    assert await due(store, timedelta(seconds=59)) == []
    assert await due(store, timedelta(seconds=60)) == ["link-a"]
    assert await due(store, timedelta(seconds=119)) == []
    await change(store, LinkId("link-a"), lambda found: found.labels.update(title="saved meanwhile"))
    assert await due(store, timedelta(seconds=119)) == []
    assert await due(store, timedelta(seconds=120)) == ["link-a"]


async def test_a_link_that_is_paused_for_its_connection_is_due_once_that_is_well(store: Store) -> None:
    paused = link("a", LinkState.PAUSED, reason=Cause.CONNECTION_PAUSED)
    await insert(store, paused, link("breaker", LinkState.PAUSED, reason=Cause.BREAKER))
    await store.set_connection_paused(CRAFT, "401")
    assert await due(store, A_MINUTE) == []
    await store.set_connection_paused(CRAFT, None)
    assert await due(store, A_MINUTE) == ["link-a"]


REVISED = [LinkState.ACTIVE, LinkState.CREATING, LinkState.EXCLUDED, LinkState.HELD]


@pytest.mark.parametrize("state", list(LinkState))
async def test_a_link_that_was_decided_by_an_older_revision_is_due(store: Store, state: LinkState) -> None:
    await insert(store, link("a", state, craft_id=EntityId("c-a")))
    assert await due(store, FIVE_S) == []
    await store.save_integration(integration(name="Two"), 1, "an admin", T0)
    assert await due(store, FIVE_S) == (["link-a"] if state in REVISED else [])
    await change(store, LinkId("link-a"), lambda found: setattr(found, "revision_seen", 2))
    assert await due(store, FIVE_S) == []


async def test_another_revision_does_not_overrule_the_time_of_a_link(store: Store) -> None:
    await insert(store, link(revision_seen=0, not_before=T0 + FIVE_S))
    assert await due(store, timedelta(seconds=4)) == []


async def test_a_due_link_comes_with_the_current_revision_of_its_integration(store: Store) -> None:
    await insert(store, link(), link("b", integration_id=IntegrationId("unknown"), not_before=T0))
    await store.save_integration(integration(name="Two"), 1, "an admin", T0)
    found = await store.due_links(T0, A_MINUTE, 10)
    assert sorted((each.link_id, each.revision) for each in found) == [("link-a", 2), ("link-b", 0)]


async def test_due_links_take_turns(store: Store) -> None:
    await insert(store, *(link(name, not_before=T0) for name in "abc"))
    rounds = [await due(store, timedelta(seconds=n), limit=2) for n in range(1, 4)]
    assert rounds[0] == ["link-a", "link-b"]
    assert rounds[1][0] == "link-c"
    assert {link_id for found in rounds for link_id in found} == {"link-a", "link-b", "link-c"}


async def test_a_cursor_is_what_was_stored_last(store: Store) -> None:
    assert await store.cursor("feed") is None
    value: dict[str, Any] = {"page": 2**60, "seen": {"a": [1.5, None]}}
    await store.store_cursor("feed", {"page": 1})
    await store.store_cursor("feed", value)
    await store.store_cursor("other", "x")
    assert await store.cursor("feed") == value
    value["seen"]["a"].append("later")
    assert (await store.cursor("feed"))["seen"] == {"a": [1.5, None]}  # type: ignore[index]


async def test_linked_entities_are_listed_in_the_order_of_their_ids(store: Store) -> None:
    ids = ["10", "9", "Z", "a", "é", "11"]
    await insert(store, *(link(f"{n}", jira_id=EntityId(entity)) for n, entity in enumerate(ids)))
    await insert(store, link("gone", LinkState.GONE, jira_id=EntityId("0")), link("else", jira_connection="jira-2"))
    listed: list[str] = []
    while page := await store.linked_entities(Side.JIRA, JIRA, listed[-1] if listed else "", 2):
        listed += [entity for _, entity in page]
    assert listed == ["10", "11", "9", "Z", "a", "é"]
    assert (await store.linked_entities(Side.CRAFT, CRAFT, "", 1))[0] == ("link-0", "c-0")


async def test_statuses_are_listed_and_counted_by_integration_and_state(store: Store) -> None:
    for name, integration_id, state in (
        ("c", INTEGRATION, DisplayState.IN_SYNC),
        ("a", INTEGRATION, DisplayState.IN_SYNC),
        ("b", INTEGRATION, DisplayState.CONFLICT),
        ("d", IntegrationId("other"), DisplayState.IN_SYNC),
    ):
        async with store.transaction() as tx:
            await tx.after_commit_status(
                SyncStatus(
                    link_id=LinkId(name),
                    integration_id=integration_id,
                    state=state,
                    cause=Cause.OK,
                    message="words",
                    revision=1,
                    at=T0,
                )
            )

    async def listed(**how: Any) -> list[str]:
        given: dict[str, Any] = {"integration_id": None, "state": None, "after": "", "limit": 10, **how}
        return [status.link_id for status in await store.list_statuses(**given)]

    assert await listed() == ["a", "b", "c", "d"]
    assert await listed(after="a", limit=2) == ["b", "c"]
    assert await listed(integration_id=INTEGRATION, state="in_sync") == ["a", "c"]
    assert await store.count_by_state(None) == {"in_sync": 3, "conflict": 1}
    assert await store.count_by_state(INTEGRATION) == {"in_sync": 2, "conflict": 1}


def _with_closed(name: str, *ages: timedelta) -> Link:
    """Return a link with one closed operation per age (how long ago it ended), in this order."""
    made = link(name)
    for age in ages:
        close_operation(made, open_operation(made, at=NOW - age), at=NOW - age)
    return made


async def _kept(store: Store, clock: SetClock, made: Link) -> list[int]:
    """Return the numbers of the operations that are stored, whatever a ledger would load."""
    clock.time = T0 - timedelta(days=365)  # so that all are young
    return [op.seq for op in (await load(store, made.id)).operations]


async def test_operations_are_pruned_that_are_neither_among_the_last_nor_young(store: Store, clock: SetClock) -> None:
    old, young = LEDGER_AGE, LEDGER_AGE - timedelta(microseconds=1)
    many = _with_closed("a", *[old] * 3, young, *[old] * LEDGER_LENGTH)
    few = _with_closed("b", *[old] * LEDGER_LENGTH)
    await insert(store, many, few)

    assert await store.prune_ledgers(NOW, "", 10) == Pruned(3, few.id)
    assert await store.prune_ledgers(NOW, "", 10) == Pruned(0, few.id)
    assert await _kept(store, clock, many) == list(range(4, 5 + LEDGER_LENGTH))
    assert await _kept(store, clock, few) == list(range(1, 1 + LEDGER_LENGTH))


async def test_an_open_operation_is_never_pruned(store: Store, clock: SetClock) -> None:
    made = link("a")
    open_operation(made, at=NOW - timedelta(days=30))
    made.next_seq += LEDGER_LENGTH + 5
    await insert(store, made)

    assert await store.prune_ledgers(NOW, "", 10) == Pruned(0, made.id)
    assert await _kept(store, clock, made) == [1]


async def test_ledgers_are_pruned_link_by_link_in_the_order_of_their_ids(store: Store) -> None:
    links = [_with_closed(name, *[LEDGER_AGE * 2] * (LEDGER_LENGTH + 1)) for name in "bca"]
    await insert(store, *links)

    assert await store.prune_ledgers(NOW, "", 2) == Pruned(2, LinkId("link-b"))
    assert await store.prune_ledgers(NOW, "link-b", 2) == Pruned(1, LinkId("link-c"))
    assert await store.prune_ledgers(NOW, "link-c", 2) == Pruned(0, None)


async def test_a_ledger_that_is_loaded_is_the_same_before_and_after_pruning(store: Store, clock: SetClock) -> None:
    clock.time = NOW
    hours = timedelta(hours=1)
    made = _with_closed("a", *(hours * (60 - n) for n in range(60)))
    await insert(store, made)
    before = (await load(store, made.id)).operations

    await store.prune_ledgers(NOW, "", 10)

    assert (await load(store, made.id)).operations == before
    assert len(before) == 24 - 1


async def test_a_link_whose_ledger_was_pruned_under_a_transaction_is_saved_all_the_same(store: Store) -> None:
    made = _with_closed("a", *[LEDGER_AGE] * (LEDGER_LENGTH + 1))
    await insert(store, made)
    async with store.transaction() as tx:
        found = await tx.lock_link(made.id)
        assert found is not None
        assert (await store.prune_ledgers(NOW, "", 10)).operations == 1
        found.operations[0].landed = True
        await tx.save(found)
    assert (await load(store, made.id)).operations[0].landed
