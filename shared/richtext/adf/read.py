"""ADF -> model. Never raises: what is not understood becomes opaque, or the text that is in it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from shared.richtext.adf.inlines import attrs_of, content_of, identity, kind_of, media_words, read_inlines, words_in
from shared.richtext.adf.taken_out import is_kept_here
from shared.richtext.canonical import trimmed
from shared.richtext.model import (
    Block,
    Break,
    Card,
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
    Panel,
    PanelKind,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Task,
    Tasks,
    Text,
)
from shared.richtext.readable import DECISION, plainer_inlines
from shared.richtext.text import safe_url

MAX_DEPTH = 60
"""Jira's editor nests a handful of levels; deeper ones are read as text."""

_KINDS: tuple[PanelKind, ...] = get_args(PanelKind)
_INLINE = frozenset({
    "text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "placeholder", "inlineExtension",
    "mediaInline",
})  # fmt: skip

Node = Mapping[str, Any]


def parse_adf(node: object) -> Document:
    """Return the document that an ADF `doc` node (or any node, or a list of nodes) holds. Never raises."""
    if isinstance(node, Mapping) and node.get("type") == "doc":
        return Document(_blocks(content_of(node), 0))
    if isinstance(node, str):
        return Document((Paragraph((Text(node),)),))
    return Document(_blocks(node if isinstance(node, list) else [node], 0))


def _blocks(nodes: Sequence[object], depth: int) -> tuple[Block, ...]:
    """Return blocks; inline nodes that stand among them make paragraphs."""
    blocks: list[Block] = []
    loose: list[object] = []
    for node in nodes:
        if isinstance(node, Mapping) and kind_of(node) not in _INLINE:
            _end_paragraph(loose, blocks)
            blocks.append(_block(node, depth))
        else:
            loose.append(node)
    _end_paragraph(loose, blocks)
    return tuple(blocks)


def _end_paragraph(loose: list[object], blocks: list[Block]) -> None:
    if loose:
        blocks.append(Paragraph(read_inlines(loose)))
        loose.clear()


def _block(node: Node, depth: int) -> Block:
    read = _READERS.get(kind_of(node))
    if depth >= MAX_DEPTH:
        return Paragraph((Text(words_in(node)),))
    return _opaque(node, depth) if read is None else read(node, depth)


def _paragraph(node: Node, _depth: int) -> Block:
    return Paragraph(read_inlines(content_of(node)), origin=Origin("adf", node))


def _heading(node: Node, _depth: int) -> Block:
    level = attrs_of(node).get("level")
    return Heading(
        int(level) if isinstance(level, int | float) and 1 <= level <= 6 else 1,
        read_inlines(content_of(node)),
        origin=Origin("adf", node),
    )


def _list(node: Node, depth: int) -> Block:
    start = attrs_of(node).get("order")
    items = (
        Item(
            _blocks(content_of(item), depth + 1) if isinstance(item, Mapping) and item.get("type") == "listItem"
            else _blocks([item], depth + 1),
            origin=Origin("adf", item),
        )
        for item in content_of(node)
    )  # fmt: skip
    return Listing(
        node["type"] == "orderedList",
        tuple(items),
        int(start) if isinstance(start, int | float) and 0 <= start < 1e9 else 1,
        origin=Origin("adf", node),
    )


def _task_list(node: Node, depth: int) -> Block:
    return Tasks(_tasks(node, depth), origin=Origin("adf", node))


def _tasks(node: Node, depth: int) -> tuple[Task, ...]:
    """Return tasks. In ADF a list below a task is the task's next sibling."""
    found: list[Task] = []
    for child in content_of(node):
        kind = child.get("type") if isinstance(child, Mapping) else None
        if isinstance(child, Mapping) and kind == "taskList" and depth < MAX_DEPTH:
            below = _tasks(child, depth + 1)
            if found and not found[-1].below:
                last = found[-1]
                origin = Origin("adf", child)
                found[-1] = replace(last, below=below, below_origin=origin)
            else:
                found.extend(replace(task, within=task.within or Origin("adf", child)) for task in below)
        elif isinstance(child, Mapping) and kind in ("taskItem", "blockTaskItem"):
            done = attrs_of(child).get("state") == "DONE"
            line = read_inlines(content_of(child)) if kind == "taskItem" else _task_lines(child)
            found.append(Task(done, line, origin=Origin("adf", child)))
        else:
            found.append(Task(False, (Text(words_in(child)),)))
    return tuple(found)


def _task_lines(item: Node) -> tuple[Inline, ...]:
    """Return paragraphs and macros as one line, two breaks between what can be seen of them."""
    line: list[Inline] = []
    shown = False
    for child in content_of(item):
        inner = content_of(child) if isinstance(child, Mapping) and kind_of(child) == "paragraph" else [child]
        part = trimmed(read_inlines(inner))
        seen = any(isinstance(inline, Text) and inline.text.strip() for inline in plainer_inlines(part))
        line += [Break(), Break(), *part] if seen and shown else part
        shown = shown or seen
    return tuple(line)


def _table(node: Node, depth: int) -> Block:
    return Table(tuple(_row(row, depth) for row in content_of(node)), origin=Origin("adf", node))


def _row(node: object, depth: int) -> Row:
    if not isinstance(node, Mapping) or node.get("type") != "tableRow":
        return Row((Cell(_blocks([node], depth + 1)),))
    return Row(tuple(_cell(cell, depth) for cell in content_of(node)), origin=Origin("adf", node))


def _cell(node: object, depth: int) -> Cell:
    if not isinstance(node, Mapping) or node.get("type") not in ("tableCell", "tableHeader"):
        return Cell(_blocks([node], depth + 1))
    attrs = attrs_of(node)
    colspan, rowspan = attrs.get("colspan"), attrs.get("rowspan")
    return Cell(
        _blocks(content_of(node), depth + 1),
        node.get("type") == "tableHeader",
        colspan if isinstance(colspan, int) and 1 <= colspan <= 1000 else 1,
        rowspan if isinstance(rowspan, int) and 1 <= rowspan <= 1000 else 1,
        origin=Origin("adf", node),
    )


def _code(node: Node, _depth: int) -> Block:
    language = attrs_of(node).get("language")
    text = "".join(words_in(child) for child in content_of(node))
    return CodeBlock(text, language if isinstance(language, str) else None, origin=Origin("adf", node))


def _quote(node: Node, depth: int) -> Block:
    return Quote(_blocks(content_of(node), depth + 1), origin=Origin("adf", node))


def _panel(node: Node, depth: int) -> Block:
    kind = attrs_of(node).get("panelType")
    known = [known for known in _KINDS if known == kind]
    return Panel(known[0] if known else "info", _blocks(content_of(node), depth + 1), origin=Origin("adf", node))


def _expand(node: Node, depth: int) -> Block:
    if is_kept_here(node):
        return _kept(node, ())
    title = attrs_of(node).get("title")
    blocks = _blocks(content_of(node), depth + 1)
    return Expand(title if isinstance(title, str) else "", blocks, origin=Origin("adf", node))


def _rule(node: Node, _depth: int) -> Block:
    return Rule(origin=Origin("adf", node))


def _card(node: Node, depth: int) -> Block:
    url = attrs_of(node).get("url")
    safe = safe_url(url) if isinstance(url, str) else None
    return _opaque(node, depth) if safe is None else _kept(node, (Paragraph((Card(safe),)),))


def _media_block(node: Node, _depth: int) -> Block:
    """Return a picture with its caption, or a group of files: each file and the caption are parts of their own."""
    around = node.get("marks")
    parts: list[Block] = []
    for child in content_of(node):
        if isinstance(child, Mapping) and kind_of(child) == "caption":
            parts.append(Paragraph(read_inlines(content_of(child)), origin=Origin("adf", child)))
        elif isinstance(child, Mapping) and kind_of(child) == "media":
            parts.append(_kept(child, (Paragraph((media_words(child, around),)),)))
        elif isinstance(child, Mapping):
            parts.append(_block(child, _depth + 1))
    return _kept(node, tuple(parts))


def _decisions(node: Node, _depth: int) -> Block:
    items = (item for item in content_of(node) if isinstance(item, Mapping))
    return _kept(node, tuple(Paragraph(_decision(item), origin=Origin("adf", item)) for item in items))


def _decision(item: Node) -> tuple[Inline, ...]:
    return (Text(f"{DECISION} "), *read_inlines(content_of(item)))


def _opaque(node: Node, depth: int) -> Block:
    text = attrs_of(node).get("text")
    fallback = _blocks(content_of(node), depth + 1)
    if not fallback and isinstance(text, str):
        fallback = (Paragraph((Text(text),)),)
    return _kept(node, fallback)


def _kept(node: Node, fallback: tuple[Block, ...]) -> OpaqueBlock:
    return OpaqueBlock("adf", identity(node), fallback, origin=Origin("adf", node))


_READERS: dict[str, Callable[[Node, int], Block]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _task_list,
    "table": _table,
    "codeBlock": _code,
    "blockquote": _quote,
    "panel": _panel,
    "expand": _expand,
    "nestedExpand": _expand,
    "rule": _rule,
    "blockCard": _card,
    "embedCard": _card,
    "mediaSingle": _media_block,
    "mediaGroup": _media_block,
    "decisionList": _decisions,
}
