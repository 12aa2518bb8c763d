"""Files that an edit elsewhere took out of a document: Jira keeps them, for their nodes stay. Pure.

Jira may delete a file once no node shows it, and nothing is deleted for anybody. So the nodes are put into an expand
at the end, which says what it is, and which is not shown on the other side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.richtext.adf.inlines import attrs_of, content_of, kind_of

Node = Mapping[str, Any]
TITLE = "Files that were taken out in Craft.io"
_FILES = frozenset({"media", "mediaInline"})


def is_kept_here(node: Node) -> bool:
    """Tell whether a node is the expand of files that were taken out. If somebody put more into it, it is none."""
    kept = attrs_of(node).get("title") == TITLE and kind_of(node) == "expand"
    return kept and all(kind_of(child) == "mediaGroup" for child in content_of(node))


def with_files_of(new: Node | None, old: Node | None) -> Node | None:
    """Return a document in which each file of the old one still has a node; itself if that is so already."""
    if old is None:
        return new
    here = {_id(file) for file in _files(new)}
    missing: list[Node] = []
    for file in _files(old):
        if _id(file) not in here:
            here.add(_id(file))
            missing.append(_in_a_group(file))
    if not missing:
        return new
    content = list(content_of(new)) if new is not None else []
    for index, node in enumerate(content):
        if isinstance(node, Mapping) and is_kept_here(node):
            missing = [*_files(node), *missing]
            del content[index]
            break
    expand = {"type": "expand", "attrs": {"title": TITLE}, "content": [{"type": "mediaGroup", "content": missing}]}
    return {"type": "doc", "version": 1, **(new or {}), "content": [*content, expand]}


def kept_files(document: Node | None) -> dict[str, str]:
    """Return the files that were taken out of a document, by their ids, as people call them."""
    nodes = content_of(document) if document is not None else ()
    kept = [node for node in nodes if isinstance(node, Mapping) and is_kept_here(node)]
    return {str(_id(file)): str(attrs_of(file).get("alt") or "a file") for node in kept for file in _files(node)}


def _id(file: Node) -> object:
    return attrs_of(file)["id"]


def _files(root: object) -> Iterator[Node]:
    """Return all nodes that show a file of Jira's own, in their order."""
    left: list[object] = [root]
    while left:
        node = left.pop()
        if not isinstance(node, Mapping):
            continue
        if kind_of(node) in _FILES and isinstance(attrs_of(node).get("id"), str):
            yield node
        left.extend(reversed(content_of(node)))


def _in_a_group(file: Node) -> Node:
    """Return a file as it may stand in a group: a file in a line is a node of another type."""
    if kind_of(file) == "media":
        return file
    own = {key: value for key, value in attrs_of(file).items() if key != "data"}
    marks = {"marks": file["marks"]} if "marks" in file else {}
    return {"type": "media", "attrs": {"collection": "", **own, "type": "file"}, **marks}
