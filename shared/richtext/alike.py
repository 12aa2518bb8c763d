"""When a document in Jira and one in Craft.io mean the same. Pure.

Both are brought to what both sides can show (`shown`): first as Jira's language can hold it, then in words. Two
tolerances remain, because editors strip what they do not know: Craft.io's side may lack colours (of a whole line) and
the language of code; and words that stand for a node in Jira have no look of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal

from shared.richtext.adf.fit import fit_adf
from shared.richtext.canonical import canonical_blocks
from shared.richtext.model import (
    Block,
    Break,
    Cell,
    CodeBlock,
    Heading,
    Inline,
    Item,
    Listing,
    Look,
    Paragraph,
    Quote,
    Row,
    Table,
    Text,
)
from shared.richtext.readable import plainer
from shared.richtext.wiki.fit import fit_wiki

JiraLanguage = Literal["adf", "wiki"]
Place = tuple[str, ...]
_FIT: dict[JiraLanguage, Callable[[Iterable[Block], Place], tuple[Block, ...]]] = {"adf": fit_adf, "wiki": fit_wiki}


def fit(blocks: Iterable[Block], jira: JiraLanguage, place: Place = ()) -> tuple[Block, ...]:
    """Return blocks in canonical form as Jira's language can hold them within `place`."""
    return canonical_blocks(_FIT[jira](canonical_blocks(blocks), place))


def shown(blocks: Iterable[Block], jira: JiraLanguage, place: Place = ()) -> tuple[Block, ...]:
    """Return blocks as both sides can show them; each block by itself."""
    return as_shown(fit(blocks, jira, place))


def as_shown(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return blocks that Jira's language can hold as both sides can show them."""
    return canonical_blocks(plainer(blocks))


def key(block: Block) -> Hashable:
    """Return what tells shown blocks apart, whatever the looks; equal keys are a need of being alike."""
    match block:
        case Paragraph():
            return ("p", text_of(block.inlines))
        case Heading():
            return ("h", block.level, text_of(block.inlines))
        case Listing():
            return ("l", block.ordered, tuple(tuple(map(key, item.blocks)) for item in block.items))
        case Table():
            return ("t", tuple(tuple((c.header, *map(key, c.blocks)) for c in row.cells) for row in block.rows))
        case Quote():
            return ("q", *map(key, block.blocks))
        case CodeBlock():
            return ("c", block.text)
        case _:
            return ("r",)


def text_of(inlines: Iterable[Inline]) -> str:
    """Return the words of a shown line."""
    return "".join(inline.text if isinstance(inline, Text) else "\n" for inline in inlines)


def all_alike(jira: Sequence[Block], craft: Sequence[Block]) -> bool:
    """Tell whether shown blocks of the two sides mean the same."""
    return len(jira) == len(craft) and all(map(alike, jira, craft))


def alike(jira: Block, craft: Block) -> bool:
    """Tell whether a shown block of Jira's and one of Craft.io's mean the same."""
    match jira, craft:
        case Paragraph(), Paragraph():
            return lines_alike(jira.inlines, craft.inlines)
        case Heading(), Heading():
            return jira.level == craft.level and lines_alike(jira.inlines, craft.inlines)
        case Listing(), Listing():
            same_kind = jira.ordered == craft.ordered and len(jira.items) == len(craft.items)
            return same_kind and all(map(_items_alike, jira.items, craft.items))
        case Table(), Table():
            return len(jira.rows) == len(craft.rows) and all(map(_rows_alike, jira.rows, craft.rows))
        case Quote(), Quote():
            return all_alike(jira.blocks, craft.blocks)
        case CodeBlock(), CodeBlock():
            return jira.text == craft.text and craft.language in (None, jira.language)
        case _:
            return type(jira) is type(craft)


def _items_alike(jira: Item, craft: Item) -> bool:
    return all_alike(jira.blocks, craft.blocks)


def _rows_alike(jira: Row, craft: Row) -> bool:
    return len(jira.cells) == len(craft.cells) and all(map(_cells_alike, jira.cells, craft.cells))


def _cells_alike(jira: Cell, craft: Cell) -> bool:
    return jira.header == craft.header and all_alike(jira.blocks, craft.blocks)


def lines_alike(jira: Sequence[Inline], craft: Sequence[Inline]) -> bool:
    """Tell whether two shown lines have the same words and, where it counts, the same look."""
    if text_of(jira) != text_of(craft):
        return False
    colored = has_color(craft)
    left, right = list(_spans(jira)), list(_spans(craft))
    first = second = 0
    while first < len(left) and second < len(right):
        one, other = left[first], right[second]
        end = min(one[1], other[1])
        words = one[3][max(one[0], other[0]) - one[0] : end - one[0]]
        if not _looks_agree(one[2], other[2], colored=colored) and words.strip():
            return False
        first += one[1] == end
        second += other[1] == end
    return True


def has_color(inlines: Iterable[Inline]) -> bool:
    """Tell whether any text of a line has a colour."""
    return any(isinstance(i, Text) and (i.look.color or i.look.background) for i in inlines)


def _spans(inlines: Iterable[Inline]) -> Iterable[tuple[int, int, Look | None, str]]:
    """Return texts with where they begin and end; no look for what stands for a node."""
    at = 0
    for inline in inlines:
        text = "\n" if isinstance(inline, Break) else inline.text if isinstance(inline, Text) else ""
        if text:
            look = inline.look if isinstance(inline, Text) and not inline.atom else None
            yield at, at + len(text), look, text
        at += len(text)


def _looks_agree(jira: Look | None, craft: Look | None, *, colored: bool) -> bool:
    if jira is None or craft is None:
        return True
    if jira.styles != craft.styles or jira.link != craft.link:
        return False
    return not colored or (jira.color == craft.color and jira.background == craft.background)
