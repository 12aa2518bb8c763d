"""A line of wiki markup -> model. Pure; never raises, and takes time in proportion to the length."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shared.richtext.model import (
    NO_LOOK,
    Break,
    Card,
    Inline,
    Look,
    Mention,
    OpaqueInline,
    Origin,
    Text,
)
from shared.richtext.text import color, file_name, one_line, safe_url
from shared.richtext.wiki.notation import EMOTICON, ENTITY, ESCAPABLE, is_word
from shared.richtext.wiki.styles import LineEnd, Piece, Sign, pair, styled

_TOKEN = re.compile(
    r"(?P<line>(?<!\\)\\\\(?![^\s\\]*\\)[ \t]*\n?|\n)"
    rf"|\\(?P<escaped>[{re.escape(ESCAPABLE)}]|{EMOTICON.pattern})"
    # A character that is written by its number ends an address: it was escaped so as not to be of the markup.
    r"|(?P<url>(?<![A-Za-z0-9])https?://(?:[^\s<>\"|\[\]{}\\^`*'()&]|&(?!#\d+;))+)"
    rf"|(?P<entity>{ENTITY.pattern})"
    rf"|(?P<icon>{EMOTICON.pattern})"
    r"|(?<![^\W_])\{\{(?P<code>(?! )(?:\\.|[^\\\n{}]|\}(?!\}))+)(?<! )\}\}(?![^\W_])"
    r"|\{color(?::(?P<color>[^}\n]{1,40}))?(?P<ends>\})"
    r"|\{(?P<sure>[*_+^~-])\}"
    r"|(?P<anchor>\{anchor(?::[^}\n]{0,200})?\})"
    r"|\[(?P<link>(?:\\.|[^\[\]\\\n])+)\]"
    r"|(?<![A-Za-z0-9])!(?P<image>[^\s!|][^!|\n]{0,300})(?:\|[^!\n]{0,300})?!"
    r"|(?P<marker>[*_+^~-])(?P<more>(?P=marker)*)"
)
_CODE_ESCAPE = re.compile(rf"\\([{re.escape(ESCAPABLE)}])|({ENTITY.pattern})")
_SIGN_ESCAPE = re.compile(rf"\\([{re.escape(ESCAPABLE)}])|({ENTITY.pattern})")
_FILE = re.compile(r".*\.[A-Za-z0-9]{2,5}")
_LINK_PARTS = re.compile(r"(?:\\.|[^\\|])+")
_LEADS_AWAY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/#]")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the source, and what it says: nothing, if it is a marker."""

    start: int
    end: int
    inlines: tuple[Inline, ...]
    step: int = 0
    """1 for the beginning of a style, colour or link, -1 for its end."""
    look: Look = NO_LOOK
    """How words look that stand in its place; in that of a marker, how they look within its style."""


def inlines_of(
    source: str, *, links: bool = True, front: str | None = None, goes_on: bool = False
) -> tuple[Inline, ...]:
    """Return what a paragraph's markup says. `front`: the colour that began before it, #rrggbb or "color"; `goes_on`:
    the colour that is open at its end is ended behind it.
    """
    read = _read(source, links=links, front=front, goes_on=goes_on)
    return tuple(inline for part in read for inline in part.inlines)


def parts_of(source: str, *, links: bool = True) -> list[Part]:
    """Return the same part by part, in order and without gaps: markers, words, and the labels of links."""
    found: list[Part] = []
    for part in _read(source, links=links):
        last = found[-1] if found else None
        if last is not None and (last.start, last.end) == (part.start, part.end):  # inlines of one token
            found[-1] = replace(last, inlines=last.inlines + part.inlines)
        else:
            found.append(part)
    return [piece for part in found for piece in _opened(source, part)]


def _opened(source: str, part: Part) -> Iterator[Part]:
    """Yield a link with words of its own as its beginning, its words, and its end."""
    first = part.inlines[0] if part.inlines else None
    text = source[part.start + 1 : part.end - 1]
    label = _LINK_PARTS.match(text)
    if not (source[part.start] == "[" and isinstance(first, Text) and first.look.link and label and label[0] != text):
        yield part
        return
    look = replace(part.look, link=first.look.link)
    start = part.start + 1
    yield Part(part.start, start, (), 1, look)
    for inner in parts_of(label[0], links=False):
        inlines = tuple(_led(inline, part.look, first.look.link) for inline in inner.inlines)
        inside = replace(inner.look, styles=inner.look.styles | part.look.styles, link=first.look.link)
        yield Part(start + inner.start, start + inner.end, inlines, inner.step, inside)
    yield Part(start + label.end(), part.end, (), -1, look)


def _led(inline: Inline, look: Look, link: str) -> Inline:
    if not isinstance(inline, Text):
        return inline
    return replace(inline, look=Look(inline.look.styles | look.styles, link, look.color))


def color_left_open(source: str, front: str | None) -> str | None:
    """Return the colour that begins in this text (or before it) and is not ended in it."""
    for found in _TOKEN.finditer(source):
        if not found["ends"]:
            continue
        if found["color"] is None:
            front = None
        elif front is None:
            front = color(found["color"]) or "color"
    return front


def _read(source: str, *, links: bool = True, front: str | None = None, goes_on: bool = False) -> Iterator[Part]:
    spans: list[tuple[int, int]] = []
    pieces: list[Piece] = []

    def add(start: int, end: int, piece: Piece) -> None:
        spans.append((start, end))
        pieces.append(piece)

    if front is not None:
        add(0, 0, Sign(front, "", opens=True, closes=False))
    done = at = 0
    while found := _TOKEN.search(source, at):
        told = list(_piece(found, source, links=links))
        at = found.end()
        if not told:  # no notation after all: what is in it may be
            at = found.start() + 1
            continue
        if found.start() > done:
            add(done, found.start(), Text(source[done : found.start()]))
        done = at
        for piece in told:
            add(found.start(), done, piece)
    if done < len(source):
        add(done, len(source), Text(source[done:]))
    if goes_on:
        add(len(source), len(source), Sign("color", "", opens=False, closes=True))
    pair(pieces)
    for (start, end), (step, inline, look) in zip(spans, styled(pieces), strict=True):
        yield Part(start, end, () if inline is None else (inline,), step, look)


def _piece(found: re.Match[str], source: str, *, links: bool) -> Iterator[Piece]:
    kind = found.lastgroup
    if found["marker"]:
        yield _marker(found, source)
    elif found["ends"]:
        opens = found["color"] is not None
        yield Sign(color(found["color"]) or "color", found[0], opens, not opens)
    elif kind == "line":
        yield Break()
        if "\n" in found[0]:
            yield LineEnd()
    elif kind == "escaped":
        yield Text(found["escaped"])
    elif kind == "entity":
        yield Text(html.unescape(found[0]))
    elif kind == "icon":
        yield OpaqueInline("wiki", found[0], Text(found[0]), origin=Origin("wiki", found[0]))
    elif kind == "code":
        yield Text(_CODE_ESCAPE.sub(_unescaped, found["code"]), Look(frozenset({"code"})))
    elif kind == "sure":
        yield Sign(found["sure"], found[0], opens=True, closes=True)
    elif kind == "anchor":
        yield OpaqueInline("wiki", found[0], Text(""), origin=Origin("wiki", found[0]))
    elif kind == "link":
        yield from _link(found[0], found["link"]) if links else ()
    elif kind == "image":
        yield from _image(found)
    else:
        yield Text(found[0])


def _unescaped(found: re.Match[str]) -> str:
    return found[1] or html.unescape(found[2])


def _marker(found: re.Match[str], source: str) -> Piece:
    if found["more"]:
        return Text(found[0])
    before = source[found.start() - 1] if found.start() else " "
    after = source[found.end()] if found.end() < len(source) else " "
    opens = not is_word(before) and not after.isspace()
    closes = not before.isspace() and not is_word(after)
    return Sign(found[0], found[0], opens, closes) if opens or closes else Text(found[0])


def _link(whole: str, inner: str) -> Iterator[Piece]:
    parts = _LINK_PARTS.findall(inner)
    target = _SIGN_ESCAPE.sub(_unescaped, parts[1] if len(parts) > 1 else inner).strip()
    origin = Origin("wiki", whole)
    if len(parts) == 1 and target.startswith("~") and len(target) > 1:
        user = target[1:].strip()
        by_account = user.lower().startswith("accountid:")
        yield Mention(user[10:] if by_account else user, by_account=by_account, origin=origin)
        return
    if len(parts) == 1 and target.startswith("^") and len(target) > 1:
        yield OpaqueInline("wiki", whole, Text(f"📎 {one_line(target[1:])}"), origin=origin)
        return
    url = safe_url(target)
    if url is not None and len(parts) == 3 and parts[2].strip() == "smart-link":
        yield Card(url, origin=origin)
    elif url is not None and len(parts) > 1:
        yield from _linked(inlines_of(parts[0], links=False), url)
    elif url is not None and _LEADS_AWAY.match(url):
        yield Text(target, Look(link=url))


def _linked(inlines: tuple[Inline, ...], url: str) -> Iterator[Inline]:
    for inline in inlines:
        if isinstance(inline, Text):
            yield Text(inline.text, Look(inline.look.styles, url))
        else:
            yield inline


def _image(found: re.Match[str]) -> Iterator[Piece]:
    name = found["image"].rstrip()
    whole = found[0]
    url = safe_url(name) if "://" in name else None
    if url is not None:
        yield OpaqueInline("wiki", whole, Text(file_name(url), Look(link=url)), origin=Origin("wiki", whole))
    elif name == found["image"] and _FILE.fullmatch(name):
        yield OpaqueInline("wiki", whole, Text(f"📎 {one_line(name)}"), origin=Origin("wiki", whole))
