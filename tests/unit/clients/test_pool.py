"""The pool hands out clients for the configuration as it is now (P8), and goes on with what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sandbox.jira.site import SYNC_EMAIL
from sandbox.kit.inprocess import SiteTransport
from shared.clients.errors import BadCredentials
from shared.clients.pool import ClientPool
from shared.domain.clock import SeededDice
from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets
from shared.store.memory import MemoryStore
from shared.store.port import StoreUnavailable
from tests.unit.clients.site import CLOCK, JIRA_URL, jira_site, on_virtual_time

ID = ConnectionId("j")


async def save(store: MemoryStore, token: str, **change: object) -> None:
    old = next((c for c in await store.connections() if c.id == ID), None)
    new = Connection(id=ID, kind=ConnectionKind.JIRA_CLOUD, name="Jira", url=JIRA_URL, email=SYNC_EMAIL)
    secrets = ConnectionSecrets(token=token)
    await store.save_connection(new.model_copy(update=change), secrets, old.revision if old else 0, "test", CLOCK.now())


def pool_on(store: MemoryStore) -> tuple[ClientPool, Callable[[], Awaitable[str]]]:
    site = jira_site()
    site.revoke_token("sync-token")
    site.add_token(SYNC_EMAIL, "new-token")
    pool = ClientPool(store, SiteTransport({JIRA_URL: site}, CLOCK), CLOCK, SeededDice(1))

    async def who() -> str:
        return (await (await pool.jira(ID)).myself()).name

    return pool, who


@on_virtual_time
async def test_a_new_token_is_in_effect_within_five_seconds() -> None:
    store = MemoryStore(CLOCK)
    await save(store, "sync-token")
    _, who = pool_on(store)
    with pytest.raises(BadCredentials):
        await who()
    await save(store, "new-token")
    await asyncio.sleep(4.9)
    assert await who() == "Sync Service"


@on_virtual_time
async def test_a_client_and_its_pace_live_on_while_nothing_that_matters_to_them_changes() -> None:
    store = MemoryStore(CLOCK)
    await save(store, "new-token")
    pool, _ = pool_on(store)
    one = await pool.jira(ID)
    await save(store, "new-token", name="Renamed")
    await store.set_connection_paused(ID, "because")
    await asyncio.sleep(3)
    assert await pool.jira(ID) is one
    connection = await pool.connection(ID)
    assert connection is not None
    assert (connection.name, connection.paused_reason) == ("Renamed", "because")
    await save(store, "new-token", requests_per_second=3.0)
    await asyncio.sleep(3)
    assert await pool.jira(ID) is not one


@on_virtual_time
async def test_while_the_store_is_away_the_known_clients_work() -> None:
    away = False

    async def on_call(_: str) -> None:
        if away:
            raise StoreUnavailable("away")

    store = MemoryStore(CLOCK, on_call)
    await save(store, "new-token")
    _, who = pool_on(store)
    assert await who() == "Sync Service"
    away = True
    await asyncio.sleep(60)
    assert await who() == "Sync Service"


@on_virtual_time
async def test_a_pool_that_never_read_the_store_says_that_it_is_away() -> None:
    async def on_call(_: str) -> None:
        raise StoreUnavailable("away")

    _, who = pool_on(MemoryStore(CLOCK, on_call))
    with pytest.raises(StoreUnavailable):
        await who()


@on_virtual_time
async def test_an_unknown_connection_is_a_matter_of_credentials() -> None:
    _, who = pool_on(MemoryStore(CLOCK))
    with pytest.raises(BadCredentials):
        await who()
