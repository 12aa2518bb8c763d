"""The laws of what is held, of items that go on in other rows, and of requests with their answers: on the store in
memory and on a real Postgres.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Absence, Absent, Link, LinkState
from shared.messages.status import Cause
from shared.store.held import HeldItems
from shared.store.requests import KEPT_FOR, Answer, Asked, RequestState
from tests.conformance.store_worlds import CRAFT, INTEGRATION, JIRA, T0, Store, change, insert, integration, link

A_MINUTE = timedelta(minutes=1)
MANUAL, OFF = Cause.DIRECTION_MANUAL, Cause.DIRECTION_OFF


def held(ident: str, origin: Side = Side.CRAFT, minute: int = 0, cause: Cause = MANUAL) -> Link:
    """Return a link that waits since some minutes after T0."""
    made = link(ident, LinkState.WAITING, origin=origin)
    if origin is Side.CRAFT:
        made.jira_id, made.craft_id = None, EntityId(f"c-{ident}")
    made.hold(cause, "words", T0 + minute * A_MINUTE)
    return made


async def due(store: Store) -> dict[str, bool]:
    """Return the links that are due, and whether they are to be carried over."""
    return {each.link_id: each.carry for each in await store.due_links(T0, A_MINUTE, 100)}


async def test_what_is_held_is_counted_by_direction_and_cause(store: Store) -> None:
    for number in range(3):
        await insert(store, held(str(number), minute=number))
    await insert(store, held("j", Side.JIRA, 7))
    await insert(store, held("o", cause=OFF, minute=9))
    await insert(store, link("active"))
    assert list(await store.held(INTEGRATION)) == [
        HeldItems(Side.JIRA, MANUAL, 3, T0),
        HeldItems(Side.JIRA, OFF, 1, T0 + 9 * A_MINUTE),
        HeldItems(Side.CRAFT, MANUAL, 1, T0 + 7 * A_MINUTE),
    ]
    assert list(await store.held(IntegrationId("none"))) == []


async def test_what_was_held_until_then_is_let_go_in_its_direction_only(store: Store) -> None:
    for number in (1, 5):
        await insert(store, held(f"c{number}", minute=number))
    await insert(store, held("j1", Side.JIRA, 1))
    assert await due(store) == {}
    assert await store.let_go(INTEGRATION, Side.JIRA, "an admin", T0 + 3 * A_MINUTE)
    assert not await store.let_go(IntegrationId("none"), Side.JIRA, "an admin", T0)
    assert await due(store) == {"link-c1": True}
    assert await store.let_go(INTEGRATION, Side.JIRA, "an admin", T0)  # an earlier word takes back no later one
    assert await due(store) == {"link-c1": True}
    entry = (await store.audit(None, 1))[0]
    assert (entry.by, entry.let_go, entry.id) == ("an admin", Side.JIRA, INTEGRATION)
    assert [note.revision for note in await store.revisions(entry.kind, INTEGRATION, None, 9)] == [1]


async def test_what_is_carried_over_is_not_due_any_more(store: Store) -> None:
    await insert(store, held("c"))
    await store.let_go(INTEGRATION, Side.JIRA, "an admin", T0)
    await change(store, LinkId("link-c"), lambda found: found.enter(LinkState.CREATING))
    assert await due(store) == {}
    assert list(await store.held(INTEGRATION)) == []


async def test_what_is_held_is_decided_by_a_new_revision_once_it_is_agreed_to(store: Store) -> None:
    await insert(store, held("c"))
    await store.save_integration(integration(name="r1"), 1, "an admin", T0, evaluate=False)
    assert await due(store) == {}
    await store.agree(INTEGRATION, 2, "an admin", T0)
    assert await due(store) == {"link-c": False}


async def test_held_items_are_left_out_of_a_compare_and_not_out_of_an_id_sweep(store: Store) -> None:
    await insert(store, held("c"))
    await insert(store, link("a"))
    listed = await store.linked_entities(Side.CRAFT, CRAFT, "", 10)
    assert [link_id for link_id, _ in listed] == ["link-a"]
    swept = await store.linked_entities(Side.CRAFT, CRAFT, "", 10, held=True)
    assert {link_id for link_id, _ in swept} == {"link-a", "link-c"}


async def test_absent_items_are_listed_on_the_side_that_they_are_absent_on(store: Store) -> None:
    for number in range(3):
        made = link(str(number), LinkState.ABSENT)
        made.jira.absent = Absent(Absence.HIDDEN, T0)
        await insert(store, made)
    gone = link("gone", LinkState.GONE)
    gone.jira.absent = Absent(Absence.DELETED, T0)
    await insert(store, gone)
    first = await store.absent_entities(Side.JIRA, JIRA, "", 2)
    assert [link_id for link_id, _ in first] == ["link-0", "link-1"]
    rest = await store.absent_entities(Side.JIRA, JIRA, first[-1][1], 2)
    assert [link_id for link_id, _ in rest] == ["link-2"]
    assert list(await store.absent_entities(Side.CRAFT, CRAFT, "", 9)) == []


async def test_an_item_goes_on_in_another_row_within_one_transaction(store: Store) -> None:
    await insert(store, link("old"))
    new = link("new")
    async with store.transaction() as tx:
        old = await tx.lock_link(LinkId("link-old"))
        assert old is not None
        new.jira_id = old.jira_id
        old.place(Side.JIRA, None)
        old.successors[Side.JIRA] = new.id
        await tx.save(old)
        assert await tx.insert(new)
        assert new.jira_id is not None
        assert await tx.lock_entity(Side.JIRA, JIRA, new.jira_id) is new
    assert await store.find_link(Side.JIRA, EntityId("j-old")) == "link-new"
    view = await store.link_view(LinkId("link-old"))
    assert view is not None
    assert (view.link.jira_id, view.link.successors) == (None, {Side.JIRA: "link-new"})


async def test_an_item_that_another_row_still_has_is_not_taken(store: Store) -> None:
    await insert(store, link("old"))
    new = link("new")
    new.jira_id = EntityId("j-old")
    async with store.transaction() as tx:
        assert not await tx.insert(new)


def asked(ident: str = "r", minute: int = 0) -> Asked:
    return Asked(ident, "retry", "ada", T0 + minute * A_MINUTE, LinkId("link-a"))


async def give(store: Store, request: Asked, answer: Answer) -> None:
    said = Asked(request.id, request.kind, request.by, request.at, request.link_id, answer)
    async with store.transaction() as tx:
        await tx.answer(said)


NO = Answer(RequestState.REFUSED, T0, LinkId("link-a"), "code", "message", "next")


@pytest.mark.parametrize("noted", [True, False], ids=["noted before", "answered first"])
async def test_a_request_is_noted_answered_and_keeps_its_first_answer(store: Store, *, noted: bool) -> None:
    assert await store.request("r") is None
    if noted:
        await store.note_request(asked())
        assert await store.request("r") == asked()
    await give(store, asked(), NO)
    await give(store, asked(), Answer(RequestState.DONE, T0, LinkId("link-b")))
    await store.note_request(asked())
    found = await store.request("r")
    assert found is not None
    assert (found.by, found.answer, found.link_id) == ("ada", NO, "link-a")


async def test_an_answer_of_a_transaction_that_failed_is_none(store: Store) -> None:
    await store.note_request(asked())

    async def fail() -> None:
        async with store.transaction() as tx:
            await tx.answer(Asked("r", "retry", "ada", T0, None, NO))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await store.request("r") == asked()


async def test_the_latest_requests_of_a_link_come_first_and_old_ones_are_forgotten(store: Store) -> None:
    for number in range(4):
        await store.note_request(asked(f"r{number}", number))
    assert [each.id for each in await store.requests_of(LinkId("link-a"), 2)] == ["r3", "r2"]
    late = T0 + KEPT_FOR + A_MINUTE
    assert await store.prune_requests(late, 1) == 1
    assert await store.prune_requests(late, 10) == 1
    assert [each.id for each in await store.requests_of(LinkId("link-a"), 9)] == ["r3", "r2"]
