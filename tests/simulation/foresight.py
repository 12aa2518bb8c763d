"""A world in which a random draft is tried as a dry run and then saved, to see whether what was foreseen comes true.

All services run as they are; nobody gets in the way: fair weather, no deaths, and people rest from the dry run on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from random import Random
from typing import Any

from deploy.local import scene
from shared.clients.craft import shapes as craft_shapes
from shared.clients.jira import shapes as jira_shapes
from shared.clients.reading import Reading
from shared.domain.clock import SeededDice
from shared.domain.dry_run import DryRun, DryRunId, DryRunState, FieldForecast, ItemForecast, Outlook, Verdict
from shared.domain.ids import EntityId, LinkId, PairId, Side
from shared.domain.link import Json, Link, OperationKind, Result
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Mode, Policy, TypePair
from shared.eyes.events import seen
from shared.messages.change import Origin
from shared.messages.request import RequestKind, SyncRequest
from shared.messages.status import Cause
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic
from tests.simulation.fate import Fate
from tests.simulation.network import Weather, is_write
from tests.simulation.world import World

RUN = DryRunId("rehearsed")
BUG = "10003"
UNDISTURBED = timedelta(minutes=15)
"""For how long nothing that was refused must be tried again by itself, so that what happens is the dry run's doing."""
KINDS = ("Epic", "Story", "Task", "Bug")
CRAFT_KINDS = ("epic", "feature", "story")
Writes = dict[tuple[Side, PairId], Json]


def fair(seed: int) -> Fate:
    """Return a fate in which nothing goes wrong and people do little."""
    dice = Random(seed)
    return Fate(
        policy=dice.choice(list(Policy)),
        craft_webhook=dice.random() < 0.5,
        with_key=True,
        coarse_jira=False,
        coarse_craft=False,
        any_mapping=False,
        edits=0,
        items=0,
        kills=0,
        hangs=0,
        weather=Weather(),
        lose_webhooks=0.0,
        repeat_webhooks=0.0,
        late_webhooks=0.0,
        partial_webhooks=0.0,
        revisions=0,
        requests=0,
        deletes=0,
        conversions=0,
        clash=0.0,
        burst=0.0,
        snipe=0.0,
        steps_back=False,
        off_screen=False,
        normalises=False,
        ignores=0.0,
        puts_back=0.0,
        false_deletes=0.0,
        twins=False,
        outages=0,
        small_pages=False,
        index_lag_s=0.0,
        visibility_lag_s=0.0,
        narrow=False,
        status_both=dice.random() < 0.7,
    )


def redrawn(integration: Integration, dice: Random, much: float) -> Integration:
    """Return a random draft: other directions, policies, value maps, types and modes; pairs left out or renamed."""
    pairs = [_redrawn(pair, dice, much) for pair in integration.pairs if pair.id == "title" or dice.random() > much / 3]
    types = [pair for pair in integration.types if dice.random() > much / 4] or list(integration.types)
    if dice.random() < 0.3:
        types.append(TypePair(jira=BUG, craft="feature"))
    body = integration.model_dump() | {
        "pairs": [pair.model_dump() for pair in pairs],
        "types": [pair.model_dump() for pair in types],
        "policy": dice.choice(list(Policy)),
        "to_jira": dice.choice((Mode.AUTOMATIC, Mode.AUTOMATIC, Mode.MANUAL, Mode.OFF)),
        "to_craft": dice.choice((Mode.AUTOMATIC, Mode.AUTOMATIC, Mode.MANUAL, Mode.OFF)),
    }
    return Integration.model_validate(body)


def _redrawn(pair: FieldPair, dice: Random, much: float) -> FieldPair:
    changes: dict[str, Any] = {}
    if dice.random() < much and pair.kind is not FieldKind.LINKS:
        changes["direction"] = dice.choice(list(Direction))
    if dice.random() < 0.2:
        changes["policy"] = dice.choice([None, *Policy])
    if pair.values and dice.random() < 0.4:
        kept = [value for value in pair.values if dice.random() > 0.3]
        dice.shuffle(kept)
        changes["values"] = tuple(kept)
    if pair.kind is FieldKind.STRING and pair.craft.startswith("custom:") and dice.random() < 0.2:
        changes["id"] = PairId(f"{pair.id}-anew")
    return pair.model_copy(update=changes)


@dataclass(slots=True)
class Foretold:
    """What a dry run said, what came true, and what it touched."""

    items: list[ItemForecast] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    state: DryRunState = DryRunState.OPEN
    outlooks: set[Outlook] = field(default_factory=set)
    verdicts: set[Verdict] = field(default_factory=set)


class Foresight:
    """Plays one seed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed * 104_729 + 11)
        self.world = World(seed, fair(seed))
        self.found = Foretold()
        self._console = Publisher(
            self.world.log, source="console", clock=self.world.clock, dice=SeededDice(seed + 40_000)
        )

    async def play(self) -> Foretold:
        """Let people work under one random mapping, try another one, save it, and compare."""
        world = self.world
        await world.prepare()
        world.network.after_effect = lambda _: world.mail.post()
        plain = world.people.integration
        await self._save(redrawn(plain, self.dice, 0.7))
        await self._people_work(plain.pairs)
        await self._rest()
        draft = redrawn(plain, self.dice, 0.3)
        before, sent = self._everything(), self._sent()
        await self._dry_run(draft)
        if self._everything() != before:
            self.found.faults.append("the dry run changed something in the store")
        if self._sent() != sent:
            self.found.faults.append("the dry run sent something")
        last = {link.id: link.next_seq for link in world.store.tables.links.values()}
        await self._save(draft)
        await self._rest()
        await self._touch_what_waits_for_it()
        await self._rest()
        for item in self.found.items:
            self.found.faults += self._compare(item, last)
        world.plant.end()
        return self.found

    # what happens

    async def _people_work(self, pairs: Sequence[FieldPair]) -> None:
        people, dice = self.world.people, self.dice
        for _ in range(dice.choice((3, 5))):
            epics = [i for i, issue in people.jira.world.issues.items() if issue.values["issuetype"] == "10000"]
            kind = dice.choice(KINDS)
            parent = dice.choice(epics) if epics and kind != "Epic" and dice.random() < 0.6 else None
            people.create(Side.JIRA, kind, parent)
            people.create(Side.CRAFT, dice.choice(CRAFT_KINDS))
        self.world.mail.post()
        await asyncio.sleep(30.0)
        for _ in range(dice.choice((8, 24))):
            side = dice.choice(list(Side))
            entity, pair = dice.choice(people.entities(side)), dice.choice(pairs)
            people.edit(side, entity, pair)
            link = self._link_of(side, entity)
            other = link.entity_id(side.other) if link is not None else None
            if other is not None and dice.random() < 0.4:
                people.edit(side.other, other, pair)
            self.world.mail.post()
            await asyncio.sleep(dice.choice((0.1, 3.0, 20.0)))
        await self._rest()
        if dice.random() < 0.5 and self.world.store.tables.links:
            link = dice.choice(list(self.world.store.tables.links.values()))
            await self._ask(link.id, dice.choice((RequestKind.UNSYNC, RequestKind.RESYNC)))

    async def _ask(self, link_id: LinkId, kind: RequestKind) -> None:
        request = SyncRequest(
            request_id="asked", kind=kind, requested_by="ada", requested_at=self.world.clock.now(), link_id=link_id
        )
        await self._console.publish(request)

    async def _save(self, draft: Integration) -> None:
        world = self.world
        current = world.people.integration
        saved = await world.store.save_integration(draft, current.revision, "sim", world.clock.now())
        world.people.integration = saved
        await asyncio.sleep(20.0)  # until every service has loaded it

    async def _rest(self) -> None:
        """Wait until nothing was under way for long enough for every clock to have looked."""
        world = self.world
        loop = asyncio.get_running_loop()
        settled = loop.time()
        while loop.time() < settled + 100.0:
            await asyncio.sleep(5.0)
            if world.mail.pending or world.network.under_way or self._busy():
                settled = loop.time()

    def _busy(self) -> bool:
        links = self.world.store.tables.links.values()
        soon = self.world.clock.now() + UNDISTURBED
        return any(
            link.op_id is not None
            or (link.jira.dirty or link.craft.dirty)
            or (link.retry_at is not None and link.retry_at < soon)
            for link in links
        )

    async def _dry_run(self, draft: Integration) -> None:
        world = self.world
        run = DryRun(
            id=RUN,
            integration_id=draft.id,
            draft=draft,
            requested_by="ada",
            created_at=world.clock.now(),
            base_revision=world.people.integration.revision,
        )
        await world.store.open_dry_run(run, 1)
        async with asyncio.timeout(600):
            while (found := world.store.tables.dry_runs[RUN]).state in (DryRunState.OPEN, DryRunState.READING):
                await asyncio.sleep(1.0)
        self.found.state = found.state
        if found.state is not DryRunState.DONE:
            self.found.faults.append(f"the dry run ended {found.state}: {found.why}")
        items = await world.store.dry_run_items(RUN, None, 0, 1000)
        self.found.items = [item.forecast for item in items if item.forecast is not None]
        for item in self.found.items:
            self.found.outlooks |= set(item.outlooks)
            self.found.verdicts |= {each.verdict for each in item.fields}

    async def _touch_what_waits_for_it(self) -> None:
        """Show the mapper each item that would be created: that is what a change of it, or a request, would do."""
        creates = {Outlook.CREATE: Origin.POLL, Outlook.CREATE_ON_REQUEST: Origin.REQUEST}
        for item in self.found.items:
            origin = next((creates[each] for each in item.outlooks if each in creates), None)
            if origin is Origin.REQUEST or (item.link_id is None and origin is not None):
                await self._touch(item, origin)

    async def _touch(self, item: ItemForecast, origin: Origin) -> None:
        side, entity_id = (Side.JIRA, item.jira_id) if item.jira_id is not None else (Side.CRAFT, item.craft_id)
        assert entity_id is not None
        connection = scene.JIRA if side is Side.JIRA else scene.CRAFT
        snapshot = self.world.people.snapshot(side, entity_id)
        assert snapshot is not None
        updated = (jira_shapes if side is Side.JIRA else craft_shapes).updated_of(snapshot)
        reading = Reading(entity_id, snapshot, updated)
        event = seen(side, connection, reading, origin, self.world.clock.now(), change_id=f"touch:{entity_id}:{origin}")
        await self._console.publish(event)

    # what is compared

    def _everything(self) -> dict[str, Any]:
        """Return all that is committed but the dry run itself, and what the reconciler keeps for itself."""
        tables = self.world.store.tables
        own = {"dry_runs", "dry_run_items", "dry_run_asked", "dry_run_names", "looked_at", "cursors", "lead"}
        found = {each.name: _frozen(getattr(tables, each.name)) for each in fields(tables) if each.name not in own}
        # clocks have what waits decided again and again, and say when
        found["statuses"] = {link_id: s.model_copy(update={"at": None}) for link_id, s in tables.statuses.items()}
        return found

    def _sent(self) -> tuple[int, ...]:
        topics = (Topic.WRITES_JIRA, Topic.WRITES_CRAFT, Topic.OUTCOMES)
        writes = sum(call.method != "GET" and is_write(call) for call in self.world.network.calls)
        return (writes, *(len(self.world.log.records(topic)) for topic in topics))

    def _link_of(self, side: Side, entity_id: EntityId) -> Link | None:
        connection = scene.JIRA if side is Side.JIRA else scene.CRAFT
        tables = self.world.store.tables
        link_id = tables.entities.get((side, connection, entity_id))
        return tables.links[link_id] if link_id is not None else None

    def _compare(self, item: ItemForecast, last: dict[LinkId, int]) -> list[str]:
        """Return in what the forecast of one item was wrong."""
        name = f"{item.labels.get('title')} ({item.jira_id}, {item.craft_id}) {list(map(str, item.outlooks))}"
        links = [self._link_of(side, i) for side, i in ((Side.JIRA, item.jira_id), (Side.CRAFT, item.craft_id)) if i]
        link = next((each for each in links if each is not None), None)
        if Outlook.UNREADABLE in item.outlooks:
            return [f"{name}: could not be read: {item.why}"]
        came, created = self._came_true(link, last)
        if Outlook.WAITING in item.outlooks and not created and not came:
            return []  # its parent has not come
        foretold = {(side, each.pair): each for each in item.fields for side in Side if each.side(side).changes}
        wrong = [f"{name}: {words}" for words in _differences(foretold, came, item, created=created)]
        return wrong + [f"{name}: {words}" for words in self._stands(item, link)]

    def _came_true(self, link: Link | None, last: dict[LinkId, int]) -> tuple[Writes, bool]:
        """Return what was decided to be written since the draft was saved, and whether an item was created."""
        if link is None:
            return {}, False
        tables = self.world.store.tables
        came: Writes = {}
        for op in (tables.operations[op_id] for op_id in tables.ledger.get(link.id, ())):
            if op.seq < last.get(link.id, 1) or op.result in (Result.DEFERRED, Result.MOVED):
                continue
            if op.kind is OperationKind.CREATE:
                return {(op.target, pair_id): write.value for pair_id, write in op.pairs.items()}, True
            came.update({(op.target, pair_id): write.value for pair_id, write in op.pairs.items()})
        return came, False

    def _stands(self, item: ItemForecast, link: Link | None) -> list[str]:
        """Compare what stays open: conflicts, and values that cannot be carried."""
        if link is None or link.id not in self.world.store.tables.statuses or item.link_id is None:
            return []
        if {Outlook.WAITING, Outlook.CREATE, Outlook.LEFT_ALONE} & set(item.outlooks):
            return []  # what is left alone is not looked at either: its status is that of another revision
        foretold = {each.pair for each in item.fields if each.verdict in (Verdict.CONFLICT, Verdict.BLOCKED)}
        written = {each.pair for each in item.fields if each.verdict is Verdict.WRITE}
        problems = {
            problem.pair
            for problem in self.world.store.tables.statuses[link.id].problems
            if not (problem.cause is Cause.REJECTED and problem.pair in written)  # no dry run can ask the vendor
        }
        return (
            [f"problems foretold {sorted(foretold)}, there are {sorted(map(str, problems))}"]
            if foretold != problems
            else []
        )


def _differences(
    foretold: dict[tuple[Side, PairId], FieldForecast], came: Writes, item: ItemForecast, *, created: bool
) -> list[str]:
    creates = {Outlook.CREATE, Outlook.CREATE_ON_REQUEST} & set(item.outlooks)
    if bool(creates) != created:
        return [f"create foretold: {bool(creates)}, came: {created}"]
    wrong = []
    for key in sorted({*foretold, *came}):
        each = foretold.get(key)
        if key[1] == "parent" and Outlook.WAITING in item.outlooks:
            continue  # its parent came meanwhile
        if key[1] == "dependencies":
            continue  # either of two items may write a link, once both are linked: no forecast of one tells which
        if created and each is not None and each.why is not None and key not in came:
            continue  # a status that follows by transitions
        if each is None:
            wrong.append(f"{key[1]} in {key[0]} was written unforeseen: {came[key]!r}")
        elif key not in came:
            wrong.append(f"{key[1]} in {key[0]} was foretold, and not written: {each.side(key[0]).would_be!r}")
        elif each.side(key[0]).would_be != came[key]:
            wrong.append(f"{key[1]} in {key[0]}: foretold {each.side(key[0]).would_be!r}, written {came[key]!r}")
    return wrong


def _frozen(table: Any) -> Any:
    """Return what a table holds now; committed records are replaced, never changed."""
    if isinstance(table, dict):
        return {key: _frozen(value) for key, value in table.items()}
    return list(table) if isinstance(table, list) else table
