"""HTML -> model. Never raises; what is no markup is plain text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from bs4.element import NavigableString, PageElement, Tag

from shared.richtext.canonical import canonical_blocks
from shared.richtext.html.clean import BLOCKS, cleaned, is_markup
from shared.richtext.html.inlines import Inlines
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
    OpaqueBlock,
    Origin,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Text,
)
from shared.richtext.readable import recognised
from shared.richtext.text import clean, one_line

MAX_DEPTH = 60
_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_LANGUAGE = re.compile(r"(?:language|lang|brush)[-:](\w[\w+#.-]*)")
_SIGNED = frozenset({"ul", "ol", "blockquote"})
_AROUND = frozenset({
    "address", "article", "aside", "center", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "header",
    "main", "nav", "section",
})  # fmt: skip
"""Elements that show nothing but what stands in them."""
_SPAN = re.compile(r"[1-9]\d{0,2}")


def parse_html(source: str) -> Document:
    """Return the document that an HTML fragment, or a plain text, holds. Never raises.

    Scripts, styles, event attributes and links that Jira's editor does not take for safe are gone.
    """
    source = clean(source)
    if not is_markup(source):
        return Document(_plain_text(source))
    soup, holders = cleaned(source)
    return Document(_Reader(holders).blocks(soup.contents, 0))


def _plain_text(source: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for part in _EMPTY_LINES.split(source):
        inlines: list[Inline] = []
        for line in part.split("\n"):
            inlines += [Break(), Text(line)] if inlines else [Text(line)]
        blocks.append(Paragraph(tuple(inlines)))
    return canonical_blocks(blocks)


class _Reader:
    """Reads one tree; `holders` are the elements in which there is a block."""

    def __init__(self, holders: frozenset[int]) -> None:
        self._holders = holders
        self._inlines = Inlines(holders)
        self._within = 0
        """How many lists and quotes are around: these are known by how their content begins."""

    def blocks(self, nodes: Sequence[PageElement], depth: int) -> tuple[Block, ...]:
        """Return the blocks that elements and texts make which follow one another."""
        blocks: list[Block] = []
        line: list[PageElement] = []
        for node in nodes:
            if isinstance(node, Tag) and (node.name in BLOCKS or id(node) in self._holders):
                self._end_line(line, blocks)
                blocks += self._block(node, depth)
            elif isinstance(node, Tag) or type(node) is NavigableString:
                line.append(node)
        self._end_line(line, blocks)
        return tuple(blocks)

    def _end_line(self, line: list[PageElement], blocks: list[Block]) -> None:
        inlines = self._inlines.read(line)
        if any(not isinstance(inline, Text) or inline.text.strip() for inline in inlines):
            blocks.append(Paragraph(inlines, origin=Origin("html", tuple(line))))
        line.clear()

    def _block(self, tag: Tag, depth: int) -> tuple[Block, ...]:
        if depth >= MAX_DEPTH:
            return (Paragraph((Text(tag.get_text(" ")),)),)
        read = _READERS.get(tag.name)
        if read is None or (tag.name == "p" and id(tag) in self._holders):
            inner = self.blocks(tag.contents, depth + 1)
            around = bool(inner) and tag.name in _AROUND and not self._within
            return (OpaqueBlock("html", _opening(tag), inner, origin=Origin("html", tag)),) if around else inner
        self._within += tag.name in _SIGNED
        found = read(self, tag, depth)
        self._within -= tag.name in _SIGNED
        return () if found is None else (found,)

    def paragraph(self, tag: Tag, _depth: int) -> Block:
        return Paragraph(self._inlines.read(tag.contents), origin=Origin("html", tag))

    def heading(self, tag: Tag, _depth: int) -> Block:
        return Heading(int(tag.name[1]), self._inlines.read(tag.contents), origin=Origin("html", tag))

    def listing(self, tag: Tag, depth: int) -> Block | None:
        items: list[Item] = []
        for child in tag.children:
            if isinstance(child, Tag) and child.name in ("ul", "ol") and items:  # some editors nest lists like this
                last = items[-1]
                items[-1] = Item((*last.blocks, *self.blocks([child], depth + 1)))
            elif isinstance(child, Tag):
                inner = child.contents if child.name == "li" else [child]
                items.append(Item(self.blocks(inner, depth + 1), origin=Origin("html", child)))
            elif type(child) is NavigableString and child.strip():
                items.append(Item((Paragraph((Text(str(child)),)),)))
        start = tag.get("start")
        number = int(start) if isinstance(start, str) and _SPAN.fullmatch(start) else 1
        return _named(Listing(tag.name == "ol", tuple(items), number, origin=Origin("html", tag)))

    def quote(self, tag: Tag, depth: int) -> Block | None:
        return _named(Quote(self.blocks(tag.contents, depth + 1), origin=Origin("html", tag)))

    def details(self, tag: Tag, depth: int) -> Block:
        summary = tag.find("summary", recursive=False)
        title = one_line(summary.get_text()) if isinstance(summary, Tag) else ""
        inner = [child for child in tag.contents if child is not summary]
        return Expand(title, self.blocks(inner, depth + 1), origin=Origin("html", tag))

    def code(self, tag: Tag, _depth: int) -> Block:
        text = "".join(
            "\n" if isinstance(node, Tag) else str(node)
            for node in tag.descendants
            if type(node) is NavigableString or (isinstance(node, Tag) and node.name == "br")
        )
        named = [tag, *tag.find_all("code", limit=1)]
        signs = " ".join(f"{' '.join(_words(t, 'class'))} lang-{' '.join(_words(t, 'data-language'))}" for t in named)
        language = _LANGUAGE.search(signs)
        return CodeBlock(text, language[1] if language else None, origin=Origin("html", tag))

    def rule(self, tag: Tag, _depth: int) -> Block:
        return Rule(origin=Origin("html", tag))

    def table(self, tag: Tag, depth: int) -> Block:
        rows: list[Row] = []
        for row in _rows(tag):
            own = [row] if row.name == "caption" else row.children
            cells = [cell for cell in own if isinstance(cell, Tag)]
            rows.append(Row(tuple(self._cell(cell, depth) for cell in cells), origin=Origin("html", row)))
        return Table(tuple(rows), origin=Origin("html", tag))

    def _cell(self, tag: Tag, depth: int) -> Cell:
        inner = tag.contents if tag.name in ("td", "th") else [tag]
        colspan, rowspan = (_span(tag, name) for name in ("colspan", "rowspan"))
        blocks = self.blocks(inner, depth + 1)
        return Cell(blocks, tag.name == "th", colspan, rowspan, origin=Origin("html", tag))


def _named(block: Listing | Quote) -> Block | None:
    """Return what a list or quote stands for, None if there is nothing in it."""
    found = canonical_blocks((block,))
    return recognised(found[0]) if found else None


def _rows(table: Tag) -> Iterable[Tag]:
    """Return a table's own rows, also those that some editor left outside of any row."""
    for child in table.children:
        if isinstance(child, Tag) and child.name in ("thead", "tbody", "tfoot"):
            yield from (row for row in child.children if isinstance(row, Tag))
        elif isinstance(child, Tag) and child.name not in ("colgroup", "col"):
            yield child


def _opening(tag: Tag) -> str:
    return f"{tag.name} {sorted(tag.attrs.items())}" if tag.attrs else tag.name


def _words(tag: Tag, name: str) -> list[str]:
    value = tag.get(name)
    return value.split() if isinstance(value, str) else list(value or ())


def _span(tag: Tag, name: str) -> int:
    value = tag.get(name)
    return int(value) if isinstance(value, str) and _SPAN.fullmatch(value) else 1


_READERS: dict[str, Callable[[_Reader, Tag, int], Block | None]] = {
    "p": _Reader.paragraph,
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _Reader.heading),
    "ul": _Reader.listing,
    "ol": _Reader.listing,
    "blockquote": _Reader.quote,
    "details": _Reader.details,
    "pre": _Reader.code,
    "hr": _Reader.rule,
    "table": _Reader.table,
}
