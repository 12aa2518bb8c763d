"""The laws of a transaction of several inputs (`BatchTransaction`), on the store in memory and on a real Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import ConflictNote, HistoryNote, LinkState
from shared.domain.person import Person
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.port import Contended, EntityKey, Name
from tests.conformance.store_worlds import (
    CRAFT,
    INTEGRATION,
    JIRA,
    T0,
    TITLE,
    Store,
    close_operation,
    ended,
    insert,
    integration,
    link,
    load,
    open_operation,
    still_waits,
)

A, B = LinkId("link-a"), LinkId("link-b")
AT_ONCE_S = 1.0
"""Far longer than a batch waits for a lock, far shorter than a transaction of one input does."""


def jira(name: str) -> EntityKey:
    return Side.JIRA, JIRA, EntityId(f"j-{name}")


def craft(name: str) -> EntityKey:
    return Side.CRAFT, CRAFT, EntityId(f"c-{name}")


def names(*given: Name) -> list[Name]:
    return list(given)


async def test_what_is_foreseen_by_any_of_its_names_is_what_is_loaded_and_saved(store: Store) -> None:
    await insert(store, *(link(name) for name in "abc"))
    async with store.batch() as tx:
        assert await tx.foresee(names(A, jira("b"), craft("c"))) == set()
        found = [
            await tx.lock_link(A),
            await tx.lock_entity(*jira("b")),
            await tx.lock_entity(*craft("c")),
        ]
        assert found == [link("a"), link("b"), link("c")]
        for one in found:
            assert one is not None
            op = open_operation(one)
            one.new_history.append(HistoryNote(TITLE, Side.JIRA, one.id, "replaced", T0))
            one.new_conflicts.append(ConflictNote(TITLE, "j", one.id, "ask", None, T0))
            await tx.save(one)
            await tx.after_commit_status(_status(one.id))
            assert op.open
    for name in "abc":
        view = await store.link_view(LinkId(f"link-{name}"))
        assert view is not None
        assert [op.id for op in view.link.operations] == [f"link-{name}:1"]
        assert [note.value for note in view.history] == [f"link-{name}"]
        assert [note.craft_value for note in view.conflicts] == [f"link-{name}"]
        assert view.status == _status(view.link.id)


async def test_what_another_transaction_holds_is_named_at_once_and_the_rest_is_locked(store: Store) -> None:
    await insert(store, link("a"), link("b"))
    async with store.transaction() as other:
        await other.lock_link(A)
        async with asyncio.timeout(AT_ONCE_S), store.batch() as tx:
            assert await tx.foresee(names(A, jira("a"), craft("a"), jira("b"), jira("new"))) == {
                A,
                jira("a"),
                craft("a"),
            }
            found = await tx.lock_entity(*jira("b"))
            assert found is not None
            found.labels["title"] = "saved"
            await tx.save(found)
    assert (await load(store, B)).labels == {"title": "saved"}


async def test_a_parent_that_others_share_is_held(store: Store) -> None:
    await insert(store, link("a"))
    async with store.transaction() as child:
        await child.share_entity(*jira("a"))
        async with store.batch() as tx:
            assert await tx.foresee(names(A)) == {A}


@pytest.mark.parametrize("how", ["lock_link", "lock_entity", "share_entity"])
async def test_what_was_not_foreseen_is_contended_rather_than_waited_for(store: Store, how: str) -> None:
    await insert(store, link("a"), link("b"))
    async with store.transaction() as other:
        await other.lock_link(B)
        with pytest.raises(Contended):  # noqa: PT012  # the transaction is left by the exception
            async with asyncio.timeout(AT_ONCE_S), store.batch() as tx:
                await tx.foresee(names(A))
                found = await tx.lock_link(A)
                assert found is not None
                found.labels["title"] = "lost"
                await tx.save(found)
                await (tx.lock_link(B) if how == "lock_link" else getattr(tx, how)(*jira("b")))
    assert (await load(store, A)).labels == {}


async def test_batches_of_the_same_links_in_any_order_are_never_in_each_others_way(store: Store) -> None:
    made = [link(f"{n}") for n in range(20)]
    await insert(store, *made)
    counted = dict.fromkeys((each.id for each in made), 0)

    async def count(order: list[Name]) -> None:
        async with store.batch() as tx:
            held = await tx.foresee(order)
            for name in order:
                if name in held:
                    continue
                found = await tx.lock_link(LinkId(str(name)))
                assert found is not None
                found.labels["n"] = str(int(found.labels.get("n", "0")) + 1)
                await tx.save(found)
                counted[found.id] += 1

    ids: list[Name] = [each.id for each in made]
    await asyncio.gather(*(count(ids[n:] + ids[:n]) for n in range(8)), *(count(ids[::-1]) for _ in range(8)))

    assert {each.id: int((await load(store, each.id)).labels.get("n", "0")) for each in made} == counted
    assert min(counted.values()) >= 1


async def test_a_later_input_sees_what_an_earlier_one_saved(store: Store) -> None:
    await insert(store, link("a", LinkState.CREATING))
    async with store.batch() as tx:
        await tx.foresee(names(A, craft("new"), jira("child")))
        parent = await tx.lock_link(A)
        assert parent is not None
        assert await tx.lock_entity(*craft("new")) is None
        child = link("child", LinkState.WAITING, waits_for=EntityId("j-a"))
        assert await tx.insert(child)
        parent.craft_id = EntityId("c-new")
        open_operation(parent)
        await tx.save(parent)
        assert await tx.lock_entity(*craft("new")) is parent
        assert await tx.share_entity(*jira("a")) is parent
        assert await tx.lock_entity(*jira("child")) is child
        assert await tx.waiting_children(JIRA, EntityId("j-a"), Side.JIRA) == ["link-child"]
        close_operation(parent, parent.operations[-1])
        open_operation(parent)
        await tx.save(parent)
    stored = await load(store, A)
    assert [(op.id, op.open) for op in stored.operations] == [("link-a:1", False), ("link-a:2", True)]
    assert (await load(store, LinkId("link-child"))).waits_for == "j-a"


async def test_an_entity_gets_one_link_in_a_batch(store: Store) -> None:
    async with store.batch() as tx:
        await tx.foresee(names(jira("a")))
        assert await tx.insert(link("a"))
        assert not await tx.insert(link("b", jira_id=EntityId("j-a")))
        assert await tx.insert(link("c"))
    assert await store.link_view(B) is None
    assert await store.link_view(LinkId("link-c")) is not None


async def test_an_entity_that_got_a_link_meanwhile_is_contended_and_the_batch_leaves_nothing(store: Store) -> None:
    await insert(store, link("c"))

    async def batch() -> bool:
        async with store.batch() as tx:
            await tx.foresee(names(jira("a"), jira("c")))
            await insert(store, link("b", jira_id=EntityId("j-a")))
            found = await tx.lock_entity(*jira("c"))
            assert found is not None
            found.labels["title"] = "lost"
            await tx.save(found)
            return await tx.insert(link("a"))

    try:
        assert await batch() is False
    except Contended:
        assert (await load(store, LinkId("link-c"))).labels == {}
    assert await store.link_view(A) is None
    assert await store.entity_linked(*jira("a")) == "link-b"


async def test_a_revision_cannot_be_saved_while_a_batch_decides_by_the_current_one(store: Store) -> None:
    async with store.batch() as tx:
        current = await tx.integration(INTEGRATION)
        assert current is not None
        saving = asyncio.create_task(store.save_integration(integration(name="Two"), 1, "an admin", T0))
        assert await still_waits(saving)
        assert await tx.integration(INTEGRATION) == current
    assert (await ended(saving)).revision == 2


async def test_a_batch_that_is_left_by_an_error_leaves_nothing_and_frees_the_locks(store: Store) -> None:
    await insert(store, link("a"))
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # the transaction is left by the exception
        async with store.batch() as tx:
            await tx.foresee(names(A, jira("b")))
            found = await tx.lock_link(A)
            assert found is not None
            found.labels["title"] = "lost"
            await tx.save(found)
            await tx.insert(link("b"))
            raise ZeroDivisionError
    async with store.batch() as tx:
        assert await tx.foresee(names(A, jira("b"))) == set()
        assert await tx.lock_link(A) == link("a")
        assert await tx.lock_entity(*jira("b")) is None


async def test_a_later_input_knows_the_people_that_an_earlier_one_has_shown(store: Store) -> None:
    ada = Person(JIRA, "ada", "ada@example.com", "Ada", active=True, seen_at=T0)
    ben = Person(JIRA, "ben", None, "Ben", active=True, seen_at=T0)
    await store.remember_people([ben])
    async with store.batch() as tx:
        assert await tx.people(JIRA, accounts=["ada", "ben"], emails=["ben@example.com"]) == [ben]
        shown = replace(ben, email="ben@example.com", seen_at=T0 + timedelta(hours=1))
        await tx.remember_people([ada, shown])
        assert await tx.people(JIRA, emails=["ada@example.com", "ben@example.com"]) == [ada, shown]
        assert await tx.people(CRAFT, accounts=["ada"]) == []
        assert await store.people(JIRA, accounts=["ada"]) == []
    assert await store.people(JIRA, accounts=["ada", "ben"]) == [ada, shown]


async def test_nothing_is_foreseen_of_nothing(store: Store) -> None:
    async with store.batch() as tx:
        assert await tx.foresee([]) == set()


def _status(link_id: LinkId) -> SyncStatus:
    return SyncStatus(
        link_id=link_id,
        integration_id=INTEGRATION,
        state=DisplayState.IN_SYNC,
        cause=Cause.OK,
        message="In sync.",
        revision=1,
        at=T0,
    )
