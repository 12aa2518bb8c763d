"""What goes wrong besides the weather: services die and hang, Kafka goes away, a clock steps back, mappings change."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from shared.domain.ids import Side
from shared.domain.mapping import Integration, Policy
from tests.simulation.mapping import revised

if TYPE_CHECKING:
    from tests.simulation.world import World

WORK_S = 60.0
"""How long things go wrong; people may be done earlier."""
_WHEN = ((0.2, 4.0), (2.0, 30.0))
"""When services die and hang: often while the first counterparts are being created."""


class Trouble:
    """Makes trouble as the fate of a world has it."""

    def __init__(self, world: World, dice: Random) -> None:
        self._world = world
        self._dice = dice

    async def deaths(self) -> None:
        """Kill and hang services at random moments; each killed one is started again, as Kubernetes would."""
        dice, fate, plant = self._dice, self._world.fate, self._world.plant
        moments = [(dice.uniform(*dice.choice(_WHEN)), "kill") for _ in range(fate.kills)]
        moments += [(dice.uniform(*dice.choice(_WHEN)), "hang") for _ in range(fate.hangs)]
        if fate.steps_back:
            moments.append((dice.uniform(2, WORK_S / 3), "step"))
        loop = asyncio.get_running_loop()
        start = loop.time()
        for at, what in sorted(moments):
            await asyncio.sleep(max(0.0, start + at - loop.time()))
            if what == "step":
                self._step_back()
                continue
            name = dice.choice(plant.names)
            self._world.note(f"{what} {name}")
            process = plant.processes[name]
            if what == "kill":
                process.kill()
            else:
                process.hang()
                frozen_s = dice.uniform(5, 120)
                loop.call_later(frozen_s, process.thaw)  # a zombie: it goes on where it stood, beside its successor
                loop.call_later(frozen_s + dice.uniform(5, 60), process.kill)
            plant.launch(name)

    def _step_back(self) -> None:
        """Set Jira's clock back, as when another Data Center node answers."""
        by_s = self._dice.uniform(3, 60)
        self._world.slow_by[Side.JIRA] = timedelta(seconds=by_s)
        self._world.note(f"the clock of jira steps back by {by_s:.1f} s")

    async def outages(self) -> None:
        """Let Kafka go away for some seconds."""
        for _ in range(self._world.fate.outages):
            await asyncio.sleep(self._dice.uniform(2, 20))
            self._world.log.available = False
            self._world.note("Kafka goes away")
            await asyncio.sleep(self._dice.uniform(2, 12))
            self._world.log.available = True
            self._world.note("Kafka is back")

    async def revisions(self) -> None:
        """Let an admin save a changed mapping."""
        for _ in range(self._world.fate.revisions):
            await asyncio.sleep(self._dice.uniform(1, 15))
            await self._new_revision()

    async def _new_revision(self) -> None:
        """Turn a value map around, or let a pair mean another field, so that what was agreed no longer is."""
        world, people = self._world, self._world.people
        before = people.integration
        if world.fate.any_mapping:
            await self._save(*revised(before, people.atlas, self._dice))
            return
        turn = self._dice.random() < 0.6
        pairs = []
        for pair in before.pairs:
            changed = pair
            if turn and pair.id == "importance":
                craft = [value.craft for value in pair.values]
                moved = zip(pair.values, [*craft[1:], craft[0]], strict=True)
                turned = [value.model_copy(update={"craft": other}) for value, other in moved]
                changed = pair.model_copy(update={"values": tuple(turned), "policy": Policy.JIRA})
            elif not turn and pair.id == "start":
                other = next(p for p in before.pairs if p.id == "end")
                changed = pair.model_copy(update={"jira": other.jira})
            elif not turn and pair.id == "end":
                other = next(p for p in before.pairs if p.id == "start")
                changed = pair.model_copy(update={"jira": other.jira})
            pairs.append(changed)
        draft = before.model_copy(update={"pairs": tuple(pairs)})
        await self._save(draft, "importance is mapped anew" if turn else "the dates change places")

    async def _save(self, draft: Integration, what: str) -> None:
        world, people = self._world, self._world.people
        saved = await world.store.save_integration(draft, people.integration.revision, "sim", world.clock.now())
        people.follow(saved)
        world.note(f"mapping revision {saved.revision}: {what}")
