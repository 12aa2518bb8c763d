"""ADF to wiki markup: what REST v2 and webhooks show of a document.

Called once per write of a rich text, never per read. Unknown nodes show the text inside them. Text that would be read
as markup is escaped with a backslash, as Jira does, and only that.
"""

from __future__ import annotations

import re
from itertools import groupby

from sandbox.jira.model import JsonObject, RichText
from sandbox.jira.wiki import BLOCK_START, INLINE, from_wiki, inline

_SPECIAL = re.compile(r"[*_+\-{}\[\]#h|\\&]")
_ALL_SPECIAL = re.compile(r"[*_+\-{}\[\]|]")
_BACKSLASH = re.compile(r"\\(?=[*_+\-{}\[\]#h|])")
_WRAP = {"strong": "*", "em": "_", "underline": "+", "strike": "-"}


def rich_from_adf(document: JsonObject) -> RichText:
    """Return a document with its wiki form."""
    return RichText(document, to_wiki(document))


def rich_from_wiki(text: str) -> RichText:
    """Return a wiki string with its document."""
    document = from_wiki(text)
    return RichText(document, to_wiki(document))


def to_wiki(document: JsonObject) -> str:
    """Return the wiki string of a document."""
    return "\n\n".join(_block(node, "") for node in _children(document))


def _children(node: JsonObject) -> list[JsonObject]:
    content = node.get("content")
    return [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []


def _attr(node: JsonObject, name: str) -> object:
    attrs = node.get("attrs")
    return attrs.get(name) if isinstance(attrs, dict) else None


def _block(node: JsonObject, bullet: str) -> str:
    match node.get("type"):
        case "paragraph":
            return _inline(node)
        case "heading":
            return f"h{_attr(node, 'level')}. {_inline(node)}"
        case "bulletList":
            return "\n".join(_item(child, bullet + "*") for child in _children(node))
        case "orderedList":
            return "\n".join(_item(child, bullet + "#") for child in _children(node))
        case "codeBlock":
            language = _attr(node, "language")
            code = "".join(str(child.get("text", "")) for child in _children(node))
            return f"{{code:{language}}}\n{code}\n{{code}}" if language else f"{{code}}\n{code}\n{{code}}"
        case "blockquote":
            return "{quote}\n" + "\n".join(_block(child, "") for child in _children(node)) + "\n{quote}"
        case "rule":
            return "----"
        case _:
            return "\n".join(_block(child, bullet) if "content" in child else _leaf(child) for child in _children(node))


def _item(node: JsonObject, bullet: str) -> str:
    lines = []
    for child in _children(node):
        if child.get("type") in ("bulletList", "orderedList"):
            lines.append(_block(child, bullet))
        elif not lines:
            lines.append(f"{bullet} {_block(child, '')}")
        else:
            lines.append(_block(child, ""))
    return "\n".join(lines)


def _inline(node: JsonObject) -> str:
    text = _run([(child, _marks(child)) for child in _children(node)], 0)
    return "\n".join("\\" + line if BLOCK_START.match(line) else line for line in text.split("\n"))


def _marks(node: JsonObject) -> list[JsonObject]:
    marks = node.get("marks")
    return [mark for mark in marks if isinstance(mark, dict)] if isinstance(marks, list) else []


def _run(nodes: list[tuple[JsonObject, list[JsonObject]]], depth: int) -> str:
    """Return neighbours with the same mark inside one pair of signs."""
    parts: list[str] = []
    for mark, group in groupby(nodes, key=lambda one: one[1][depth] if len(one[1]) > depth else None):
        if mark is None:
            parts.extend(_leaf(node) for node, _ in group)
        else:
            parts.append(_wrapped(mark, list(group), depth))
    return "".join(parts)


def _wrapped(mark: JsonObject, nodes: list[tuple[JsonObject, list[JsonObject]]], depth: int) -> str:
    kind = str(mark.get("type"))
    if kind == "code":
        return f"{{{{{''.join(str(node.get('text', '')) for node, _ in nodes)}}}}}"
    text = _run(nodes, depth + 1)
    if kind == "link":
        href = _attr(mark, "href")
        return f"[{href}]" if text == href else f"[{text}|{href}]"
    return f"{_WRAP[kind]}{text}{_WRAP[kind]}" if kind in _WRAP else text


def _leaf(node: JsonObject) -> str:
    match node.get("type"):
        case "text":
            return escape(str(node.get("text", "")))
        case "hardBreak":
            return "\n"
        case "mention":
            return f"[~accountid:{_attr(node, 'id')}]"
        case "inlineCard":
            return f"[{_attr(node, 'url')}]"
        case _:
            return str(_attr(node, "text") or _attr(node, "shortName") or "")


def escape(text: str) -> str:
    """Return text so that it reads as itself in wiki markup, with as few backslashes as possible."""
    if not _SPECIAL.search(text):
        return text
    safe = _BACKSLASH.sub("&#92;", text)
    light = INLINE.sub(lambda found: found[0] if found["backslash"] else "\\" + found[0], safe)
    if _reads_as(light, text):
        return light
    return _ALL_SPECIAL.sub(lambda found: "\\" + found[0], safe)


def _reads_as(wiki: str, text: str) -> bool:
    return all(
        inline(one) == ([{"type": "text", "text": two}] if two else [])
        for one, two in zip(wiki.split("\n"), text.split("\n"), strict=True)
    )
