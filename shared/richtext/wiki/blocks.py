"""Wiki markup -> model. Pure; never raises: what is no notation is text."""

from __future__ import annotations

import re

from shared.richtext.canonical import canonical_blocks
from shared.richtext.model import (
    Block,
    CodeBlock,
    Document,
    Heading,
    Look,
    Origin,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)
from shared.richtext.readable import recognised
from shared.richtext.text import clean
from shared.richtext.wiki.inlines import inlines_of
from shared.richtext.wiki.lists import Entry, listings
from shared.richtext.wiki.notation import (
    HEADING_LINE,
    LIST_LINE,
    LITERAL_END,
    MACRO,
    PANEL_KINDS,
    PANEL_MACROS,
    QUOTE_LINE,
    RULE_LINE,
)
from shared.richtext.wiki.tables import read_row

MAX_DEPTH = 20
_LANGUAGE = re.compile(r"(?:^|\|)(?:language=)?([A-Za-z0-9+#._-]+)(?=\||$)")
_BAR_LINE = re.compile(r"[ \t]*\|")
_BEGINNINGS = (LIST_LINE, RULE_LINE, HEADING_LINE, QUOTE_LINE, _BAR_LINE)
_STRONG = Look(frozenset({"strong"}))


def parse_wiki(source: str) -> Document:
    """Return the document that wiki markup holds. Never raises."""
    return Document(blocks_of(clean(source), 0))


def blocks_of(source: str, depth: int) -> tuple[Block, ...]:
    """Return the blocks of a whole text, or of a macro's or cell's content."""
    return _Reader(source, depth).read()


class _Reader:
    """Reads one text from its beginning to its end."""

    def __init__(self, source: str, depth: int) -> None:
        self._source = source
        self._depth = depth
        self._at = 0
        self._blocks: list[Block] = []
        self._unclosed: set[str] = set()
        """Macros whose end does not come any more."""

    def read(self) -> tuple[Block, ...]:
        while self._at < len(self._source):
            start = self._at
            if not self._blank_line():
                self._block()
            assert self._at > start  # noqa: S101 - it always gets on
        return tuple(self._blocks)

    def _line_end(self, at: int) -> int:
        end = self._source.find("\n", at)
        return len(self._source) if end < 0 else end

    def _blank_line(self) -> bool:
        end = self._line_end(self._at)
        if self._source[self._at : end].strip():
            return False
        self._at = min(end + 1, len(self._source))
        return True

    def _block(self) -> None:
        source, at = self._source, self._at
        end = self._line_end(at)
        if RULE_LINE.match(source, at):
            self._add(Rule(origin=Origin("wiki", "----")), end)
        elif heading := HEADING_LINE.match(source, at):
            inlines = inlines_of(source[heading.end() : end].strip())
            self._add(Heading(int(heading[1]), inlines, origin=Origin("wiki", source[at:end].strip())), end)
        elif quote := QUOTE_LINE.match(source, at):
            said = source[quote.end() : end].strip()
            inner = Paragraph(inlines_of(said), origin=Origin("wiki", said))
            self._add(Quote((inner,), origin=Origin("wiki", source[at:end].strip())), end)
        elif _BAR_LINE.match(source, at):
            self._table()
        elif LIST_LINE.match(source, at):
            self._list()
        else:
            self._paragraph()

    def _add(self, block: Block, end: int) -> None:
        found = canonical_blocks((block,))
        self._blocks += [recognised(found[0])] if found else []
        self._at = min(end + 1, len(self._source))

    def _table(self) -> None:
        start, rows = self._at, []
        while self._at < len(self._source) and _BAR_LINE.match(self._source, self._at):
            row, self._at = read_row(self._source, self._at, self._inner)
            rows.append(row)
        text = self._source[start : self._at].strip()
        self._blocks += canonical_blocks((Table(tuple(rows), origin=Origin("wiki", text)),))

    def _inner(self, text: str) -> tuple[Block, ...]:
        if self._depth >= MAX_DEPTH:
            return (Paragraph((Text(text),)),)
        return blocks_of(text, self._depth + 1)

    def _macro(self, found: re.Match[str]) -> tuple[Block, int] | None:
        """Return the block that a macro makes and where it ends, None if it has no end."""
        name, options = found[1], found[2] or ""
        if name in self._unclosed or self._depth >= MAX_DEPTH:
            return None
        end = self._end_of(name, found.end())
        if end < 0:
            self._unclosed.add(name)
            return None
        inner = self._source[found.end() : end]
        after = end + len(name) + 2
        origin = Origin("wiki", self._source[found.start() : after])
        if name in LITERAL_END:
            language = _LANGUAGE.search(options) if name == "code" else None
            return CodeBlock(inner, language[1] if language else None, origin=origin), after
        blocks = self._inner(inner)
        if name == "quote":
            return Quote(blocks, origin=origin), after
        return _panel(name, options, blocks, origin), after

    def _end_of(self, name: str, at: int) -> int:
        """Return where a macro's content ends, -1 if it does not."""
        if name in LITERAL_END:
            found = LITERAL_END[name].search(self._source, at)
            return found.start() if found is not None else -1
        skipped = at
        for found in MACRO.finditer(self._source, at):
            if found.start() < skipped:
                continue
            if found[0] == f"{{{name}}}":
                return found.start()
            if found[1] in LITERAL_END and found[1] not in self._unclosed:
                end = self._end_of(found[1], found.end())
                if end < 0:
                    self._unclosed.add(found[1])
                skipped = end + len(found[1]) + 2
        return -1

    def _list(self) -> None:
        start, entries = self._at, []
        while (found := LIST_LINE.match(self._source, self._at)) and not RULE_LINE.match(self._source, self._at):
            self._at = found.end()
            entries.append(Entry(found[1], tuple(self._flow(in_item=True))))
            if self._at < len(self._source) and self._source[self._at] == "\n":
                self._at += 1
        text = self._source[start : self._at].strip("\n")
        made = listings(entries)
        origin = Origin("wiki", text) if len(made) == 1 else None
        for listing in made:
            found_blocks = canonical_blocks((type(listing)(listing.ordered, listing.items, origin=origin),))
            self._blocks += [recognised(block) for block in found_blocks]

    def _paragraph(self) -> None:
        for block in self._flow(in_item=False):
            found = canonical_blocks((block,))
            self._blocks += [recognised(found[0])] if found else []

    def _flow(self, *, in_item: bool) -> list[Block]:
        """Read lines of text, and the macros in them, up to an empty line or another kind of block."""
        blocks: list[Block] = []
        start = self._at
        first = True
        while self._at < len(self._source):
            end = self._line_end(self._at)
            if not first and self._begins_other(end):
                break
            first = False
            cut = self._first_macro(end, only_code=in_item)
            if cut is None:
                self._at = min(end + 1, len(self._source))
                continue
            found, block, after = cut
            _text_block(self._source[start:found], blocks)
            blocks.append(block)
            self._at = start = after
            if not self._source[after : self._line_end(after)].strip():
                self._at = start = min(self._line_end(after) + 1, len(self._source))
        _text_block(self._source[start : self._at], blocks)
        if in_item and self._at > 0 and self._source[self._at - 1] == "\n":
            self._at -= 1
        return blocks

    def _begins_other(self, end: int) -> bool:
        source, at = self._source, self._at
        if not source[at:end].strip():
            return True
        return any(begins.match(source, at) for begins in _BEGINNINGS)

    def _first_macro(self, end: int, *, only_code: bool) -> tuple[int, Block, int] | None:
        for found in MACRO.finditer(self._source, self._at, end):
            if only_code and found[1] not in LITERAL_END:
                continue
            made = self._macro(found)
            if made is not None:
                block, after = made
                return found.start(), block, after
        return None


def _text_block(text: str, blocks: list[Block]) -> None:
    text = text.strip()
    if text:
        # behind a macro a line may begin with what would be something else on a line of its own
        origin = None if any(begins.match(text) for begins in _BEGINNINGS) else Origin("wiki", text)
        blocks.append(Paragraph(inlines_of(text), origin=origin))


def _panel(name: str, options: str, blocks: tuple[Block, ...], origin: Origin) -> Panel:
    told = dict(part.partition("=")[::2] for part in options.split("|"))
    title = told.get("title", "").strip()
    if title:
        blocks = (Paragraph((Text(title, _STRONG),)), *blocks)
    kind = PANEL_MACROS.get(name) or PANEL_KINDS.get(told.get("bgColor", "").strip().lower(), "custom")
    return Panel(kind, blocks, origin=origin)
