"""A stage for short stories between the real services: two linked items, people on both sides, faults on demand.

Virtual time and one process: a story waits as long as a person would and takes no time at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from sandbox.craft.settings import ADA_KEY
from sandbox.jira.site import ADA_EMAIL
from sandbox.kit.fault_rules import parse_rules
from shared.domain.clock import SeededDice
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import HistoryNote, Link, LinkState
from shared.domain.mapping import Policy
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import DisplayState, SyncStatus
from shared.runtime.publisher import Publisher
from tests.simulation.fate import Fate
from tests.simulation.foresight import fair
from tests.simulation.network import is_write
from tests.simulation.process import SimClock
from tests.simulation.world import CRAFT_URL, JIRA_URL, World, in_virtual_time

CALM_S = 20.0
Shaped = Mapping[str, Mapping[str, Any]]
"""Changes of mapped pairs, by the pair's id."""


def calm(policy: Policy) -> Fate:
    """Return a fate in which nothing goes wrong and webhooks of both sides come."""
    return replace(fair(1), policy=policy, craft_webhook=True)


class Stage:
    """A world in fair weather, and what people and vendors do in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._requests = 0

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Put these rules in force for what Tandem asks; people are served as ever. None: all is well again."""
        self.world.network.faults.replace(parse_rules(list(rules)))

    def create(self, side: Side, title: str, kind: str | None = None, **more: Any) -> EntityId:
        """Have a person create an item."""
        if side is Side.JIRA:
            made = self.world.jira.person(ADA_EMAIL).create_issue("TAN", title, type=kind or "Story", **more)
        else:
            root = self.world.people.root
            item = self.world.craft.person(ADA_KEY.key).create_item(
                type=kind or "feature", title=title, parent=root, **more
            )
            made = item["id"]
        self.world.mail.post()
        return EntityId(made)

    def edit(self, side: Side, entity_id: EntityId, **fields: Any) -> None:
        """Have a person edit an item, by the vendor's own names; Jira's documents as its editor sends them."""
        if side is Side.JIRA and any(isinstance(value, dict) for value in fields.values()):
            self.world.jira.person(ADA_EMAIL).send("PUT", f"/issue/{entity_id}", {"fields": fields}, api=3)
        elif side is Side.JIRA:
            self.world.jira.person(ADA_EMAIL).edit(entity_id, **fields)
        else:
            self.world.craft.person(ADA_KEY.key).edit(entity_id, **fields)
        self.world.mail.post()

    def show(self, side: Side, entity_id: EntityId, name: str) -> Any:
        """Return a field as a person sees it, by the vendor's own name."""
        shown: Any = self.world.people.snapshot(side, entity_id)
        return shown["fields"][name] if side is Side.JIRA else shown[name]

    def link_of(self, entity_id: EntityId) -> Link:
        """Return the record of an item."""
        links = self.world.store.tables.links.values()
        return next(link for link in links if entity_id in (link.jira_id, link.craft_id))

    async def told(self, entity_id: EntityId) -> SyncStatus:
        """Return what people are told of an item."""
        link_id = self.link_of(entity_id).id
        (view,) = [view for view in await self.world.views() if view.link.id == link_id]
        assert view.status is not None
        return view.status

    async def ask(self, kind: RequestKind, link_id: LinkId) -> None:
        """Have a person ask for something in the console."""
        self._requests += 1
        request = SyncRequest(
            request_id=f"r{self._requests}",
            kind=kind,
            requested_by="ada",
            requested_at=self.world.clock.now(),
            link_id=link_id,
        )
        await Publisher(self.world.log, source="console", clock=SimClock(), dice=SeededDice(1)).publish(request)

    def calls(self, side: Side, method: str = "*", part: str = "") -> int:
        """Return how many requests of Tandem's a vendor's site has had, answered by a fault or not."""
        base = JIRA_URL if side is Side.JIRA else CRAFT_URL
        return sum(c.site == base and method in ("*", c.method) and part in c.path for c in self.world.network.calls)


class Pair(Stage):
    """A stage with two linked items, and what people do with their titles."""

    def __init__(self, world: World, link: Link) -> None:
        super().__init__(world)
        self.link_id = link.id
        self.ids = {side: link.entity_id(side) or EntityId("") for side in Side}

    def entitle(self, side: Side, title: str) -> None:
        """Have a person give an item another title."""
        self.edit(side, self.ids[side], **{"summary" if side is Side.JIRA else "title": title})

    def title(self, side: Side) -> object:
        """Return the title that a person sees."""
        return self.show(side, self.ids[side], "summary" if side is Side.JIRA else "title")

    def writes(self, target: Side) -> int:
        """Return how many edits of Tandem's a site has had."""
        base = JIRA_URL if target is Side.JIRA else CRAFT_URL
        return sum(call.site == base and call.method == "PUT" and is_write(call) for call in self.world.network.calls)

    def open_to(self, target: Side) -> bool:
        """Tell whether a write to a side is decided and not reported yet."""
        op = self.world.store.tables.links[self.link_id].op_id
        return op is not None and self.world.store.tables.operations[op].target is target

    def history(self) -> list[HistoryNote]:
        """Return the record's history."""
        return self.world.store.tables.history.get(self.link_id, [])

    async def status(self) -> tuple[DisplayState, str]:
        """Return state and words."""
        status = await self.told(self.ids[Side.JIRA])
        return status.state, status.message

    async def state(self) -> LinkState:
        """Return the state of the record."""
        return self.world.store.tables.links[self.link_id].state


async def _raise(policy: Policy, pairs: Shaped, *, webhooks: bool = True, data_center: bool = False) -> World:
    world = World(1, replace(calm(policy), craft_webhook=webhooks, data_center=data_center))
    world.reshape = pairs
    await world.prepare()
    world.network.after_effect = lambda _: world.mail.post()
    return world


def on_stage(
    story: Callable[[Stage], Coroutine[Any, Any, None]],
    policy: Policy = Policy.ASK,
    pairs: Shaped | None = None,
    *,
    data_center: bool = False,
) -> None:
    """Play a story that begins without items."""

    async def play() -> None:
        world = await _raise(policy, pairs or {}, data_center=data_center)
        await story(Stage(world))
        world.plant.end()

    in_virtual_time(play)


def between_real_services(
    policy: Policy,
    story: Callable[[Pair], Coroutine[Any, Any, None]],
    pairs: Shaped | None = None,
    *,
    webhooks: bool = True,
) -> None:
    """Play a story that begins with two items in step; without `webhooks` of Craft.io, which is polled then."""

    async def play() -> None:
        world = await _raise(policy, pairs or {}, webhooks=webhooks)
        world.people.create(Side.CRAFT, "feature", title="what was there")
        world.mail.post()
        await asyncio.sleep(CALM_S)
        (link,) = world.store.tables.links.values()
        assert link.state is LinkState.ACTIVE
        await story(Pair(world, link))
        world.plant.end()

    in_virtual_time(play)
