"""A merge that does not say what it should, mended block by block: one that went wrong costs no other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.richtext.align import align
from shared.richtext.alike import all_alike, key
from shared.richtext.model import Block

Blocks = tuple[Block, ...]


def mended(
    merged: Sequence[Block], fresh: Sequence[Block], wanted: Sequence[Block], read_again: Callable[[Block], Blocks]
) -> Blocks:
    """Return merged blocks, with fresh ones in the place of those that do not show what is wanted.

    `fresh`: the blocks that show `wanted`, one each. `read_again`: what a block shows once it was written.
    """
    runs = [read_again(block) for block in merged]
    owners = [(index, offset) for index, run in enumerate(runs) for offset in range(len(run))]
    kept = align([key(block) for block in wanted], [key(block) for run in runs for block in run]).kept
    result: list[Block] = []
    at = done = 0
    while at < len(wanted):
        owner, offset = owners[kept[at]] if at in kept else (-1, -1)
        length = len(runs[owner]) if owner >= 0 else 0
        together = [kept.get(at + step) == kept[at] + step for step in range(length)] if owner >= 0 else [False]
        if offset == 0 and all(together) and all_alike(runs[owner], wanted[at : at + length]):
            result += [*_unseen(merged, runs, range(done, owner)), merged[owner]]
            at, done = at + length, owner + 1
        else:
            result.append(fresh[at])
            at += 1
    return (*result, *_unseen(merged, runs, range(done, len(merged))))


def _unseen(merged: Sequence[Block], runs: Sequence[Blocks], places: range) -> list[Block]:
    """Return what shows nothing: it stays in any case."""
    return [merged[place] for place in places if not runs[place]]
