"""Files and macros that an edit elsewhere took out of a document: Jira keeps them, for their nodes stay. Pure.

Jira may delete a file once no node shows it, and nobody elsewhere sees the settings of a macro: so nobody there can
have meant them. Their nodes are put into an expand at the end, which says what it is, and which is not shown on the
other side.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from shared.richtext.adf.inlines import attrs_of, content_of, kind_of

Node = Mapping[str, Any]
TITLE = "Files and macros that were taken out in Craft.io"
_FILES = frozenset({"media", "mediaInline"})
_MACROS = frozenset({"extension", "inlineExtension"})
_HOLDERS = frozenset({"mediaGroup", "paragraph", "extension"})
"""What stands in the expand: files, macros of lines, macros."""
_NOT_SAID = frozenset({"localId", "text"})


def is_kept_here(node: Node) -> bool:
    """Tell whether a node is the expand of what was taken out. If somebody put more into it, it is none."""
    kept = attrs_of(node).get("title") == TITLE and kind_of(node) == "expand"
    return kept and all(
        kind_of(child) in _HOLDERS
        and (kind_of(child) != "paragraph" or all(kind_of(part) in _MACROS for part in content_of(child)))
        for child in content_of(node)
        if isinstance(child, Mapping)
    )


def with_all_of(new: Node | None, old: Node | None) -> Node | None:
    """Return a document in which each file and each macro of the old one still has a node; itself if that is so."""
    if old is None:
        return new
    here = Counter(map(_ident, _kept_nodes(new)))
    files = set(here)
    missing: list[Node] = []
    for node in _kept_nodes(old):
        ident = _ident(node)
        if here[ident] > 0:
            here[ident] -= 1
        elif kind_of(node) in _MACROS or ident not in files:
            files.add(ident)
            missing.append(node)
    if not missing:
        return new
    content = list(content_of(new)) if new is not None else []
    for index, each in enumerate(content):
        if isinstance(each, Mapping) and is_kept_here(each):
            missing = [*_kept_nodes(each), *missing]
            del content[index]
            break
    expand = {"type": "expand", "attrs": {"title": TITLE}, "content": list(_held(missing))}
    return {"type": "doc", "version": 1, **(new or {}), "content": [*content, expand]}


def kept_names(document: Node | None) -> Counter[str]:
    """Return what was taken out of a document, as people call it."""
    nodes = content_of(document) if document is not None else ()
    kept = [node for node in nodes if isinstance(node, Mapping) and is_kept_here(node)]
    return Counter(_name(node) for expand in kept for node in _kept_nodes(expand))


def _name(node: Node) -> str:
    attrs = attrs_of(node)
    if kind_of(node) in _FILES:
        return str(attrs.get("alt") or "a file")
    return f"the macro “{attrs['text']}”" if isinstance(attrs.get("text"), str) and attrs["text"] else "a macro"


def _ident(node: Node) -> str:
    """Return what tells a file or a macro from another one; the words that a macro shows may change."""
    attrs = attrs_of(node)
    if kind_of(node) in _FILES:
        return str(attrs["id"])
    said = {key: value for key, value in attrs.items() if key not in _NOT_SAID}
    return json.dumps([kind_of(node), said], sort_keys=True, default=str)


def _kept_nodes(root: object) -> Iterator[Node]:
    """Return all nodes that show a file of Jira's own or a macro without a body, in their order."""
    left: list[object] = [root]
    while left:
        node = left.pop()
        if not isinstance(node, Mapping):
            continue
        kind = kind_of(node)
        if kind in _MACROS or (kind in _FILES and isinstance(attrs_of(node).get("id"), str)):
            yield node
        left.extend(reversed(content_of(node)))


def _held(nodes: list[Node]) -> Iterator[Node]:
    """Return the content of the expand: files in a group, and each macro as it may stand there."""
    files = [_in_a_group(node) for node in nodes if kind_of(node) in _FILES]
    if files:
        yield {"type": "mediaGroup", "content": files}
    for node in nodes:
        if kind_of(node) == "extension":
            yield node
        elif kind_of(node) == "inlineExtension":
            yield {"type": "paragraph", "content": [node]}


def _in_a_group(file: Node) -> Node:
    """Return a file as it may stand in a group: a file in a line is a node of another type."""
    if kind_of(file) == "media":
        return file
    own = {key: value for key, value in attrs_of(file).items() if key != "data"}
    marks = {"marks": file["marks"]} if "marks" in file else {}
    return {"type": "media", "attrs": {"collection": "", **own, "type": "file"}, **marks}
