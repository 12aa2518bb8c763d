"""Model -> plain HTML that an editor keeps. Pure; all text is escaped.

Elements that came from this side and did not change are given back as they were (cleaned); of those whose content
changed, the element's own attributes stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape
from typing import Any, assert_never

from bs4.element import NavigableString, PageElement, Tag

from shared.richtext.canonical import joined, kept, tidied
from shared.richtext.model import (
    Block,
    Break,
    Cell,
    CodeBlock,
    Document,
    Expand,
    Heading,
    Inline,
    Item,
    Listing,
    Look,
    OpaqueBlock,
    Origin,
    Panel,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Task,
    Tasks,
    Text,
)
from shared.richtext.readable import as_list, labelled, words_of

_TAGS = (
    ("strong", "strong"), ("em", "em"), ("underline", "u"), ("strike", "s"), ("sub", "sub"), ("sup", "sup"),
    ("code", "code"),
)  # fmt: skip


def to_html(document: Document) -> str:
    """Return the document as HTML. What HTML has no element for is written in words."""
    return _blocks(tidied(document.blocks, "html"))


def _blocks(blocks: Iterable[Block]) -> str:
    return "".join(map(_block, blocks))


def _kept(origin: Origin | None) -> str | None:
    source = kept(origin, "html")
    if isinstance(source, tuple):
        return f"<p>{''.join(map(_outer, source))}</p>"
    return _outer(source) if isinstance(source, PageElement) else None


def _outer(node: PageElement) -> str:
    if isinstance(node, Tag):
        return node.decode()
    return node.output_ready() if isinstance(node, NavigableString) else ""


def _element(name: str, origin: Origin | None, inner: str, **attrs: str) -> str:
    """Return an element with the attributes of the one that it comes from, if it is of the same name."""
    source = origin.source if origin is not None and origin.language == "html" else None
    own = source.attrs if isinstance(source, Tag) and source.name == name else {}
    named = {key: value if isinstance(value, str) else " ".join(value or ()) for key, value in own.items()}
    return _tagged(name, {**named, **attrs}, inner)


def _block(block: Block) -> str:
    source = _kept(block.origin)
    if source is not None:
        return source
    match block:
        case Paragraph():
            return _element("p", block.origin, _inlines(block.inlines))
        case Heading():
            return _element(f"h{min(6, max(1, block.level))}", block.origin, _inlines(block.inlines))
        case Listing():
            start = {"start": str(block.start)} if block.ordered and block.start != 1 else {}
            inner = "".join(map(_item, block.items))
            return _element("ol" if block.ordered else "ul", block.origin, inner, **start)
        case Tasks():
            return _element("ul", block.origin, "".join(map(_task, block.items)))
        case Table():
            return _table(block)
        case CodeBlock():
            shown = f' class="language-{escape(block.language)}"' if block.language else ""
            return f"<pre><code{shown}>{escape(block.text, quote=False)}</code></pre>"
        case Quote():
            return _element("blockquote", block.origin, _blocks(block.blocks))
        case Panel() | Expand():
            source = block.origin.source if block.origin is not None else None
            if isinstance(block, Expand) and isinstance(source, Tag) and source.name == "details":
                summary = f"<summary>{escape(block.title, quote=False)}</summary>"
                return _element("details", block.origin, summary + _blocks(block.blocks))
            return _element("blockquote", block.origin, _blocks(labelled(block)))
        case Rule():
            return "<hr>"
        case OpaqueBlock():
            return _around(block)
        case _:
            assert_never(block)


def _around(block: OpaqueBlock) -> str:
    """Return an element around other blocks than it had; of another language there is only what can be read."""
    source = block.origin.source if block.origin is not None and block.origin.language == "html" else None
    if not isinstance(source, Tag):
        return _blocks(block.fallback)
    inner: list[str] = []
    bare = False
    for part in block.fallback:
        line = part.origin.source if part.origin is not None and isinstance(part, Paragraph) else None
        bare = isinstance(line, tuple) and not bare
        inner.append(_inlines(part.inlines) if bare and isinstance(part, Paragraph) else _block(part))
    return _element(source.name, block.origin, "".join(inner))


def _table(table: Table) -> str:
    """Return a table with the head, and what says how wide its columns are, of the one that it comes from."""
    source = table.origin.source if table.origin is not None else None
    children = source.children if isinstance(source, Tag) else ()
    widths = "".join(
        _outer(child) for child in children if isinstance(child, Tag) and child.name in ("colgroup", "col")
    )
    head = 0
    while head < len(table.rows) and _in_head(table.rows[head]):
        head += 1
    top, rest = ("".join(map(_row, rows)) for rows in (table.rows[:head], table.rows[head:]))
    inner = (f"<thead>{top}</thead>" if top else "") + (f"<tbody>{rest}</tbody>" if rest or not top else "")
    return _element("table", table.origin, widths + inner)


def _in_head(row: Row) -> bool:
    source = row.origin.source if row.origin is not None else None
    return isinstance(source, Tag) and source.parent is not None and source.parent.name == "thead"


def _item(item: Item) -> str:
    source = item.origin.source if item.origin is not None else None
    if isinstance(source, Tag) and source.name == "li":
        whole = _kept(item.origin)
        if whole is not None:
            return whole
    return _element("li", item.origin, _inner(item.blocks))


def _inner(blocks: tuple[Block, ...]) -> str:
    """Return the content of an item or cell: a line that stands alone, or above a list, needs no paragraph."""
    if (
        not blocks
        or not isinstance(blocks[0], Paragraph)
        or not all(isinstance(b, Listing | Tasks) for b in blocks[1:])
    ):
        return _blocks(blocks)
    return _inlines(blocks[0].inlines) + _blocks(blocks[1:])


def _task(task: Task) -> str:
    source = _kept(task.origin)
    if source is not None:
        return source
    line = as_list((Task(task.done, task.inlines),)).items[0].blocks[0]
    below = _block(Tasks(task.below, origin=task.below_origin)) if task.below else ""
    return _element("li", task.origin, _inlines(line.inlines if isinstance(line, Paragraph) else ()) + below)


def _row(row: Row) -> str:
    source = row.origin.source if row.origin is not None else None
    if isinstance(source, Tag) and source.name == "tr":
        whole = _kept(row.origin)
        if whole is not None:
            return whole
    return _element("tr", row.origin, "".join(map(_cell, row.cells)))


def _cell(cell: Cell) -> str:
    name = "th" if cell.header else "td"
    source = cell.origin.source if cell.origin is not None else None
    if isinstance(source, Tag) and source.name == name:
        whole = _kept(cell.origin)
        if whole is not None:
            return whole
    spans = {key: str(span) for key, span in (("colspan", cell.colspan), ("rowspan", cell.rowspan)) if span != 1}
    return _element(name, cell.origin, _inner(cell.blocks), **spans)


def _inlines(inlines: Iterable[Inline]) -> str:
    return "".join(map(_inline, joined(_ours(inline) for inline in inlines)))


def _ours(inline: Inline) -> Inline:
    """Return a text without the marks of another language."""
    own = tuple(mark for mark in inline.own if isinstance(mark, tuple)) if isinstance(inline, Text) else ()
    return replace(inline, own=own) if isinstance(inline, Text) and inline.own != own else inline


def _inline(inline: Inline) -> str:
    if isinstance(inline, Text):
        return _text(inline.text, inline.look, inline.own)
    if isinstance(inline, Break):
        return "<br>"
    source = _kept(inline.origin)
    return _inline(words_of(inline)) if source is None else source


def _text(text: str, look: Look, own: tuple[Any, ...] = ()) -> str:
    shown = escape(text, quote=False)
    css = ";".join(
        f"{name}:{value}" for name, value in (("color", look.color), ("background-color", look.background)) if value
    )
    if css:
        shown = f'<span style="{css}">{shown}</span>'
    for style, name in reversed(_TAGS):
        if style in look.styles:
            shown = f"<{name}>{shown}</{name}>"
    link = {} if look.link is None else {"href": look.link}
    for name, attrs in reversed(own):
        if name == "a":
            link = {**link, **dict(attrs)} if link else {}
        else:
            shown = _tagged(name, dict(attrs), shown)
    return _tagged("a", link, shown) if link else shown


def _tagged(name: str, attrs: dict[str, str], inner: str) -> str:
    shown = "".join(f' {key}="{escape(value)}"' for key, value in attrs.items())
    return f"<{name}{shown}>{inner}</{name}>"
