"""Model -> ADF that validates against Atlassian's published schema. Pure.

Nodes that came from ADF and did not change are given back word by word; of those whose content changed, the node's own
attributes (layout, width, local id) stay. Local ids of new nodes are made from their content: ADF wants them, no
person sees them, and the same document always gives the same ADF.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, assert_never

from shared.richtext.adf.fit import ROOMY, fit_adf
from shared.richtext.adf.inlines import content_of, kind_of, read_inlines, reworded
from shared.richtext.adf.marks import write_marks
from shared.richtext.canonical import canonical_inlines, kept, tidied, trimmed
from shared.richtext.model import (
    Block,
    Break,
    Card,
    Cell,
    CodeBlock,
    Date,
    Document,
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
from shared.richtext.readable import DECISION, plainer_inlines, words_of

Node = dict[str, Any]
_EMPTY: Node = {"type": "paragraph", "content": []}
_STATUS_COLORS = frozenset({"neutral", "purple", "blue", "red", "yellow", "green"})


def to_adf(document: Document) -> Node:
    """Return the document as an ADF `doc` node. What ADF cannot hold is made readable first."""
    return {"type": "doc", "version": 1, "content": _blocks(fit_adf(tidied(document.blocks, "adf")))}


def _kept(origin: Origin | None, *kinds: str) -> Node | None:
    """Return a node to be given back as it was, if it is of one of these types (or of any, if none is named)."""
    node = kept(origin, "adf")
    return node if isinstance(node, dict) and (not kinds or node.get("type") in kinds) else None


def _framed(kind: str, origin: Origin | None, **attrs: object) -> Node:
    """Return a node with the attributes and marks of the one that it comes from, if it is of the same type."""
    node: Node = {"type": kind}
    source = origin.source if origin is not None and origin.language == "adf" else None
    own = source if isinstance(source, Mapping) and source.get("type") == kind else {}
    if "attrs" in own or attrs:
        node["attrs"] = {**own.get("attrs", {}), **attrs}
    if own.get("marks"):
        node["marks"] = own["marks"]
    return node


def _blocks(blocks: Iterable[Block], *, nested: bool = False) -> list[Node]:
    return [_block(block, nested=nested) for block in blocks]


def _some(blocks: Iterable[Block]) -> list[Node]:
    """Return the content of a container that may not be empty."""
    return _blocks(blocks, nested=True) or [_EMPTY]


def _block(block: Block, *, nested: bool) -> Node:
    node = _kept(block.origin)
    if node is not None:
        return node
    match block:
        case Paragraph():
            return {**_framed("paragraph", block.origin), "content": inline_nodes(block.inlines)}
        case Heading():
            level = min(6, max(1, block.level))
            return {**_framed("heading", block.origin, level=level), "content": inline_nodes(block.inlines)}
        case Listing():
            return _list(block)
        case Tasks():
            return _task_list(block.items, block.origin)
        case Table():
            return {**_framed("table", block.origin), "content": [_row(row) for row in block.rows]}
        case CodeBlock():
            attrs = {"language": block.language} if block.language else {}
            text = [{"type": "text", "text": block.text}] if block.text else []
            return {**_framed("codeBlock", block.origin, **attrs), "content": text}
        case Quote():
            return {**_framed("blockquote", block.origin), "content": _some(block.blocks)}
        case Panel():
            return {**_framed("panel", block.origin, panelType=block.kind), "content": _some(block.blocks)}
        case Expand():
            kind = "nestedExpand" if nested else "expand"
            node = _framed(kind, block.origin)
            own = node.get("attrs", {})
            attrs = {**own, "title": block.title} if block.title or "title" in own else own
            return {**node, **({"attrs": attrs} if attrs or nested else {}), "content": _some(block.blocks)}
        case Rule():
            return {"type": "rule"}
        case OpaqueBlock():
            return _refilled(block)
        case _:
            assert_never(block)


def _refilled(block: OpaqueBlock) -> Node:
    """Return a node with other parts than it had; `fit_adf` leaves none of another language."""
    source = block.origin.source if block.origin is not None else None
    if not isinstance(source, Mapping):
        return _EMPTY
    kind = kind_of(source)
    own = {key: value for key, value in source.items() if key != "content"}
    if kind == "decisionList":
        return {**own, "content": [_decision(part) for part in block.fallback]}
    if kind == "mediaSingle":
        return {
            **own,
            "content": [_caption(p) if isinstance(p, Paragraph) else _block(p, nested=True) for p in block.fallback],
        }
    if kind in ("mediaGroup", "layoutSection"):
        return {**own, "content": _blocks(block.fallback, nested=True)}
    return {**own, "content": _blocks(block.fallback, nested=kind not in ROOMY) or [_EMPTY]}


def _caption(line: Paragraph) -> Node:
    node = _kept(line.origin, "caption")
    return node or {**_framed("caption", line.origin), "content": inline_nodes(line.inlines)}


def _decision(line: Block) -> Node:
    """Return a decision from the line that shows it."""
    node = _kept(line.origin, "decisionItem")
    if node is not None or not isinstance(line, Paragraph):
        return node or {"type": "decisionItem", "attrs": {"localId": "", "state": "DECIDED"}}
    first, *others = canonical_inlines(line.inlines) or (Text(""),)
    told = replace(first, text=first.text.removeprefix(DECISION).lstrip()) if isinstance(first, Text) else first
    content = inline_nodes((told, *others))
    node = _framed("decisionItem", line.origin)
    return {
        **node,
        "attrs": {"localId": _local_id(content), "state": "DECIDED", **node.get("attrs", {})},
        "content": content,
    }


def _list(block: Listing) -> Node:
    kind, attrs = ("orderedList", {"order": block.start}) if block.ordered else ("bulletList", {})
    if block.start == 1:
        attrs = {}
    node = _framed(kind, block.origin, **attrs)
    return {**node, "content": [_item(item) for item in block.items]}


def _item(item: Item) -> Node:
    node = _kept(item.origin, "listItem")
    if node is not None:
        return node
    content = _some(item.blocks)
    first = content[0]["type"]
    if first not in ("paragraph", "codeBlock", "mediaSingle") and first != _first_kind(item.origin):
        content.insert(0, _EMPTY)  # older editors want a line of text first
    return {**_framed("listItem", item.origin), "content": content}


def _first_kind(origin: Origin | None) -> str:
    """Return with what a list item begins in ADF."""
    source = origin.source if origin is not None and origin.language == "adf" else None
    content = content_of(source) if isinstance(source, Mapping) else ()
    return kind_of(content[0]) if content else ""


def _task_list(tasks: tuple[Task, ...], origin: Origin | None) -> Node:
    node = _kept(origin)
    if node is not None:
        return node
    content: list[Node] = []
    for _, group in groupby(tasks, lambda task: id(task.within.source) if task.within else 0):
        together = tuple(group)
        if together[0].within is not None:
            loose = tuple(replace(task, within=None) for task in together)
            content.append(_task_list(loose, replace(together[0].within, whole=False)))
            continue
        for task in together:
            content.append(_task_item(task))
            if task.below:
                content.append(_task_list(task.below, task.below_origin))
    node = _framed("taskList", origin)
    return {**node, "attrs": {"localId": _local_id(content), **node.get("attrs", {})}, "content": content}


def _task_item(task: Task) -> Node:
    node = _kept(task.origin, "taskItem", "blockTaskItem")
    if node is not None:
        return node
    state = "DONE" if task.done else "TODO"
    source = task.origin.source if task.origin is not None and task.origin.language == "adf" else None
    if isinstance(source, Mapping) and kind_of(source) == "blockTaskItem":
        return {**_framed("blockTaskItem", task.origin, state=state), "content": _task_blocks(task.inlines, source)}
    content = inline_nodes(task.inlines)
    node = _framed("taskItem", task.origin, state=state)
    return {**node, "attrs": {"localId": _local_id(content), **node["attrs"]}, "content": content}


def _task_blocks(inlines: Iterable[Inline], source: Mapping[str, Any]) -> list[Node]:
    """Return the content of a task of paragraphs and macros, which are read with two breaks between them."""
    lines = [node for node in content_of(source) if isinstance(node, Mapping) and kind_of(node) == "paragraph"]
    own = iter([node for node in lines if trimmed(read_inlines(content_of(node)))])
    parts: list[list[Inline]] = [[]]
    for inline in inlines:
        parts[-1].append(inline)
        if len(parts[-1]) > 1 and all(isinstance(each, Break) for each in parts[-1][-2:]):
            parts.append([])
    return [node for part in parts for node in _task_blocks_of(trimmed(part), own)] or [_EMPTY]


def _task_blocks_of(part: Sequence[Inline], own: Iterator[Mapping[str, Any]]) -> Iterator[Node]:
    """Yield what stands between two such breaks; words beside those of a macro are its words."""
    sources = [(i, _kept(i.origin, "extension")) for i in part if isinstance(i, OpaqueInline)]
    macros = {id(inline): source for inline, source in sources if source is not None}
    words = "".join(each.text for each in plainer_inlines(part) if isinstance(each, Text)).strip()
    told = next((i for i in part if isinstance(i, OpaqueInline) and id(i) in macros and i.fallback.text), None)
    node = reworded(macros[id(told)], told.fallback, words, None) if told and words != told.fallback.text else None
    if told and node is not None:
        macros[id(told)] = dict(node)
        part = [inline for inline in part if not isinstance(inline, Text)]
    line: list[Inline] = []
    for inline in (*part, None):
        if inline is not None and id(inline) not in macros:
            line.append(inline)
            continue
        content = inline_nodes(trimmed(line))
        if content:
            yield {**{key: value for key, value in next(own, _EMPTY).items() if key != "content"}, "content": content}
        line.clear()
        if inline is not None:
            yield macros[id(inline)]


def _local_id(content: list[Node]) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:32]


def _row(row: Row) -> Node:
    node = _kept(row.origin, "tableRow")
    if node is not None:
        return node
    return {**_framed("tableRow", row.origin), "content": [_cell(cell) for cell in row.cells]}


def _cell(cell: Cell) -> Node:
    node = _kept(cell.origin, "tableCell", "tableHeader")
    if node is not None:
        return node
    node = _framed("tableHeader" if cell.header else "tableCell", cell.origin)
    own = node.get("attrs", {})
    spans = {"colspan": cell.colspan, "rowspan": cell.rowspan}
    spans = {name: span for name, span in spans.items() if span != 1 or own.get(name, 1) != 1}
    attrs = {"attrs": {**own, **spans}} if "attrs" in node or spans else {}
    return {"type": node["type"], **attrs, "content": _some(cell.blocks)}


def inline_nodes(inlines: Iterable[Inline]) -> list[Node]:
    """Return the nodes of what stands in a line; there are no empty texts among them."""
    nodes: list[Node] = []
    for inline in inlines:
        node = _inline(inline)
        last = nodes[-1] if nodes else {}
        if node is not None and node["type"] == last.get("type") == "text" and node.get("marks") == last.get("marks"):
            nodes[-1] = {**last, "text": last["text"] + node["text"]}
        elif node is not None:
            nodes.append(node)
    return nodes


def _inline(inline: Inline) -> Node | None:
    if isinstance(inline, Text):
        if not inline.text:
            return None
        marks = write_marks(inline.look, inline.own)
        return {"type": "text", "text": inline.text, **({"marks": marks} if marks else {})}
    if isinstance(inline, Break):
        return {"type": "hardBreak"}
    node = _kept(inline.origin)
    if node is not None:
        return node
    match inline:
        case Mention():
            text = {"text": words_of(inline).text} if inline.name else {}
            return {"type": "mention", "attrs": {"id": inline.id, **text}}
        case Emoji():
            text = {"text": inline.char} if inline.char else {}
            return {"type": "emoji", "attrs": {"shortName": inline.name, **text}}
        case Status():
            color = inline.color if inline.color in _STATUS_COLORS else "neutral"
            return {"type": "status", "attrs": {"text": inline.text, "color": color}}
        case Date():
            midnight = datetime.strptime(inline.day, "%Y-%m-%d").replace(tzinfo=UTC)
            return {"type": "date", "attrs": {"timestamp": str(int(midnight.timestamp() * 1000))}}
        case Card():
            return {"type": "inlineCard", "attrs": {"url": inline.url}}
        case OpaqueInline():
            return _inline(words_of(inline))
        case _:
            assert_never(inline)
