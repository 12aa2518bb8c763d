"""Health, hydration, parked events and the following of the configuration; and that no connection delays another (P7,
P8).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

from deploy.local import scene
from sandbox.jira.site import SYNC_TOKEN
from sandbox.kit.fault_rules import RequestRule
from services.reconciler.entrypoint import GROUP
from shared.domain.ids import ConnectionId, EntityId, Side
from shared.domain.mapping import ConnectionSecrets
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.config import ConfigRevision
from shared.runtime.topics import Topic
from tests.unit.reconciler.world import JIRA_URL, PROJECT, World, on_virtual_time

EFFECTS: tuple[Literal["refuse", "drop-response-after-doing-it"], ...] = ("refuse", "drop-response-after-doing-it")
LONG_S = 7_200.0
"""Longer than the first windows look back."""
FAR = {"sweep_interval_s": 9_000.0, "feed_interval_s": 9_000.0, "id_sweep_interval_s": 9_000.0, "first_window_s": 0.0}


async def paused(world: World, connection_id: ConnectionId = scene.JIRA) -> str | None:
    """Return why a connection is paused."""
    return (await world.connection(connection_id)).paused_reason


@on_virtual_time
async def test_a_revoked_token_pauses_its_connection_in_words_and_a_good_one_resumes_it() -> None:
    world = World()
    await world.configure()
    async with world.running(**FAR):
        await asyncio.sleep(10)
        assert await paused(world) is None
        world.jira.revoke_token(SYNC_TOKEN)
        while await paused(world) is None:
            await asyncio.sleep(0.5)
        words = await paused(world) or ""
        assert "Jira" in words
        assert "token" in words
        assert await paused(world, scene.CRAFT) is None
        await asyncio.sleep(5)
        world.transport.requests.clear()
        await asyncio.sleep(60)
        asked = {request.url for request in world.transport.requests if request.url.startswith(JIRA_URL)}
        assert asked == {f"{JIRA_URL}/rest/api/3/myself"}, "only its health is asked for while it is paused"
        world.jira.restore_token(SYNC_TOKEN)
        async with asyncio.timeout(10):
            while await paused(world) is not None:
                await asyncio.sleep(0.5)


@on_virtual_time
async def test_a_vendor_that_cannot_be_reached_says_nothing_about_the_token() -> None:
    world = World()
    await world.configure()
    async with world.running(**FAR):
        for effect in EFFECTS:
            world.faults.replace([RequestRule(path="/rest/api/3/myself", effect=effect)])
            await asyncio.sleep(30)
            assert await paused(world) is None
        world.faults.replace([RequestRule(path="/rest/api/3/myself", effect="status", status=503)])
        await asyncio.sleep(30)
        assert await paused(world) is None


@on_virtual_time
async def test_a_token_of_somebody_else_pauses_the_connection() -> None:
    world = World()
    await world.configure()
    jira = await world.connection(scene.JIRA)
    other = jira.model_copy(update={"email": "ada@example.com"})
    await world.store.save_connection(other, ConnectionSecrets(token="ada-token"), 1, "test", world.clock.now())
    async with world.running(**FAR):
        await asyncio.sleep(5)
        assert "Ada Moreno" in (await paused(world) or "")


@on_virtual_time
async def test_a_new_token_is_in_effect_within_5_s() -> None:
    world = World()
    await world.configure()
    world.jira.revoke_token(SYNC_TOKEN)
    issue = world.ada_jira.create_issue(PROJECT, "One")
    link = await world.link(jira_id=issue)
    await world.dirty(link.id, Side.JIRA)
    async with world.running(**{**FAR, "health_interval_s": 30.0}):
        await asyncio.sleep(60)
        world.jira.add_token("sync@example.com", "new")
        jira = await world.connection(scene.JIRA)
        renewed = jira.model_copy(update={"paused_reason": None})
        await world.store.save_connection(renewed, ConnectionSecrets(token="new"), 1, "test", world.clock.now())
        await world.until(lambda: bool(world.events(Side.JIRA, issue)), 5)


@on_virtual_time
async def test_a_new_integration_is_watched_within_5_s_and_an_unwatched_one_no_more() -> None:
    world = World()
    await world.configure()
    second = world.craft.seed_workspace("Second", key="SEC").id
    item = world.ada_craft.create_item(type="feature", title="One", workspaceId=second)["id"]
    async with world.running(feed_interval_s=1.0):
        await asyncio.sleep(20)
        assert world.events(Side.CRAFT, item) == []
        moved = world.integration.model_copy(update={"craft_workspace": second})
        await world.store.save_integration(moved, 1, "test", world.clock.now())
        await world.until(lambda: bool(world.events(Side.CRAFT, item)), 5)
        world.transport.requests.clear()
        await asyncio.sleep(10)
        urls = {request.url for request in world.transport.requests}
        assert any(second in url for url in urls)
        assert not any(world.workspace in url for url in urls)


def thin(world: World, side: Side, entity_id: str) -> ChangeEvent:
    """Return an event that tells only an id, as the gateway forwards it."""
    return ChangeEvent(
        change_id=f"hook:{entity_id}",
        side=side,
        connection_id=scene.JIRA if side is Side.JIRA else scene.CRAFT,
        entity_id=EntityId(entity_id),
        kind=ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=world.clock.now(),
    )


@on_virtual_time
async def test_a_thin_event_is_completed_and_a_whole_one_left_alone() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One", customFields={"Jira key": "link-1"})["id"]
    gone = world.ada_craft.create_item(type="feature", title="Gone")["id"]
    world.ada_craft.delete(gone)
    await asyncio.sleep(LONG_S)
    async with world.running(**FAR):
        await world.publish(thin(world, Side.CRAFT, item), thin(world, Side.CRAFT, gone))
        await world.until(lambda: all(len(world.events(Side.CRAFT, one)) == 2 for one in (item, gone)), 5)
        await asyncio.sleep(30)
    _, whole = world.events(Side.CRAFT, item)
    assert (whole.origin, whole.ticket, whole.correlation_key) == (Origin.FRESH, None, "link-1")
    assert whole.snapshot is not None
    assert whole.snapshot["title"] == "One"
    assert world.events(Side.CRAFT, gone)[1].kind is ChangeKind.DELETED
    assert len(world.events(Side.CRAFT)) == 4


@on_virtual_time
async def test_thin_events_of_a_broken_connection_hold_nobody_back_and_are_left_to_the_feed() -> None:
    world = World()
    await world.configure()
    item = world.ada_craft.create_item(type="feature", title="One")["id"]
    await asyncio.sleep(LONG_S)
    hang = RequestRule(path="/rest/api/3/issue/*", effect="delay", delay_s=600)
    world.faults.replace([hang])
    async with world.running(**FAR):
        await world.publish(*(thin(world, Side.JIRA, str(number)) for number in range(2_000)))
        await world.publish(thin(world, Side.CRAFT, item))
        await world.until(lambda: len(world.events(Side.CRAFT, item)) == 2, 5)
        await world.until(lambda: world.log.lag(GROUP) == 0, 400)
    assert world.messages(Topic.DEAD) == []


@on_virtual_time
async def test_an_event_of_an_unknown_connection_is_dead_lettered_with_its_reason() -> None:
    world = World()
    await world.configure()
    stranger = thin(world, Side.CRAFT, "7").model_copy(update={"connection_id": ConnectionId("nobody")})
    async with world.running(**FAR):
        await world.publish(stranger)
        await world.until(lambda: bool(world.log.records(Topic.DEAD)), 5)
    assert "nobody" in world.log.records(Topic.DEAD)[0].headers["dead_reason"]


@on_virtual_time
async def test_a_parked_item_comes_back_with_its_key_read_afresh() -> None:
    world = World()
    await world.configure()
    us = world.jira.person("sync@example.com")
    issue = us.create_issue(PROJECT, "Ours")
    us.send("PUT", f"/issue/{issue}/properties/tandem", {"link": "link-9"})
    item = world.ada_craft.create_item(type="feature", title="Ours")["id"]
    await asyncio.sleep(LONG_S)
    until = world.clock.now() + timedelta(seconds=20)
    async with world.store.transaction() as tx:
        await tx.park(Side.JIRA, scene.JIRA, EntityId(issue), b"{}", until)
        await tx.park(Side.CRAFT, scene.CRAFT, EntityId(item), b"{}", until)
    async with world.running(**FAR):
        await asyncio.sleep(19)
        assert world.events(Side.JIRA, issue) == []
        await world.until(lambda: bool(world.events(Side.JIRA, issue) and world.events(Side.CRAFT, item)), 5)
        await asyncio.sleep(11)
        assert 2 <= len(world.events(Side.JIRA, issue)) <= 3
    event = world.events(Side.JIRA, issue)[0]
    assert (event.origin, event.ticket, event.correlation_read) == (Origin.FRESH, None, True)
    assert event.correlation_key == "link-9"
    assert event.created_by == us.account.account_id


@on_virtual_time
async def test_stopping_finishes_the_reads_that_have_begun_and_loses_none() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    link = await world.link(jira_id=issue)
    await asyncio.sleep(LONG_S)
    await world.dirty(link.id, Side.JIRA)
    world.faults.replace([RequestRule(path=f"/rest/api/3/issue/{issue}", effect="delay", delay_s=3)])
    async with world.running(**FAR):
        await world.until(lambda: any("/issue/" in request.url for request in world.transport.requests), 5)
    assert [event.origin for event in world.events(Side.JIRA, issue)] == [Origin.FRESH]


@on_virtual_time
async def test_a_connection_that_is_announced_is_watched_at_once() -> None:
    world = World()
    async with world.running(config_interval_s=60.0):
        await asyncio.sleep(0.5)
        await world.configure()
        jira = await world.connection(scene.JIRA)
        await world.publish(
            ConfigRevision(
                kind="connection",
                id=jira.id,
                revision=jira.revision,
                saved_at=world.clock.now(),
                saved_by="admin",
                body=jira.model_dump(mode="json"),
            )
        )
        await world.until(lambda: bool(world.transport.requests), 1)
