"""The figures of the whole are shown by one reconciler at a time, and never by one that cannot be sure of its lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from deploy.local import scene
from services.reconciler.handlers.census import CensusTaker
from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.health import Health
from services.reconciler.ports import Ports, Whole
from services.reconciler.settings import ReconcilerSettings
from shared.clients.pool import ClientPool
from shared.domain.clock import SeededDice
from shared.domain.ids import IntegrationId, LinkId
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.observability.metrics import REGISTRY
from shared.store.port import StoreUnavailable
from tests.unit.reconciler.world import World, on_virtual_time

LEASE_S = 6.0


class Board:
    """Keeps what was shown last, and whether it still would be."""

    def __init__(self) -> None:
        self.whole: Whole | None = None
        self._still: Callable[[], bool] | None = None

    def show(self, whole: Whole, still: Callable[[], bool]) -> None:
        """Take the figures."""
        self.whole, self._still = whole, still

    @property
    def shows(self) -> bool:
        """Tell whether somebody who looks now sees figures."""
        return self._still is not None and self._still()


def taker(world: World, name: str, board: Board) -> CensusTaker:
    """Return one reconciler's part in the census."""
    dice = SeededDice(len(name))
    ports = Ports(world.log, world.store, world.store, world.store, world.transport, world.clock, dice)
    directory = Directory(ClientPool(world.store, world.transport, world.clock, dice))
    settings = ReconcilerSettings.model_construct(census_lease_s=LEASE_S, instance=name)
    return CensusTaker(directory, ports, Health(directory, world.store, world.clock), board, settings)


@on_virtual_time
async def test_one_shows_the_whole_and_another_takes_over_when_it_is_dead() -> None:
    world = World()
    await world.configure()
    boards = Board(), Board()
    first, second = taker(world, "one", boards[0]), taker(world, "second", boards[1])
    for _ in range(10):
        await first.take()
        await second.take()
        await first.lead()
        await second.lead()
        assert [board.shows for board in boards] == [True, False]
        await asyncio.sleep(2)
    # The first one is dead from here on: it asks for nothing, and what it showed is shown no more before the other
    # may begin.
    died_at = world.clock.monotonic()
    while not boards[1].shows:
        await second.lead()
        await second.take()
        assert sum(board.shows for board in boards) <= 1
        await asyncio.sleep(0.25)
    assert world.clock.monotonic() - died_at <= LEASE_S + 1
    assert not boards[0].shows


@on_virtual_time
async def test_who_stops_hands_over_at_once() -> None:
    world = World()
    await world.configure()
    boards = Board(), Board()
    first, second = taker(world, "one", boards[0]), taker(world, "second", boards[1])
    await first.take()
    await second.take()
    await first.resign()
    await second.take()
    assert [board.shows for board in boards] == [False, True]


@on_virtual_time
async def test_figures_vanish_when_the_store_cannot_be_reached_for_longer_than_the_lease() -> None:
    world = World()
    await world.configure()
    board = Board()
    first = taker(world, "one", board)
    await first.take()

    async def away(name: str) -> None:
        raise StoreUnavailable(name)

    world.store.on_call = away
    await asyncio.sleep(LEASE_S - 1)
    assert board.shows
    await asyncio.sleep(1)
    assert not board.shows


@on_virtual_time
async def test_the_whole_is_on_the_metrics_of_the_reconciler_and_gone_when_it_has_stopped() -> None:
    world = World()
    await world.configure()
    integration_id = IntegrationId(scene.INTEGRATION)
    for number, (state, cause) in enumerate(
        ((DisplayState.IN_SYNC, Cause.OK), (DisplayState.BLOCKED, Cause.REJECTED), (DisplayState.HELD, Cause.OK))
    ):
        async with world.store.transaction() as tx:
            await tx.after_commit_status(
                SyncStatus(
                    link_id=LinkId(str(number)),
                    integration_id=integration_id,
                    state=state,
                    cause=cause,
                    message="words",
                    revision=1,
                    at=world.clock.now(),
                )
            )
    began = world.clock.now().timestamp()

    def shown(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(name, labels)

    async with world.running():
        await asyncio.sleep(12)
        of = {"integration": scene.INTEGRATION}
        assert shown("tandem_items", **of, state="in_sync", standing="in_sync") == 1
        assert shown("tandem_items", **of, state="held", standing="apart") == 1
        assert shown("tandem_items_stuck", **of, cause="rejected") == 1
        assert shown("tandem_items_stuck_oldest_timestamp_seconds", **of, cause="rejected") == began
        assert shown("tandem_items_not_in_sync_oldest_timestamp_seconds", **of, standing="stuck") == began
        assert shown("tandem_items_not_in_sync_oldest_timestamp_seconds", **of, standing="under_way") is None
        for connection, system in ((scene.JIRA, "jira"), (scene.CRAFT, "craft")):
            named = {"connection": connection, "system": system}
            assert shown("tandem_connection_up", **named) == 1
            assert shown("tandem_credential_state", **named, state="works") == 1
            assert shown("tandem_credential_expiry_timestamp_seconds", **named) is None
        assert shown("tandem_operations_open", system="jira") == 0
        assert shown("tandem_consumer_lag_messages", group="mapper", topic="requests.v1", partition="0") is not None
        assert shown("tandem_dead_letters_kept") == 0
    assert shown("tandem_items", **of, state="in_sync", standing="in_sync") is None
    assert shown("tandem_census_timestamp_seconds") is None
