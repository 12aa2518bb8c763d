"""Model -> wiki markup. Pure; all text is escaped, so that none of it turns into markup.

What came from wiki markup and did not change is given back as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from shared.richtext.canonical import canonical_blocks, kept, tidied
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
    Origin,
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
from shared.richtext.wiki.escape import inline_markup
from shared.richtext.wiki.fit import fit_wiki
from shared.richtext.wiki.notation import MACRO, PANEL_COLORS, PANEL_MACROS


def to_wiki(document: Document) -> str:
    """Return the document as wiki markup. What it has no notation for is made readable first."""
    fitted: list[Block] = []
    for block in tidied(document.blocks, "wiki"):
        fitted += (block,) if _kept(block.origin) is not None else canonical_blocks(fit_wiki((block,)))
    return _blocks(fitted)


def _kept(origin: Origin | None) -> str | None:
    source = kept(origin, "wiki")
    return source if isinstance(source, str) else None


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    source = _kept(block.origin)
    if source is not None:
        return source
    match block:
        case Paragraph():
            return inline_markup(block.inlines, one_line=False)
        case Heading():
            line = inline_markup(block.inlines, one_line=True, at_line_start=False)
            return f"h{min(6, max(1, block.level))}. {line}"
        case Listing():
            return "\n".join(_items(block, ""))
        case Tasks():
            return "\n".join(_items(as_list(block.items), ""))
        case Table():
            return "\n".join(map(_row, block.rows))
        case CodeBlock():
            return _code(block)
        case Quote():
            return f"{{quote}}\n{_blocks(block.blocks)}\n{{quote}}"
        case Panel():
            return _panel(block)
        case Expand():
            return f"{{quote}}\n{_blocks(labelled(block))}\n{{quote}}"
        case Rule():
            return "----"
        case OpaqueBlock():
            return _blocks(block.fallback)
        case _:
            assert_never(block)


def _code(block: CodeBlock) -> str:
    if "{code" in block.text:
        return f"{{noformat}}\n{block.text}\n{{noformat}}"
    language = f":{block.language}" if block.language else ""
    return f"{{code{language}}}\n{block.text}\n{{code}}"


def _panel(block: Panel) -> str:
    name, own = _own_options(block)
    color = PANEL_COLORS.get(block.kind) if name == "panel" else None
    blocks = list(block.blocks)
    options = [f"bgColor={color}"] if color else []
    title = _title(blocks[0]) if blocks else None
    if title is not None:
        options.insert(0, f"title={title}")
        blocks.pop(0)
    options += own
    return f"{{{name}{':' if options else ''}{'|'.join(options)}}}\n{_blocks(blocks)}\n{{{name}}}"


def _own_options(block: Panel) -> tuple[str, list[str]]:
    """Return the macro's name, and the options to keep, of the panel that this one comes from."""
    origin = block.origin
    source = origin.source if origin is not None and origin.language == "wiki" else None
    macro = MACRO.match(source) if isinstance(source, str) else None
    if macro is None or macro[1] in ("quote", "code", "noformat"):
        return "panel", []
    if macro[1] != "panel" and PANEL_MACROS.get(macro[1]) != block.kind:
        return "panel", []
    told = ("title=", "bgColor=") if block.kind in PANEL_COLORS else ("title=",)
    return macro[1], [option for option in (macro[2] or "").split("|") if option and not option.startswith(told)]


def _title(block: Block) -> str | None:
    """Return the words of a bold line that can be a panel's title."""
    if not isinstance(block, Paragraph) or len(block.inlines) != 1:
        return None
    line = block.inlines[0]
    if not isinstance(line, Text) or line.look.styles != {"strong"} or line.look.link or line.look.color:
        return None
    return None if any(sign in line.text for sign in "|{}\\&=") else line.text


def _items(listing: Listing, prefix: str) -> Iterable[str]:
    prefix += "#" if listing.ordered else "*"
    for item in listing.items:
        yield from _item(item, prefix)


def _item(item: Item, prefix: str) -> Iterable[str]:
    blocks = list(item.blocks)
    first = blocks.pop(0) if blocks and isinstance(blocks[0], Paragraph) else None
    line = _in_line(first, at_line_start=False) if isinstance(first, Paragraph) else ""
    yield f"{prefix} {line}".rstrip()
    for block in blocks:
        match block:
            case Listing():
                yield from _items(block, prefix)
            case Paragraph():
                yield _in_line(block, at_line_start=True)
            case _:
                yield _block(block)


def _in_line(block: Paragraph, *, at_line_start: bool) -> str:
    source = _kept(block.origin)
    return inline_markup(block.inlines, one_line=True, at_line_start=at_line_start) if source is None else source


def _row(row: Row) -> str:
    source = _kept(row.origin)
    if source is not None:
        return source
    cells = "".join(f"{_bar(cell)}{_cell(cell)}" for cell in row.cells)
    return cells + (_bar(row.cells[-1]) if row.cells else "")


def _bar(cell: Cell) -> str:
    return "||" if cell.header else "|"


def _cell(cell: Cell) -> str:
    source = _kept(cell.origin)
    if source is not None:
        return source
    if not cell.blocks:
        return " "
    lines = [
        _in_line(block, at_line_start=True) if isinstance(block, Paragraph) else _block(block) for block in cell.blocks
    ]
    if len(cell.blocks) == 1 and isinstance(cell.blocks[0], Paragraph):
        return f" {lines[0]} "
    return f" {chr(10).join(lines)}\n"
