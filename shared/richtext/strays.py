"""What an edit moved: old blocks and nodes that lost their place, found again by what they show. Pure.

A merge pairs what follows one another in the same container. Somebody who cuts a paragraph and puts it into a list,
parts a line in two or joins two has touched no mention in it: it is looked for in what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from operator import itemgetter
from typing import Any

from shared.richtext.adf.fit import is_part
from shared.richtext.adf.parts import alone_in, kind
from shared.richtext.alike import JiraLanguage, Place, all_alike, as_shown, fit, key, shown
from shared.richtext.canonical import kept
from shared.richtext.model import (
    Atom,
    Block,
    Cell,
    Expand,
    Heading,
    Inline,
    Item,
    Language,
    Listing,
    OpaqueBlock,
    Origin,
    Panel,
    Paragraph,
    Quote,
    Row,
    Table,
    Task,
    Tasks,
    Text,
)
from shared.richtext.readable import words_of
from shared.richtext.text import WORD
from shared.richtext.weave import weave

MAX_PAIRS = 100_000
"""Of lines that lost nodes with lines that are new: if there are more, nothing is looked for."""
MAX_TRIES = 4
"""Lines that lost nodes, of those that share the most words with a new one, from which it may get them back."""

Blocks = tuple[Block, ...]
_Line = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class _Stray:
    block: Block
    source: Any
    run: Blocks
    place: Place


@dataclass(slots=True)
class Strays:
    """What of an old document is not in the merged one."""

    target: Language
    jira: JiraLanguage
    _here: set[int] = field(default_factory=set)
    """The sources that are in the merged document."""
    _blocks: dict[Hashable, list[_Stray]] = field(default_factory=dict)
    """By the key of the first block that they show."""

    def returned(self, merged: Blocks, old: Blocks) -> Blocks:
        """Return the merged blocks with what was found of the old ones."""
        self._here = set(_sources(merged))
        lost = [stray for block in old for stray in self._lost(block, ())]
        if lost:
            for stray in lost:
                self._blocks.setdefault(key(stray.run[0]), []).append(stray)
            merged = _Walk(self.target, self._with_blocks, lambda line: line).blocks(merged, ())
            self._here = set(_sources(merged))
        lines = [(line, _words(line)) for line in _lines(old) if any(self._is_lost(inline) for inline in line)]
        if not lines or len(lines) * sum(1 for _ in _lines(merged)) > MAX_PAIRS:
            return merged

        def on_line(line: _Line) -> _Line:
            return self._with_nodes(line, lines)

        return _Walk(self.target, lambda blocks, _: blocks, on_line).blocks(merged, ())

    def _lost(self, block: Block, place: Place, around: Block | None = None) -> Iterator[_Stray]:
        """Return the outermost blocks that are gone, and what is gone of those that changed."""
        source = _source(block.origin, self.target)
        run = () if source is None or id(source) in self._here else shown((block,), self.jira, place)
        if run and not is_part(block):
            alone = alone_in(around, block) if isinstance(around, OpaqueBlock) else None
            yield _Stray(block, source, run, place) if alone is None else _Stray(alone, source, run, place[:-1])
        for inner, where in _held(block, place):
            for part in inner:
                yield from self._lost(part, where, block)

    def _with_blocks(self, blocks: Blocks, place: Place) -> Blocks:
        result: list[Block] = []
        at = 0
        while at < len(blocks):
            stray = self._stray(blocks[at:], place) if self._is_new(blocks[at]) else None
            if stray is None:
                result.append(blocks[at])
                at += 1
            else:
                result.append(stray.block)
                self._here.update(_sources((stray.block,)))
                at += len(stray.run)
        return tuple(result)

    def _stray(self, blocks: Blocks, place: Place) -> _Stray | None:
        """Return the lost block that shows what stands here."""
        first = as_shown(blocks[:1])
        for stray in self._blocks.get(key(first[0]), ()) if len(first) == 1 else ():
            new = blocks[: len(stray.run)]
            fresh = as_shown(new) if all(map(self._is_new, new)) else ()
            free = id(stray.source) not in self._here
            if free and self._alike(fresh, stray.run) and self._may_stand(stray, place):
                return stray
        return None

    def _is_new(self, block: Block) -> bool:
        return _source(block.origin, self.target) is None

    def _alike(self, fresh: Blocks, run: Blocks) -> bool:
        return all_alike(fresh, run) if self.target == "html" else all_alike(run, fresh)

    def _may_stand(self, stray: _Stray, place: Place) -> bool:
        """Tell whether a block may stand as it is in another place than its own."""
        if stray.place == place or self.target == "html":
            return True
        if self.target == "wiki" or isinstance(stray.block, Expand):
            return False
        source = _source(stray.block.origin, self.target)
        marked = isinstance(source, dict) and source.get("marks")
        fitted = fit((stray.block,), self.jira, place)
        return not marked and len(fitted) == 1 and fitted[0].origin is stray.block.origin

    def _is_lost(self, inline: Inline) -> bool:
        source = _source(inline.origin, self.target) if isinstance(inline, Atom) else None
        return source is not None and id(source) not in self._here

    def _with_nodes(self, line: _Line, lines: Sequence[tuple[_Line, frozenset[str]]]) -> _Line:
        told = _words(line)
        alike = [(len(told & words), old) for old, words in lines if not told.isdisjoint(words)]
        lost = ((common, old) for common, old in alike if any(self._is_lost(inline) for inline in old))
        for _, old in nlargest(MAX_TRIES, lost, key=itemgetter(0)):
            nodes = tuple(words_of(i) if isinstance(i, Atom) and not self._is_lost(i) else i for i in old)
            woven = weave(line, nodes, keep_colors=False, strays=True)
            found = {id(_source(inline.origin, self.target)) for inline in woven if isinstance(inline, Atom)}
            if not found <= self._here:
                line = woven
                self._here |= found
        return line


@dataclass(frozen=True, slots=True)
class _Walk:
    """Remakes what is new or changed of a document, from the outside in."""

    target: Language
    on_blocks: Callable[[Blocks, Place], Blocks]
    on_line: Callable[[_Line], _Line]

    def blocks(self, blocks: Blocks, place: Place) -> Blocks:
        return tuple(self._block(block, place) for block in self.on_blocks(blocks, place))

    def _block(self, block: Block, place: Place) -> Block:
        if self._whole(block.origin):
            return block
        match block:
            case Paragraph() | Heading():
                return replace(block, inlines=self.on_line(block.inlines))
            case Listing():
                items = tuple(self._item(item, (*place, "item")) for item in block.items)
                return replace(block, items=items)
            case Tasks():
                return replace(block, items=tuple(map(self._task, block.items)))
            case Table():
                rows = tuple(self._row(row, (*place, "cell")) for row in block.rows)
                return replace(block, rows=rows)
            case Quote() | Panel() | Expand():
                return replace(block, blocks=self.blocks(block.blocks, (*place, _NAMES[type(block)])))
            case OpaqueBlock() if block.origin is not None:
                return replace(block, fallback=self.blocks(block.fallback, (*place, kind(block))))
            case _:
                return block

    def _whole(self, origin: Origin | None) -> bool:
        return kept(origin, self.target) is not None

    def _item(self, item: Item, place: Place) -> Item:
        return item if self._whole(item.origin) else replace(item, blocks=self.blocks(item.blocks, place))

    def _task(self, task: Task) -> Task:
        below = tuple(map(self._task, task.below))
        inlines = task.inlines if self._whole(task.origin) else self.on_line(task.inlines)
        return replace(task, inlines=inlines, below=below)

    def _row(self, row: Row, place: Place) -> Row:
        if self._whole(row.origin):
            return row
        return replace(row, cells=tuple(self._cell(cell, place) for cell in row.cells))

    def _cell(self, cell: Cell, place: Place) -> Cell:
        return cell if self._whole(cell.origin) else replace(cell, blocks=self.blocks(cell.blocks, place))


_NAMES: dict[type, str] = {Quote: "quote", Panel: "panel", Expand: "expand"}


def _source(origin: Origin | None, language: Language) -> Any:
    return origin.source if origin is not None and origin.language == language else None


def _held(block: Block, place: Place) -> Iterator[tuple[Blocks, Place]]:
    """Return the blocks in a block, and where they stand."""
    match block:
        case Listing():
            yield from ((item.blocks, (*place, "item")) for item in block.items)
        case Table():
            yield from ((cell.blocks, (*place, "cell")) for row in block.rows for cell in row.cells)
        case Quote() | Panel() | Expand():
            yield block.blocks, (*place, _NAMES[type(block)])
        case OpaqueBlock():
            yield block.fallback, (*place, kind(block))
        case _:
            return


def _words(line: _Line) -> frozenset[str]:
    texts = (words_of(inline) if isinstance(inline, Atom) else inline for inline in line)
    return frozenset(WORD.findall(" ".join(each.text for each in texts if isinstance(each, Text))))


def _tasks(tasks: Iterable[Task]) -> Iterator[Task]:
    for task in tasks:
        yield task
        yield from _tasks(task.below)


def _lines(blocks: Iterable[Block]) -> Iterator[_Line]:
    """Return all lines of blocks."""
    for block in blocks:
        if isinstance(block, Paragraph | Heading):
            yield block.inlines
        elif isinstance(block, Tasks):
            yield from (task.inlines for task in _tasks(block.items))
        for inner, _ in _held(block, ()):
            yield from _lines(inner)


def _sources(blocks: Iterable[Block]) -> Iterator[int]:
    """Return what all parts of blocks come from."""
    for block in blocks:
        if block.origin is not None:
            yield id(block.origin.source)
        for line in _lines((block,)) if isinstance(block, Paragraph | Heading | Tasks) else ():
            yield from (id(i.origin.source) for i in line if isinstance(i, Atom) and i.origin is not None)
        for inner, _ in _held(block, ()):
            yield from _sources(inner)
