"""The laws of what a writer may do (`ClaimStore`), on the store in memory and on a real Postgres."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.domain.ids import EntityId, LinkId, OperationId, Side
from shared.domain.link import Link, LinkState, OperationKind
from tests.conformance.store_worlds import (
    CRAFT,
    JIRA,
    LEASE,
    T0,
    TITLE,
    Store,
    change,
    close_operation,
    ended,
    insert,
    insert_with_operation,
    integration,
    link,
    load_operation,
    open_operation,
    pass_time,
    still_waits,
)

LINK = LinkId("link-a")
WRITES = (OperationKind.WRITE, OperationKind.RESTORE)


async def test_of_many_claimers_one_gets_the_lease(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    claims = await asyncio.gather(*(store.claim(op_id, f"writer-{n}", LEASE) for n in range(50)))
    winners = [claim for claim in claims if claim is not None]
    assert len(winners) == 1
    assert winners[0].operation.owner is not None
    assert await store.still_owner(op_id, winners[0].operation.owner)
    assert (await load_operation(store, op_id)).attempts == 1


async def test_a_claim_says_all_that_the_writer_needs(store: Store) -> None:
    made = link()
    made.craft.mark = 7
    op_id = await insert_with_operation(store, made)
    claim = await store.claim(op_id, "writer", LEASE)
    assert claim is not None
    assert claim.operation == await load_operation(store, op_id)
    assert claim.operation.attempts == 1
    assert claim.operation.lease_until is not None
    assert (claim.link_id, claim.connection_id, claim.entity_id, claim.source_entity_id) == (LINK, CRAFT, "c-a", "j-a")
    assert (claim.ticket, claim.late_possible) == (7, False)
    assert claim.integration == (await store.integrations())[0]


async def test_a_claimed_create_has_no_target_yet(store: Store) -> None:
    op_id = await insert_with_operation(store, link("a", LinkState.CREATING), OperationKind.CREATE)
    claim = await store.claim(op_id, "writer", LEASE)
    assert claim is not None
    assert (claim.entity_id, claim.source_entity_id, claim.operation.type_id) == (None, "j-a", "feature")


async def test_a_lease_can_be_taken_over_once_it_is_over(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    assert await store.claim(op_id, "one", LEASE) is not None
    await pass_time(store, LEASE / 2)
    assert await store.claim(op_id, "two", LEASE) is None
    await pass_time(store, LEASE / 2)
    claim = await store.claim(op_id, "two", LEASE)
    assert claim is not None
    assert (claim.operation.attempts, claim.late_possible) == (2, True)
    assert not await store.still_owner(op_id, "one")
    assert await store.still_owner(op_id, "two")


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("state", [s for s in LinkState if s is not LinkState.ACTIVE])
async def test_a_write_is_claimed_only_while_the_link_is_active(
    store: Store, kind: OperationKind, state: LinkState
) -> None:
    op_id = await insert_with_operation(store, link("a", state), kind)
    assert await store.claim(op_id, "writer", LEASE) is None
    assert (await load_operation(store, op_id)).attempts == 0


@pytest.mark.parametrize("state", [s for s in LinkState if s is not LinkState.CREATING])
async def test_a_create_is_claimed_only_while_the_link_is_creating(store: Store, state: LinkState) -> None:
    op_id = await insert_with_operation(store, link("a", state), OperationKind.CREATE)
    assert await store.claim(op_id, "writer", LEASE) is None


async def test_a_closed_operation_is_not_claimed(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    await change(store, LINK, lambda found: close_operation(found, found.operations[-1]))
    assert await store.claim(op_id, "writer", LEASE) is None


async def test_an_open_operation_that_its_link_does_not_name_is_not_claimed(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    await change(store, LINK, lambda found: setattr(found, "op_id", None))
    assert await store.claim(op_id, "writer", LEASE) is None


async def test_an_unknown_operation_is_not_claimed(store: Store) -> None:
    assert await store.claim(OperationId("nothing:1"), "writer", LEASE) is None


@pytest.mark.parametrize("kind", list(OperationKind))
async def test_what_an_older_revision_decided_is_claimed_with_the_current_one(
    store: Store, kind: OperationKind
) -> None:
    state = LinkState.CREATING if kind is OperationKind.CREATE else LinkState.ACTIVE
    op_id = await insert_with_operation(store, link("a", state), kind)
    await store.save_integration(integration(name="Two"), 1, "an admin", T0)
    claim = await store.claim(op_id, "writer", LEASE)
    assert claim is not None
    assert (claim.operation.revision, claim.integration.revision) == (1, 2)


async def test_a_claim_waits_for_a_mapper_that_is_closing_the_operation(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        close_operation(found, found.operations[-1])
        await tx.save(found)
        await tx.open_creates(Side.CRAFT, CRAFT)  # sees what was saved: so that is sent, not only kept for the commit
        task = asyncio.create_task(store.claim(op_id, "writer", LEASE))
        assert await still_waits(task)
    assert await ended(task) is None


async def test_the_mapper_does_not_hold_up_a_claim_by_looking(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    async with store.transaction() as tx:
        assert await tx.lock_link(LINK) is not None
        assert await ended(asyncio.create_task(store.claim(op_id, "writer", LEASE))) is not None


async def test_the_post_is_marked_only_by_the_owner(store: Store) -> None:
    op_id = await insert_with_operation(store, link("a", LinkState.CREATING), OperationKind.CREATE)
    assert not await store.start_post(op_id, "one", T0)
    await store.claim(op_id, "one", LEASE)
    assert await store.start_post(op_id, "one", T0)
    await pass_time(store, LEASE)
    await store.claim(op_id, "two", LEASE)
    assert not await store.start_post(op_id, "one", T0 + LEASE)
    assert (await load_operation(store, op_id)).post_started_at == T0
    assert await store.start_post(op_id, "two", T0 + LEASE)
    assert (await load_operation(store, op_id)).post_started_at == T0 + LEASE


async def test_the_first_result_stays_whoever_brings_it(store: Store) -> None:
    op_id = await insert_with_operation(store, link("a", LinkState.CREATING), OperationKind.CREATE)
    await store.store_result(op_id, EntityId("first"))
    await store.store_result(op_id, EntityId("second"))
    assert (await load_operation(store, op_id)).result_id == "first"


async def test_a_released_lease_is_free_at_once_or_after_a_time(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    await store.claim(op_id, "one", LEASE)
    await store.release(op_id, "another")
    assert await store.still_owner(op_id, "one")
    await store.release(op_id, "one")
    assert not await store.still_owner(op_id, "one")
    assert await store.claim(op_id, "two", LEASE) is not None
    await store.release(op_id, "two", LEASE)
    await pass_time(store, LEASE / 2)
    assert await store.claim(op_id, "three", LEASE) is None
    await pass_time(store, LEASE / 2)
    claim = await store.claim(op_id, "three", LEASE)
    assert claim is not None
    assert claim.operation.attempts == 3


async def test_nobody_owns_a_closed_operation(store: Store) -> None:
    op_id = await insert_with_operation(store, link())
    await store.claim(op_id, "writer", LEASE)
    await change(store, LINK, lambda found: close_operation(found, found.operations[-1]))
    assert not await store.still_owner(op_id, "writer")
    assert not await store.start_post(op_id, "writer", T0)


async def test_the_link_of_an_entity_is_found_on_its_connection(store: Store) -> None:
    await insert(store, link())
    assert await store.entity_linked(Side.JIRA, JIRA, EntityId("j-a")) == LINK
    assert await store.entity_linked(Side.CRAFT, CRAFT, EntityId("c-a")) == LINK
    assert await store.entity_linked(Side.CRAFT, CRAFT, EntityId("j-a")) is None
    assert await store.find_link(Side.CRAFT, EntityId("c-a")) == LINK
    assert await store.find_link(Side.JIRA, EntityId("c-a")) is None


async def test_twins_are_older_open_creates_of_the_same_values(store: Store) -> None:
    async def creating(name: str, second: int, value: object = "same", **changes: object) -> Link:
        made = link(name, LinkState.CREATING, **changes)
        open_operation(made, OperationKind.CREATE, value, T0 + timedelta(seconds=second))
        await insert(store, made)
        return made

    await creating("b", 2)
    await creating("a", 1)
    await creating("other-value", 0, "other")
    await creating("other-connection", 0, craft_connection="craft-2")
    await creating("number", 0, 1)
    done = await creating("done", 0)
    await change(store, done.id, lambda found: close_operation(found, found.operations[-1]))
    typed = link("other-type", LinkState.CREATING)
    open_operation(typed, OperationKind.CREATE, "same").type_id = "epic"
    await insert(store, typed)
    mine = await creating("mine", 3)
    await creating("younger", 4)
    assert await store.open_twins(mine.operations[0].id) == ["link-a:1", "link-b:1"]
    true = await creating("true", 5, value=True)
    assert await store.open_twins(true.operations[0].id) == []
    assert mine.operations[0].pairs[TITLE].value == "same"
