"""Documents as text for people and for comparing words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from shared.richtext.canonical import canonical
from shared.richtext.flat import RULE, lines_of, row_line
from shared.richtext.model import (
    Block,
    Card,
    CodeBlock,
    Document,
    Expand,
    Heading,
    Inline,
    Listing,
    OpaqueBlock,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Status,
    Table,
    Tasks,
    Text,
)
from shared.richtext.readable import as_list, labelled, plainer_inlines


def readable_lines(document: Document) -> list[str]:
    """Return a document line by line; an empty line parts blocks."""
    lines: list[str] = []
    for block in canonical(document).blocks:
        told = _lines(block)
        if told:
            lines += ["", *told] if lines else told
    return lines


def _lines(block: Block) -> list[str]:
    match block:
        case Paragraph() | Heading():
            return [line_text(line) for line in lines_of((block,))]
        case Listing():
            return _list_lines(block, bullet="- ")
        case Tasks():
            return _list_lines(as_list(block.items), bullet="")
        case Table():
            return [line_text(row_line(row)) for row in block.rows]
        case CodeBlock():
            return block.text.split("\n")
        case Quote():
            return [f"> {line}" for line in _inner(block.blocks)]
        case Panel() | Expand():
            return _inner(canonical(Document(labelled(block))).blocks)
        case OpaqueBlock():
            return _inner(block.fallback)
        case Rule():
            return [RULE]
        case _:
            assert_never(block)


def _inner(blocks: Iterable[Block]) -> list[str]:
    return [line for block in blocks for line in _lines(block)]


def _list_lines(listing: Listing, bullet: str) -> list[str]:
    lines: list[str] = []
    for number, item in enumerate(listing.items, listing.start):
        sign = f"{number}. " if listing.ordered else bullet
        first, *more = _inner(item.blocks) or [""]
        lines += [(sign + first).rstrip(), *(f"  {line}" for line in more)]
    return lines


def line_text(line: Iterable[Inline]) -> str:
    """Return the text of one line."""
    return "".join(i.text for i in plainer_inlines(line) if isinstance(i, Text)).strip()


def spoken(document: Document) -> str:
    """Return the text that people wrote, without what stands for people, pictures and dates."""
    return "\n".join(_spoken(canonical(document).blocks))


def _spoken(blocks: Iterable[Block]) -> Iterable[str]:
    for block in blocks:
        match block:
            case Paragraph() | Heading():
                yield "".join(map(_said, block.inlines))
            case Listing():
                for item in block.items:
                    yield from _spoken(item.blocks)
            case Tasks():
                for line in lines_of((as_list(block.items),)):
                    yield "".join(map(_said, line))
            case Table():
                for row in block.rows:
                    for cell in row.cells:
                        yield from _spoken(cell.blocks)
            case CodeBlock():
                yield block.text
            case Quote() | Panel():
                yield from _spoken(block.blocks)
            case Expand():
                yield block.title
                yield from _spoken(block.blocks)
            case OpaqueBlock(language="html"):
                yield from _spoken(block.fallback)
            case OpaqueBlock() | Rule():
                pass
            case _:
                assert_never(block)


def _said(inline: Inline) -> str:
    match inline:
        case Text():
            return inline.text
        case Status():
            return f" {inline.text} "
        case Card():
            return f" {inline.url} "
        case _:
            return " "
