"""Which transition to make next, so that an issue comes from one status to another. Pure.

Jira shows the transitions of an issue's present status only, and the workflow itself to administrators only. So the
graph is what was seen on issues so far: `Workflow.learn` after each look, `Workflow.toward` before each step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from shared.clients.jira.shapes import Transition

MAX_STEPS = 8
"""Transitions that one write makes at most."""
_RANKS = {"new": 0, "indeterminate": 1, "done": 2}
"""Jira's categories of statuses, in the order in which work goes through them."""


@dataclass(slots=True)
class Workflow:
    """The transitions of one project and issue type by the status in which they were offered."""

    offered: dict[str, tuple[Transition, ...]] = field(default_factory=dict)

    def learn(self, status: str, transitions: Sequence[Transition]) -> None:
        """Remember what an issue in `status` was offered; conditions may hide some from one issue, so keep the most."""
        known = {one.id: one for one in self.offered.get(status, ())}
        self.offered[status] = tuple((known | {one.id: one for one in transitions}).values())

    def unknown_near(self, start: str, but: AbstractSet[str]) -> str | None:
        """Return the nearest status that can be reached from `start` and whose transitions were never seen."""
        return next((s for s in self._reached(start) if s not in self.offered and s not in but), None)

    def toward(self, start: str, goal: str, offered_now: Sequence[Transition]) -> Transition | None:
        """Return the first transition of a shortest way from `start`, of those offered now; None without a way."""
        best: tuple[int, Transition] | None = None
        for one in offered_now:
            steps = 1 if one.to == goal else self._distance(one.to, goal, avoid=start)
            if steps is not None and (best is None or steps < best[0]):
                best = (steps, one)
        return best[1] if best is not None else None

    def step_forward(
        self, offered_now: Sequence[Transition], category: str | None, been: AbstractSet[str]
    ) -> Transition | None:
        """Return the one transition that leads nearer to a status of `category`, where nobody knows how it goes on.

        None where there is more than one, or none: a wrong turn would leave the issue where nobody wanted it. A step
        back is none, nor one past the goal, nor one to a status that was seen or is in `been`.
        """
        goal = _RANKS.get(category or "")
        if goal is None:
            return None
        ranked = [(_RANKS.get(one.to_category or "", goal + 1), one) for one in offered_now]
        ahead = [each for each in ranked if each[0] <= goal and each[1].to not in self.offered.keys() | been]
        nearest = max((rank for rank, _ in ahead), default=goal)
        chosen = {one.to: one for rank, one in ahead if rank == nearest}
        return next(iter(chosen.values())) if len(chosen) == 1 else None

    def name_of(self, status: str) -> str | None:
        """Return a status's name, if a transition to it was ever seen."""
        return next((one.to_name for each in self.offered.values() for one in each if one.to == status), None)

    def no_way(self, start: str, offered: Sequence[Transition], wanted: str) -> str:
        """Return why a status cannot be reached, for people: what Jira offers from here, and what was never seen."""
        if not offered:
            return (
                f"Jira offers no transition from this status, so {wanted} cannot be reached. "
                "Give Tandem's account the permission to transition issues, or move the issue in Jira."
            )
        names = ", ".join(f"'{one.name}' (to '{one.to_name}')" for one in offered)
        unseen = [f"'{self.name_of(each) or each}'" for each in self._reached(start) if each not in self.offered]
        if not unseen:
            return (
                f"Jira's workflow has no way from this status to {wanted} that Tandem's account may go. "
                f"Jira offers from here: {names}. "
                "Move the issue in Jira, or have an admin change the workflow or the mapping of the status."
            )
        return (
            f"A way from this status to {wanted} is not known yet. Jira offers from here: {names}. "
            f"Where a status leads Jira only tells of issues in it, and none of this type was found in "
            f"{' or '.join(unseen)}. "
            "Move this issue in Jira, or press retry once another one has got there. When the status changes again, "
            "Tandem looks for a way anew by itself."
        )

    def _distance(self, start: str, goal: str, avoid: str) -> int | None:
        reached = self._reached(start, avoid)
        return reached[goal] + 1 if goal in reached else None

    def _reached(self, start: str, avoid: str | None = None) -> Mapping[str, int]:
        """Return every status that known transitions lead to, nearest first, with the number of steps."""
        steps, queue = {start: 0}, deque([start])
        while queue:
            here = queue.popleft()
            for one in self.offered.get(here, ()):
                if one.to not in steps and one.to != avoid:
                    steps[one.to] = steps[here] + 1
                    queue.append(one.to)
        return steps
