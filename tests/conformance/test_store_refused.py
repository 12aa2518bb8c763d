"""The laws of what was refused, counted and tried again together: on the store in memory and on a real Postgres."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.ids import IntegrationId
from shared.domain.link import Blocked, Link, LinkState
from shared.store.port import DueLink
from shared.store.refused import RefusedItems
from shared.store.trail import ConfigKind
from tests.conformance.store_worlds import INTEGRATION, T0, TITLE, Store, insert, link

A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)


def refused(name: str, again_at: datetime = T0 + A_DAY, state: LinkState = LinkState.ACTIVE) -> Link:
    made = link(name, state)
    made.jira.pair(TITLE).blocked = Blocked("hash", "rejected", "No.", None, again_at)
    return made


async def due(store: Store, at: datetime, limit: int = 10) -> list[DueLink]:
    return list(await store.due_links(at, timedelta(days=9), limit))


async def test_what_was_refused_is_counted_with_the_next_time(store: Store) -> None:
    assert await store.refused(INTEGRATION) == RefusedItems(0, None)
    await insert(store, refused("a"), refused("b", T0 + A_MINUTE), refused("c", state=LinkState.UNSYNCED), link("well"))
    assert await store.refused(INTEGRATION) == RefusedItems(2, T0 + A_MINUTE)
    assert await store.refused(IntegrationId("none")) == RefusedItems(0, None)


async def test_all_that_was_refused_is_due_once_at_an_admins_word(store: Store) -> None:
    await insert(store, *(refused(name) for name in "abc"), link("well"))
    at = T0 + A_MINUTE
    assert await due(store, at) == []
    assert await store.retry_refused(INTEGRATION, "an admin", at)
    assert not await store.retry_refused(IntegrationId("none"), "an admin", at)
    first = await due(store, at, limit=2)
    rest = await due(store, at + A_MINUTE)
    assert sorted(each.link_id for each in (*first, *rest)) == ["link-a", "link-b", "link-c"]
    assert all(each.retry and not each.carry for each in (*first, *rest))
    assert await due(store, at + 2 * A_MINUTE) == []
    assert await store.retry_refused(INTEGRATION, "an admin", T0), "an earlier word takes back no later one"
    assert await due(store, at + 2 * A_MINUTE) == []


async def test_what_is_due_by_itself_is_no_admins_word(store: Store) -> None:
    await insert(store, refused("a", T0 + A_MINUTE))
    (found,) = await due(store, T0 + A_MINUTE)
    assert not found.retry


async def test_who_had_it_tried_again_is_on_record_and_no_revision(store: Store) -> None:
    before = len(await store.revisions(ConfigKind.INTEGRATION, INTEGRATION, None, 10))
    await store.retry_refused(INTEGRATION, "an admin", T0)
    (entry, *_) = await store.audit(None, 10)
    assert (entry.by, entry.id, entry.retried, entry.let_go) == ("an admin", INTEGRATION, True, None)
    assert len(await store.revisions(ConfigKind.INTEGRATION, INTEGRATION, None, 10)) == before


async def test_what_waits_for_a_connection_is_due_once_all_of_its_integrations_connections_are_well(
    store: Store,
) -> None:
    paused = link("paused", LinkState.PAUSED, reason="connection_paused")
    await insert(store, paused)
    for each in await store.connections():
        await store.set_connection_paused(each.id, "refused")
    assert await due(store, T0) == []
    for each in await store.connections():
        assert await due(store, T0) == []
        await store.set_connection_paused(each.id, None)
    assert [each.link_id for each in await due(store, T0)] == [paused.id]
