"""Webhooks that are silent are noticed by the sweep that finds what they should have told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from deploy.local import scene
from services.reconciler.domain.silence import Silence
from shared.domain.arrivals import Arrivals
from shared.observability.metrics import REGISTRY
from tests.unit.reconciler.world import PROJECT, World, on_virtual_time

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GRACE = 3 * MINUTE


def after(minutes: float) -> datetime:
    """Return a moment after the watch began."""
    return T0 + minutes * MINUTE


def heard(minutes: float) -> Arrivals:
    """Return that a webhook was accepted then."""
    return Arrivals(scene.JIRA, after(minutes))


def test_a_change_of_which_nothing_told_is_silence_once_the_grace_is_over() -> None:
    silence = Silence(T0, heard(-9), GRACE)
    silence.saw(after(1))
    assert silence.since(heard(-9), after(2)) is None
    silence.saw(after(3.5))
    assert silence.since(heard(-9), after(4)) == after(1)
    assert silence.since(heard(3), after(5)) is None
    assert silence.since(heard(3), after(7)) is None, "the second change came with the webhook"


def test_an_issue_that_is_edited_all_the_time_hides_no_silence() -> None:
    silence = Silence(T0, heard(-9), GRACE)
    found = []
    for minute in range(1, 8):
        silence.saw(after(minute))
        found.append(silence.since(heard(-9), after(minute)))
    assert found == [None, None, None, after(1), after(1), after(1), after(1)]


def test_a_change_at_about_the_moment_of_a_webhook_is_what_that_told_of() -> None:
    silence = Silence(T0, None, GRACE)
    silence.saw(after(1) + timedelta(seconds=2))
    assert silence.since(heard(1), after(9)) is None


def test_what_changed_before_anybody_watched_begins_no_silence() -> None:
    silence = Silence(T0, None, GRACE)
    silence.saw(after(-1))
    assert silence.since(None, after(9)) is None


def test_a_silence_outlives_a_restart() -> None:
    known = Arrivals(scene.JIRA, after(-30), silent_since=after(-20))
    assert Silence(T0, known, GRACE).since(known, after(0)) == after(-20)


def gauge() -> float | None:
    """Return what the metric says of Jira's connection."""
    labels = {"connection": scene.JIRA, "system": "jira"}
    return REGISTRY.get_sample_value("tandem_webhook_silent_since_timestamp_seconds", labels)


@on_virtual_time
async def test_deleted_webhooks_are_told_on_the_connection_and_one_that_arrives_ends_it() -> None:
    world = World(skew_s=40.0)
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    quick = {"sweep_interval_s": 60.0, "hearing_interval_s": 20.0}

    async def known() -> Arrivals | None:
        return (await world.store.arrivals()).get(scene.JIRA)

    async def silent() -> bool:
        arrivals = await known()
        return arrivals is not None and arrivals.silent

    async with world.running(**quick):
        await asyncio.sleep(600)
        assert await known() is None, "an issue of before the watch began says nothing"
        await world.store.report_arrivals([Arrivals(scene.JIRA, world.clock.now())])
        await asyncio.sleep(1_000)
        assert not await silent(), "nothing changed"
        edited_at = world.clock.now()
        world.ada_jira.edit(issue, summary="Two")
        await world.until(silent, 265)
        arrivals = await known()
        assert arrivals is not None
        assert arrivals.silent_since is not None
        assert abs(arrivals.silent_since - edited_at) < timedelta(seconds=3)
        await asyncio.sleep(10)
        assert gauge() == arrivals.silent_since.timestamp()
        await world.store.report_arrivals([Arrivals(scene.JIRA, world.clock.now())])
        assert not await silent(), "at once for people"
        await asyncio.sleep(60)
        assert gauge() is None
        arrivals = await known()
        assert arrivals is not None
        assert arrivals.silent_since is None


@on_virtual_time
async def test_webhooks_that_arrive_are_never_called_silent() -> None:
    world = World()
    await world.configure()
    issue = world.ada_jira.create_issue(PROJECT, "One")
    async with world.running(sweep_interval_s=60.0, hearing_interval_s=20.0):
        for number in range(30):
            world.ada_jira.edit(issue, summary=str(number))
            came_at = world.clock.now()
            await asyncio.sleep(65)  # as late as the gateway may tell of it
            await world.store.report_arrivals([Arrivals(scene.JIRA, came_at)])
            await asyncio.sleep(50)
            assert (await world.store.arrivals())[scene.JIRA].silent_since is None


@on_virtual_time
async def test_a_connection_that_never_had_webhooks_is_told_of_and_not_alarmed_about() -> None:
    world = World()
    await world.configure()
    async with world.running(sweep_interval_s=60.0, hearing_interval_s=20.0):
        await asyncio.sleep(30)
        world.ada_jira.create_issue(PROJECT, "One")
        await asyncio.sleep(300)
        arrivals = (await world.store.arrivals())[scene.JIRA]
        assert (arrivals.accepted_at, arrivals.silent) == (None, True)
        assert gauge() is None
