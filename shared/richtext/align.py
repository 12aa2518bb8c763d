"""Which element of a new sequence is which one of an old sequence. Pure, and bounded in time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

MAX_DIFF = 3000
"""Above this many elements between the first and the last change, elements are paired in their order."""
MAX_PAIRS = 2500
"""Above this many possible pairs in one gap, likewise."""
_WORD = re.compile(r"\w+")
_LIKELY = 0.3


@dataclass(slots=True)
class Aligned:
    """For each new element the old one that it is, or may have been made from."""

    kept: dict[int, int] = field(default_factory=dict)
    """New to old: the keys are equal."""
    changed: dict[int, int] = field(default_factory=dict)
    """New to old: in the same place, and similar."""


def align(new: Sequence[Hashable], old: Sequence[Hashable]) -> Aligned:
    """Return which keys of `new` are which of `old`, in order; neither is used twice."""
    found = Aligned()
    start = 0
    while start < min(len(new), len(old)) and new[start] == old[start]:
        found.kept[start] = start
        start += 1
    new_end, old_end = len(new), len(old)
    while new_end > start and old_end > start and new[new_end - 1] == old[old_end - 1]:
        new_end, old_end = new_end - 1, old_end - 1
        found.kept[new_end] = old_end
    at_new, at_old = start, start
    for block in _matches(new[start:new_end], old[start:old_end]):
        first_new, first_old, size = start + block[0], start + block[1], block[2]
        _pair(new, old, range(at_new, first_new), range(at_old, first_old), found)
        for offset in range(size):
            found.kept[first_new + offset] = first_old + offset
        at_new, at_old = first_new + size, first_old + size
    return found


def _matches(new: Sequence[Hashable], old: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    if max(len(new), len(old)) > MAX_DIFF or not new or not old:
        return [(len(new), len(old), 0)]
    return [(block.a, block.b, block.size) for block in SequenceMatcher(None, new, old).get_matching_blocks()]


def _pair(new: Sequence[Hashable], old: Sequence[Hashable], news: range, olds: range, found: Aligned) -> None:
    """Pair what was changed with what it was before."""
    if not news or not olds:
        return
    if len(news) == len(olds) == 1:
        found.changed[news[0]] = olds[0]
    elif len(news) * len(olds) > MAX_PAIRS:
        found.changed.update(zip(news, olds, strict=False))
    else:
        _pair_by_words(new, old, news, olds, found)


def _pair_by_words(new: Sequence[Hashable], old: Sequence[Hashable], news: range, olds: range, found: Aligned) -> None:
    """Find the pairs in order that have the most words in common."""
    left = [_Words.of(new[index]) for index in news]
    right = [_Words.of(old[index]) for index in olds]
    likeness = [[one.likeness(other) for other in right] for one in left]
    best = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] >= _LIKELY else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    i = j = 0
    while i < len(left) and j < len(right):
        if likeness[i][j] >= _LIKELY and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            found.changed[news[i]] = olds[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of an element, and what kind it is."""

    kind: object
    counts: Counter[str]
    total: int

    @classmethod
    def of(cls, key: Hashable) -> _Words:
        counts = Counter(_WORD.findall(" ".join(_strings(key))))
        return cls(key[0] if isinstance(key, tuple) and key else None, counts, counts.total())

    def likeness(self, other: _Words) -> float:
        """Return 0 to 1: how many words two elements share, more if they are of one kind."""
        shared = (self.counts & other.counts).total()
        words = 2 * shared / (self.total + other.total) if self.total + other.total else 0.0
        return 0.9 * words + (0.1 if self.kind == other.kind else 0.0)


def _strings(key: object) -> list[str]:
    found: list[str] = []
    left = [key]
    while left:
        part = left.pop()
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, tuple):
            left.extend(part)
    return found
