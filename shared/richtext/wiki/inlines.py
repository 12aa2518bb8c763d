"""A line of wiki markup -> model. Pure; never raises, and takes time in proportion to the length."""

from __future__ import annotations

import html
import re
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
from shared.richtext.wiki.notation import ENTITY, ESCAPABLE, STYLES, is_word

_TOKEN = re.compile(
    r"(?P<line>\\\\[ \t]*\n?|\n)"
    rf"|\\(?P<escaped>[{re.escape(ESCAPABLE)}])"
    r"|(?P<url>(?<![A-Za-z0-9])https?://[^\s<>\"|\[\]{}\\^`*'()]+)"
    rf"|(?P<entity>{ENTITY.pattern})"
    r"|\{\{(?P<code>(?:\\.|[^\\\n{}]|\}(?!\}))+)\}\}"
    r"|\{color(?::(?P<color>[^}\n]{1,40}))?(?P<ends>\})"
    r"|\{(?P<sure>[*_+^~-])\}"
    r"|(?P<anchor>\{anchor(?::[^}\n]{0,200})?\})"
    r"|\[(?P<link>(?:\\.|[^\[\]\\\n])+)\]"
    r"|(?<![A-Za-z0-9])!(?P<image>[^\s!|][^!|\n]{0,300})(?:\|[^!\n]{0,300})?!"
    r"|(?P<marker>[*_+^~-])(?P<more>(?P=marker)*)"
)
_CODE_ESCAPE = re.compile(rf"\\([{re.escape(ESCAPABLE)}])|({ENTITY.pattern})")
_SIGN_ESCAPE = re.compile(rf"\\([{re.escape(ESCAPABLE)}])")
_FILE = re.compile(r".*\.[A-Za-z0-9]{2,5}")
_LINK_PARTS = re.compile(r"(?:\\.|[^\\|])+")


@dataclass(slots=True)
class _Sign:
    """A marker that may begin or end a style; `partner` is where its other half is."""

    sign: str
    shown: str
    opens: bool
    closes: bool
    partner: int | None = None


_Piece = Inline | _Sign


def inlines_of(source: str, *, links: bool = True) -> tuple[Inline, ...]:
    """Return what a paragraph's markup says."""
    pieces = list(_pieces(source, links=links))
    _pair(pieces)
    return tuple(_styled(pieces))


def _pieces(source: str, *, links: bool) -> Iterator[_Piece]:
    done = 0
    for found in _TOKEN.finditer(source):
        if found.start() > done:
            yield Text(source[done : found.start()])
        done = found.end()
        yield from _piece(found, source, links=links)
    if done < len(source):
        yield Text(source[done:])


def _piece(found: re.Match[str], source: str, *, links: bool) -> Iterator[_Piece]:
    kind = found.lastgroup
    if found["marker"]:
        yield _marker(found, source)
    elif found["ends"]:
        told = color(found["color"])
        opens = found["color"] is not None
        yield _Sign(told or "color", found[0], opens, not opens)
    elif kind == "line":
        yield Break()
    elif kind == "escaped":
        yield Text(found["escaped"])
    elif kind == "entity":
        yield Text(html.unescape(found[0]))
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
    target = _SIGN_ESCAPE.sub(r"\1", parts[1] if len(parts) > 1 else inner).strip()
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
    elif url is not None and url.lower().startswith(("http:", "https:", "mailto:", "/", "#")):
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
    """Find each style's beginning and end: an end belongs to the last beginning of its kind within which no other
    style is left open.
    """
    waiting: list[int] = []
    counts: dict[str, int] = {}
    for index, piece in enumerate(pieces):
        if not isinstance(piece, _Sign):
            continue
        key = _key(piece)
        if piece.closes and counts.get(key):
            while waiting:
                start = waiting.pop()
                opening = pieces[start]
                assert isinstance(opening, _Sign)  # noqa: S101
                counts[_key(opening)] -= 1
                if _key(opening) == key:
                    opening.partner, piece.partner = index, start
                    break
        elif piece.opens:
            waiting.append(index)
            counts[key] = counts.get(key, 0) + 1


def _key(sign: _Sign) -> str:
    return sign.sign if sign.sign in STYLES else "color"


def _styled(pieces: list[_Piece]) -> Iterator[Inline]:
    styles: list[Style] = []
    colors: list[str] = []
    for index, piece in enumerate(pieces):
        if not isinstance(piece, _Sign):
            yield _with(piece, styles, colors) if isinstance(piece, Text) and (styles or colors) else piece
        elif piece.partner is None:
            yield _with(Text(piece.shown), styles, colors)
        elif piece.sign in STYLES:
            (styles.append if piece.partner > index else styles.remove)(STYLES[piece.sign])
        elif piece.partner > index:
            colors.append(piece.sign)
        else:
            colors.pop()


def _with(text: Text, styles: list[Style], colors: list[str]) -> Text:
    told = [value for value in colors if value.startswith("#")]
    front = told[-1] if told else text.look.color
    if text.look is NO_LOOK or text.look == NO_LOOK:
        return Text(text.text, Look(frozenset(styles), None, front))
    return Text(text.text, Look(text.look.styles | frozenset(styles), text.look.link, front))
