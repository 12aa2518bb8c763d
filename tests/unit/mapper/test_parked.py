"""Laws of what is parked: items of our own making that are in no link yet. Nothing that they showed is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

import pytest
import pytest_asyncio

from services.mapper.handlers.changes import Changes
from services.mapper.handlers.conclusion import Conclusion
from shared.domain.clock import SeededDice
from shared.domain.ids import ConnectionId, Side
from shared.domain.link import Link, LinkState
from shared.messages.change import ChangeKind
from shared.store.port import Contended, LinkTransaction
from tests.unit.mapper.harness import US
from tests.unit.mapper.test_protocol_failures_handlers import Bench

SOON = timedelta(seconds=5)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    yield Bench()


async def saved(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


async def test_what_was_shown_of_a_new_item_while_it_was_parked_is_not_forgotten_with_it(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    as_made = bench.craft("11", "a", by=US)
    await bench.mapper.handle(bench.craft("11", "b", by=US))  # a person was faster than the outcome
    await bench.created((await bench.commands())[-1], "11", as_made)
    link = await saved(bench)
    assert (link.state, link.craft.dirty) == (LinkState.ACTIVE, True)


async def test_what_was_parked_while_a_create_was_being_settled_outlives_an_older_event(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    as_made = bench.craft("11", "a", by=US)
    bench.clock.at += SOON
    edited = bench.craft("11", "b", by=US)
    await bench.created((await bench.commands())[-1], "11", as_made)
    async with bench.store.transaction() as tx:  # by another mapper, which could not see the link yet
        await tx.park(Side.CRAFT, edited.connection_id, edited.entity_id, b"{}", bench.clock.now())
    await bench.mapper.handle(as_made)
    assert (await saved(bench)).craft.dirty


async def test_an_item_is_not_flagged_whose_create_was_settled_while_it_was_looked_for(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    command, event = (await bench.commands())[-1], bench.craft("11", "a", by=US)
    await bench.mapper.handle(event)  # parked
    async with bench.store.transaction() as tx:
        settled = _SettledMeanwhile(tx, lambda: bench.created(command, "11", event))
        dice = SeededDice(2)
        with pytest.raises(Contended):
            await Changes(Conclusion(bench.clock, dice), bench.clock, dice).handle(
                cast("LinkTransaction", settled), event
            )
    assert (await saved(bench)).craft_id == "11"
    assert bench.store.tables.strays == {}


class _SettledMeanwhile:
    """A transaction during which another one ends the open create, between two looks."""

    def __init__(self, tx: LinkTransaction, settle: Callable[[], Awaitable[None]]) -> None:
        self._tx = tx
        self._settle = settle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def open_creates(self, side: Side, connection_id: ConnectionId) -> Any:
        await self._settle()
        return await self._tx.open_creates(side, connection_id)


async def test_an_item_of_ours_that_is_deleted_while_it_is_parked_is_forgotten(bench: Bench) -> None:
    await bench.configure()
    echo = bench.craft("99", "a", by=US)
    await bench.mapper.handle(echo)
    await bench.mapper.handle(echo.model_copy(update={"kind": ChangeKind.DELETED, "snapshot": None}))
    assert await bench.store.due_parked(bench.clock.now() + timedelta(hours=1), 10) == []
