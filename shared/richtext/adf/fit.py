"""What ADF can hold, and where: a document as it can be written for Jira Cloud. Pure and idempotent.

What may not stand where it does (a heading in a quote, a table in a cell) becomes what may: bold text, lines. Blocks
that already fit come back as they are, with their origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar, assert_never

from shared.richtext.adf.inlines import kind_of
from shared.richtext.flat import bold, lines_of
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
    Task,
    Tasks,
    Text,
)
from shared.richtext.readable import as_list, labelled, words_of

_MEDIA = {"mediaSingle", "mediaGroup", "extension"}
_CARDS = {"blockCard", "embedCard"}
_ALLOWED: dict[str, set[str]] = {
    "quote": {"list", "code", *_MEDIA},
    "panel": {"heading", "list", "code", "tasks", "rule", "blockCard", "decisionList", *_MEDIA},
    "item": {"list", "tasks", "code", "mediaSingle", "extension"},
    "cell": {"heading", "list", "code", "tasks", "rule", "quote", "panel", "expand", "decisionList", *_MEDIA, *_CARDS},
    "nested": {"heading", "list", "code", "tasks", "rule", "quote", "panel", "decisionList", *_MEDIA},
}  # fmt: skip
_ALLOWED["expand"] = {*_ALLOWED["cell"], "table"}
_ALLOWED["bodiedExtension"] = {*_ALLOWED["nested"], "table", *_CARDS}
_ALLOWED["layoutColumn"] = {*_ALLOWED["expand"], "bodiedExtension"}
_ALLOWED |= {name: {"media"} for name in ("mediaSingle", "mediaGroup")}
_ALLOWED |= {"layoutSection": {"layoutColumn"}, "decisionList": set()}
"""By container, from the published schema; a paragraph may stand anywhere, and everything in the document itself and in
nodes that are not known here.
"""
_OPAQUE = frozenset({
    *_MEDIA, *_CARDS, "decisionList", "layoutSection", "bodiedExtension", "syncBlock",
    "bodiedSyncBlock",
})  # fmt: skip
_ONLY_IN = {"media": {"mediaSingle", "mediaGroup"}, "layoutColumn": {"layoutSection"}}
ROOMY = frozenset({"layoutSection", "layoutColumn", "bodiedSyncBlock"})
"""Nodes in which an expand is as one in the document itself."""

_Part = TypeVar("_Part", Paragraph, Heading, Listing, Tasks, Table, Quote, Panel, Expand, Item, Row, Cell, Task)


def fit_adf(blocks: Iterable[Block], place: tuple[str, ...] = ()) -> tuple[Block, ...]:
    """Return blocks as ADF can hold them within `place`, the names of the containers around them."""
    return tuple(fitted for block in blocks for fitted in _fit(block, place))


def _may(what: str, place: tuple[str, ...]) -> bool:
    return not place or (allowed := _ALLOWED.get(_container(place))) is None or what in allowed


def _container(place: tuple[str, ...]) -> str:
    if place[-1] == "expand" and not ROOMY.issuperset(place[:-1]):
        return "nested"
    return place[-1]


def _fit(block: Block, place: tuple[str, ...]) -> tuple[Block, ...]:
    match block:
        case Paragraph():
            inlines = fit_inlines(block.inlines)
            return (block if inlines == block.inlines else Paragraph(inlines),)
        case Heading():
            inlines = fit_inlines(block.inlines)
            if _may("heading", place):
                return (block if inlines == block.inlines else Heading(block.level, inlines),)
            return (Paragraph(bold(inlines)),)
        case Listing():
            items = tuple(_same_or(item, Item(fit_adf(item.blocks, (*place, "item")))) for item in block.items)
            return (_same_or(block, replace(block, items=items)),)
        case Tasks():
            if not _may("tasks", place):
                return fit_adf((as_list(block.items),), place)
            return (_same_or(block, replace(block, items=tuple(map(_task, block.items)))),)
        case Table():
            if not _may("table", place):
                return _as_lines(block)
            return (_same_or(block, replace(block, rows=tuple(_row(row, place) for row in block.rows))),)
        case CodeBlock():
            return (block,)
        case Quote():
            if not _may("quote", place):
                return fit_adf(block.blocks, place)
            return (_same_or(block, replace(block, blocks=fit_adf(block.blocks, (*place, "quote")))),)
        case Panel():
            if not _may("panel", place):
                return fit_adf(labelled(block), place)
            return (_same_or(block, replace(block, blocks=fit_adf(block.blocks, (*place, "panel")))),)
        case Expand():
            if not _may("expand", place):
                shown = labelled(block)
                return fit_adf((Quote(shown),) if _may("quote", place) else shown, place)
            return (_same_or(block, replace(block, blocks=fit_adf(block.blocks, (*place, "expand")))),)
        case Rule():
            return (block,) if _may("rule", place) else _as_lines(block)
        case OpaqueBlock():
            return (_held(block, place),) if _stays(block, place) else fit_adf(_loose(block.fallback), place)
        case _:
            assert_never(block)


def _same_or(before: _Part, after: _Part) -> _Part:
    """Return `before` if nothing changed, else `after` with no more than its frame left of the origin."""
    if before == after and before.origin is not None:
        return before
    origin = before.origin
    return replace(after, origin=None if origin is None else Origin(origin.language, origin.source, whole=False))


def _as_lines(block: Block) -> tuple[Block, ...]:
    return tuple(Paragraph(fit_inlines(line)) for line in lines_of((block,)))


def _task(task: Task) -> Task:
    below = tuple(map(_task, task.below))
    return _same_or(task, replace(task, inlines=fit_inlines(task.inlines), below=below))


def _row(row: Row, place: tuple[str, ...]) -> Row:
    return _same_or(row, replace(row, cells=tuple(_cell(cell, place) for cell in row.cells)))


def _cell(cell: Cell, place: tuple[str, ...]) -> Cell:
    return _same_or(cell, replace(cell, blocks=fit_adf(cell.blocks, (*place, "cell"))))


def _stays(block: OpaqueBlock, place: tuple[str, ...]) -> bool:
    """Tell whether an opaque node may stand here. Of a type that is not known, Jira has said where: it stays."""
    if block.language != "adf" or block.origin is None:
        return False
    kind = kind_of(block.origin.source)
    within = _ONLY_IN.get(kind)
    if within is not None:
        return bool(place) and place[-1] in within
    return kind not in _OPAQUE or _may(kind, place)


def _held(block: OpaqueBlock, place: tuple[str, ...]) -> OpaqueBlock:
    """Return a node of which a part was changed with parts that may stand in it."""
    if block.origin is None or block.origin.whole:
        return block
    return replace(block, fallback=fit_adf(block.fallback, (*place, kind_of(block.origin.source))))


def _loose(parts: Iterable[Block]) -> tuple[Block, ...]:
    """Return parts of a node that is gone: what is written otherwise than a line of its own remembers nothing."""
    return tuple(replace(p, origin=None) if isinstance(p, Paragraph) and is_part(p) else p for p in parts)


def is_part(block: Block) -> bool:
    """Tell whether a line is a caption or a decision, which stands in its own node only."""
    origin = block.origin
    return origin is not None and origin.language == "adf" and kind_of(origin.source) in ("caption", "decisionItem")


def fit_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return what stands in a line as ADF can hold it."""
    return tuple(_fit_inline(inline) for inline in inlines)


def _fit_inline(inline: Inline) -> Inline:
    match inline:
        case OpaqueInline():
            return inline if inline.language == "adf" else words_of(inline)
        case Mention():
            return inline if inline.by_account else words_of(inline)
        case Text() | Break() | Emoji() | Status() | Date() | Card():
            return inline
        case _:
            assert_never(inline)
