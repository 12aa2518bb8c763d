"""What happens to a world: people work and ask; services die and hang; Kafka goes away; clocks step back."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from shared.domain.clock import SeededDice
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Json, Link, LinkState
from shared.domain.mapping import FieldKind, FieldPair
from shared.fields import read
from shared.messages.request import RequestKind, SyncRequest
from shared.runtime.publisher import Publisher
from tests.simulation.network import Call, body_of
from tests.simulation.people import PUT_BACK_KINDS, UNDECIDED
from tests.simulation.process import SimClock
from tests.simulation.trouble import Trouble

if TYPE_CHECKING:
    from tests.simulation.world import World

_ASKED = (RequestKind.UNSYNC, RequestKind.RESYNC, RequestKind.RETRY)


class Story:
    """Plays one fate in one world."""

    def __init__(self, world: World, dice: Random) -> None:
        self._world = world
        self._fate = world.fate
        self._dice = dice
        self._pairs: list[FieldPair] = []
        self._focus: list[EntityId] = []
        self._meanwhile: set[asyncio.Task[None]] = set()
        self._console = Publisher(world.log, source="console", clock=SimClock(), dice=SeededDice(world.seed + 77))
        self._asked: set[str] = set()
        self._sniping = True
        self._number = 0

    async def play(self) -> None:
        """Let everything happen that the fate has in store, and return once people have stopped."""
        trouble = Trouble(self._world, self._dice)
        await asyncio.gather(trouble.deaths(), self._work(), self._requests(), trouble.outages(), trouble.revisions())
        self._sniping = False
        while self._meanwhile:
            await asyncio.sleep(0.5)

    # People

    async def _work(self) -> None:
        dice, fate = self._dice, self._fate
        for _ in range(fate.items):
            self._create()
        if fate.twins:
            self._twins()
        self._world.mail.post()
        self._pairs = self._of_interest()
        deletes = sorted(dice.randrange(fate.edits) for _ in range(fate.deletes))
        conversions = [dice.randrange(fate.edits) for _ in range(fate.conversions)]
        for number in range(fate.edits):
            await asyncio.sleep(dice.choice((0.0, 0.05, 0.5, 3.0, 3.0)) * dice.random())
            self._one_act()
            if number in deletes:
                self._delete()
            for _ in range(conversions.count(number)):
                self._convert()
            self._world.mail.post()

        if fate.burst:
            self._finale()

    def _of_interest(self) -> list[FieldPair]:
        """Return the pairs whose fields people edit."""
        dice, fate = self._dice, self._fate
        mapped = self._world.people.integration.pairs
        pairs = [p for p in mapped if p.kind is not FieldKind.STATUS or fate.status_both or fate.any_mapping]
        found = dice.sample(pairs, min(len(pairs), 1 if fate.narrow else dice.choice((1, 2, 4))))
        for pair in pairs:
            refused = fate.off_screen and pair.id in ("points", "size")
            stubborn = fate.normalises and pair.id == "title"
            if refused or stubborn or (fate.status_both and pair.kind is FieldKind.STATUS):
                found.append(pair)
        return found

    def _finale(self) -> None:
        """Have two edits of one field follow each other closely, in each item: nothing later tells of the second."""
        pair = self._dice.choice(self._pairs)
        for side in Side:
            for entity in self._world.people.entities(side):
                first_s = 2.0 * self._dice.random()
                self._later(first_s, side, entity, pair)
                self._later(first_s + 0.1 + self._dice.random(), side, entity, pair)

    def _one_act(self) -> None:
        dice, people = self._dice, self._world.people
        side = dice.choice(list(Side))
        entities = people.entities(side)
        if not entities or dice.random() < (0.03 if self._fate.narrow else 0.08):
            self._create()
            return
        if side is Side.JIRA and dice.random() < 0.08:
            issue = dice.choice(entities)
            goal = people.transition(issue)
            if goal is not None:
                self._world.note(f"jira {issue}: status -> {goal}")
            return
        entity, pair = dice.choice(entities), dice.choice(self._pairs)
        self._edit(side, entity, pair)
        if dice.random() < self._fate.burst:
            self._later(0.4 * dice.random(), side, entity, pair)
        if dice.random() < self._fate.clash:
            self._clash(side, entity, pair)

    def _clash(self, side: Side, entity: EntityId, pair: FieldPair) -> None:
        """Have the same field edited on the other side, and perhaps another one on this side after that."""
        dice, counterpart = self._dice, self._counterpart(side, entity)
        if counterpart is None:
            return
        after_s = dice.choice((0.0, 0.3, 1.0, 5.0)) * dice.random()
        self._later(after_s, side.other, counterpart, pair)
        if dice.random() < 0.5:
            others = [p for p in self._world.people.integration.pairs if p.kind is FieldKind.STRING and p.id != pair.id]
            if others:
                self._later(after_s + 2.0 * dice.random(), side, entity, dice.choice(others))

    def _edit(self, side: Side, entity: EntityId, pair: FieldPair, value: Json = UNDECIDED) -> None:
        now = self._world.people.integration
        pair = now.pair(pair.id) or (self._dice.choice(now.pairs) if self._fate.any_mapping else pair)
        if self._world.people.edit(side, entity, pair, value):
            edit = self._world.people.edits[-1]
            self._world.note(f"{side} {entity}: {pair.id} {edit.replaced!r} -> {edit.value!r}")

    def _later(self, delay_s: float, side: Side, entity: EntityId, pair: FieldPair, value: Json = UNDECIDED) -> None:
        """Have an edit made beside everything else."""

        async def edit() -> None:
            await asyncio.sleep(delay_s)
            self._edit(side, entity, pair, value)
            self._world.mail.post()

        task = asyncio.get_running_loop().create_task(edit())
        self._meanwhile.add(task)
        task.add_done_callback(self._meanwhile.discard)

    def put_back(self, call: Call) -> None:
        """Perhaps have a person put back at once what a write of Tandem's has just replaced."""
        side = Side.JIRA if "/issue/" in call.path else Side.CRAFT
        written = self._sniping and call.method == "PUT" and call.status < 300
        if not self._fate.puts_back or not written or self._dice.random() >= self._fate.puts_back:
            return
        for link in self._links():
            op = self._world.store.tables.operations.get(link.op_id) if link.op_id is not None else None
            entity = link.entity_id(side)
            if op is None or op.target is not side or entity is None or entity not in f"{call.path}{call.body!r}":
                continue
            for pair in self._world.people.integration.pairs:
                if pair.id in op.pairs and pair.kind in PUT_BACK_KINDS:
                    self._later(0.05 + 0.2 * self._dice.random(), side, entity, pair, op.pairs[pair.id].expect)

    def snipe(self, call: Call) -> None:
        """Perhaps have a person edit what a write of Tandem's has just changed."""
        if not self._sniping or call.method != "PUT" or call.status >= 300 or self._dice.random() >= self._fate.snipe:
            return
        body = body_of(call)
        side = Side.JIRA if "/issue/" in call.path else Side.CRAFT
        if not isinstance(body, dict):
            return
        entity = EntityId(call.path.rpartition("/")[2] if side is Side.JIRA else str(body.get("id")))
        pairs = [
            p
            for p in self._world.people.integration.pairs
            if p.kind is not FieldKind.STATUS and read(side, p, body) is not None
        ]
        if pairs:
            after_s = self._dice.choice((0.02, 0.3, 2.0)) * self._dice.random()
            self._later(after_s, side, entity, self._dice.choice(pairs))

    def _counterpart(self, side: Side, entity: EntityId) -> EntityId | None:
        for link in self._links():
            if link.entity_id(side) == entity:
                return link.entity_id(side.other)
        return None

    def _create(self, title: str | None = None, side: Side | None = None) -> None:
        dice, world = self._dice, self._world
        side = side or dice.choice(list(Side))
        parents: list[str | None] = [None]
        if side is Side.JIRA:
            kind = dice.choice(("Epic", "Story", "Bug"))
            if kind == "Story":
                parents += [i for i, issue in world.jira.world.issues.items() if issue.values["issuetype"] == "10000"]
        else:
            kind = dice.choice(("epic", "epic", "feature"))
            items = world.craft.state()["items"]
            assert isinstance(items, list)
            if kind == "feature":
                parents += [item["id"] for item in items if item["type"] == "epic"]
        parent = parents[-1] if dice.random() < 0.5 else dice.choice(parents)
        made = world.people.create(side, kind, parent, title)
        world.note(f"{side}: a person creates {kind} {made}" + (f" under {parent}" if parent else ""))

    def _twins(self) -> None:
        """Create two items with one title, so that their counterparts cannot be told apart but by key."""
        side = self._dice.choice(list(Side))
        for _ in range(2):
            made = self._world.people.create(side, "Epic" if side is Side.JIRA else "epic", None, "Twin")
            self._world.note(f"{side}: a person creates the twin {made}")

    def _delete(self) -> None:
        side = self._dice.choice(list(Side))
        entities = self._world.people.entities(side)
        if entities:
            entity = self._dice.choice(entities)
            if self._world.people.delete(side, entity):
                self._world.note(f"{side}: a person deletes {entity}")

    def _convert(self) -> None:
        side = self._dice.choice(list(Side))
        entities = self._world.people.entities(side)
        if entities and self._world.people.convert(side, entity := self._dice.choice(entities)):
            edit = self._world.people.edits[-1]
            self._world.note(f"{side} {entity}: a person turns type {edit.replaced} into {edit.value}")

    # What people ask Tandem for

    async def _requests(self) -> None:
        dice = self._dice
        for _ in range(self._fate.requests):
            await asyncio.sleep(dice.uniform(0.5, 12.0))
            if dice.random() < 0.3:
                await self._link_two()
                continue
            links = self._links()
            if links:
                await self._ask(dice.choice(links), dice.choice(_ASKED))
            for link in links:
                for pair in list(link.open_conflicts):
                    await self._resolve(link, pair)

    async def _link_two(self) -> None:
        """Have two items joined that people made: new ones, or some that are on their way already (PROTOCOL F7)."""
        dice, people = self._dice, self._world.people
        if dice.random() < 0.7:
            self._create(side=Side.JIRA)
            self._create(side=Side.CRAFT)
            self._world.mail.post()
        made = {side: [e for s, e in people.created if s is side] for side in Side}
        if not all(made.values()):
            return
        jira, craft = made[Side.JIRA][-1], made[Side.CRAFT][-1]
        await asyncio.sleep(dice.choice((0.0, 0.5, 1.5)) * dice.random())
        await self._publish(RequestKind.LINK, integration_id=people.integration.id, jira_id=jira, craft_id=craft)
        self._world.note(f"a person links {jira} and {craft}")

    async def _ask(self, link: Link, kind: RequestKind) -> None:
        await self._publish(kind, link_id=link.id)
        self._world.note(f"a person asks to {kind} {link.id[:6]} (Jira {link.jira_id}, Craft {link.craft_id})")

    async def _resolve(self, link: Link, pair: PairId) -> None:
        winner, shown = self._dice.choice(list(Side)), link.open_conflicts[pair]
        await self._publish(RequestKind.RESOLVE, link_id=link.id, pair=pair, winner=winner, conflict_at=shown.at)
        self._world.note(f"a person lets {winner} win {pair} of {link.id[:6]}")

    async def _publish(self, kind: RequestKind, **names: object) -> None:
        world = self._world
        self._number += 1
        while not world.log.available:
            await asyncio.sleep(0.5)
        request = SyncRequest.model_validate(
            {
                "request_id": f"r{self._number}",
                "kind": kind,
                "requested_by": "ada",
                "requested_at": world.clock.now(),
                **names,
            }
        )
        await self._console.publish(request)

    async def answer_questions(self) -> None:
        """Do what the status of an item in state ask tells people to do: name the counterpart, or have one made."""
        for link in self._links():
            if link.state is not LinkState.ASK or link.id in self._asked:
                continue
            self._asked.add(link.id)
            found = self._unlinked_counterpart(link)
            if found is None:
                await self._ask(link, RequestKind.RETRY)
                continue
            mine = link.entity_id(link.origin)
            jira, craft = (mine, found) if link.origin is Side.JIRA else (found, mine)
            await self._publish(RequestKind.LINK, integration_id=link.integration_id, jira_id=jira, craft_id=craft)
            self._world.note(f"a person says that {jira} and {craft} belong together")

    def _unlinked_counterpart(self, link: Link) -> EntityId | None:
        """Return an item that is named in the question and in no link yet."""
        taken = {entity for each in self._links() for side in Side if (entity := each.entity_id(side)) is not None}
        for entity in self._world.people.entities(link.origin.other):
            if entity in (link.reason_text or "") and entity not in taken:
                return entity
        return None

    def _links(self) -> list[Link]:
        return list(self._world.store.tables.links.values())
