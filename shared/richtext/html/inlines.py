"""What stands in a line of HTML -> model. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from bs4.element import NavigableString, PageElement, Tag

from shared.richtext.html.clean import BLOCKS
from shared.richtext.model import NO_LOOK, Break, Inline, Look, OpaqueInline, Origin, Style, Text
from shared.richtext.text import color, file_name, one_line, safe_url

MAX_DEPTH = 60
_STYLES: dict[str, Style] = {
    "b": "strong", "strong": "strong", "i": "em", "em": "em", "s": "strike", "strike": "strike", "del": "strike",
    "u": "underline", "ins": "underline", "code": "code", "tt": "code", "kbd": "code", "samp": "code", "sub": "sub",
    "sup": "sup",
}  # fmt: skip
_MEDIA = frozenset({"img", "iframe", "video", "audio", "embed", "object", "source"})
_SAID = frozenset({"href", "style", "color"})
Own = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
_BLANK = re.compile(r"\s+")


class Inlines:
    """Reads lines of one tree."""

    def __init__(self, holders: frozenset[int]) -> None:
        self._holders = holders

    def read(self, nodes: Sequence[PageElement]) -> tuple[Inline, ...]:
        """Return what elements and texts say in a line; blocks among them are parted by breaks."""
        found: list[Inline] = []
        self._read(nodes, NO_LOOK, (), found, 0)
        return tuple(found)

    def _read(self, nodes: Sequence[PageElement], look: Look, own: Own, found: list[Inline], depth: int) -> None:
        for node in nodes:
            if type(node) is NavigableString:
                found.append(Text(_BLANK.sub(" ", node), look, own=own))
            elif isinstance(node, Tag):
                self._tag(node, look, own, found, depth)

    def _tag(self, tag: Tag, look: Look, own: Own, found: list[Inline], depth: int) -> None:
        if tag.name == "br":
            found.append(Break())
        elif tag.name in _MEDIA:
            found.append(_media(tag, look.link))
        elif tag.name == "input":
            if tag.get("type") == "checkbox":
                found.append(Text("☑ " if tag.has_attr("checked") else "☐ ", look))
        elif depth >= MAX_DEPTH:
            found.append(Text(tag.get_text(" "), look))
        elif tag.name in BLOCKS:
            found.append(Break())
            self._read(tag.contents, look, own, found, depth + 1)
            found.append(Break())
        else:
            self._read(tag.contents, _look(tag, look), (*own, *_own(tag)), found, depth + 1)


def _own(tag: Tag) -> Own:
    """Return what a look cannot say of an element: its name, if it is no style, and its other attributes."""
    name = "span" if tag.name == "font" else tag.name
    if name in _STYLES or (name == "mark" and not tag.attrs):
        return ()
    attrs = {k: v if isinstance(v, str) else " ".join(v or ()) for k, v in tag.attrs.items() if k not in _SAID}
    return ((name, tuple(attrs.items())),) if attrs or name not in ("a", "span", "mark") else ()


def _look(tag: Tag, look: Look) -> Look:
    """Return the look of what stands in an element."""
    style = _STYLES.get(tag.name)
    if style is not None:
        look = replace(look, styles=look.styles | {style})
    if tag.name == "a":
        href = tag.get("href")
        url = safe_url(href) if isinstance(href, str) else None
        look = look if url is None else replace(look, link=url)
    if tag.name == "mark":
        look = replace(look, background=look.background or "#ffff00")
    if not tag.attrs:
        return look
    if tag.name == "font":
        look = replace(look, color=color(tag.get("color")) or look.color)
    css = tag.get("style")
    return _css(css, look) if isinstance(css, str) else look


def _css(css: str, look: Look) -> Look:
    styles = set(look.styles)
    front, back = look.color, look.background
    for declaration in css.lower().split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "color":
            front = color(value) or front
        elif name in ("background-color", "background"):
            back = color(value) or back
        elif name == "font-weight":
            (styles.add if value in ("bold", "bolder", "600", "700", "800", "900") else styles.discard)("strong")
        elif name == "font-style":
            (styles.add if value in ("italic", "oblique") else styles.discard)("em")
        elif name in ("text-decoration", "text-decoration-line"):
            styles |= {"underline"} if "underline" in value else set()
            styles |= {"strike"} if "line-through" in value else set()
    return Look(frozenset(styles), look.link, front, back)


def _media(tag: Tag, leads: str | None) -> OpaqueInline:
    """Return a picture or film, to be read as a link to where it `leads`, or else to the picture itself."""
    source = tag.get("src") or tag.get("data")
    own = safe_url(source) if isinstance(source, str) else None
    name = one_line(str(tag.get("alt") or tag.get("title") or "")) or (file_name(own) if own else "")
    url = leads or own
    fallback = Text(name or "picture", Look(link=url), atom=True) if url else Text(f"[{name or 'picture'}]", atom=True)
    identity = f"{tag.name} {source} {name}" if leads is None else f"{tag.name} {source} {name} {leads}"
    shown = tag if leads is None else _linked(tag, leads)
    return OpaqueInline("html", identity, fallback, origin=Origin("html", shown))


def _linked(tag: Tag, url: str) -> Tag:
    """Return a copy of an element within a link."""
    link = Tag(name="a", attrs={"href": url})
    link.append(copy(tag))
    return link
