"""Lines of wiki lists -> nested lists. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.richtext.canonical import canonical_blocks
from shared.richtext.model import Block, Item, Listing, Origin
from shared.richtext.wiki.source import Markup


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: its signs, one for each level, what stands in it, and its markup."""

    signs: str
    blocks: tuple[Block, ...]
    text: str
    head: int
    """How long the signs are, with the white space around them."""
    tied: bool = False


def listings(entries: Sequence[Entry], level: int = 0) -> list[Listing]:
    """Return the lists of one level."""
    return [listing(run, level) for run in runs(entries, level)]


def runs(entries: Sequence[Entry], level: int = 0) -> list[Sequence[Entry]]:
    """Part lines into lists: a line of this level whose last sign is of another kind begins another one. How many
    signs a deeper line has tells its level, and the last one its kind, whatever those before it are.
    """
    parts: list[Sequence[Entry]] = []
    start = 0
    for index in range(1, len(entries) + 1):
        own = index < len(entries) and len(entries[index].signs) == level + 1
        if index == len(entries) or (own and _ordered(entries[index], level) != _ordered(entries[start], level)):
            parts.append(entries[start:index])
            start = index
    return parts


def listing(entries: Sequence[Entry], level: int = 0) -> Listing:
    """Return the list that lines of one kind make."""
    return Listing(_ordered(entries[0], level), _items(entries, level))


def _ordered(entry: Entry, level: int) -> bool:
    return entry.signs[level] == "#"


def _items(entries: Sequence[Entry], level: int) -> tuple[Item, ...]:
    """Return items; lines with more signs belong to the item before them."""
    items: list[Item] = []
    index = 0
    while index < len(entries):
        start = index
        own: tuple[Block, ...] = ()
        head = 0
        if len(entries[index].signs) == level + 1:
            own, head = entries[index].blocks, entries[index].head
            index += 1
        below_start = index
        while index < len(entries) and len(entries[index].signs) > level + 1:
            index += 1
        below = canonical_blocks(listings(entries[below_start:index], level + 1))
        held = entries[start:index]
        text = "\n".join(entry.text for entry in held)
        markup = Markup(text, head=text[:head])
        origin = None if any(entry.tied for entry in held) else Origin("wiki", markup)
        items.append(Item((*own, *below), origin=origin))
    return tuple(items)
