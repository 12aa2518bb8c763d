"""What a seed maps: today's demo mapping, or one drawn from every kind of field there is, and how an admin changes it.

A drawn mapping is valid by the product's own model and has always a title; pairs may be one-way, lossy or have holes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from pydantic import ValidationError

from deploy.local import rich_scene
from sandbox.jira import catalog, things
from shared.domain.ids import PairId
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Policy, Shape, TypePair, ValuePair

ZONES = ("UTC", "UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata")
STANDARD_TYPES = tuple(each.id for each in catalog.TYPES.values() if each.level >= 0)
"""Jira's types but sub-tasks, which stand under an issue all their life."""
CRAFT_TYPES = ("epic", "feature", "story")
_DIRECTIONS = (*(Direction.BOTH,) * 4, Direction.TO_CRAFT, Direction.TO_JIRA, Direction.ONCE)
_EXPRESSIONS: Mapping[FieldKind, Sequence[tuple[str, str]]] = {
    FieldKind.STRING: (
        ("prefix(value, 'J: ')", "unprefix(value, 'J: ')"),
        ("value.upper()", "value.lower()"),
        ("value.regexReplace('[0-9]$', '')", "value"),
    ),
    FieldKind.TEXT: (("'From Jira: ' + value", "value.replace('From Jira: ', '')"),),
    FieldKind.NUMBER: (
        ("scale(value, 0.5)", "scale(value, 2)"),
        ("round(value / 4.0, 0)", "scale(value, 4)"),
        ("value > 12.0 ? 12.0 : value", "value"),
    ),
    FieldKind.LABELS: (
        ("value.map(x, 'j' + x)", "value.map(x, x.replace('j', ''))"),
        ("value.filter(x, !x.endsWith('3'))", "value"),
    ),
}
"""The way to Craft.io and the way to Jira; the second and third of each lose something."""


@dataclass(frozen=True, slots=True)
class Atlas:
    """All pairs that could be mapped in a world, each whole: both ways, without holes."""

    pairs: tuple[FieldPair, ...]
    rich: bool = False
    """Whether these are all kinds of fields, not just those of the demo."""

    def whole(self, pair: FieldPair) -> FieldPair:
        """Return a pair as it is in the atlas: with every value that its fields can hold."""
        known = next((known for known in self.pairs if known.id == pair.id), pair)
        return _by_name(known) if pair.jira_shape is Shape.NAMES else known


def atlas_of(integration: Integration, fields: Mapping[str, str], workspace: Mapping[str, Any], people: Any) -> Atlas:
    """Return everything that can be mapped between stand-ins with all kinds of fields."""
    rich = rich_scene.integration(project=integration.jira_project, fields=fields, workspace=workspace, people=people)
    plain = {pair.id: pair for pair in integration.pairs}
    objectives = [entity["id"] for entity in workspace["catalogues"]["objectives"]]
    versions = list(things.versions())
    more = (
        plain[PairId("points")],
        plain[PairId("area")],
        FieldPair(
            id=PairId("objectives"), kind=FieldKind.OPTIONS, jira="versions", craft="objectives",
            values=tuple(ValuePair(jira=j, craft=c) for j, c in zip(versions, objectives, strict=False)),
        ),
    )  # fmt: skip
    return Atlas((*rich.pairs, *more), rich=True)


def _by_name(pair: FieldPair) -> FieldPair:
    """Return the pair of Jira's components with their names in place of their ids."""
    names = {one.id: one.name for one in things.components().values()}
    values = tuple(ValuePair(jira=names[str(v.jira)], craft=v.craft) for v in pair.values)
    return pair.model_copy(update={"jira_shape": Shape.NAMES, "values": values})


def drawn(plain: Integration, atlas: Atlas, dice: Random, *, always: Collection[PairId]) -> Integration:
    """Return a random mapping in place of the plain one's, with the pairs of `always`, turned as they may be."""
    wanted = dice.choice((4, 8, len(atlas.pairs)))
    chosen: list[FieldPair] = []
    for pair in sorted(atlas.pairs, key=lambda p: (p.id not in always, dice.random()))[:wanted]:
        while True:
            draft = _with(plain, [*chosen, _turned(pair, dice)])
            if draft is not None:
                chosen = list(draft.pairs)
                break
            if dice.random() < 0.3:
                break  # another pair writes its field already
    zoned = {**plain.model_dump(), "pairs": [pair.model_dump() for pair in chosen], "time_zone": dice.choice(ZONES)}
    return Integration.model_validate(zoned)


def _with(integration: Integration, pairs: Sequence[FieldPair], **more: Any) -> Integration | None:
    """Return the integration with other pairs, None if the product does not allow them."""
    values = {**integration.model_dump(), "pairs": [pair.model_dump() for pair in pairs], **more}
    try:
        return Integration.model_validate(values)
    except ValidationError:
        return None


def _again(pair: FieldPair, **more: Any) -> FieldPair | None:
    """Return a pair with some things changed, None if the product does not allow it."""
    try:
        return FieldPair.model_validate({**pair.model_dump(), **more})
    except ValidationError:
        return None


def _turned(pair: FieldPair, dice: Random) -> FieldPair:
    """Return a pair with a random direction, policy, value map and transform."""
    turned = pair
    for change in (_plain, _directed, _judged, _remapped, _expressed):
        if dice.random() < 0.5:
            turned = change(turned, pair, dice) or turned
    return turned


def _plain(pair: FieldPair, whole: FieldPair, dice: Random) -> FieldPair | None:
    """Carry a document over with its marks, or its text alone."""
    del whole
    if pair.kind not in (FieldKind.RICH_TEXT, FieldKind.TEXT):
        return None
    return _again(pair, kind=dice.choice((FieldKind.RICH_TEXT, FieldKind.TEXT)), to_craft=None, to_jira=None)


def _directed(pair: FieldPair, whole: FieldPair, dice: Random) -> FieldPair | None:
    del whole
    ways = (Direction.BOTH, Direction.ONCE) if pair.id == "title" else _DIRECTIONS  # no item begins without a title
    direction = dice.choice(ways)
    return _again(pair, direction=direction, **_for_direction(direction))


def _for_direction(direction: Direction) -> dict[str, str | None]:
    """Leave out the expression of a way that is not taken."""
    if direction in (Direction.BOTH, Direction.ONCE):
        return {}
    return {"to_jira" if direction is Direction.TO_CRAFT else "to_craft": None}


def _judged(pair: FieldPair, whole: FieldPair, dice: Random) -> FieldPair | None:
    del whole
    return _again(pair, policy=dice.choice((None, *Policy)))


def _remapped(pair: FieldPair, whole: FieldPair, dice: Random) -> FieldPair | None:
    """Make holes in a value map, or have two values of a side mean the same."""
    values = list(whole.values)
    if len(values) < 2:
        return None
    if dice.random() < 0.5:
        values.pop(dice.randrange(len(values)))
    if dice.random() < 0.6:
        at, other = dice.sample(range(len(values)), 2) if len(values) > 1 else (0, 0)
        side = dice.choice(("jira", "craft"))
        values[at] = values[at].model_copy(update={side: getattr(values[other], side)})
    if dice.random() < 0.2:
        dice.shuffle(values)
    fallback = None
    if pair.kind is FieldKind.USER and dice.random() < 0.5:
        fallback = dice.choice(whole.values)
    return _again(pair, values=[v.model_dump() for v in values], fallback=fallback.model_dump() if fallback else None)


def _expressed(pair: FieldPair, whole: FieldPair, dice: Random) -> FieldPair | None:
    """Give a pair expressions, or take them away."""
    ways = _EXPRESSIONS.get(pair.kind)
    if ways is None or pair.id == "design" or dice.random() < 0.2:
        return _again(pair, to_craft=None, to_jira=None)
    to_craft, to_jira = dice.choice(ways)
    del whole
    both = {"to_craft": to_craft, "to_jira": to_jira}
    return _again(pair, **{**both, **_for_direction(pair.direction)})


# How an admin changes it


def revised(before: Integration, atlas: Atlas, dice: Random) -> tuple[Integration, str]:
    """Return a mapping with one random change, and what it is."""
    for _ in range(20):
        change = dice.choice(_CHANGES)
        for draft, words in change(before, atlas, dice):
            if draft is not None and draft != before:
                return draft, words
    return before, "saved as it was"


_Changes = Iterator[tuple[Integration | None, str]]


def _replaced(before: Integration, pair: FieldPair | None, words: str) -> _Changes:
    if pair is not None:
        pairs = [pair if known.id == pair.id else known for known in before.pairs]
        yield _with(before, pairs), f"{pair.id}: {words}"


def _remove(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
    del atlas
    gone = dice.choice(before.pairs)
    if gone.id != "title":
        yield _with(before, [pair for pair in before.pairs if pair.id != gone.id]), f"{gone.id} is mapped no more"


def _add(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
    free = [pair for pair in atlas.pairs if before.pair(pair.id) is None]
    if free:
        new = _turned(dice.choice(free), dice)
        yield _with(before, [*before.pairs, new]), f"{new.id} is mapped"


_ALIKE = (("start", "end"), ("reach", "points"), ("customer", "title"))


def _move(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
    """Let two pairs that hold alike change their fields on one side."""
    del atlas
    one, other = (before.pair(PairId(name)) for name in dice.choice(_ALIKE))
    side = dice.choice(("jira", "craft"))
    if one is None or other is None or "title" in (one.id, other.id):
        return
    swapped = {
        one.id: one.model_copy(update={side: getattr(other, side)}),
        other.id: other.model_copy(update={side: getattr(one, side)}),
    }
    yield _with(before, [swapped.get(pair.id, pair) for pair in before.pairs]), f"{one.id} and {other.id} change fields"


def _change_with(
    change: Callable[[FieldPair, FieldPair, Random], FieldPair | None], words: str
) -> Callable[[Integration, Atlas, Random], _Changes]:
    def changes(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
        pair = dice.choice(before.pairs)
        yield from _replaced(before, change(pair, atlas.whole(pair), dice), words)

    return changes


def _reshape(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
    """Name components by id or by name."""
    del dice
    pair = before.pair(PairId("platforms"))
    if pair is None:
        return
    shape = None if pair.jira_shape is Shape.NAMES else Shape.NAMES
    turned = atlas.whole(pair.model_copy(update={"jira_shape": shape}))
    words = "by id" if shape is None else "by name"
    more = {"jira_shape": shape, "values": [value.model_dump() for value in turned.values]}
    yield from _replaced(before, _again(pair, **more), words)


def _retype(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
    """Map a type that was not mapped, to another one than before, or no more."""
    del atlas
    types = list(before.types)
    mapped = dice.choice(types)
    if dice.random() < 0.4 and len(types) > 1:
        types.remove(mapped)
        yield (
            _with(before, before.pairs, types=[each.model_dump() for each in types]),
            f"type {mapped.jira} is mapped no more",
        )
        return
    new = TypePair(jira=dice.choice(STANDARD_TYPES), craft=dice.choice(CRAFT_TYPES))
    kept = [each for each in types if each.jira != new.jira]
    changed = [each.model_dump() for each in (*kept, new)]
    yield _with(before, before.pairs, types=changed), f"type {new.jira} means {new.craft}"


def _rezone(before: Integration, atlas: Atlas, dice: Random) -> _Changes:
    del atlas
    zone = dice.choice(ZONES)
    yield _with(before, before.pairs, time_zone=zone), f"days begin in {zone}"


_CHANGES = (
    _remove,
    _add,
    _add,
    _move,
    _change_with(_remapped, "another value map"),
    _change_with(_directed, "another direction"),
    _change_with(_expressed, "another transform"),
    _change_with(_judged, "another policy"),
    _change_with(_plain, "with or without marks"),
    _reshape,
    _retype,
    _rezone,
)
