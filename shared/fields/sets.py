"""Sets across the two sides, element by element: what each was made of, and what a write does to them (ADR 0027). Pure.

An element of one side is the partner of one of the other if either way over leads from one to the other: so "Needs
design" and Jira's "Needs_design" are one thing, and so are all options that stand for the same one. What has no
counterpart at all is its own side's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.domain.ids import Side
from shared.domain.kinds import CHANGED_BY_ELEMENT, SETS
from shared.domain.link import Json, PairWrite
from shared.domain.mapping import FieldPair

Problem = TypeVar("Problem")


@dataclass(slots=True)
class Crosswalk(Generic[Problem]):
    """What each element is on the other side, asked once each: its images (none: it is left out), or what is wrong."""

    ask: Callable[[Side, str], frozenset[str] | Problem]
    known: dict[tuple[Side, str], frozenset[str] | Problem] = field(default_factory=dict)

    def over(self, side: Side, element: str) -> frozenset[str] | Problem:
        """Return the images of an element of a side, or why there are none."""
        if (side, element) not in self.known:
            self.known[side, element] = self.ask(side, element)
        return self.known[side, element]

    def images(self, side: Side, element: str) -> frozenset[str]:
        """Return the images of an element, none if something is wrong with it."""
        found = self.over(side, element)
        return found if isinstance(found, frozenset) else frozenset()

    def partners(self, side: Side, element: str, among: Iterable[str]) -> set[str]:
        """Return which elements of the other side are the same thing."""
        images = self.images(side, element)
        return {each for each in among if each in images or element in self.images(side.other, each)}

    def alone(self, side: Side, elements: Iterable[str], among: Collection[str]) -> set[str]:
        """Return the elements of a side that have no partner among those of the other."""
        return {each for each in elements if not self.partners(side, each, among)}


@dataclass(frozen=True, slots=True)
class Way(Generic[Problem]):
    """What one side has to carry to the other."""

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    """Both in the target's words."""
    source: frozenset[str] = frozenset()
    """What of the source is agreed on once that is done."""
    stuck: tuple[tuple[str, Problem], ...] = ()
    """Elements of the source that cannot be carried, and why."""


@dataclass(frozen=True, slots=True)
class Merge(Generic[Problem]):
    """What two sets hold in common, and what each has to carry to the other since they last agreed."""

    agreed: Mapping[Side, frozenset[str]]
    """Of each side what stands for something on the other, or did until it was removed there or here."""
    ways: Mapping[Side, Way[Problem]]
    """By source."""
    reread: bool = False
    """True: some of it follows from a new meaning of the pair alone, so it is not agreed on before it is written."""


def merge_sets(
    walk: Crosswalk[Problem],
    shown: Mapping[Side, frozenset[str]],
    bases: Mapping[Side, frozenset[str]],
    ways: Collection[Side],
    leader: Side | None = None,
) -> Merge[Problem]:
    """Merge what each side shows with what they last agreed on: only what was added or removed since is carried.

    `ways` are the sides that carry anything. `leader` is given where the pair has another meaning than when the two
    agreed: what that made of the leader's elements is taken back on the other side, what it makes of them now is added.
    """
    dropped = {side: frozenset[str]() for side in Side}
    orphans = {side: frozenset[str]() for side in Side}
    if leader is not None:
        orphans = {
            side: frozenset(
                walk.alone(side, bases[side] & shown[side], shown[side.other] | bases[side.other]),
            )
            for side in Side
        }
        if all(isinstance(walk.over(leader, each), frozenset) for each in orphans[leader]):
            dropped[leader.other] = orphans[leader.other]
        bases = {side: bases[side] - orphans[side] for side in Side}
    agreed = _agreed(walk, shown, bases)
    found = {}
    for side in ways:
        way = _way(walk, side, shown, agreed, dropped[side.other])
        found[side] = way
    carried = leader is not None and leader in found
    reread = carried and bool(dropped[leader.other] or (orphans[leader] and found[leader].add)) if leader else False
    return Merge(agreed, found, reread)


def _agreed(
    walk: Crosswalk[Problem], shown: Mapping[Side, frozenset[str]], bases: Mapping[Side, frozenset[str]]
) -> dict[Side, frozenset[str]]:
    """Return what both sides agree on by now: what was agreed, and what both came to hold by themselves; not what is
    gone from both.
    """
    agreed = {
        side: bases[side] | {each for each in shown[side] if walk.partners(side, each, shown[side.other])}
        for side in Side
    }
    left = {}
    for side in Side:
        theirs = agreed[side.other] & shown[side.other]
        gone = agreed[side] - shown[side]
        # what somebody else on this side still stands for is no removal that the other side has to hear of
        settled = {each for each in gone if not _only_for(walk, side, each, theirs, shown[side])}
        left[side] = agreed[side] - settled
    return left


def _only_for(
    walk: Crosswalk[Problem], side: Side, element: str, among: Iterable[str], shown: frozenset[str]
) -> set[str]:
    """Return the partners of an element that no element which is shown on its own side stands for too."""
    partners = walk.partners(side, element, among)
    return {each for each in partners if not walk.partners(side.other, each, shown)}


def _way(
    walk: Crosswalk[Problem],
    source: Side,
    shown: Mapping[Side, frozenset[str]],
    agreed: Mapping[Side, frozenset[str]],
    dropped: frozenset[str],
) -> Way[Problem]:
    ours, theirs = shown[source], shown[source.other]
    remove = set(dropped & theirs)
    for each in agreed[source] - ours:
        remove |= _only_for(walk, source, each, theirs & agreed[source.other], ours)
    add: set[str] = set()
    carried: set[str] = set()
    stuck: list[tuple[str, Problem]] = []
    for each in sorted(ours - agreed[source]):
        over = walk.over(source, each)
        if not isinstance(over, frozenset):
            stuck.append((each, over))
        elif over:
            add |= over
            carried.add(each)
    return Way(frozenset(add), frozenset(remove - add), frozenset((agreed[source] & ours) | carried), tuple(stuck))


def changes_by_element(pair: FieldPair) -> bool:
    """Tell whether an edit of Jira adds and removes a pair's elements one by one; all else is written whole."""
    return pair.kind in SETS and pair.jira in CHANGED_BY_ELEMENT


def edit_of(write: PairWrite) -> tuple[list[str], list[str]]:
    """Return what a write adds to a set and what it removes."""
    value, expect = set(write.value or ()), set(write.expect or ())
    return sorted(value - expect), sorted(expect - value)


def edited(held: Json, write: PairWrite) -> list[str]:
    """Return a set with what a write adds and without what it removes: whatever else it holds stays."""
    added, removed = edit_of(write)
    return sorted((set(held or ()) | set(added)) - set(removed))


def put_right(held: Json, write: PairWrite) -> list[str] | None:
    """Return what a set should hold that held something else than a write expected when that replaced it; None: what it
    holds now. What was added meanwhile stays, and so does what was removed.
    """
    wanted = edited(held, write)
    return None if set(wanted) == set(write.value or ()) else wanted
