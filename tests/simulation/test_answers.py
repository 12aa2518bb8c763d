"""What vendors answer and what they do, between the real services: an answer is no proof; many edits are few writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from sandbox.craft.settings import ADA_KEY
from sandbox.jira.site import ADA_EMAIL
from shared.domain.clock import SeededDice
from shared.domain.ids import EntityId, Side
from shared.domain.link import Link, LinkState
from shared.domain.mapping import Policy
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import DisplayState
from shared.runtime.publisher import Publisher
from tests.simulation.fate import Fate
from tests.simulation.foresight import fair
from tests.simulation.network import is_write
from tests.simulation.process import SimClock
from tests.simulation.world import World, in_virtual_time

BOTH = pytest.mark.parametrize("target", list(Side))
CALM_S = 20.0


def calm(policy: Policy) -> Fate:
    """Return a fate in which nothing goes wrong and webhooks of both sides come."""
    return replace(fair(1), policy=policy, craft_webhook=True)


class Pair:
    """Two linked items, and what people do with their titles."""

    def __init__(self, world: World, link: Link) -> None:
        self.world = world
        self.link_id = link.id
        self.ids = {side: link.entity_id(side) or EntityId("") for side in Side}

    def edit(self, side: Side, title: str) -> None:
        if side is Side.JIRA:
            self.world.jira.person(ADA_EMAIL).edit(self.ids[side], summary=title)
        else:
            self.world.craft.person(ADA_KEY.key).edit(self.ids[side], title=title)
        self.world.mail.post()

    def title(self, side: Side) -> object:
        shown: Any = self.world.people.snapshot(side, self.ids[side])
        return shown["fields"]["summary"] if side is Side.JIRA else shown["title"]

    def writes(self, target: Side) -> int:
        base = (self.world.jira.world if target is Side.JIRA else self.world.craft.account).base_url
        return sum(call.site == base and call.method == "PUT" and is_write(call) for call in self.world.network.calls)

    async def status(self) -> tuple[DisplayState, str]:
        (view,) = [view for view in await self.world.views() if view.link.id == self.link_id]
        assert view.status is not None
        return view.status.state, view.status.message

    async def state(self) -> LinkState:
        return self.world.store.tables.links[self.link_id].state


def between_real_services(policy: Policy, story: Callable[[Pair], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        world = World(1, calm(policy))
        await world.prepare()
        world.network.after_effect = lambda _: world.mail.post()
        world.people.create(Side.CRAFT, "feature", title="what was there")
        world.mail.post()
        await asyncio.sleep(CALM_S)
        (link,) = world.store.tables.links.values()
        assert link.state is LinkState.ACTIVE
        await story(Pair(world, link))
        world.plant.end()

    in_virtual_time(play)


@pytest.mark.parametrize("policy", [Policy.JIRA, Policy.ASK])
@BOTH
def test_a_vendor_that_answers_well_and_changes_nothing_does_not_win(target: Side, policy: Policy) -> None:
    async def story(pair: Pair) -> None:
        pair.world.network.ignores = 1.0  # titles are taken with a good answer, and left as they are
        pair.edit(target.other, "what the PM wrote")
        await asyncio.sleep(CALM_S)
        assert pair.title(target.other) == "what the PM wrote"
        state, words = await pair.status()
        assert state is DisplayState.BLOCKED
        assert f"{target.vendor} accepted the request and did not change" in words
        pair.world.network.ignores = 0.0
        retry = SyncRequest(
            request_id="r1",
            kind=RequestKind.RETRY,
            requested_by="ada",
            requested_at=pair.world.clock.now(),
            link_id=pair.link_id,
        )
        await Publisher(pair.world.log, source="console", clock=SimClock(), dice=SeededDice(1)).publish(retry)
        await asyncio.sleep(CALM_S)
        assert pair.title(target) == "what the PM wrote"
        assert (await pair.status())[0] is DisplayState.IN_SYNC

    between_real_services(policy, story)


@BOTH
@pytest.mark.parametrize(("edits", "seconds", "most"), [(20, 2.0, 5), (34, 14.0, 7)])
def test_many_edits_of_one_title_are_few_writes_and_stop_nothing(
    target: Side, edits: int, seconds: float, most: int
) -> None:
    # heard of over many seconds here; where they are heard at once, three writes are enough

    async def story(pair: Pair) -> None:
        before = {side: pair.writes(side) for side in Side}
        for number in range(edits):
            pair.edit(target.other, f"title {number}")
            await asyncio.sleep(seconds / edits)
        await asyncio.sleep(CALM_S)
        assert pair.title(target) == f"title {edits - 1}"
        assert await pair.state() is LinkState.ACTIVE
        assert pair.writes(target) - before[target] <= most
        assert pair.writes(target.other) == before[target.other]

    between_real_services(Policy.ASK, story)
