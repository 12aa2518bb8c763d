"""Nodes that show only their parts: opened for an edit, and put together again around what there is now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from shared.richtext.adf.parts import has_parts, holds, kind, loose, rebuilt, stays_empty, wants
from shared.richtext.alike import Place
from shared.richtext.model import Block, OpaqueBlock

Around = tuple[OpaqueBlock, ...]
Refit = Callable[[Block, Place], Sequence[Block]]


@dataclass(frozen=True, slots=True)
class Part:
    """A block, and the nodes around it, from the outside."""

    block: Block
    around: Around = ()

    @property
    def place(self) -> Place:
        """Return the names of the nodes around."""
        return _place(self.around)


@dataclass(frozen=True, slots=True)
class _Entry:
    block: Block | None
    """None: there is nothing left in the nodes around."""
    around: Around | None
    """None: to be found from what stands beside it."""
    new: bool = False


def _place(around: Around) -> Place:
    """Return the names of nodes; an element of HTML around blocks changes nothing of what these may be."""
    return tuple(name for node in around if (name := kind(node)))


def parts_of(blocks: Sequence[Block], around: Around = ()) -> list[Part]:
    """Return blocks with the parts of nodes in the place of these."""
    found: list[Part] = []
    for block in blocks:
        if isinstance(block, OpaqueBlock) and has_parts(block):
            found += parts_of(block.fallback, (*around, block))
        else:
            found.append(Part(block, around))
    return found


def regrouped(placed: Sequence[tuple[Block, int | None]], parts: Sequence[Part], refit: Refit) -> tuple[Block, ...]:
    """Return blocks with the nodes around them that were there before.

    `placed`: each block, and which of the old parts it was, if any. What is new goes where its neighbours are; what a
    node cannot hold stands beside it. `refit`: a block as it may stand in a place.
    """
    if not any(part.around for part in parts):
        return tuple(block for block, _ in placed)
    entries = _emptied(_fixed(placed, parts), parts)
    for index, entry in enumerate(entries):
        if entry.around is None and entry.block is not None:
            before = entries[index - 1].around or () if index else ()
            after = next((later.around for later in entries[index + 1 :] if later.around is not None), ())
            entries[index] = replace(entry, around=_around(entry.block, before, after))
    return _built([fitted for entry in entries for fitted in _fitted(entry, refit)], 0, set())


def _fitted(entry: _Entry, refit: Refit) -> Sequence[_Entry]:
    if entry.block is None or not entry.new or not entry.around:
        return (entry,)
    place = _place(entry.around)
    return [replace(entry, block=block) for block in refit(entry.block, place)] if place else (entry,)


def _fixed(placed: Sequence[tuple[Block, int | None]], parts: Sequence[Part]) -> list[_Entry]:
    """Return blocks in the nodes they were in, as far as these may hold them still; None for new and moved ones."""
    entries: list[_Entry] = []
    last = -1
    for block, at in placed:
        if at is None or at < last:
            entries.append(_Entry(block if at is None else loose((block,))[0], None, new=at is None))
            continue
        last = at
        around = parts[at].around
        while around and not holds(around[-1], block):
            around = around[:-1]
        entries.append(_Entry(block if around == parts[at].around else loose((block,))[0], around))
    return entries


def _emptied(entries: list[_Entry], parts: Sequence[Part]) -> list[_Entry]:
    """Add the nodes that stay without any part, after what they followed."""
    there = {id(node) for entry in entries for node in entry.around or ()}
    place: dict[int, int] = {}
    for index, entry in enumerate(entries):
        if entry.block is not None and entry.around is not None:
            place[id(entry.block)] = index + 1
    at = 0
    for part in parts:
        at = place.get(id(part.block), at)
        gone = [node for node in part.around if id(node) not in there and stays_empty(node)]
        if gone:
            node = gone[0]
            there.add(id(node))
            around = part.around[: part.around.index(node) + 1]
            entries.insert(at, _Entry(None, around if all(id(n) in there for n in around) else (node,)))
            place = {key: value + 1 if value > at else value for key, value in place.items()}
            at += 1
    return entries


def _around(block: Block, before: Around, after: Around) -> Around:
    """Return the nodes in which a new block is to stand: those on both sides of it, as far as they may hold it."""
    for beside in (before, after):
        for depth in range(len(beside), 0, -1):
            if wants(beside[depth - 1], block):
                return beside[:depth]
    depth = 0
    while depth < min(len(before), len(after)) and before[depth] is after[depth]:
        depth += 1
    while depth:
        if holds(before[depth - 1], block):
            return before[:depth]
        if len(before) > depth and holds(before[depth], block):
            return before[: depth + 1]
        depth -= 1
    return ()


def _built(entries: Sequence[_Entry], depth: int, seen: set[int]) -> tuple[Block, ...]:
    """Return entries of which those in one node follow one another as that node."""
    built: list[Block] = []

    def node_of(entry: _Entry) -> int:
        return id(entry.around[depth]) if entry.around and len(entry.around) > depth else 0

    for key, group in groupby(entries, node_of):
        held = list(group)
        node = held[0].around[depth] if key and held[0].around else None
        if node is None:
            built += [entry.block for entry in held if entry.block is not None]
        else:
            built += rebuilt(node, _built(held, depth + 1, seen), again=key in seen)
            seen.add(key)
    return tuple(built)
