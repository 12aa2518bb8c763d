"""Any block as lines of text, for places where a language allows nothing else, and for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from shared.richtext.model import (
    Block,
    Break,
    CodeBlock,
    Expand,
    Heading,
    Inline,
    Listing,
    Look,
    OpaqueBlock,
    Panel,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Tasks,
    Text,
)
from shared.richtext.readable import as_list, labelled

Line = tuple[Inline, ...]
RULE = "———"
_CODE = Look(frozenset({"code"}))


def lines_of(blocks: Iterable[Block]) -> list[Line]:
    """Return blocks line by line; breaks end lines, so none is left in them."""
    return [line for block in blocks for line in _lines(block)]


def _lines(block: Block) -> list[Line]:
    match block:
        case Paragraph() | Heading():
            return _parted(block.inlines)
        case Listing():
            return _list_lines(block, bullet="• ")
        case Tasks():
            return _list_lines(as_list(block.items), bullet="")
        case Table():
            return [row_line(row) for row in block.rows]
        case CodeBlock():
            return [(Text(line, _CODE),) for line in block.text.split("\n") if line.strip()]
        case Quote():
            return lines_of(block.blocks)
        case Panel() | Expand():
            return lines_of(labelled(block))
        case OpaqueBlock():
            return lines_of(block.fallback)
        case Rule():
            return [(Text(RULE),)]
        case _:
            assert_never(block)


def _parted(inlines: Line) -> list[Line]:
    lines: list[list[Inline]] = [[]]
    for inline in inlines:
        if isinstance(inline, Break):
            lines.append([])
        else:
            lines[-1].append(inline)
    return [tuple(line) for line in lines if line]


def _list_lines(listing: Listing, bullet: str) -> list[Line]:
    lines: list[Line] = []
    for number, item in enumerate(listing.items, listing.start):
        sign = Text(f"{number}. " if listing.ordered else bullet)
        first, *more = lines_of(item.blocks) or [()]
        lines += [(sign, *first), *more]
    return lines


def row_line(row: Row) -> Line:
    """Return a table's row as one line."""
    line: list[Inline] = []
    for number, cell in enumerate(row.cells):
        if number:
            line.append(Text(" | "))
        line += one_line_of(lines_of(cell.blocks))
    return tuple(line)


def one_line_of(lines: list[Line], between: Inline | None = None) -> Line:
    """Return lines as one, a blank (or `between`) where they met."""
    joined: list[Inline] = []
    for number, line in enumerate(lines):
        joined += [between or Text(" "), *line] if number else line
    return tuple(joined)


def bold(inlines: Line) -> Line:
    """Return inlines with all of their text in bold, as a heading looks where there are none."""
    return tuple(
        replace(i, look=replace(i.look, styles=i.look.styles | {"strong"}))
        if isinstance(i, Text) and "code" not in i.look.styles
        else i
        for i in inlines
    )
