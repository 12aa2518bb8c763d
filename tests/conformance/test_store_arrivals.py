"""The laws of what is told of webhooks (`ArrivalsWriter`, `SilenceWriter`), in memory and on a real Postgres."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId
from tests.conformance.store_worlds import CRAFT, JIRA, T0, Store

MINUTE = timedelta(minutes=1)


def refused(since: int, last: int, because: str = "bad_token", accepted: int | None = None) -> Arrivals:
    good = None if accepted is None else T0 + accepted * MINUTE
    return Arrivals(JIRA, good, T0 + since * MINUTE, T0 + last * MINUTE, because)


async def test_what_was_told_is_read_and_told_again_changes_nothing(store: Store) -> None:
    told = [refused(1, 3), Arrivals(CRAFT, T0)]
    for _ in range(2):
        await store.report_arrivals(told)
        assert await store.arrivals() == {JIRA: told[0], CRAFT: told[1]}
    await store.report_arrivals([])


async def test_nothing_is_stored_of_a_connection_that_is_not_saved(store: Store) -> None:
    await store.report_arrivals([Arrivals(ConnectionId("nobody"), T0)])
    assert await store.arrivals() == {}


async def test_an_accepted_webhook_ends_what_was_refused_before_and_nothing_else(store: Store) -> None:
    await store.report_arrivals([refused(1, 3)])
    await store.report_arrivals([Arrivals(JIRA, T0)])
    assert (await store.arrivals())[JIRA] == refused(1, 3, accepted=0)
    await store.report_arrivals([Arrivals(JIRA, T0 + 4 * MINUTE)])
    assert (await store.arrivals())[JIRA] == Arrivals(JIRA, T0 + 4 * MINUTE)


async def test_several_gateways_tell_of_one_connection_in_any_order(store: Store) -> None:
    reports = [refused(2, 3, "not_signed"), refused(1, 5, "bad_token"), Arrivals(JIRA, T0)]
    expected = refused(1, 5, "bad_token", accepted=0)
    for order in permutations(reports):
        await store.report_arrivals(order)
        assert (await store.arrivals())[JIRA] == expected


async def test_a_silence_is_stored_beside_what_gateways_tell_and_ends_for_people_with_the_next_webhook(
    store: Store,
) -> None:
    await store.report_silence(ConnectionId("nobody"), T0)
    await store.report_silence(CRAFT, None)
    await store.report_arrivals([Arrivals(JIRA, T0)])
    for _ in range(2):
        await store.report_silence(JIRA, T0 + MINUTE)
    await store.report_arrivals([Arrivals(JIRA, T0), refused(1, 3)])
    found = await store.arrivals()
    assert set(found) == {CRAFT, JIRA}
    assert (found[CRAFT].silent, found[JIRA].silent, found[JIRA].silent_since) == (False, True, T0 + MINUTE)
    await store.report_arrivals([Arrivals(JIRA, T0 + 4 * MINUTE)])
    assert (await store.arrivals())[JIRA].silent is False
    await store.report_silence(JIRA, None)
    assert (await store.arrivals())[JIRA] == Arrivals(JIRA, T0 + 4 * MINUTE)
