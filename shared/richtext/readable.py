"""How a person reads what a language has no node for, and the way back from what is read. Pure.

`plainer` turns mentions, panels, tasks, expands and the like into words, lists and quotes, which every language has:
a panel is a quote that begins with its sign, a task an item that begins with a box. `recognised` finds them again by
those signs, so they survive an editor that keeps nothing but plain HTML.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from shared.richtext.canonical import canonical_inlines
from shared.richtext.model import (
    Atom,
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
    Look,
    Mention,
    OpaqueBlock,
    OpaqueInline,
    Panel,
    PanelKind,
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

PANEL_SIGNS: dict[PanelKind, str] = {
    "info": "ℹ️",  # noqa: RUF001 - it is the sign
    "note": "📝",
    "tip": "💡",
    "warning": "⚠️",
    "error": "⛔",
    "success": "✅",
    "custom": "📌",
}
OPEN, DONE = "☐", "☑"
EXPAND_SIGN = "▸"
DECISION = "◇"
_SELECTOR = "\ufe0f"
_KINDS: dict[str, PanelKind] = {sign.rstrip(_SELECTOR): kind for kind, sign in PANEL_SIGNS.items()}
_SIGNS = {sign.rstrip(_SELECTOR): sign for sign in (*PANEL_SIGNS.values(), OPEN, DONE)}
_FIRST = frozenset({EXPAND_SIGN, *(sign[0] for sign in _SIGNS)})
_STRONG = Look(frozenset({"strong"}))


def words_of(atom: Atom) -> Text:
    """Return the words that stand for a node in a line of text."""
    match atom:
        case Mention(name=name):
            return Text(f"@{(name or atom.id).removeprefix('@')}", atom=True)
        case Emoji():
            return Text(atom.char or atom.name, atom=True)
        case Status():
            return Text(f"[{atom.text}]", atom=True)
        case Date():
            return Text(atom.day, atom=True)
        case Card():
            return Text(atom.url, Look(link=atom.url), atom=True)
        case OpaqueInline():
            return replace(atom.fallback, atom=True)
        case _:
            assert_never(atom)


def plainer_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return inlines with words in the place of nodes."""
    return tuple(words_of(inline) if isinstance(inline, Atom) else inline for inline in inlines)


def plainer(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return blocks as every language can show them: paragraphs, headings, lists, tables, code, quotes and rules."""
    return tuple(plain for block in blocks for plain in _plainer(block))


def _plainer(block: Block) -> tuple[Block, ...]:
    match block:
        case Paragraph():
            return (Paragraph(plainer_inlines(block.inlines)),)
        case Heading():
            return (Heading(block.level, plainer_inlines(block.inlines)),)
        case Listing():
            items = (Item(_plain_sign(plainer(item.blocks))) for item in block.items)
            return (Listing(block.ordered, tuple(items), block.start),)
        case Tasks():
            return _plainer(as_list(block.items))
        case Table():
            return (Table(tuple(Row(tuple(map(_plainer_cell, row.cells))) for row in block.rows)),)
        case Quote():
            return (Quote(_plain_sign(plainer(block.blocks))),)
        case Panel() | Expand():
            return (Quote(labelled(replace(block, blocks=plainer(block.blocks)))),)
        case OpaqueBlock():
            return plainer(block.fallback)
        case CodeBlock() | Rule():
            return (block,)
        case _:
            assert_never(block)


def _plainer_cell(cell: Cell) -> Cell:
    return Cell(plainer(cell.blocks), cell.header, cell.colspan, cell.rowspan)


def opened(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return blocks with what is opaque replaced by what can be read of it; panels, tasks and nodes in lines stay."""
    return tuple(part for block in blocks for part in _opened(block))


def _opened(block: Block) -> tuple[Block, ...]:
    match block:
        case OpaqueBlock():
            return opened(block.fallback)
        case Quote() | Panel() | Expand():
            return (replace(block, blocks=opened(block.blocks)),)
        case Listing():
            return (replace(block, items=tuple(replace(item, blocks=opened(item.blocks)) for item in block.items)),)
        case Table():
            return (replace(block, rows=tuple(map(_opened_row, block.rows))),)
        case _:
            return (block,)


def _opened_row(row: Row) -> Row:
    return replace(row, cells=tuple(replace(cell, blocks=opened(cell.blocks)) for cell in row.cells))


def labelled(block: Panel | Expand) -> tuple[Block, ...]:
    """Return a panel's or expand's content with the sign by which people, and `recognised`, know it."""
    if isinstance(block, Expand):
        return (Paragraph((Text(f"{EXPAND_SIGN} {block.title}".strip(), _STRONG),)), *block.blocks)
    sign = PANEL_SIGNS[block.kind]
    at = next((at for at, part in enumerate(block.blocks) if not _hidden(part)), len(block.blocks))
    first = block.blocks[at] if at < len(block.blocks) else None
    if isinstance(first, Paragraph):
        return (Paragraph((Text(f"{sign} "), *_begun(first.inlines))), *block.blocks[:at], *block.blocks[at + 1 :])
    return (Paragraph((Text(sign),)), *block.blocks)


def _hidden(block: Block) -> bool:
    """Tell whether a line holds nothing that can be seen: no sign stands in it."""
    return isinstance(block, Paragraph | Heading) and not any(
        isinstance(inline, Text) and inline.text.strip() for inline in plainer_inlines(block.inlines)
    )


def _begun(inlines: Sequence[Inline]) -> Iterator[Inline]:
    """Yield what stands behind a sign: no break comes before what can be seen, for a sign would stand alone."""
    seen = False
    for inline in inlines:
        if not isinstance(inline, Break):
            seen = seen or bool((words_of(inline) if isinstance(inline, Atom) else inline).text.strip())
        if seen or not isinstance(inline, Break):
            yield inline


def as_list(tasks: tuple[Task, ...]) -> Listing:
    """Return tasks as a list with a box before each."""
    return Listing(False, tuple(map(_boxed, tasks)))


def _boxed(task: Task) -> Item:
    line = Paragraph((Text(f"{DONE if task.done else OPEN} "), *_begun(task.inlines)))
    return Item((line, as_list(task.below)) if task.below else (line,))


def recognised(block: Block) -> Block:
    """Return the panel or expand that a quote stands for, the tasks that a list stands for, else the block itself.

    `block` is canonical, and so is what comes back.
    """
    if isinstance(block, Quote):
        return _panel(block) or _expand(block) or block
    if isinstance(block, Listing) and not block.ordered:
        tasks = _tasks(block)
        return Tasks(tasks, origin=block.origin) if tasks else block
    return block


def _panel(quote: Quote) -> Panel | None:
    found = _signed(quote.blocks[0], _KINDS)
    if found is None:
        return None
    sign, line = found
    others = quote.blocks[1:]
    if line:
        return Panel(_KINDS[sign], (Paragraph(line), *others), origin=quote.origin)
    if others and isinstance(others[0], Paragraph):
        return None  # a panel's sign stands in its first line
    return Panel(_KINDS[sign], others, origin=quote.origin)


def _signed(block: Block, signs: Container[str]) -> tuple[str, tuple[Inline, ...]] | None:
    """Return the sign with which a line begins, and what comes after it; the sign stands alone or before a blank."""
    first = block.inlines[0] if isinstance(block, Paragraph) else None
    if not isinstance(block, Paragraph) or not isinstance(first, Text) or first.atom or first.look.link is not None:
        return None
    word, blank, rest = first.text.partition(" ")
    sign = word.rstrip(_SELECTOR)
    if sign not in signs or not (blank or len(block.inlines) == 1):
        return None
    after = (Text(rest, first.look), *block.inlines[1:]) if rest else block.inlines[1:]
    return sign, canonical_inlines(after)


def _title(block: Block) -> str | None:
    """Return the title of an expand, if this line is one."""
    if not isinstance(block, Paragraph):
        return None
    line = "".join(inline.text if isinstance(inline, Text) else "\n" for inline in block.inlines)
    if "\n" in line or (line != EXPAND_SIGN and not line.startswith(f"{EXPAND_SIGN} ")):
        return None
    return line.removeprefix(EXPAND_SIGN).strip()


def _expand(quote: Quote) -> Expand | None:
    title = _title(quote.blocks[0])
    return None if title is None else Expand(title, quote.blocks[1:], origin=quote.origin)


def _plain_sign(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks of a quote or item of which the sign in the first line looks as `labelled` would write it."""
    first = canonical_inlines(blocks[0].inlines) if blocks and isinstance(blocks[0], Paragraph) else ()
    if not first or not isinstance(first[0], Text) or first[0].text[0] not in _FIRST:
        return blocks
    line = Paragraph(first)
    title = _title(line)
    if title is not None:
        return (Paragraph((Text(f"{EXPAND_SIGN} {title}".strip(), _STRONG),)), *blocks[1:])
    found = _signed(line, _SIGNS)
    if found is None:
        return blocks
    sign, rest = found
    return (Paragraph((Text(f"{_SIGNS[sign]} "), *rest)), *blocks[1:])


def _tasks(listing: Listing) -> tuple[Task, ...]:
    """Return the tasks of a list, none if any item is something else."""
    found: list[Task] = []
    for item in listing.items:
        task = _task(item)
        if task is None:
            return ()
        found.append(task)
    return tuple(found)


def _task(item: Item) -> Task | None:
    if not 1 <= len(item.blocks) <= 2 or not isinstance(item.blocks[0], Paragraph):
        return None
    found = _signed(item.blocks[0], (OPEN, DONE))
    if found is None:
        return None
    box, inlines = found
    if len(item.blocks) == 1:
        return Task(box == DONE, inlines, origin=item.origin)
    below = item.blocks[1]
    if not isinstance(below, Tasks):
        return None
    return Task(box == DONE, inlines, below.items, origin=item.origin, below_origin=below.origin)
