"""The writers as services: commands in, outcomes out, a stop that loses nothing, settings that fit together."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from services.craft_writer import bootstrap as craft_writer
from services.craft_writer.ports import Ports as CraftPorts
from services.craft_writer.settings import CraftWriterSettings
from services.jira_writer import bootstrap as jira_writer
from services.jira_writer.ports import Ports as JiraPorts
from services.jira_writer.settings import JiraWriterSettings
from shared.domain.ids import OperationId, Side
from shared.domain.link import Result
from shared.runtime.publisher import Publisher
from shared.writing.ports import Timing
from shared.writing.service import WriterService
from tests.unit.writing.world import SETTINGS, World, on_virtual_time

BOTH = pytest.mark.parametrize("side", list(Side))


def service(world: World, side: Side) -> WriterService:
    """Return a writer as its bootstrap builds it."""
    store = world.store
    common = (world.log, store, store, store, store, world.transport, world.clock, world.dice)
    if side is Side.JIRA:
        return jira_writer.wire(JiraWriterSettings(**SETTINGS), JiraPorts(*common))
    return craft_writer.wire(CraftWriterSettings(**SETTINGS), CraftPorts(*common))


async def publish(world: World, *ops: OperationId) -> None:
    """Publish the commands of operations as the mapper does."""
    publisher = Publisher(world.log, source="mapper", clock=world.clock, dice=world.dice)
    await publisher.publish(*(world.command(op) for op in ops))


async def wait_for_outcomes(world: World, *ops: OperationId) -> None:
    """Wait until all operations have an outcome; the loop's virtual time is the deadline."""
    async with asyncio.timeout(600):
        while not all(world.outcomes(op) for op in ops):
            await asyncio.sleep(0.1)


@BOTH
@on_virtual_time
async def test_every_command_on_the_topic_ends_in_one_outcome(side: Side) -> None:
    world = World()
    await world.configure()
    ops = [await world.open_write(side, world.item(side), title=("New", "Old")) for _ in range(60)]
    stop = asyncio.Event()
    running = asyncio.create_task(service(world, side).run(stop))
    await publish(world, *ops, *ops)
    await wait_for_outcomes(world, *ops)
    stop.set()
    await running
    assert {world.outcome(op).result for op in ops} == {Result.APPLIED}
    assert world.log.lag(f"{side}_writer") == 0


@BOTH
@on_virtual_time
async def test_a_stop_in_the_middle_loses_nothing(side: Side) -> None:
    world = World()
    await world.configure()
    ops = [await world.open_write(side, world.item(side), title=("New", "Old")) for _ in range(30)]
    world.fail({"method": "PUT", "effect": "delay", "delay_s": 1})
    await publish(world, *ops)
    for _ in range(40):
        stop = asyncio.Event()
        running = asyncio.create_task(service(world, side).run(stop))
        await asyncio.sleep(0.7)
        stop.set()
        await running
    assert {world.outcome(op).result for op in ops} == {Result.APPLIED}
    assert len(world.sent("PUT")) == len(ops)


@BOTH
@on_virtual_time
async def test_ready_tells_of_log_and_store(side: Side) -> None:
    world = World()
    await world.configure()
    writer = service(world, side)
    assert await writer.ready() == {"kafka": True, "postgres": True}
    world.log.available = False
    assert await writer.ready() == {"kafka": False, "postgres": True}


def test_a_lease_that_does_not_outlive_its_requests_is_refused() -> None:
    with pytest.raises(ValidationError, match="TANDEM_WRITE_LEASE_S"):
        JiraWriterSettings(**{**SETTINGS, "write_lease_s": 60.0})
    with pytest.raises(ValueError, match="lease"):
        Timing(lease_s=60.0)
    short = CraftWriterSettings(
        **{**SETTINGS, "write_lease_s": 10, "write_send_deadline_s": 3, "write_http_timeout_s": 3}
    )
    assert short.timing().lease_s == 10
