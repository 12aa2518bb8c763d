"""Panels and expands of which only the words are left: who edits away a sign takes away what it stands for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.richtext.flat import lines_of
from shared.richtext.model import Block, Document, Expand, Listing, OpaqueBlock, Panel, Quote, Table
from shared.richtext.people import line_text

_SHARED = 0.5
"""How many of its words are left of a frame that is the same one."""
_MAX_NAME = 30


def unframed(before: Document, now: Document) -> list[str]:
    """Return how people may call each panel and expand of which the words stand in a quote now."""
    old = [(block, _words(block)) for block in _framed(before.blocks) if not isinstance(block, Quote)]
    if not old:
        return []
    new = [(isinstance(block, Quote), _words(block)) for block in _framed(now.blocks)]
    found: list[str] = []
    for block, words in old:
        like = [quote for quote, told in new if words and len(words & told) >= _SHARED * len(words)]
        if like and all(like):
            found.append(f"the {'panel' if isinstance(block, Panel) else 'expand'} “{_name(block)}”")
    return found


def _framed(blocks: Iterable[Block]) -> Iterator[Panel | Expand | Quote]:
    """Yield all panels, expands and quotes, from the outside in."""
    for block in blocks:
        match block:
            case Panel() | Expand() | Quote():
                yield block
                yield from _framed(block.blocks)
            case Listing():
                yield from (each for item in block.items for each in _framed(item.blocks))
            case Table():
                yield from (each for row in block.rows for cell in row.cells for each in _framed(cell.blocks))
            case OpaqueBlock():
                yield from _framed(block.fallback)
            case _:
                pass


def _told(block: Panel | Expand | Quote) -> str:
    own = [block.title] if isinstance(block, Expand) else []
    return " ".join([*own, *map(line_text, lines_of(block.blocks))])


def _words(block: Panel | Expand | Quote) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", _told(block)))


def _name(block: Panel | Expand) -> str:
    told = block.title if isinstance(block, Expand) and block.title else _told(block)
    return told if len(told) <= _MAX_NAME else f"{told[:_MAX_NAME].rstrip()}…"
