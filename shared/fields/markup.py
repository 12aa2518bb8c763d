"""Craft.io's HTML descriptions <-> text. Paragraphs are parted by an empty line, `<br>` is a line end, list items
get a dash.

Jira's side needs nothing: issues are read and written in v2 shapes, where a description is a string (ADR 0006).
"""

from __future__ import annotations

import html
import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "table"})
_LINES = frozenset({"div", "li", "tr"})
_LOOKS_LIKE_HTML = re.compile(r"<[a-zA-Z/!][^>]*>|&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);")


def html_to_text(source: str) -> str:
    """Return the text of an HTML fragment; a source without any tag or entity is text already."""
    if not _LOOKS_LIKE_HTML.search(source):
        return source
    parts: list[str] = []
    _walk(BeautifulSoup(source, "html.parser"), parts)
    return "".join(parts)


def _walk(node: PageElement, parts: list[str]) -> None:
    if type(node) is NavigableString:  # comments, doctypes and the like are its subclasses
        parts.append(re.sub(r"\s*\n\s*", " ", node) if node.find_parent("pre") is None else str(node))
        return
    if not isinstance(node, Tag):
        return
    if node.name in ("script", "style"):
        return
    if node.name == "br":
        parts.append("\n")
        return
    before, after = "", ""
    if node.name in _PARAGRAPHS:
        before = after = "\n\n"
    elif node.name in _LINES:
        before = after = "\n"
    _break(parts, before)
    if node.name == "li":
        parts.append("- ")
    for child in node.children:
        _walk(child, parts)
    _break(parts, after)


def _break(parts: list[str], wanted: str) -> None:
    """End the line (or paragraph) unless the text so far does; white space before a break is not text."""
    if not wanted:
        return
    text = "".join(parts).rstrip(" ")
    missing = len(wanted) - (len(text) - len(text.rstrip("\n")))
    parts[:] = [text + "\n" * max(0, missing)] if text else []


def text_to_html(text: str) -> str:
    """Return text as HTML paragraphs with line breaks, all of it escaped."""
    paragraphs = re.split(r"\n{2,}", text.strip("\n"))
    return "".join(f"<p>{html.escape(p, quote=False).replace(chr(10), '<br>')}</p>" for p in paragraphs)
