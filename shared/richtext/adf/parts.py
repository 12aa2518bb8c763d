"""Nodes of ADF that show nothing but their parts: which these may be, and what is left of a node without some. Pure.

A picture with its caption, a list of decisions, a layout with its columns, a macro with a body: on the other side there
are only the parts, one after the other, and people edit these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.richtext.adf.fit import is_part
from shared.richtext.adf.inlines import attrs_of, kind_of
from shared.richtext.model import Block, OpaqueBlock, Origin, Paragraph, Text
from shared.richtext.readable import DECISION

_FILES = frozenset({"mediaSingle", "mediaGroup"})
_GONE_WHEN_EMPTY = frozenset({*_FILES, "decisionList", "layoutSection"})
_SEVERAL = frozenset({"mediaGroup", "decisionList"})
"""Of what stands between their parts they are parted in two."""


def kind(node: OpaqueBlock) -> str:
    """Return the type of a node, "" if it is none of ADF."""
    return kind_of(node.origin.source) if node.origin is not None and node.language == "adf" else ""


def has_parts(block: Block) -> bool:
    """Tell whether a block is a node that shows its parts, each by itself."""
    return isinstance(block, OpaqueBlock) and any(part.origin is not None for part in block.fallback)


def holds(node: OpaqueBlock, part: Block) -> bool:
    """Tell whether a block may be a part of a node."""
    match kind(node):
        case "mediaSingle" | "mediaGroup" as name:
            caption = name == "mediaSingle" and isinstance(part, Paragraph) and is_part(part)
            return caption or (isinstance(part, OpaqueBlock) and kind(part) == "media")
        case "decisionList":
            return is_decision(part)
        case "layoutSection":
            return isinstance(part, OpaqueBlock) and kind(part) == "layoutColumn"
        case _:
            return not is_part(part)


def is_decision(block: Block) -> bool:
    """Tell whether a line reads as a decision."""
    first = block.inlines[0] if isinstance(block, Paragraph) and block.inlines else None
    return isinstance(first, Text) and (first.text == DECISION or first.text.startswith(f"{DECISION} "))


def wants(node: OpaqueBlock, part: Block) -> bool:
    """Tell whether a line beside a node belongs to it by what it says."""
    return kind(node) == "decisionList" and is_decision(part) and not is_part(part)


def stays_empty(node: OpaqueBlock) -> bool:
    """Tell whether a node means something without any part: an app's macro, whose settings nobody sees elsewhere."""
    return kind(node) not in {"", "layoutColumn", *_GONE_WHEN_EMPTY}


def rebuilt(node: OpaqueBlock, parts: Sequence[Block], *, again: bool) -> tuple[Block, ...]:
    """Return a node with the parts that there are now, or the parts alone where it can no longer be.

    `again`: the node stands already, before what was put between its parts.
    """
    name, origin = kind(node), node.origin
    if not again and len(parts) == len(node.fallback) and all(map(_is, parts, node.fallback)):
        return (node,)
    if name == "layoutSection":
        parts = _columns(node, parts)
    files = any(isinstance(part, OpaqueBlock) and kind(part) == "media" for part in parts)
    if node.language == "html" and origin is not None and parts and not again:
        return (replace(node, fallback=tuple(parts), origin=Origin("html", origin.source, whole=False)),)
    if not name or origin is None or (again and name not in _SEVERAL) or (name in _FILES and not files):
        return loose(parts)
    if not parts and name in _GONE_WHEN_EMPTY:
        return ()
    source = origin.source
    if again and "localId" in attrs_of(source):
        source = {**source, "attrs": {**attrs_of(source), "localId": f"{attrs_of(source)['localId']}-2"}}
    return (replace(node, fallback=tuple(parts), origin=Origin("adf", source, whole=False)),)


def alone_in(node: OpaqueBlock, part: Block) -> OpaqueBlock | None:
    """Return a node with one of its files only, None if this part can stand without it."""
    if kind(node) not in _FILES or node.origin is None:
        return None
    return replace(node, fallback=(part,), origin=Origin("adf", node.origin.source, whole=False))


def _is(one: Block, other: Block) -> bool:
    return one is other


def _columns(layout: OpaqueBlock, parts: Sequence[Block]) -> Sequence[Block]:
    """Return all columns of a layout: one of which nothing is left stays, empty, as long as there is another."""
    if not parts:
        return ()
    left = list(parts)
    columns: list[Block] = []
    for column in layout.fallback:
        if left and left[0].origin is not None and column.origin is not None:
            same = left[0].origin.source is column.origin.source
        else:
            same = False
        if same:
            columns.append(left.pop(0))
        elif isinstance(column, OpaqueBlock) and column.origin is not None:
            columns.append(replace(column, fallback=(), origin=Origin("adf", column.origin.source, whole=False)))
    return (*columns, *left)


def loose(parts: Sequence[Block]) -> tuple[Block, ...]:
    """Return parts outside of their node: a caption is a line like any other."""
    return tuple(replace(part, origin=None) if is_part(part) else part for part in parts)
