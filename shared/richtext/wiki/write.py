"""Model -> wiki markup. Pure; all text is escaped, so that none of it turns into markup.

What came from wiki markup and did not change is given back as it was written, with what stood around it; of what
changed, the parts that did not. New parts are written so that Jira, and other readers of its notation, read the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from shared.richtext import text as texts
from shared.richtext.canonical import canonical_blocks, tidied
from shared.richtext.model import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Expand,
    Heading,
    Item,
    Listing,
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
from shared.richtext.wiki.escape import Place
from shared.richtext.wiki.fit import fit_wiki
from shared.richtext.wiki.macros import code_language, panel
from shared.richtext.wiki.notation import LITERAL_END, MACRO, PANEL_COLORS, PANEL_MACROS, QUOTE_LINE
from shared.richtext.wiki.patch import line_markup
from shared.richtext.wiki.source import Markup, markup_of, whole

_ROOT = Place()
_LINE = Place(one_line=True)
_CELL = Place(one_line=True, cell=True)
_LINE_END = "\n"
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")


def to_wiki(document: Document) -> str:
    """Return the document as wiki markup. What it has no notation for is made readable first."""
    fitted: list[Block] = []
    for block in tidied(document.blocks, "wiki"):
        # what comes from wiki markup fits, even if it stands where nothing new would be put
        fitted += (block,) if markup_of(block.origin) is not None else canonical_blocks(fit_wiki((block,)))
    return _blocks(fitted, _ROOT)


def _blocks(blocks: Sequence[Block], place: Place, between: str = "\n\n", edge: str = "") -> str:
    """Return blocks that follow one another. `between` parts those that did not stand together before; `edge` stands
    before and after them where nothing is known to have stood.
    """
    written: list[str] = []
    previous: Markup | None = None
    for number, block in enumerate(blocks):
        source = markup_of(block.origin)
        if number == 0:
            written.append(source.before if source is not None and source.follows is None else edge)
        elif source is not None and (source.follows is previous is not None or _EMPTY_LINE.search(source.before)):
            written.append(source.before)
        else:
            written.append(between)
        written.append(_block(block, place))
        previous = source
    written.append(previous.after if previous is not None and previous.last else edge)
    return "".join(written)


def _block(block: Block, place: Place) -> str:
    text = whole(block.origin)
    if text is not None:
        return text
    match block:
        case Paragraph():
            return line_markup(block, place)
        case Heading():
            return _heading(block)
        case Listing():
            return "\n".join(_items(block, "", place))
        case Tasks():
            return "\n".join(_items(as_list(block.items), "", place))
        case Table():
            return "\n".join(map(_row, block.rows))
        case CodeBlock():
            return _code(block)
        case Quote():
            return _quote(block)
        case Panel():
            return _panel(block)
        case Expand():
            return _quote(Quote(labelled(block), origin=block.origin))
        case Rule():
            return "----"
        case OpaqueBlock():
            return _blocks(block.fallback, place)
        case _:
            assert_never(block)


def _heading(block: Heading) -> str:
    source = markup_of(block.origin)
    head = f"h{min(6, max(1, block.level))}. "
    if source is not None and source.head.strip() == head.strip():
        head = source.head
    return head + line_markup(block, _LINE)


def _code(block: CodeBlock) -> str:
    source = markup_of(block.origin)
    macro = MACRO.match(source.head) if source is not None else None
    if source is not None and macro is not None and macro[1] in LITERAL_END:
        same = texts.code_language(code_language(macro[1], macro[2] or "")) == block.language
        if same and LITERAL_END[macro[1]].search(block.text) is None:
            inner = source.inner if source.inner.strip("\n") else "\n-\n"
            text = inner.strip("\n")
            begin = inner.index(text)
            return f"{source.head}{inner[:begin]}{block.text}{inner[begin + len(text) :]}{source.tail}"
    if "{code" in block.text:
        return f"{{noformat}}\n{block.text}\n{{noformat}}"
    language = f":{block.language}" if block.language else ""
    return f"{{code{language}}}\n{block.text}\n{{code}}"


def _quote(block: Quote) -> str:
    source = markup_of(block.origin)
    line = block.blocks[0] if len(block.blocks) == 1 else None
    if source is not None and QUOTE_LINE.match(source.head) and isinstance(line, Paragraph):
        return source.head + line_markup(line, _LINE)
    head, tail = "{quote}", "{quote}"
    if source is not None and source.tail == tail:
        head = source.head
    return f"{head}{_blocks(block.blocks, _ROOT, edge=_LINE_END)}{tail}"


def _panel(block: Panel) -> str:
    source = markup_of(block.origin)
    macro = MACRO.match(source.head) if source is not None else None
    if source is not None and (macro is None or macro[1] == "quote"):
        return _quote(Quote(labelled(block), origin=block.origin))
    blocks = list(block.blocks)
    title = _title(blocks[0]) if blocks else None
    if title is not None:
        blocks.pop(0)
    name, head = "panel", _panel_head(block, title, macro)
    if source is not None and macro is not None:
        was = panel(macro[1], macro[2] or "", ())
        if was.kind == block.kind and (_title(was.blocks[0]) if was.blocks else None) == title:
            head = source.head
        name = (MACRO.match(head) or macro)[1]
    return f"{head}{_blocks(blocks, _ROOT, edge=_LINE_END)}{{{name}}}"


def _panel_head(block: Panel, title: str | None, macro: re.Match[str] | None) -> str:
    """Return how a panel begins; what the old macro says besides title and kind stays."""
    name = "panel"
    own: list[str] = []
    if macro is not None and (macro[1] == "panel" or PANEL_MACROS.get(macro[1]) == block.kind):
        name = macro[1]
        told = ("title=", "bgColor=") if block.kind in PANEL_COLORS else ("title=",)
        own = [option for option in (macro[2] or "").split("|") if option and not option.startswith(told)]
    color = PANEL_COLORS.get(block.kind) if name == "panel" else None
    options = [f"title={title}"] if title is not None else []
    options += [f"bgColor={color}"] if color else []
    options += own
    return f"{{{name}{':' if options else ''}{'|'.join(options)}}}"


def _title(block: Block) -> str | None:
    """Return the words of a bold line that can be a panel's title."""
    if not isinstance(block, Paragraph) or len(block.inlines) != 1:
        return None
    line = block.inlines[0]
    if not isinstance(line, Text) or line.look.styles != {"strong"} or line.look.link or line.look.color:
        return None
    return None if any(sign in line.text for sign in "|{}\\&=") else line.text


def _items(listing: Listing, prefix: str, place: Place) -> Iterable[str]:
    prefix += "#" if listing.ordered else "*"
    for number, item in enumerate(listing.items):
        yield from _item(item, prefix, place, first=number == 0)


def _item(item: Item, prefix: str, place: Place, *, first: bool) -> Iterable[str]:
    source, text = markup_of(item.origin), whole(item.origin)
    signs = source.head.strip() if source is not None else ""
    stands = len(signs) == len(prefix) and (signs[-1] == "#") == (prefix[-1] == "#")
    if text is not None and (stands or (first and not signs)):
        yield text
        return
    own = [block for block in item.blocks if not isinstance(block, Listing)]
    below = [block for block in item.blocks if isinstance(block, Listing)]
    if own or not (first and below):
        head = source.head if source is not None and stands else f"{prefix} "
        yield head + _blocks(own, replace(_LINE, cell=place.cell), "\n")
    for listing in below:
        yield from _items(listing, prefix, place)


def _row(row: Row) -> str:
    text = whole(row.origin)
    if text is not None:
        return text
    source = markup_of(row.origin)
    cells = "".join(f"{_bar(cell)}{_cell(cell)}" for cell in row.cells)
    if source is None or not row.cells:
        return cells + (_bar(row.cells[-1]) if row.cells else "")
    end = markup_of(row.cells[-1].origin)
    stands = end is not None and end.last and row.cells[-1].blocks
    return source.head + cells + (source.tail if stands else _bar(row.cells[-1]))


def _bar(cell: Cell) -> str:
    return "||" if cell.header else "|"


def _cell(cell: Cell) -> str:
    text = whole(cell.origin)
    if text is not None:
        return text
    return _blocks(cell.blocks, _CELL, "\n", edge=" ") if cell.blocks else " "
