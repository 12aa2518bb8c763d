"""Wiki markup -> model. Pure; never raises: what is no notation is text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from shared.richtext.canonical import canonical_blocks
from shared.richtext.model import (
    Block,
    CodeBlock,
    Document,
    Heading,
    Inline,
    Listing,
    Origin,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)
from shared.richtext.readable import recognised
from shared.richtext.text import clean
from shared.richtext.wiki.inlines import color_left_open, inlines_of
from shared.richtext.wiki.lists import Entry, listing, runs
from shared.richtext.wiki.macros import code_language, panel
from shared.richtext.wiki.notation import (
    BAR_LINE,
    HEADING_LINE,
    LIST_LINE,
    LITERAL_END,
    MACRO,
    QUOTE_LINE,
    RULE_LINE,
    begins_block,
    begins_list,
)
from shared.richtext.wiki.source import Markup
from shared.richtext.wiki.tables import read_row

MAX_DEPTH = 20


def parse_wiki(source: str) -> Document:
    """Return the document that wiki markup holds. Never raises."""
    return Document(blocks_of(clean(source), 0))


def blocks_of(source: str, depth: int) -> tuple[Block, ...]:
    """Return the blocks of a whole text, or of a macro's or cell's content."""
    return _Reader(source, depth).read()


@dataclass(frozen=True, slots=True)
class _Placed:
    """A block, where it stands in the source, and how long its beginning and end are."""

    block: Block
    start: int
    end: int
    head: int = 0
    tail: int = 0
    tied: bool = False
    """A colour goes on beyond it, so that its markup means something else by itself."""


class _Reader:
    """Reads one text from its beginning to its end."""

    def __init__(self, source: str, depth: int) -> None:
        self._source = source
        self._depth = depth
        self._at = 0
        self._front: str | None = None
        """The colour that began in what was read so far."""
        self._unclosed: set[str] = set()
        """Macros whose end does not come any more."""

    def read(self) -> tuple[Block, ...]:
        placed: list[_Placed] = []
        while self._at < len(self._source):
            start = self._at
            if not self._blank_line():
                placed += self._block()
            assert self._at > start  # noqa: S101 - it always gets on
        return self._settled(placed, 0, len(self._source))

    def _settled(self, placed: list[_Placed], start: int, end: int) -> tuple[Block, ...]:
        """Return blocks that follow one another between two places, each with its markup."""
        shown = [(one, found[0]) for one in placed if (found := canonical_blocks((one.block,)))]
        blocks: list[Block] = []
        follows: Markup | None = None
        done = start
        for number, (one, block) in enumerate(shown, 1):
            text = self._source[one.start : one.end]
            last = number == len(shown)
            markup = Markup(
                text,
                head=text[: one.head],
                tail=text[len(text) - one.tail :],
                before=self._source[done : one.start],
                follows=follows,
                after=self._source[one.end : end] if last else "",
                last=last,
            )
            follows, done = markup, one.end
            known = block if one.tied else replace(block, origin=Origin("wiki", markup))
            # there are no tasks in wiki markup: a list of boxes is a list, and so merged item by item
            blocks.append(known if isinstance(known, Listing) else recognised(known))
        return tuple(blocks)

    def _line_end(self, at: int) -> int:
        end = self._source.find("\n", at)
        return len(self._source) if end < 0 else end

    def _blank_line(self) -> bool:
        end = self._line_end(self._at)
        if self._source[self._at : end].strip():
            return False
        self._at = min(end + 1, len(self._source))
        return True

    def _block(self) -> list[_Placed]:
        source, at = self._source, self._at
        end = self._line_end(at)
        if RULE_LINE.match(source, at):
            return [self._whole_line(Rule(), at, end)]
        if heading := HEADING_LINE.match(source, at):
            text, tied = self._text(heading.end(), end)
            return [self._whole_line(Heading(int(heading[1]), text), at, end, heading.end(), tied=tied)]
        if quote := QUOTE_LINE.match(source, at):
            text, tied = self._text(quote.end(), end)
            line = Paragraph(text, origin=None if tied else Origin("wiki", Markup(source[quote.end() : end].strip())))
            return [self._whole_line(Quote((line,)), at, end, quote.end(), tied=tied)]
        if BAR_LINE.match(source, at):
            return self._table()
        return self._list() if begins_list(source, at) else self._flow()

    def _text(self, start: int, end: int) -> tuple[tuple[Inline, ...], bool]:
        """Return what a stretch of the source says, and whether a colour goes on beyond one of its ends."""
        text = self._source[start:end].strip()
        front = self._front
        left = color_left_open(text, front)
        goes_on = left is not None and "{color}" in self._source[end:]
        self._front = left if goes_on else None
        return inlines_of(text, front=front, goes_on=goes_on or front is not None), goes_on or front is not None

    def _whole_line(self, block: Block, at: int, end: int, inner: int = -1, *, tied: bool = False) -> _Placed:
        self._at = min(end + 1, len(self._source))
        start, stop = self._trimmed(at, end)
        return _Placed(block, start, stop, max(0, inner - start), tied=tied)

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        """Return a stretch of the source without the white space at its ends."""
        text = self._source[start:end]
        return start + len(text) - len(text.lstrip()), start + len(text.rstrip())

    def _table(self) -> list[_Placed]:
        start, rows = self._at, []
        while self._at < len(self._source) and BAR_LINE.match(self._source, self._at):
            row, self._at = read_row(self._source, self._at, self._inner)
            rows.append(row)
        return [_Placed(Table(tuple(rows)), start, self._at - (self._source[self._at - 1] == "\n"))]

    def _inner(self, text: str) -> tuple[Block, ...]:
        if self._depth >= MAX_DEPTH:
            return (Paragraph((Text(text),)),)
        return blocks_of(text, self._depth + 1)

    def _macro(self, found: re.Match[str]) -> _Placed | None:
        """Return the block that a macro makes, None if it has no end."""
        name, options = found[1], found[2] or ""
        if name in self._unclosed or self._depth >= MAX_DEPTH:
            return None
        end = self._end_of(name, found.end())
        if end < 0:
            self._unclosed.add(name)
            return None
        inner = self._source[found.end() : end]
        tail = len(name) + 2
        block: Block
        if name in LITERAL_END:
            block = CodeBlock(inner, code_language(name, options))
        elif name == "quote":
            block = Quote(self._inner(inner))
        else:
            block = panel(name, options, self._inner(inner))
        return _Placed(block, found.start(), end + tail, len(found[0]), tail)

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

    def _list(self) -> list[_Placed]:
        entries: list[tuple[Entry, int]] = []
        while (found := LIST_LINE.match(self._source, self._at)) and not RULE_LINE.match(self._source, self._at):
            line = self._at
            self._at = found.end()
            placed = self._flow(in_item=True)
            blocks = self._settled(placed, found.end(), self._at)
            tied = any(one.tied for one in placed)
            entry = Entry(found[1], blocks, self._source[line : self._at], found.end() - line, tied=tied)
            entries.append((entry, line))
            if self._at < len(self._source) and self._source[self._at] == "\n":
                self._at += 1
        lists: list[_Placed] = []
        for run in runs([entry for entry, _ in entries]):
            begin, stop = entries[0][1], entries[len(run) - 1][1] + len(run[-1].text)
            del entries[: len(run)]
            lists.append(_Placed(listing(run), begin, stop, tied=any(entry.tied for entry in run)))
        return lists

    def _flow(self, *, in_item: bool = False) -> list[_Placed]:
        """Read lines of text, and the macros in them, up to an empty line or another kind of block."""
        placed: list[_Placed] = []
        start = self._at
        first = True
        while self._at < len(self._source):
            end = self._line_end(self._at)
            if not first and (not self._source[self._at : end].strip() or begins_block(self._source, self._at)):
                break
            first = False
            macro = self._first_macro(end, only_code=in_item)
            if macro is None:
                self._at = min(end + 1, len(self._source))
                continue
            placed += self._paragraph(start, macro.start, afterwards=bool(placed))
            placed.append(macro)
            after = self._at = start = macro.end
            if not self._source[after : self._line_end(after)].strip():
                self._at = start = min(self._line_end(after) + 1, len(self._source))
        placed += self._paragraph(start, self._at, afterwards=bool(placed))
        if in_item and self._at > 0 and self._source[self._at - 1] == "\n":
            self._at -= 1
        return placed

    def _first_macro(self, end: int, *, only_code: bool) -> _Placed | None:
        for found in MACRO.finditer(self._source, self._at, end):
            if only_code and found[1] not in LITERAL_END:
                continue
            made = self._macro(found)
            if made is not None:
                return made
        return None

    def _paragraph(self, start: int, end: int, *, afterwards: bool) -> list[_Placed]:
        begin, stop = self._trimmed(start, end)
        if begin >= stop:
            return []
        text, tied = self._text(begin, stop)
        # behind a macro a line may begin with what would be something else on a line of its own
        return [_Placed(Paragraph(text), begin, stop, tied=tied or (afterwards and begins_block(self._source, begin)))]
