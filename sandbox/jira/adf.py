"""Atlassian Document Format: the check that Jira makes before it accepts a document.

Called by `sandbox.jira.values` for REST v3. Knows the nodes that Jira's editor writes in descriptions; anything else,
and an empty text node, is INVALID_INPUT as in Jira.
"""

from __future__ import annotations

from sandbox.jira.model import JsonObject

_CAPTION = frozenset({"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "placeholder"})
_INLINE = _CAPTION | {"inlineExtension", "mediaInline"}
_NESTED = frozenset(
    {"paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "rule", "panel", "table"}
    | {"mediaSingle", "mediaGroup", "taskList", "decisionList", "extension", "blockCard", "embedCard"}
)
"""What may stand in an expand, a macro or a cell (but a table in a cell)."""
_BLOCK = _NESTED | {"expand", "bodiedExtension", "layoutSection", "syncBlock"}
_CHILDREN: dict[str, frozenset[str]] = {
    "doc": _BLOCK,
    "paragraph": _INLINE,
    "heading": _INLINE,
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "listItem": frozenset(
        {"paragraph", "bulletList", "orderedList", "taskList", "codeBlock", "mediaSingle", "extension"}
    ),
    "codeBlock": frozenset({"text"}),
    "blockquote": frozenset(
        {"paragraph", "bulletList", "orderedList", "codeBlock", "mediaSingle", "mediaGroup", "extension"}
    ),
    "panel": _NESTED - {"blockquote", "panel", "embedCard", "table"},
    "expand": _NESTED | {"nestedExpand"},
    "nestedExpand": _NESTED - {"blockCard", "embedCard", "table"},
    "bodiedExtension": _NESTED,
    "layoutSection": frozenset({"layoutColumn"}),
    "layoutColumn": _BLOCK - {"layoutSection", "syncBlock"},
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableCell", "tableHeader"}),
    "tableCell": (_NESTED | {"nestedExpand"}) - {"table"},
    "tableHeader": (_NESTED | {"nestedExpand"}) - {"table"},
    "taskList": frozenset({"taskItem", "blockTaskItem", "taskList"}),
    "taskItem": _INLINE,
    "blockTaskItem": frozenset({"paragraph", "extension"}),
    "decisionList": frozenset({"decisionItem"}),
    "decisionItem": _INLINE,
    "mediaSingle": frozenset({"media", "caption"}),
    "mediaGroup": frozenset({"media"}),
    "caption": _CAPTION,
}
_NEEDS_CHILDREN = frozenset({"bulletList", "orderedList", "listItem", "blockquote", "table", "tableRow", "panel"})
_LEAVES = (_INLINE - {"text"}) | {"rule", "media", "extension", "blockCard", "embedCard", "syncBlock"}
_MARKS = frozenset(
    {"strong", "em", "code", "underline", "strike", "link", "subsup", "textColor", "backgroundColor", "alignment"}
    | {"annotation"}
)
_MAX_DEPTH = 60
_MAX_HEADING = 6


def is_document(data: object) -> bool:
    """Return whether `data` claims to be a document at all; a string or another object gets another error in Jira."""
    return isinstance(data, dict) and data.get("type") == "doc"


def valid(document: object) -> bool:
    """Return whether Jira would accept the document."""
    return (
        isinstance(document, dict)
        and document.get("type") == "doc"
        and document.get("version") == 1
        and isinstance(document.get("content"), list)
        and set(document) <= {"type", "version", "content"}
        and _valid_node(document, 0)
    )


def _valid_node(node: JsonObject, depth: int) -> bool:
    kind = node.get("type")
    if depth > _MAX_DEPTH or not isinstance(kind, str):
        return False
    if kind == "text":
        return _valid_text(node)
    if kind in _LEAVES:
        return "content" not in node
    allowed = _CHILDREN.get(kind)
    content = node.get("content", [])
    if allowed is None or not isinstance(content, list) or (kind in _NEEDS_CHILDREN and not content):
        return False
    if kind == "heading" and not _valid_heading(node):
        return False
    return all(
        isinstance(child, dict) and child.get("type") in allowed and _valid_node(child, depth + 1) for child in content
    )


def _valid_heading(node: JsonObject) -> bool:
    attrs = node.get("attrs")
    level = attrs.get("level") if isinstance(attrs, dict) else None
    return isinstance(level, int) and 1 <= level <= _MAX_HEADING


def _valid_text(node: JsonObject) -> bool:
    text = node.get("text")
    if not isinstance(text, str) or not text or not set(node) <= {"type", "text", "marks"}:
        return False
    marks = node.get("marks", [])
    if not isinstance(marks, list):
        return False
    names = [mark.get("type") if isinstance(mark, dict) else None for mark in marks]
    return all(name in _MARKS for name in names) and not (
        "code" in names and set(names) - {"code", "link", "annotation"}
    )


def paragraphs(text: str) -> JsonObject:
    """Return plain text as a document: blank lines part paragraphs, line ends become hard breaks."""
    blocks: list[object] = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        inline: list[object] = []
        for number, line in enumerate(block.split("\n")):
            if number:
                inline.append({"type": "hardBreak"})
            if line:
                inline.append({"type": "text", "text": line})
        blocks.append({"type": "paragraph", "content": inline})
    return {"type": "doc", "version": 1, "content": blocks}
