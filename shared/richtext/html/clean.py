"""HTML without what could run or load: scripts, styles, event attributes, addresses of other schemes. Pure."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import PreformattedString, Tag

from shared.richtext.text import safe_url

BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "html", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
})  # fmt: skip
_GONE = frozenset({"script", "style", "head", "template", "noscript", "meta", "link", "base", "title", "svg", "math"})
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "poster", "background", "cite", "data"})
_PICTURES = ("data:image/png", "data:image/jpeg", "data:image/gif")
_RISKY_STYLE = re.compile(r"url\s*\(|expression|javascript|@import|behavior", re.IGNORECASE)


def cleaned(source: str) -> tuple[BeautifulSoup, frozenset[int]]:
    """Return an HTML source as a clean tree, and the `id()`s of its elements that hold a block."""
    soup = BeautifulSoup(source, "html.parser")
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
        elif low in _ADDRESSES or low.endswith(":href"):
            unsafe = safe_url(text) is None and not _picture(tag, low, text)
        else:
            unsafe = low.startswith("on") or low in ("srcdoc", "srcset")
        if unsafe:
            del tag.attrs[name]


def _picture(tag: Tag, name: str, value: str) -> bool:
    """Tell whether this is a picture that stands in the page itself: it loads nothing and runs nothing."""
    return tag.name == "img" and name == "src" and value.strip().lower().startswith(_PICTURES)
