"""Lines of wiki lists -> nested lists. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.richtext.canonical import canonical_blocks
from shared.richtext.model import Block, Item, Listing
from shared.richtext.readable import recognised


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: its signs, one for each level, and what stands in it."""

    signs: str
    blocks: tuple[Block, ...]


def listings(entries: Sequence[Entry], level: int = 0) -> list[Listing]:
    """Return the lists of one level; a change between bullets and numbers begins another one."""
    made: list[Listing] = []
    start = 0
    for index in range(1, len(entries) + 1):
        if index == len(entries) or _ordered(entries[index], level) != _ordered(entries[start], level):
            made.append(Listing(_ordered(entries[start], level), _items(entries[start:index], level)))
            start = index
    return made


def _ordered(entry: Entry, level: int) -> bool:
    return entry.signs[level] == "#"


def _items(entries: Sequence[Entry], level: int) -> tuple[Item, ...]:
    """Return items; lines with more signs belong to the item before them."""
    items: list[Item] = []
    index = 0
    while index < len(entries):
        own: tuple[Block, ...] = ()
        if len(entries[index].signs) == level + 1:
            own = entries[index].blocks
            index += 1
        start = index
        while index < len(entries) and len(entries[index].signs) > level + 1:
            index += 1
        below = [
            recognised(block)
            for made in listings(entries[start:index], level + 1)
            for block in canonical_blocks((made,))
        ]
        items.append(Item((*own, *below)))
    return tuple(items)
