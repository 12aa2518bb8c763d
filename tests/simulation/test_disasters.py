"""What is lost with Kafka or Postgres, and how it comes back: each drill of docs/operations.md ends in sync, with every
item once, and with what people did meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.ids import EntityId, Side
from shared.domain.link import LinkState
from shared.messages.status import DisplayState, SyncStatus
from shared.runtime.envelope import decode
from shared.runtime.topics import Topic
from shared.store.recover import AFTER_LOOKING, Recovered, latest, recover
from tests.simulation.stage import CALM_S, Stage, on_stage
from tests.simulation.world import World

SWEPT_S = 200.0
"""Longer than the sweep for webhooks that were lost takes to come round."""


def stop_services(world: World) -> None:
    """End all services, as for a restore."""
    for process in world.plant.processes.values():
        process.kill()


async def start_services(world: World) -> None:
    """Start all of them, and let them come to rest."""
    for name in world.plant.names:
        world.plant.launch(name)
    await asyncio.sleep(SWEPT_S)


def lose_topics(world: World) -> None:
    """Lose all topics with the positions of all groups; they are created anew, and empty."""
    world.log._partitions.clear()
    for group in world.log._groups.values():
        group.committed.clear()
        group.members.clear()


def cut_topics(world: World, by: timedelta) -> None:
    """Lose what was published last. A position beyond the end of its topic is none: reading begins at the oldest."""
    since = world.clock.now() - by
    for place, records in world.log._partitions.items():
        kept = [each for each in records if datetime.fromisoformat(each.headers["ce_time"]) < since]
        world.log._partitions[place] = kept
        for group in world.log._groups.values():
            group.members.clear()
            if group.committed.get(place, 0) > len(kept):
                del group.committed[place]


async def seeded(stage: Stage) -> dict[str, EntityId]:
    """Have people make items on both sides, and wait until they are in step."""
    made = {f"from Jira {n}": stage.create(Side.JIRA, f"from Jira {n}") for n in range(3)}
    made |= {f"from Craft {n}": stage.create(Side.CRAFT, f"from Craft {n}") for n in range(3)}
    await asyncio.sleep(3 * CALM_S)
    return made


def titles(stage: Stage, side: Side) -> list[str]:
    """Return the titles of all items of a side, but the root."""
    if side is Side.JIRA:
        issues: Any = stage.world.jira.state()["issues"]
        return sorted(each["fields"]["summary"] for each in issues)
    items: Any = stage.world.craft.state()["items"]
    return sorted(each["title"] for each in items if each["type"] != "product")


async def in_step(stage: Stage, *wanted: str) -> None:
    """Assert that both sides have these items, each once, and that people are told that they are in sync."""
    assert titles(stage, Side.JIRA) == titles(stage, Side.CRAFT) == sorted(wanted)
    links = [link for link in stage.world.store.tables.links.values() if link.state is LinkState.ACTIVE]
    assert len(links) == len(wanted)
    views = await stage.world.views()
    states = [view.status.state for view in views if view.status is not None]
    assert states == [DisplayState.IN_SYNC] * len(wanted)


def drill(disaster: Callable[[World], None]) -> Callable[[Stage], Coroutine[Any, Any, None]]:
    """Return the story of a disaster to Kafka while people go on working."""

    async def story(stage: Stage) -> None:
        made = await seeded(stage)
        stage.edit(Side.JIRA, made["from Jira 0"], summary="edited just before")
        stage.create(Side.CRAFT, "made just before")
        stage.create(Side.JIRA, "made just before, in Jira")
        await asyncio.sleep(0.7)
        stop_services(stage.world)
        disaster(stage.world)
        stage.edit(Side.CRAFT, made["from Craft 0"], title="edited while away")
        stage.create(Side.JIRA, "made while away")
        await asyncio.sleep(CALM_S)
        await start_services(stage.world)
        await in_step(
            stage,
            *("edited just before", "from Jira 1", "from Jira 2", "edited while away", "from Craft 1", "from Craft 2"),
            *("made just before", "made just before, in Jira", "made while away"),
        )

    return story


@pytest.mark.parametrize(
    "disaster", [lose_topics, lambda world: cut_topics(world, timedelta(seconds=60))], ids=["all topics", "last 60 s"]
)
def test_what_kafka_loses_is_found_again(disaster: Callable[[World], None]) -> None:
    on_stage(drill(disaster))


async def recover_links(world: World) -> Recovered:
    """Do what `tandem recover-links` does."""
    statuses = [decode(each).message for each in world.log.records(Topic.STATUS)]
    integrations = {each.id: each for each in await world.store.integrations()}
    return await recover(
        world.store, latest(each for each in statuses if isinstance(each, SyncStatus)), integrations, world.clock.now()
    )


def test_a_database_of_last_night_is_made_whole_from_what_kafka_kept() -> None:
    async def story(stage: Stage) -> None:
        world = stage.world
        made = await seeded(stage)
        backup = deepcopy(world.store.tables)
        stage.edit(Side.JIRA, made["from Jira 0"], summary="edited since the backup")
        late = stage.create(Side.JIRA, "made since, in Jira")
        stage.create(Side.CRAFT, "made since, in Craft")
        await asyncio.sleep(2 * CALM_S)
        stage.edit(Side.JIRA, late, summary="made since, and edited")
        await asyncio.sleep(CALM_S)
        stage.create(Side.JIRA, "made just before")
        stage.create(Side.CRAFT, "made just before, in Craft")
        await asyncio.sleep(1.5)
        stop_services(world)
        stage.edit(Side.CRAFT, made["from Craft 0"], title="edited while away")
        world.store.tables = backup
        recovered = await recover_links(world)
        assert recovered.made >= 2
        assert (await recover_links(world)).made == 0
        await asyncio.sleep(CALM_S)
        await start_services(world)
        await asyncio.sleep(AFTER_LOOKING.total_seconds())
        await in_step(
            stage,
            *("edited since the backup", "from Jira 1", "from Jira 2", "edited while away", "from Craft 1"),
            *("from Craft 2", "made since, and edited", "made since, in Craft"),
            *("made just before", "made just before, in Craft"),
        )

    on_stage(story)
