"""The canonical form of a document: two documents mean the same to a person if theirs are equal. Pure.

White space is one blank, with the look that both its neighbours share; text of one look is one text; addresses are
links; paragraphs without content, breaks at the ends, and lists and tables without items are gone. Parts keep their
origin, so a canonical block can still be written as it was. Idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, assert_never

from shared.richtext import text as texts
from shared.richtext.model import (
    NO_LOOK,
    Atom,
    Block,
    Break,
    Cell,
    CodeBlock,
    Document,
    Expand,
    Heading,
    Inline,
    Item,
    Language,
    Listing,
    Look,
    Mention,
    OpaqueBlock,
    OpaqueInline,
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

_NOTHING = Text("")


def canonical(document: Document) -> Document:
    """Return the document's canonical form, without marks that a look cannot say: people do not see them."""
    return Document(_unmarked(canonical_blocks(document.blocks)))


def _unmarked(part: Any) -> Any:
    if isinstance(part, tuple):
        if any(isinstance(each, Text) and each.own for each in part):
            return canonical_inlines(replace(each, own=()) if isinstance(each, Text) else each for each in part)
        return tuple(map(_unmarked, part))
    if not is_dataclass(part) or isinstance(part, type | Text):
        return part
    held = {each.name: getattr(part, each.name) for each in fields(part)}
    return replace(
        part, **{name: _unmarked(value) for name, value in held.items() if isinstance(value, tuple) and value}
    )


def canonical_blocks(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return the canonical form of blocks that follow one another: each by itself, some of them gone."""
    return tidied(blocks, None)


def tidied(blocks: Iterable[Block], language: Language | None) -> tuple[Block, ...]:
    """Return blocks to be written in `language`: canonical, but what comes from that language as it was."""
    return tuple(tidy for block in blocks if (tidy := _block(block, language)) is not None)


def kept(origin: Origin | None, language: Language) -> Any:
    """Return the source of a part that can be written as it was read, None if it cannot."""
    return origin.source if origin is not None and origin.language == language and origin.whole else None


def _block(block: Block, language: Language | None) -> Block | None:
    if language is not None and kept(block.origin, language) is not None:
        return block
    match block:
        case Paragraph():
            inlines = canonical_inlines(block.inlines)
            return Paragraph(inlines, origin=block.origin) if inlines else None
        case Heading():
            inlines = canonical_inlines(block.inlines)
            return Heading(min(6, max(1, block.level)), inlines, origin=block.origin) if inlines else None
        case Listing():
            items = tuple(_item(item, language) for item in block.items)
            start = max(0, block.start) if block.ordered else 1
            return Listing(block.ordered, items, start, origin=block.origin) if items else None
        case Tasks():
            return replace(block, items=tuple(_task(task, language) for task in block.items)) if block.items else None
        case Table():
            rows = tuple(_row(row, language) for row in block.rows if row.cells)
            return Table(rows, origin=block.origin) if rows else None
        case CodeBlock():
            return CodeBlock(texts.tidy_code(block.text), texts.code_language(block.language), origin=block.origin)
        case Quote():
            inner = tidied(block.blocks, language)
            return replace(block, blocks=inner) if inner else None
        case Panel():
            return replace(block, blocks=tidied(block.blocks, language))
        case Expand():
            return replace(block, title=texts.one_line(block.title), blocks=tidied(block.blocks, language))
        case OpaqueBlock():
            return replace(block, fallback=tidied(block.fallback, language))
        case Rule():
            return block
        case _:
            assert_never(block)


def _item(item: Item, language: Language | None) -> Item:
    if language is not None and kept(item.origin, language) is not None:
        return item
    return Item(tidied(item.blocks, language), origin=item.origin)


def _task(task: Task, language: Language | None) -> Task:
    if language is not None and kept(task.origin, language) is not None:
        return replace(task, below=tuple(_task(below, language) for below in task.below))
    below = tuple(_task(below, language) for below in task.below)
    return replace(task, inlines=canonical_inlines(task.inlines), below=below)


def _row(row: Row, language: Language | None) -> Row:
    if language is not None and kept(row.origin, language) is not None:
        return row
    return Row(tuple(_cell(cell, language) for cell in row.cells), origin=row.origin)


def _cell(cell: Cell, language: Language | None) -> Cell:
    if language is not None and kept(cell.origin, language) is not None:
        return cell
    blocks = tidied(cell.blocks, language)
    return Cell(blocks, cell.header, max(1, cell.colspan), max(1, cell.rowspan), origin=cell.origin)


def canonical_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return the canonical form of what stands in one paragraph."""
    found = tuple(inlines)
    if len(found) == 1 and isinstance(found[0], Text) and _settled(found[0]):
        return found
    pieces = _pieces(found)
    _settle_blanks(pieces)
    runs = joined(pieces)
    if any(isinstance(piece, Text) and "://" in piece.text for piece in runs):
        parts = [part for piece in runs for part in (texts.linked(piece) if isinstance(piece, Text) else (piece,))]
        if parts != runs:
            return canonical_inlines(parts)  # a link looks otherwise than the text that it was
    return trimmed(runs)


def joined(pieces: Iterable[Inline]) -> list[Inline]:
    """Make one text of those that follow one another and look the same."""
    runs: list[Inline] = []
    for piece in pieces:
        if isinstance(piece, Text):
            if not piece.text:
                continue
            last = runs[-1] if runs else None
            if isinstance(last, Text) and not last.atom and not piece.atom and _same_marks(last, piece):
                runs[-1] = replace(last, text=last.text + piece.text)
                continue
        runs.append(piece)
    return runs


def _same_marks(one: Text, other: Text) -> bool:
    return one.look == other.look and (one.own is other.own or one.own == other.own)


def _settled(text: Text) -> bool:
    """Tell at a glance that a line of one text is canonical already; most are."""
    words = text.text
    return (
        bool(words)
        and text.look == NO_LOOK
        and not text.atom
        and not text.own
        and words.isprintable()
        and words[0] != " "
        and words[-1] != " "
        and "  " not in words
        and "://" not in words
    )


def _pieces(inlines: Iterable[Inline]) -> list[Inline]:
    """Return runs of words, the blanks at their ends (Text of one blank), breaks and atoms, each by itself."""
    pieces: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Break):
            pieces.append(inline)
        elif not isinstance(inline, Text):
            pieces.append(_atom(inline))
        elif inline.atom:
            pieces.append(Text(texts.one_line(inline.text), inline.look, atom=True))
        else:
            look = tidy_look(inline.look)
            text = texts.clean(inline.text)
            words = text.split()
            if text[:1].isspace():
                pieces.append(Text(" ", look, own=inline.own))
            if words:
                pieces.append(Text(" ".join(words), look, own=inline.own))
                if text[-1].isspace():
                    pieces.append(Text(" ", look, own=inline.own))
    return pieces


def _atom(atom: Atom) -> Inline:
    if isinstance(atom, Mention):
        return replace(atom, name=texts.one_line(atom.name or "").removeprefix("@").strip() or None)
    if isinstance(atom, OpaqueInline):
        fallback = Text(texts.one_line(atom.fallback.text), tidy_look(atom.fallback.look), atom=True)
        return replace(atom, fallback=fallback)
    return atom


@lru_cache(4096)
def tidy_look(look: Look) -> Look:
    """Return a look that all languages can hold: code is nothing but code, a link has no colour of its own, and sub
    and sup exclude one another.
    """
    if look == NO_LOOK:
        return NO_LOOK
    link = texts.safe_url(look.link) if look.link is not None else None
    if "code" in look.styles:
        return Look(frozenset({"code"}), link)
    styles = look.styles - {"sub"} if {"sub", "sup"} <= look.styles else look.styles
    if link is not None:
        return Look(styles, link)
    return Look(styles, None, texts.color(look.color), texts.color(look.background))


def _settle_blanks(pieces: list[Inline]) -> None:
    """Give each blank what both its neighbours have in common; drop it at the ends of lines and after another."""
    left: Text | None = None  # the last words; None at the start of a line
    waiting: int | None = None  # where the last blank stands
    for index, piece in enumerate(pieces):
        if isinstance(piece, Text) and piece.text == " " and not piece.atom:
            if waiting is None and left is not None:
                waiting = index
            else:
                pieces[index] = _NOTHING
            continue
        if isinstance(piece, Text) and not piece.text:
            continue
        right = None if isinstance(piece, Break) else _looks_of(piece)
        if waiting is not None:
            blank = pieces[waiting]
            pieces[waiting] = _NOTHING
            if isinstance(blank, Text) and left is not None and right is not None:
                own = right.own if left.own == right.own == blank.own else ()
                pieces[waiting] = Text(" ", blank.look.common(left.look).common(right.look), own=own)
            waiting = None
        left = right
    if waiting is not None:
        pieces[waiting] = _NOTHING


def _looks_of(piece: Inline) -> Text:
    return piece if isinstance(piece, Text) and not piece.atom else _NOTHING


def trimmed(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return a line without breaks at its ends."""
    found = tuple(inlines)
    words = [index for index, inline in enumerate(found) if not isinstance(inline, Break)]
    return found[words[0] : words[-1] + 1] if words else ()
