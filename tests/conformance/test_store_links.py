"""The laws of the mapper's transaction (`LinkTransaction`), on the store in memory and on a real Postgres."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest

from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import ConflictNote, HistoryNote, Link, LinkState, OperationKind
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.port import LEDGER_AGE, LEDGER_LENGTH, Contended, InvariantBroken
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
    ended,
    insert,
    insert_with_operation,
    integration,
    link,
    load,
    load_operation,
    open_operation,
    still_waits,
)

LINK = LinkId("link-a")


async def test_what_is_stored_is_what_is_loaded(store: Store) -> None:
    made = link(
        labels={"title": "Grüße \x00 \ud800", "craft_type": "feature"}, not_before=T0 + timedelta(microseconds=1)
    )
    made.jira.pair(TITLE).recent = [1, 1.0, 1e300, 2**70, True, None, ["z", {"b": 1, "a": [2]}], -0.0]
    made.open_conflicts[TITLE] = ConflictNote(TITLE, "j", None, "ask", None, T0, Side.JIRA)
    op = open_operation(made)
    op.shown = {TITLE: {"deep": ["list"]}}
    await insert(store, made)
    async with store.transaction() as tx:
        loaded = await tx.lock_entity(Side.JIRA, JIRA, EntityId("j-a"))
    assert loaded == made
    assert repr(loaded) == repr(made)


async def test_notes_are_stored_once_and_in_order(store: Store) -> None:
    made = link()
    made.new_history = [HistoryNote(TITLE, Side.JIRA, {"n": n}, "replaced", T0) for n in range(3)]
    await insert(store, made)
    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        found.new_conflicts.append(ConflictNote(TITLE, "j", "c", "ask", None, T0))
        await tx.save(found)
        found.new_history.append(HistoryNote(TITLE, Side.CRAFT, [3], "restored", T0))
        await tx.save(found)
    view = await store.link_view(LINK)
    assert view is not None
    assert [note.value for note in view.history] == [{"n": 0}, {"n": 1}, {"n": 2}, [3]]
    assert list(view.conflicts) == [ConflictNote(TITLE, "j", "c", "ask", None, T0)]


async def test_an_entity_is_in_one_link_however_many_insert_it_at_once(store: Store) -> None:
    async def try_insert(n: int) -> bool:
        async with store.transaction() as tx:
            return await tx.insert(link(f"{n}", jira_id=EntityId("same")))

    assert Counter(await asyncio.gather(*(try_insert(n) for n in range(30)))) == {True: 1, False: 29}
    assert await store.entity_linked(Side.JIRA, JIRA, EntityId("same")) is not None


@pytest.mark.parametrize("state", list(LinkState))
async def test_an_entity_of_a_link_in_any_state_is_taken(store: Store, state: LinkState) -> None:
    await insert(store, link("a", state, craft_id=EntityId("c-a")))
    async with store.transaction() as tx:
        assert not await tx.insert(link("b", jira_id=EntityId("j-a")))
        assert not await tx.insert(link("c", craft_id=EntityId("c-a")))
        assert await tx.insert(link("d"))


async def test_the_same_id_on_another_connection_is_another_entity(store: Store) -> None:
    await insert(store, link("a"), link("b", jira_id=EntityId("j-a"), jira_connection="jira-2"))


async def test_an_insert_waits_for_a_concurrent_one_of_the_same_entity(store: Store) -> None:
    async with store.transaction() as first:
        assert await first.insert(link("a"))

        async def second() -> bool:
            async with store.transaction() as tx:
                return await tx.insert(link("b", jira_id=EntityId("j-a")))

        task = asyncio.create_task(second())
        assert await still_waits(task)
    assert await ended(task) is False


async def test_an_insert_succeeds_once_a_concurrent_one_was_rolled_back(store: Store) -> None:
    async def second() -> bool:
        async with store.transaction() as tx:
            return await tx.insert(link("b", jira_id=EntityId("j-a")))

    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # the transaction is left by the exception
        async with store.transaction() as first:
            assert await first.insert(link("a"))
            task = asyncio.create_task(second())
            assert await still_waits(task)
            raise ZeroDivisionError
    assert await ended(task) is True


async def test_saving_an_entity_that_another_link_has_is_contended_and_leaves_nothing(store: Store) -> None:
    await insert(store, link("a"), link("b", LinkState.CREATING))
    with pytest.raises(Contended):
        await change(store, LinkId("link-b"), lambda found: setattr(found, "craft_id", EntityId("c-a")))
    assert (await load(store, LinkId("link-b"))).craft_id is None


async def test_a_swallowed_contention_commits_nothing(store: Store) -> None:
    await insert(store, link("a"), link("b", LinkState.CREATING))

    async def swallow() -> None:
        async with store.transaction() as tx:
            assert await tx.insert(link("c"))
            found = await tx.lock_link(LinkId("link-b"))
            assert found is not None
            found.craft_id = EntityId("c-a")
            with suppress(Contended):
                await tx.save(found)

    with pytest.raises(Contended):
        await swallow()
    assert await store.link_view(LinkId("link-c")) is None


async def test_lock_link_serialises(store: Store) -> None:
    await insert(store, link())

    def count(found: Link) -> None:
        found.labels["n"] = str(int(found.labels.get("n", "0")) + 1)

    await asyncio.gather(*(change(store, LINK, count) for _ in range(25)))
    assert (await load(store, LINK)).labels["n"] == "25"


async def test_a_link_that_is_locked_twice_is_the_same_object(store: Store) -> None:
    await insert(store, link())
    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        assert await tx.lock_entity(Side.CRAFT, CRAFT, EntityId("c-a")) is found
        assert await tx.share_entity(Side.JIRA, JIRA, EntityId("j-a")) is found


async def test_what_is_not_there_is_none(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tx.lock_link(LinkId("nobody")) is None
        assert await tx.lock_entity(Side.JIRA, JIRA, EntityId("nobody")) is None
        assert await tx.share_entity(Side.JIRA, JIRA, EntityId("nobody")) is None


async def test_an_entity_that_leaves_its_link_while_it_is_waited_for_is_not_found(store: Store) -> None:
    await insert(store, link())

    async def look() -> Link | None:
        async with store.transaction() as tx:
            return await tx.lock_entity(Side.CRAFT, CRAFT, EntityId("c-a"))

    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        task = asyncio.create_task(look())
        assert await still_waits(task)
        found.craft_id = None
        await tx.save(found)
    assert await ended(task) is None


async def test_a_shared_parent_cannot_change_before_the_child_is_committed(store: Store) -> None:
    await insert(store, link())
    async with store.transaction() as tx:
        assert await tx.share_entity(Side.JIRA, JIRA, EntityId("j-a")) is not None
        task = asyncio.create_task(change(store, LINK, lambda found: setattr(found, "state", LinkState.GONE)))
        assert await still_waits(task)
        again = await tx.share_entity(Side.JIRA, JIRA, EntityId("j-a"))
        assert again is not None
        assert again.state is LinkState.ACTIVE
    await ended(task)
    assert (await load(store, LINK)).state is LinkState.GONE


async def test_several_children_share_a_parent_at_once(store: Store) -> None:
    await insert(store, link())
    async with store.transaction() as one, store.transaction() as two:
        assert await one.share_entity(Side.JIRA, JIRA, EntityId("j-a")) is not None
        assert await two.share_entity(Side.JIRA, JIRA, EntityId("j-a")) is not None


async def test_a_child_sees_a_parent_as_it_is_after_the_wait(store: Store) -> None:
    await insert(store, link("a", LinkState.CREATING))

    async def child() -> EntityId | None:
        async with store.transaction() as tx:
            parent = await tx.share_entity(Side.JIRA, JIRA, EntityId("j-a"))
            assert parent is not None
            return parent.craft_id

    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        task = asyncio.create_task(child())
        assert await still_waits(task)
        found.craft_id = EntityId("new")
        await tx.save(found)
    assert await ended(task) == "new"


async def test_a_deadlock_ends_one_transaction_as_contended(store: Store) -> None:
    await insert(store, link("a"), link("b"))
    both = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        async with store.transaction() as tx:
            await tx.lock_link(LinkId(first))
            await both.wait()
            await tx.lock_link(LinkId(second))

    ends = await asyncio.gather(cross("link-a", "link-b"), cross("link-b", "link-a"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Contended", "NoneType"]


async def test_nothing_of_a_transaction_is_seen_before_its_commit(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.insert(link())
        assert await store.link_view(LINK) is None
        assert await tx.lock_link(LINK) is not None
    assert await store.link_view(LINK) is not None


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError, KeyboardInterrupt])
async def test_a_rollback_leaves_nothing_and_frees_the_locks(store: Store, error: type[BaseException]) -> None:
    await insert(store, link("a"))
    with pytest.raises(error):  # noqa: PT012  # the transaction is left by the exception
        async with store.transaction() as tx:
            found = await tx.lock_link(LINK)
            assert found is not None
            found.labels["title"] = "changed"
            found.new_history.append(HistoryNote(TITLE, Side.JIRA, 1, "lost", T0))
            open_operation(found)
            await tx.save(found)
            await tx.insert(link("b"))
            await tx.park(Side.CRAFT, CRAFT, EntityId("e"), b"event", T0)
            await tx.flag_stray(Side.CRAFT, CRAFT, EntityId("e"), None, "stray")
            await tx.after_commit_status(_status(LINK, DisplayState.IN_SYNC))
            raise error
    view = await store.link_view(LINK)
    assert view is not None
    assert (view.link, view.history, view.status) == (link("a"), [], None)
    assert await store.link_view(LinkId("link-b")) is None
    assert await store.strays(10) == []
    assert await store.due_parked(T0, 10) == []
    await change(store, LINK, lambda found: found.labels.update(title="free"))


async def test_what_is_loaded_is_nobody_elses(store: Store) -> None:
    made = link()
    made.jira.pair(TITLE).seen = None
    made.jira.pair(TITLE).recent = [["a"]]
    await insert(store, made)
    made.jira.pair(TITLE).recent[0].append("after insert")
    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        found.jira.pair(TITLE).recent[0].append("not saved")
    assert (await load(store, LINK)).jira.pair(TITLE).recent == [["a"]]


async def test_a_link_has_one_open_operation_at_most(store: Store) -> None:
    made = link()
    open_operation(made)
    open_operation(made)
    with pytest.raises(InvariantBroken):
        await insert(store, made)
    assert await store.link_view(LINK) is None


async def test_an_operation_may_be_closed_and_the_next_one_opened_in_one_save(store: Store) -> None:
    made = link()
    await insert_with_operation(store, made)

    def next_one(found: Link) -> None:
        close_operation(found, found.operations[-1])
        open_operation(found)

    await change(store, LINK, next_one)
    assert [op.open for op in (await load(store, LINK)).operations] == [False, True]


async def test_only_a_link_that_was_locked_here_can_be_saved(store: Store) -> None:
    await insert(store, link())
    with pytest.raises(InvariantBroken):
        async with store.transaction() as tx:
            await tx.save(link())
    with pytest.raises(InvariantBroken):  # noqa: PT012  # a shared one is not locked
        async with store.transaction() as tx:
            shared = await tx.share_entity(Side.JIRA, JIRA, EntityId("j-a"))
            assert shared is not None
            await tx.save(shared)


async def test_the_ledger_holds_the_last_ones_and_all_of_a_day(store: Store, clock: SetClock) -> None:
    await insert(store, link())
    for n in range(LEDGER_LENGTH + 15):

        def one_more(found: Link, n: int = n) -> None:
            at = T0 if n < 10 else T0 + timedelta(hours=2)
            close_operation(found, open_operation(found, at=at), at)

        await change(store, LINK, one_more)
    clock.time = T0 + LEDGER_AGE + timedelta(hours=1)
    assert [op.seq for op in (await load(store, LINK)).operations] == list(range(11, LEDGER_LENGTH + 16))
    clock.time = T0 + LEDGER_AGE + timedelta(hours=3)
    assert [op.seq for op in (await load(store, LINK)).operations] == list(range(16, LEDGER_LENGTH + 16))


async def test_what_the_writer_committed_survives_a_save_of_the_mapper(store: Store) -> None:
    op_id = await insert_with_operation(store, link("a", LinkState.CREATING), OperationKind.CREATE)
    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        assert await store.claim(op_id, "writer", LEASE) is not None
        assert await store.start_post(op_id, "writer", T0)
        await store.store_result(op_id, EntityId("made"))
        found.operations[-1].landed = True
        await tx.save(found)
    op = await load_operation(store, op_id)
    assert (op.attempts, op.owner, op.post_started_at) == (1, "writer", T0)
    assert op.lease_until is not None
    assert (op.result_id, op.landed) == ("made", True)


async def test_closing_an_operation_forgets_no_attempt_and_no_result(store: Store) -> None:
    op_id = await insert_with_operation(store, link("a", LinkState.CREATING), OperationKind.CREATE)
    async with store.transaction() as tx:
        found = await tx.lock_link(LINK)
        assert found is not None
        await store.claim(op_id, "writer", LEASE)
        await store.start_post(op_id, "writer", T0)
        await store.store_result(op_id, EntityId("made"))
        close_operation(found, found.operations[-1])
        await tx.save(found)
    op = await load_operation(store, op_id)
    assert (op.open, op.attempts, op.post_started_at, op.result_id) == (False, 1, T0, "made")


async def test_children_that_wait_for_an_entity_are_found(store: Store) -> None:
    await insert(
        store,
        link("b", LinkState.WAITING, waits_for=EntityId("j-a")),
        link("c", LinkState.WAITING, waits_for=EntityId("j-other")),
        link("d", LinkState.WAITING, waits_for=EntityId("j-a"), origin=Side.CRAFT),
        link("e", LinkState.ACTIVE, waits_for=EntityId("j-a")),
        link("f", LinkState.GONE, waits_for=EntityId("j-a")),
        link("g", LinkState.WAITING, waits_for=EntityId("j-a"), jira_connection="jira-2"),
    )
    async with store.transaction() as tx:
        assert await tx.waiting_children(JIRA, EntityId("j-a"), Side.JIRA) == ["link-b", "link-e"]
        assert await tx.waiting_children(CRAFT, EntityId("j-a"), Side.CRAFT) == ["link-d", "link-e"]
        await tx.insert(link("h", LinkState.WAITING, waits_for=EntityId("j-a")))
        assert await tx.waiting_children(JIRA, EntityId("j-a"), Side.JIRA) == ["link-b", "link-e", "link-h"]


async def test_counterparts_are_told_without_waiting_for_who_holds_them(store: Store) -> None:
    await insert(
        store,
        link("a"),
        link("b", LinkState.WAITING),
        link("c", LinkState.GONE),
        link("d", LinkState.UNSYNCED),
        link("e", jira_connection="jira-2"),
    )
    connections = {Side.JIRA: JIRA, Side.CRAFT: CRAFT}
    asked = [EntityId(f"c-{name}") for name in ("a", "b", "c", "d", "e", "f", "none")]
    async with store.transaction() as holder, store.transaction() as tx:
        assert await holder.lock_link(LINK) is not None
        await tx.insert(link("f"))
        assert await tx.counterparts(Side.CRAFT, connections, asked) == {"c-a": "j-a", "c-d": "j-d", "c-f": "j-f"}
        assert await tx.counterparts(Side.JIRA, connections, [EntityId("j-a"), EntityId("j-b")]) == {"j-a": "c-a"}


async def test_open_creates_of_a_connection_are_found_with_their_values(store: Store) -> None:
    await insert_with_operation(store, link("a", LinkState.CREATING), OperationKind.CREATE, value="first")
    await insert_with_operation(store, link("b"), OperationKind.WRITE)
    done = link("c", LinkState.CREATING)
    close_operation(done, open_operation(done, OperationKind.CREATE))
    await insert(store, done)
    async with store.transaction() as tx:
        mine = link("d", LinkState.CREATING)
        open_operation(mine, OperationKind.CREATE, "mine", T0 + timedelta(seconds=1))
        await tx.insert(mine)
        assert [op.pairs[TITLE].value for op in await tx.open_creates(Side.CRAFT, CRAFT)] == ["first", "mine"]
        assert await tx.open_creates(Side.JIRA, JIRA) == []


async def test_nobody_saves_a_newer_revision_while_one_decides_by_this_one(store: Store) -> None:
    async with store.transaction() as one, store.transaction() as two:
        assert await one.integration(INTEGRATION) is not None
        assert await two.integration(INTEGRATION) is not None
        task = asyncio.create_task(store.save_integration(integration(name="Two"), 1, "an admin", T0))
        assert await still_waits(task)
        again = await one.integration(INTEGRATION)
        assert again is not None
        assert again.revision == 1
    assert (await ended(task)).revision == 2
    async with store.transaction() as tx:
        found = await tx.integration(INTEGRATION)
        assert found is not None
        assert (found.revision, found.name) == (2, "Two")


async def test_a_saver_does_not_starve_behind_those_who_decide(store: Store) -> None:
    stop = asyncio.Event()

    async def decide() -> None:
        while not stop.is_set():
            async with store.transaction() as tx:
                await tx.integration(INTEGRATION)
                await tx.connection(JIRA)
            await asyncio.sleep(0)  # nothing in memory makes a task wait that need not

    deciders = [asyncio.create_task(decide()) for _ in range(6)]
    saved = await ended(asyncio.create_task(store.save_integration(integration(name="Two"), 1, "an admin", T0)))
    stop.set()
    await asyncio.gather(*deciders)
    assert saved.revision == 2


async def test_configuration_is_read_in_the_transaction(store: Store) -> None:
    async with store.transaction() as tx:
        assert [i.id for i in await tx.integrations_of(CRAFT)] == [INTEGRATION]
        assert await tx.integrations_of("craft-2") == []  # type: ignore[arg-type]
        found = await tx.connection(JIRA)
        assert found is not None
        assert (found.name, found.revision) == ("jira-1", 1)
        assert await tx.connection("jira-2") is None  # type: ignore[arg-type]
        assert await tx.integration("nothing") is None  # type: ignore[arg-type]


async def test_a_parked_entity_keeps_when_it_was_parked_first(store: Store, clock: SetClock) -> None:
    where = (Side.CRAFT, CRAFT, EntityId("e"))
    async with store.transaction() as tx:
        await tx.park(*where, b"first", T0 + timedelta(seconds=5))
        assert await tx.parked(*where) == T0
    clock.time += timedelta(minutes=1)
    async with store.transaction() as tx:
        await tx.park(*where, b"newest", T0 + timedelta(seconds=65))
        assert await tx.parked(*where) == T0
        assert await tx.parked(Side.JIRA, JIRA, EntityId("e")) is None
    assert await store.due_parked(T0 + timedelta(seconds=64), 10) == []
    assert [event.event for event in await store.due_parked(T0 + timedelta(seconds=65), 10)] == [b"newest"]
    assert await store.due_parked(T0 + timedelta(days=1), 10, JIRA) == []
    assert len(await store.due_parked(T0 + timedelta(days=1), 10, CRAFT)) == 1
    async with store.transaction() as tx:
        await tx.unpark(*where)
        await tx.unpark(*where)
        assert await tx.parked(*where) is None
    assert await store.due_parked(T0 + timedelta(days=1), 10) == []


async def test_a_stray_is_flagged_once_with_its_first_reason(store: Store) -> None:
    for reason in ("first", "second"):
        async with store.transaction() as tx:
            await tx.flag_stray(Side.CRAFT, CRAFT, EntityId("e"), LINK, reason)
    assert await store.strays(10) == [
        {"side": "craft", "connection_id": CRAFT, "entity_id": "e", "link_id": LINK, "reason": "first"}
    ]


async def test_a_stray_that_is_gone_is_forgotten_and_no_other(store: Store) -> None:
    async with store.transaction() as tx:
        for entity in ("e", "f"):
            await tx.flag_stray(Side.CRAFT, CRAFT, EntityId(entity), None, "why")
    async with store.transaction() as tx:
        await tx.unflag_stray(Side.CRAFT, CRAFT, EntityId("e"))
        await tx.unflag_stray(Side.JIRA, JIRA, EntityId("f"))
    assert [each["entity_id"] for each in await store.strays(10)] == ["f"]


async def test_the_latest_status_of_a_link_is_read(store: Store) -> None:
    await insert(store, link())
    for state in (DisplayState.PENDING, DisplayState.IN_SYNC):
        async with store.transaction() as tx:
            await tx.after_commit_status(_status(LINK, state))
    view = await store.link_view(LINK)
    assert view is not None
    assert view.status == _status(LINK, DisplayState.IN_SYNC)


def _status(link_id: LinkId, state: DisplayState) -> SyncStatus:
    return SyncStatus(
        link_id=link_id, integration_id=INTEGRATION, state=state, cause=Cause.OK, message="words", revision=1, at=T0
    )
