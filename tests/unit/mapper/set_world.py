"""`World` with a set on each side: Jira changes it by element, Craft.io takes it whole, as the two vendors do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.domain.ids import Side
from shared.domain.link import Agreed, Held, Json, Operation
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy, Shape, ValuePair, next_revision
from shared.fields.sets import changes_by_element, edited
from shared.messages.change import ChangelogItem
from tests.unit.mapper.harness import START, TITLE, US, World, title_integration


def labels(direction: Direction = Direction.BOTH, **expressions: Any) -> FieldPair:
    """Return a pair of labels, of which Jira's hold no blanks."""
    return FieldPair(
        id=TITLE, kind=FieldKind.LABELS, jira="labels", craft="labels", since=1, direction=direction, **expressions
    )


def options(*values: tuple[str | None, str | None], jira: str = "components", **more: Any) -> FieldPair:
    """Return a pair of options with this value map; `components` is changed by element, a custom field whole."""
    table = tuple(ValuePair(jira=j, craft=c) for j, c in values)
    shape = Shape.NAMES if jira == "components" else None
    return FieldPair(
        id=TITLE, kind=FieldKind.OPTIONS, jira=jira, craft="personas", values=table, jira_shape=shape, since=1, **more
    )


@dataclass
class SetWorld(World):
    """Two sets, and the link between their items; at first both are empty and agreed on."""

    def __post_init__(self) -> None:
        """Begin empty."""
        super().__post_init__()
        for side in Side:
            self.holds[side] = []
            record = self.link.side(side).pair(TITLE)
            record.seen, record.base = Held([], START, None), Agreed([], 1)

    @classmethod
    def of(
        cls,
        pair: FieldPair,
        policy: Policy = Policy.ASK,
        jira: Iterable[str] = (),
        craft: Iterable[str] = (),
        *,
        agreed: bool = True,
    ) -> SetWorld:
        """Return two sides that hold this and agree on it, or were joined just now."""
        world = cls(title_integration(policy).model_copy(update={"pairs": (pair,)}))
        for side, held in ((Side.JIRA, jira), (Side.CRAFT, craft)):
            record = world.link.side(side).pair(TITLE)
            world.holds[side] = sorted(held)
            record.seen = Held(world.holds[side], START, None)
            record.base = Agreed(world.holds[side], 1) if agreed else None
        return world

    @property
    def pair(self) -> FieldPair:
        """Return the pair as it is mapped now."""
        return self.integration.pairs[0]

    def shows(self, side: Side, value: Json) -> dict[str, object]:
        """Return the JSON of a side that holds this."""
        held = value or ()
        if self.pair.kind is FieldKind.LABELS:
            return {"fields": {"labels": list(held)}} if side is Side.JIRA else {"labels": list(held)}
        if side is Side.CRAFT:
            return {"personas": [{"id": each} for each in held]}
        name = "name" if self.pair.jira == "components" else "id"
        return {"fields": {self.pair.jira: [{name: each} for each in held]}}

    def logged(self, old: Json, new: Json) -> ChangelogItem:
        """Return what Jira's changelog says of a change: labels as words, ids in brackets, components one by one."""
        if self.pair.kind is FieldKind.LABELS:
            words = (" ".join(each or ()) for each in (old, new))
            return ChangelogItem(field="labels", old=None, old_label=next(words), new=None, new_label=next(words))
        ids = (f"[{', '.join(each)}]" if each else None for each in (old, new))
        return ChangelogItem(field=self.pair.jira, old=next(ids), old_label=None, new=next(ids), new_label=None)

    def add(self, side: Side, *elements: str) -> None:
        """Have a person add elements, and tell of it."""
        self.tick()
        self.deliver(self.edit(side, sorted({*self.holds[side], *elements})))

    def remove(self, side: Side, *elements: str) -> None:
        """Have a person remove elements, and tell of it."""
        self.tick()
        self.deliver(self.edit(side, sorted(set(self.holds[side]) - set(elements))))

    def land(self, op: Operation) -> object:  # type: ignore[override]  # the time, as there
        """Let the request of an operation take effect."""
        write = op.pairs[TITLE]
        by_element = op.target is Side.JIRA and changes_by_element(self.pair)
        value = edited(self.holds[op.target], write) if by_element else write.value
        self.writes += 1
        self.sent.add(op.id)
        if self.holds[op.target] != value:
            self._set(op.target, value, US, op)
        return self.at[op.target]

    def remap(self, pair: FieldPair) -> None:
        """Save another mapping of the pair."""
        draft = self.integration.model_copy(update={"pairs": (pair,)})
        self.integration = next_revision(self.integration, draft)

    @property
    def both(self) -> tuple[Json, Json]:
        """Return what Jira and Craft.io hold."""
        return self.holds[Side.JIRA], self.holds[Side.CRAFT]
