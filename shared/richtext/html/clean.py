"""What is markup in a string, and HTML without what could run or load. Pure.

Gone are scripts, styles, event attributes and addresses that Jira's editor does not take for safe.
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import PreformattedString, Tag

from shared.richtext.text import safe_url, web_url

BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "html", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
})  # fmt: skip
_GONE = frozenset({"script", "style", "head", "template", "noscript", "meta", "link", "base", "title", "svg", "math"})
_LINKS = frozenset({"href", "cite"})
_LOADED = frozenset({"src", "action", "formaction", "poster", "background", "data"})
_EMPTY = frozenset({"meta", "link", "base"})
_PICTURES = ("data:image/png", "data:image/jpeg", "data:image/gif")
_RISKY_STYLE = re.compile(r"url\s*\(|expression|javascript|@import|behavior", re.IGNORECASE)


_LINE = frozenset({
    "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "br", "button", "canvas", "cite", "code", "col",
    "colgroup", "data", "datalist", "del", "dfn", "em", "embed", "font", "hgroup", "i", "iframe", "img", "input", "ins",
    "kbd", "label", "legend", "map", "area", "mark", "menu", "meter", "object", "optgroup", "option", "output", "param",
    "picture", "progress", "q", "rp", "rt", "ruby", "s", "samp", "search", "select", "slot", "small", "source", "span",
    "strike", "strong", "sub", "sup", "textarea", "time", "track", "tt", "u", "var", "video", "wbr",
})  # fmt: skip
_VOID = frozenset({"br", "hr", "img", "input"})
_TAG = re.compile(r"<(/?)([A-Za-z][^\s/<>]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_TAG_OR_SIGN = re.compile(rf"{_TAG.pattern}|<(?=[A-Za-z])")
_ENTITY = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]\w*);")
_PREFIXED = re.compile(r"[a-z]\w*:[a-z]\w*")


def is_markup(source: str) -> bool:
    """Tell whether a string is HTML: it closes an element that HTML knows, has one that needs no end, or an entity.

    A word in angle brackets (`<region>`, `<script>`, `<ann@x.example>`) makes no markup of a text.
    """
    names = ((found[1], found[2].lower()) for found in _TAG.finditer(source))
    known = any(name in _VOID or (closes and name in BLOCKS | _LINE) for closes, name in names)
    return known or _ENTITY.search(source) is not None


def _literal(source: str) -> str:
    """Return HTML in which tags of no element that HTML knows, and scripts without an end, are words.

    A browser would show nothing of them. Names with a prefix are what word processors leave behind: they stay tags.
    """
    low = source.lower()

    def told(found: re.Match[str]) -> str:
        name = (found[2] or "").lower()
        if name in BLOCKS or name in _LINE or _PREFIXED.fullmatch(name):
            return found[0]
        if name in _GONE and (found[1] or name in _EMPTY or f"</{name}" in low[found.end() :]):
            return found[0]
        return f"&lt;{found[0][1:]}"

    return _TAG_OR_SIGN.sub(told, source) if "<" in source else source


def cleaned(source: str) -> tuple[BeautifulSoup, frozenset[int]]:
    """Return an HTML source as a clean tree, and the `id()`s of its elements that hold a block."""
    soup = BeautifulSoup(_literal(source), "html.parser")
    holders: set[int] = set()
    nodes = list(soup.descendants)
    for node in nodes:
        if isinstance(node, Tag):
            if node.name in _GONE:
                node.extract()
                continue
            _clean_attributes(node)
            if node.name in BLOCKS:
                _mark_holders(node, holders)
        elif isinstance(node, PreformattedString):
            node.extract()  # comments, doctypes, processing instructions
    return soup, frozenset(holders)


def _mark_holders(tag: Tag, holders: set[int]) -> None:
    for parent in tag.parents:
        if id(parent) in holders:
            return
        holders.add(id(parent))


def _clean_attributes(tag: Tag) -> None:
    if not tag.attrs:
        return
    for name in list(tag.attrs):
        value = tag.attrs[name]
        text = value if isinstance(value, str) else " ".join(value or ())
        low = name.lower()
        if low == "style":
            unsafe = _RISKY_STYLE.search(text) is not None
        elif low in _LINKS or low.endswith(":href"):
            unsafe = safe_url(text) is None
        elif low in _LOADED:
            unsafe = web_url(text) is None and not _picture(tag, low, text)
        else:
            unsafe = low.startswith("on") or low in ("srcdoc", "srcset")
        if unsafe:
            del tag.attrs[name]


def _picture(tag: Tag, name: str, value: str) -> bool:
    """Tell whether this is a picture that stands in the page itself: it loads nothing and runs nothing."""
    return tag.name == "img" and name == "src" and value.strip().lower().startswith(_PICTURES)
