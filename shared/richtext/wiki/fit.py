"""What wiki markup can hold, and where: a document as it can be written for Data Center. Pure and idempotent.

Items and cells are lines with code and lists after them; quotes hold no quotes, panels no panels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import assert_never

from shared.richtext.canonical import canonical_blocks, canonical_inlines
from shared.richtext.flat import bold, lines_of, one_line_of
from shared.richtext.model import (
    Block,
    Break,
    Card,
    Cell,
    CodeBlock,
    Date,
    Emoji,
    Expand,
    Heading,
    Inline,
    Item,
    Listing,
    Mention,
    OpaqueBlock,
    OpaqueInline,
    Origin,
    Panel,
    Paragraph,
    Quote,
    Row,
    Rule,
    Status,
    Table,
    Tasks,
    Text,
)
from shared.richtext.readable import as_list, labelled, recognised, words_of

_USER = re.compile(r"[^\s\[\]{}|\\]+")
_NARROW = frozenset({"item", "cell"})


def fit_wiki(blocks: Iterable[Block], place: tuple[str, ...] = ()) -> tuple[Block, ...]:
    """Return canonical blocks as wiki markup can hold them within `place`, the names of the containers around them."""
    return tuple(fitted for block in blocks for fitted in _fit(block, place))


def _fit(block: Block, place: tuple[str, ...]) -> tuple[Block, ...]:
    narrow = bool(place) and place[-1] in _NARROW
    match block:
        case Paragraph():
            return _line(block)
        case Heading():
            return _line(Paragraph(bold(block.inlines))) if narrow else _line(block)
        case Listing():
            return (_list(block, place),)
        case Tasks():
            return fit_wiki(canonical_blocks((as_list(block.items),)), place)
        case Table():
            return _as_lines(block) if narrow else (_table(block, place),)
        case CodeBlock():
            return (_code(block),)
        case Quote():
            if narrow or "quote" in place:
                return fit_wiki(block.blocks, place)
            return _quote(block, fit_wiki(block.blocks, (*place, "quote")), place)
        case Panel():
            if narrow or "panel" in place:
                shown = canonical_blocks(labelled(block))
                return fit_wiki(shown if narrow or "quote" in place else (Quote(shown),), place)
            return (_refilled(block, fit_wiki(block.blocks, (*place, "panel"))),)
        case Expand():
            if narrow or "quote" in place:
                return fit_wiki(canonical_blocks(labelled(block)), place)
            return (_refilled(block, fit_wiki(block.blocks, (*place, "quote"))),)
        case Rule():
            return _as_lines(block) if narrow else (block,)
        case OpaqueBlock():
            return (block,) if block.language == "wiki" else fit_wiki(block.fallback, place)
        case _:
            assert_never(block)


def _quote(block: Quote, held: tuple[Block, ...], place: tuple[str, ...]) -> tuple[Block, ...]:
    """Return a quote with what it can hold; what it would be read as is what it is."""
    found = canonical_blocks((_refilled(block, held),))
    known = recognised(found[0]) if found else None
    if known is None or isinstance(known, Quote) or (isinstance(known, Panel) and "panel" in place):
        return found
    return _fit(known, place)


def _frame(origin: Origin | None) -> Origin | None:
    return None if origin is None else Origin(origin.language, origin.source, whole=False)


def _line(block: Paragraph | Heading) -> tuple[Block, ...]:
    """Return a line as it fits, nothing if nothing of it can be read."""
    inlines = fit_inlines(block.inlines)
    if inlines == block.inlines:
        return (block,)
    held = canonical_inlines(inlines)
    return (replace(block, inlines=held, origin=None),) if held else ()


def _refilled(block: Quote | Panel | Expand, blocks: tuple[Block, ...]) -> Block:
    return block if blocks == block.blocks else replace(block, blocks=blocks, origin=_frame(block.origin))


def _as_lines(block: Block) -> tuple[Block, ...]:
    return tuple(Paragraph(fit_inlines(line)) for line in lines_of((block,)))


def _code(block: CodeBlock) -> CodeBlock:
    """Return code that can stand between macros: what looks like their end is taken out of their reach."""
    if "{code" not in block.text:
        return block
    text = block.text.replace("{noformat", "{ noformat")
    return block if text == block.text and block.language is None else CodeBlock(text)


def _list(block: Listing, place: tuple[str, ...]) -> Listing:
    items = tuple(part for item in block.items for part in _item(item, place))
    if items == block.items and block.start == 1:
        return block
    return Listing(block.ordered, items)


def _item(item: Item, place: tuple[str, ...]) -> tuple[Item, ...]:
    """Return an item as lines and code, then lists; what comes after a list begins an item of its own."""
    parts: list[list[Block]] = [[]]
    for block in fit_wiki(item.blocks, (*place, "item")):
        last = parts[-1][-1] if parts[-1] else None
        if isinstance(last, Listing) and not isinstance(block, Listing):
            parts.append([block])
        else:
            _append(parts[-1], block)
    if len(parts) == 1 and tuple(parts[0]) == item.blocks:
        return (item,)
    return tuple(Item(canonical_blocks(part)) for part in parts)


def _append(blocks: list[Block], block: Block) -> None:
    """Add a block; a line goes on where one ended, and so does a list of the same kind."""
    last = blocks[-1] if blocks else None
    if isinstance(last, Paragraph) and isinstance(block, Paragraph):
        blocks[-1] = Paragraph((*last.inlines, Break(), *block.inlines))
    elif isinstance(last, Listing) and isinstance(block, Listing) and last.ordered == block.ordered:
        blocks[-1] = Listing(last.ordered, (*last.items, *block.items))
    else:
        blocks.append(block)


def _table(block: Table, place: tuple[str, ...]) -> Table:
    rows = tuple(_row(row, place) for row in block.rows)
    return block if rows == block.rows else Table(rows)


def _row(row: Row, place: tuple[str, ...]) -> Row:
    cells = tuple(_cell(cell, place) for cell in row.cells)
    return row if cells == row.cells else Row(cells)


def _cell(cell: Cell, place: tuple[str, ...]) -> Cell:
    blocks: list[Block] = []
    for block in fit_wiki(cell.blocks, (*place, "cell")):
        _append(blocks, block)
    if not all(_rank(first) <= _rank(second) for first, second in pairwise(blocks)):
        blocks = [Paragraph(fit_inlines(one_line_of(lines_of(blocks), Break())))]
    held = canonical_blocks(blocks)
    unchanged = held == cell.blocks and cell.colspan == 1 and cell.rowspan == 1
    return cell if unchanged else Cell(held, cell.header)


def _rank(block: Block) -> int:
    """Return where a block stands in a cell: lines, then code, then lists."""
    return 2 if isinstance(block, Listing) else 1 if isinstance(block, CodeBlock) else 0


def fit_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return what stands in a line as wiki markup can hold it."""
    return tuple(_fit_inline(inline) for inline in inlines)


def _fit_inline(inline: Inline) -> Inline:
    match inline:
        case Text(look=look):
            return inline if look.background is None else replace(inline, look=replace(look, background=None))
        case Mention():
            return replace(inline, name=None) if _USER.fullmatch(inline.id) else words_of(inline)
        case OpaqueInline():
            return inline if inline.language == "wiki" else words_of(inline)
        case Emoji() | Status() | Date():
            return words_of(inline)
        case Break() | Card():
            return inline
        case _:
            assert_never(inline)
