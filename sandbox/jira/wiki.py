"""Wiki markup to ADF: what Jira does with the strings of REST v2.

Called when a v2 request sets a description or a comment; `sandbox.jira.wiki_text` is the way back. Knows headings,
lists, code, quotes, rules, links and the usual marks; anything else stays text. Plain prose survives both ways.
"""

from __future__ import annotations

import re

from sandbox.jira.model import JsonObject

BLOCK_START = re.compile(r"(?:[*#]+ |h[1-6]\. |----$|\{(?:code|quote)[:}])")
_LIST_LINE = re.compile(r"([*#]+) (.*)")
_HEADING = re.compile(r"h([1-6])\. (.*)")
_CODE_OPEN = re.compile(r"\{code(?::([\w+#-]*))?\}$")
_MARK_CHARS = {"*": "strong", "_": "em", "+": "underline", "-": "strike"}
INLINE = re.compile(
    r"\\(?P<escaped>[*_+\-{}\[\]#h|])"
    r"|(?P<backslash>&#92;)"
    r"|\{\{(?P<code>[^\n{}]+)\}\}"
    r"|\[(?:(?P<label>[^\]|\n\[]+)\|)?(?P<href>(?:https?://|mailto:)[^\]\s|]+)\]"
    r"|(?<!\w)(?P<mark>[*_+\-])(?P<inner>[^\s*_+\-](?:[^\n*_+]*?[^\s*_+\-])?)(?P=mark)(?!\w)"
)


def from_wiki(text: str) -> JsonObject:
    """Return the document that a wiki string means."""
    blocks: list[object] = []
    lines = text.replace("\r\n", "\n").split("\n")
    at = blank = 0
    while at < len(lines):
        if not lines[at]:
            blank += 1
            at += 1
            continue
        at, block = _block(lines, at)
        if block["type"] == "paragraph":
            extra = blank - 1 if blocks else blank
            content: list[object] = [{"type": "hardBreak"}] * max(0, extra)
            block = {"type": "paragraph", "content": content + _list(block["content"])}
        blocks.append(block)
        blank = 0
    if blank and blocks:
        last = blocks[-1]
        if isinstance(last, dict) and last["type"] == "paragraph":
            last["content"] = [*_list(last["content"]), *([{"type": "hardBreak"}] * blank)]
    return {"type": "doc", "version": 1, "content": blocks or [{"type": "paragraph", "content": []}]}


def _list(data: object) -> list[object]:
    return data if isinstance(data, list) else []


def _block(lines: list[str], at: int) -> tuple[int, JsonObject]:
    """Return the block that starts at line `at`, and the line after it."""
    line = lines[at]
    if (opened := _CODE_OPEN.match(line)) and "{code}" in lines[at + 1 :]:
        end = lines.index("{code}", at + 1)
        code = "\n".join(lines[at + 1 : end])
        block: JsonObject = {"type": "codeBlock", "content": [{"type": "text", "text": code}] if code else []}
        if opened[1]:
            block["attrs"] = {"language": opened[1]}
        return end + 1, block
    if line == "{quote}" and "{quote}" in lines[at + 1 :]:
        end = lines.index("{quote}", at + 1)
        return end + 1, {"type": "blockquote", "content": [_paragraph(lines[at + 1 : end])]}
    if line == "----":
        return at + 1, {"type": "rule"}
    if heading := _HEADING.match(line):
        return at + 1, {"type": "heading", "attrs": {"level": int(heading[1])}, "content": inline(heading[2])}
    if _LIST_LINE.match(line):
        end = at
        entries: list[tuple[str, str]] = []
        while end < len(lines) and (found := _LIST_LINE.match(lines[end])):
            entries.append((found[1], found[2]))
            end += 1
        return end, _bullets(entries, 0)
    end = at + 1
    while end < len(lines) and lines[end] and not BLOCK_START.match(lines[end]):
        end += 1
    return end, _paragraph(lines[at:end])


def _paragraph(lines: list[str]) -> JsonObject:
    content: list[object] = []
    for number, line in enumerate(lines):
        if number:
            content.append({"type": "hardBreak"})
        content.extend(inline(line))
    return {"type": "paragraph", "content": content}


def _bullets(entries: list[tuple[str, str]], depth: int) -> JsonObject:
    """Return the list of consecutive list lines; a deeper line belongs to the item above it."""
    items: list[object] = []
    at = 0
    while at < len(entries):
        end = at + 1
        while end < len(entries) and len(entries[end][0]) > depth + 1:
            end += 1
        content: list[object] = [{"type": "paragraph", "content": inline(entries[at][1])}]
        if end > at + 1:
            content.append(_bullets(entries[at + 1 : end], depth + 1))
        items.append({"type": "listItem", "content": content})
        at = end
    marker = entries[0][0][min(depth, len(entries[0][0]) - 1)]
    return {"type": "bulletList" if marker == "*" else "orderedList", "content": items}


def inline(text: str, marks: tuple[JsonObject, ...] = ()) -> list[object]:
    """Return one line of wiki text as text nodes with marks."""
    nodes: list[object] = []
    plain: list[str] = []
    at = 0

    def flush() -> None:
        if joined := "".join(plain):
            nodes.append({"type": "text", "text": joined, **({"marks": list(marks)} if marks else {})})
        plain.clear()

    for found in INLINE.finditer(text):
        plain.append(text[at : found.start()])
        at = found.end()
        if found["escaped"]:
            plain.append(found["escaped"])
        elif found["backslash"]:
            plain.append("\\")
        elif found["code"]:
            flush()
            nodes.append({"type": "text", "text": found["code"], "marks": [{"type": "code"}]})
        elif found["href"]:
            flush()
            link: JsonObject = {"type": "link", "attrs": {"href": found["href"]}}
            nodes.extend(inline(found["label"] or found["href"], (*marks, link)))
        else:
            flush()
            nodes.extend(inline(found["inner"], (*marks, {"type": _MARK_CHARS[found["mark"]]})))
    plain.append(text[at:])
    flush()
    return nodes
