"""What comes for a connection is told to the store, so that refusals are noticed: in kind, and not for each request."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.webhook_gateway.domain.arrivals import Ledger
from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId, Side
from tests.unit.gateway.harness import CRAFT, JIRA, NOW, Rig, body, dump, signed

UPDATED = dump(body(Side.JIRA, "issue_updated"))
A_MINUTE = timedelta(minutes=1)


async def test_refusals_are_told_with_their_reason_and_one_good_webhook_ends_them() -> None:
    rig = await Rig().load()
    for _ in range(3):
        await rig.post(Side.JIRA, UPDATED, signed(Side.JIRA, UPDATED, "wrong"))
    await rig.service.tell()
    assert await rig.store.arrivals() == {JIRA: Arrivals(JIRA, None, NOW, NOW, "bad_signature")}
    await rig.send(Side.JIRA, UPDATED)
    await rig.service.tell()
    assert (await rig.store.arrivals())[JIRA] == Arrivals(JIRA, NOW)


async def test_who_is_refused_before_the_body_is_told_too() -> None:
    rig = await Rig().load()
    for headers, because in (({}, "not_signed"), ({"content-encoding": "br", **signed(Side.JIRA, b"")}, None)):
        reply = await rig.service.gateway.admit(Side.JIRA, JIRA, headers, {}, "192.0.2.7")
        assert reply is not None
        await rig.service.tell()
        assert (await rig.store.arrivals())[JIRA].because == (because or "packing_not_supported")


async def test_strangers_make_no_rows_and_no_writes_however_often_they_come() -> None:
    rig = await Rig().load()
    for number in range(50):
        await rig.service.gateway.admit(Side.JIRA, JIRA, {}, {})
        await rig.service.gateway.admit(Side.JIRA, f"nobody-{number % 2}", {}, {})
        await rig.service.gateway.admit(Side.CRAFT, JIRA, {}, {})
        await rig.service.tell()
    assert set(await rig.store.arrivals()) == {JIRA}
    assert rig.store.reports == 1


async def test_what_could_not_be_told_is_told_later() -> None:
    rig = await Rig().load()
    await rig.send(Side.CRAFT, dump(body(Side.CRAFT, "item_updated")))
    rig.store.away = True
    await rig.service.tell()
    rig.store.away = False
    assert await rig.store.arrivals() == {}
    await rig.service.tell()
    assert await rig.store.arrivals() == {CRAFT: Arrivals(CRAFT, NOW)}


async def test_the_service_tells_by_itself() -> None:
    rig = await Rig({"webhook_report_interval_s": 0.01}).load()
    stop = asyncio.Event()
    running = asyncio.create_task(rig.service.run(stop))
    await rig.send(Side.JIRA, UPDATED)
    async with asyncio.timeout(30):
        while not await rig.store.arrivals():
            await asyncio.sleep(0.01)
        stop.set()
        await running


def test_that_it_goes_on_as_before_is_told_now_and_then() -> None:
    ledger, jira = Ledger(), ConnectionId("j")
    told = []
    for minute in range(12):
        ledger.accepted(jira, NOW + minute * A_MINUTE / 4)
        if news := ledger.news(NOW + minute * A_MINUTE / 4):
            told.append(minute)
            ledger.told(news)
    assert told == [0, 4, 8]
    (last,) = ledger.news(NOW + 3 * A_MINUTE)  # nothing comes any more, and what came last is told all the same
    assert last.accepted_at == NOW + 11 * A_MINUTE / 4
    ledger.told([last])
    assert ledger.news(NOW + 9 * A_MINUTE) == []
    for minute, because in ((12, "bad_token"), (13, "bad_token"), (14, "not_signed"), (15, "not_signed")):
        ledger.refused(jira, NOW + minute * A_MINUTE, because)
        if news := ledger.news(NOW + minute * A_MINUTE):
            told.append(minute)
            ledger.told(news)
    assert told == [0, 4, 8, 12, 13, 14, 15]
    assert ledger.refused_since() == {jira: NOW + 12 * A_MINUTE}
