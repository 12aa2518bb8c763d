"""A line of wiki markup -> model. Pure; never raises, and takes time in proportion to the length."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shared.richtext.model import (
    NO_LOOK,
    Break,
    Card,
    Inline,
    Look,
    Mention,
    OpaqueInline,
    Origin,
    Style,
    Text,
)
from shared.richtext.text import color, file_name, one_line, safe_url
from shared.richtext.wiki.notation import EMOTICON, ENTITY, ESCAPABLE, STYLES, is_word

_TOKEN = re.compile(
    r"(?P<line>(?<!\\)\\\\(?![^\s\\]*\\)[ \t]*\n?|\n)"
    rf"|\\(?P<escaped>[{re.escape(ESCAPABLE)}]|{EMOTICON.pattern})"
    r"|(?P<url>(?<![A-Za-z0-9])https?://[^\s<>\"|\[\]{}\\^`*'()]+)"
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


@dataclass(slots=True)
class _Sign:
    """A marker that may begin or end a style or colour; `partner` is where its other half is."""

    sign: str
    shown: str
    opens: bool
    closes: bool
    partner: int | None = None


@dataclass(frozen=True, slots=True)
class _LineEnd:
    """The end of a line of the source: no style goes on beyond it. (Beyond two backslashes it does.)"""


_Piece = Inline | _Sign | _LineEnd


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the source, and what it says: one piece outside of all styles, or a style with all that is in it."""

    start: int
    end: int
    inlines: tuple[Inline, ...]


def inlines_of(
    source: str, *, links: bool = True, front: str | None = None, goes_on: bool = False
) -> tuple[Inline, ...]:
    """Return what a paragraph's markup says. `front`: the colour that began before it, #rrggbb or "color"; `goes_on`:
    the colour that is open at its end is ended behind it.
    """
    read = _read(source, links=links, front=front, goes_on=goes_on)
    return tuple(inline for _, inline in read if inline is not None)


def stretches(source: str) -> list[Stretch]:
    """Return the same part by part: each can be given back by itself."""
    found: list[Stretch] = []
    depth = start = 0
    held: list[Inline] = []
    for (begin, end, step), inline in _read(source):
        if depth == 0:
            start, held = begin, []
        depth += step
        held += [inline] if inline is not None else []
        if depth == 0:
            last = found[-1] if found else None
            if last is not None and last.start == start:  # two inlines of one token, such as a link's
                found[-1] = Stretch(start, end, (*last.inlines, *held))
            else:
                found.append(Stretch(start, end, tuple(held)))
    return found


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


def _read(
    source: str, *, links: bool = True, front: str | None = None, goes_on: bool = False
) -> Iterator[tuple[tuple[int, int, int], Inline | None]]:
    """Yield each piece's place (start, end, how many styles it opens) and what it says, None for markers."""
    spans: list[tuple[int, int]] = []
    pieces: list[_Piece] = []

    def add(start: int, end: int, piece: _Piece) -> None:
        spans.append((start, end))
        pieces.append(piece)

    if front is not None:
        add(0, 0, _Sign(front, "", opens=True, closes=False))
    done = 0
    for found in _TOKEN.finditer(source):
        if found.start() > done:
            add(done, found.start(), Text(source[done : found.start()]))
        done = found.end()
        for piece in _piece(found, source, links=links):
            add(found.start(), done, piece)
    if done < len(source):
        add(done, len(source), Text(source[done:]))
    if goes_on:
        add(len(source), len(source), _Sign("color", "", opens=False, closes=True))
    _pair(pieces)
    for (start, end), (step, inline) in zip(spans, _styled(pieces), strict=True):
        yield (start, end, step), inline


def _piece(found: re.Match[str], source: str, *, links: bool) -> Iterator[_Piece]:
    kind = found.lastgroup
    if found["marker"]:
        yield _marker(found, source)
    elif found["ends"]:
        opens = found["color"] is not None
        yield _Sign(color(found["color"]) or "color", found[0], opens, not opens)
    elif kind == "line":
        yield Break()
        if "\n" in found[0]:
            yield _LineEnd()
    elif kind == "escaped":
        yield Text(found["escaped"])
    elif kind == "entity":
        yield Text(html.unescape(found[0]))
    elif kind == "icon":
        yield OpaqueInline("wiki", found[0], Text(found[0]), origin=Origin("wiki", found[0]))
    elif kind == "code":
        yield Text(_CODE_ESCAPE.sub(_unescaped, found["code"]), Look(frozenset({"code"})))
    elif kind == "sure":
        yield _Sign(found["sure"], found[0], opens=True, closes=True)
    elif kind == "anchor":
        yield OpaqueInline("wiki", found[0], Text(""), origin=Origin("wiki", found[0]))
    elif kind == "link" and links:
        yield from _link(found[0], found["link"])
    elif kind == "image" and (picture := _image(found)) is not None:
        yield picture
    elif kind in ("image", "link"):
        yield Text(found[0][0])
        yield from inlines_of(found[0][1:], links=links)
    else:
        yield Text(found[0])


def _unescaped(found: re.Match[str]) -> str:
    return found[1] or html.unescape(found[2])


def _marker(found: re.Match[str], source: str) -> _Piece:
    if found["more"]:
        return Text(found[0])
    before = source[found.start() - 1] if found.start() else " "
    after = source[found.end()] if found.end() < len(source) else " "
    opens = not is_word(before) and not after.isspace()
    closes = not before.isspace() and not is_word(after)
    return _Sign(found[0], found[0], opens, closes) if opens or closes else Text(found[0])


def _link(whole: str, inner: str) -> Iterator[_Piece]:
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
    else:
        yield Text("[")
        yield from inlines_of(inner, links=False)
        yield Text("]")


def _linked(inlines: tuple[Inline, ...], url: str) -> Iterator[Inline]:
    for inline in inlines:
        if isinstance(inline, Text):
            yield Text(inline.text, Look(inline.look.styles, url))
        else:
            yield inline


def _image(found: re.Match[str]) -> OpaqueInline | None:
    name = found["image"].rstrip()
    whole = found[0]
    url = safe_url(name) if "://" in name else None
    if url is not None:
        return OpaqueInline("wiki", whole, Text(file_name(url), Look(link=url)), origin=Origin("wiki", whole))
    if name != found["image"] or not _FILE.fullmatch(name):
        return None
    return OpaqueInline("wiki", whole, Text(f"📎 {one_line(name)}"), origin=Origin("wiki", whole))


def _pair(pieces: list[_Piece]) -> None:
    """Find each style's and colour's beginning and end.

    A colour is a macro: it ends at the next `{color}`, whatever styles are open then. A style's end belongs to the last
    beginning of its kind within the same colour and line, within which no other style is left open.
    """
    _pair_colors(pieces)
    waiting: list[int] = []
    frames: list[tuple[int, Counter[str]]] = [(0, Counter())]
    """For each colour that is open: how many wait outside of it, and which wait in it."""
    for index, piece in enumerate(pieces):
        floor, counts = frames[-1]
        if isinstance(piece, _LineEnd):
            del waiting[floor:]
            counts.clear()
        elif not isinstance(piece, _Sign):
            continue
        elif piece.sign not in STYLES:
            if piece.partner is not None and piece.partner > index:
                frames.append((len(waiting), Counter()))
            elif piece.partner is not None:
                frames.pop()
                del waiting[floor:]
        elif piece.closes and counts[piece.sign]:
            while piece.partner is None:
                start = waiting.pop()
                opening = _sign(pieces[start])
                counts[opening.sign] -= 1
                if opening.sign == piece.sign:
                    opening.partner, piece.partner = index, start
        elif piece.opens:
            waiting.append(index)
            counts[piece.sign] += 1


def _pair_colors(pieces: list[_Piece]) -> None:
    start: int | None = None
    for index, piece in enumerate(pieces):
        if not isinstance(piece, _Sign) or piece.sign in STYLES:
            continue
        if piece.opens and start is None:
            start = index
        elif piece.closes and start is not None:
            _sign(pieces[start]).partner, piece.partner = index, start
            start = None


def _sign(piece: _Piece) -> _Sign:
    assert isinstance(piece, _Sign)  # noqa: S101 - only signs wait for a partner
    return piece


def _styled(pieces: list[_Piece]) -> Iterator[tuple[int, Inline | None]]:
    """Yield for each piece how many styles it opens (-1 if it ends one), and what it says."""
    styles: list[Style] = []
    front: str | None = None
    for index, piece in enumerate(pieces):
        if isinstance(piece, _LineEnd):
            yield 0, None
        elif not isinstance(piece, _Sign):
            yield 0, _with(piece, styles, front) if isinstance(piece, Text) and (styles or front) else piece
        elif piece.partner is None:
            yield 0, _with(Text(piece.shown), styles, front)
        else:
            opens = piece.partner > index
            if piece.sign in STYLES:
                (styles.append if opens else styles.remove)(STYLES[piece.sign])
            else:
                front = piece.sign if opens and piece.sign.startswith("#") else None
            yield (1 if opens else -1), None


def _with(text: Text, styles: list[Style], front: str | None) -> Text:
    front = front or text.look.color
    if text.look == NO_LOOK:
        return Text(text.text, Look(frozenset(styles), None, front))
    return Text(text.text, Look(text.look.styles | frozenset(styles), text.look.link, front))
