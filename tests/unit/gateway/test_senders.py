"""The connections in memory: current within seconds, and still there while the database is away."""

from __future__ import annotations

import asyncio

from services.webhook_gateway.adapters.cached_senders import CachedSenders
from shared.domain.clock import SystemClock
from shared.domain.ids import ConnectionId, Side
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.fakes.log import MemoryLog
from shared.runtime.revisions import RevisionBell
from shared.store.memory import MemoryStore
from tests.patience import HANGS_S
from tests.unit.gateway.harness import CRAFT, JIRA, NOW, MoodyStore, Rig, body, dump


async def _save(store: MemoryStore, connection_id: ConnectionId, token: str, revision: int = 0) -> None:
    kind = ConnectionKind.CRAFT if connection_id == CRAFT else ConnectionKind.JIRA_CLOUD
    connection = Connection(id=connection_id, kind=kind, name=connection_id, url="https://orchard.example")
    await store.save_connection(connection, ConnectionSecrets(token=token), revision, "admin", NOW)


def _token(senders: CachedSenders, connection_id: ConnectionId) -> str | None:
    sender = senders.find(connection_id)
    return None if sender is None or sender.secrets is None else sender.secrets.token


async def test_a_saved_connection_is_in_effect_within_five_seconds_without_a_restart() -> None:
    store, stop = MoodyStore(), asyncio.Event()
    senders = CachedSenders(store, SystemClock(), interval_s=0.02)
    running = asyncio.create_task(senders.run(stop, RevisionBell(MemoryLog())))
    async with asyncio.timeout(HANGS_S):
        for revision, token in enumerate(("first", "second")):
            await _save(store, JIRA, token, revision)
            while _token(senders, JIRA) != token:
                await asyncio.sleep(0.01)
        stop.set()
        await running


async def test_while_the_database_is_away_what_was_read_stays_known() -> None:
    store = MoodyStore()
    await _save(store, JIRA, "first")
    senders = CachedSenders(store, SystemClock())
    await senders.reload()
    store.away = True
    await senders.reload()
    assert _token(senders, JIRA) == "first"
    store.away = False
    await _save(store, JIRA, "second", 1)
    await senders.reload()
    assert _token(senders, JIRA) == "second"


async def test_strangers_who_wait_are_few_and_good_webhooks_do_not_wait_behind_them() -> None:
    rig = await Rig().load()
    rig.store.gate = asyncio.Event()
    strangers = [asyncio.create_task(rig.service.gateway.admit(Side.JIRA, f"x{n}", {}, {})) for n in range(200)]
    async with asyncio.timeout(30):
        for stranger in strangers[50:]:
            reply = await stranger
            assert reply is not None
            assert (reply.status, "retry-after" in reply.headers) == (503, True)
        raw = dump(body(Side.JIRA, "issue_updated"))
        assert (await rig.send(Side.JIRA, raw)).status == 202
        rig.store.gate.set()
        assert {reply.status for reply in await asyncio.gather(*strangers[:50]) if reply is not None} <= {404, 503}


async def test_without_a_first_reading_it_is_not_loaded() -> None:
    store = MoodyStore()
    store.away = True
    senders = CachedSenders(store, SystemClock())
    await senders.reload()
    assert not senders.loaded
    store.away = False
    await senders.reload()
    assert senders.loaded


async def test_credentials_are_read_again_only_when_the_connection_was_saved() -> None:
    store = MoodyStore()
    await _save(store, JIRA, "first")
    senders = CachedSenders(store, SystemClock())
    for _ in range(3):
        await senders.reload()
    assert store.asked == [JIRA]


async def test_credentials_that_cannot_be_read_hold_back_their_own_connection_only() -> None:
    rig = Rig()
    store = rig.store
    store.broken.add(JIRA)
    await rig.load()
    assert (await rig.send(Side.JIRA, b"{}")).status == 503
    assert (await rig.send(Side.CRAFT, b"{}")).status == 202
    store.broken.clear()
    await rig.service._senders.reload()
    assert (await rig.send(Side.JIRA, b"{}")).status == 202


async def test_a_failed_replacement_keeps_nothing_that_is_no_longer_valid() -> None:
    store = MoodyStore()
    await _save(store, JIRA, "first")
    senders = CachedSenders(store, SystemClock())
    await senders.reload()
    store.broken.add(JIRA)
    await _save(store, JIRA, "second", 1)
    await senders.reload()
    assert _token(senders, JIRA) is None
    assert senders.find(JIRA) is not None


async def test_many_who_ask_at_once_share_one_look() -> None:
    store = MoodyStore()
    senders = CachedSenders(store, SystemClock())
    await senders.reload()
    await _save(store, JIRA, "first")
    assert all(await asyncio.gather(*(senders.look() for _ in range(500))))
    assert _token(senders, JIRA) == "first"
    assert store.readings <= 3


async def test_strangers_make_few_looks_however_long_they_try() -> None:
    store = MoodyStore()
    senders = CachedSenders(store, SystemClock())
    async with asyncio.timeout(HANGS_S):
        for _ in range(5):
            await asyncio.gather(*(senders.look() for _ in range(100)))
    assert store.readings <= 11


async def test_a_look_that_cannot_be_had_is_said_to_be_none() -> None:
    store = MoodyStore()
    await _save(store, JIRA, "first")
    senders = CachedSenders(store, SystemClock())
    await senders.reload()
    store.away = True
    assert not await senders.look()
    assert _token(senders, JIRA) == "first"
    store.away = False
    assert await senders.look()
