"""Which markers of a line belong together, and how what is between them looks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shared.richtext.model import NO_LOOK, Inline, Look, Style, Text
from shared.richtext.wiki.notation import STYLES


@dataclass(slots=True)
class Sign:
    """A marker that may begin or end a style or colour; `partner` is where its other half is."""

    sign: str
    shown: str
    opens: bool
    closes: bool
    partner: int | None = None


@dataclass(frozen=True, slots=True)
class LineEnd:
    """The end of a line of the source: no style goes on beyond it. (Beyond two backslashes it does.)"""


Piece = Inline | Sign | LineEnd


def pair(pieces: list[Piece]) -> None:
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
        if isinstance(piece, LineEnd):
            del waiting[floor:]
            counts.clear()
        elif not isinstance(piece, Sign):
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


def _pair_colors(pieces: list[Piece]) -> None:
    start: int | None = None
    for index, piece in enumerate(pieces):
        if not isinstance(piece, Sign) or piece.sign in STYLES:
            continue
        if piece.opens and start is None:
            start = index
        elif piece.closes and start is not None:
            _sign(pieces[start]).partner, piece.partner = index, start
            start = None


def _sign(piece: Piece) -> Sign:
    assert isinstance(piece, Sign)  # noqa: S101 - only signs wait for a partner
    return piece


def styled(pieces: list[Piece]) -> Iterator[tuple[int, Inline | None, Look]]:
    """Yield for each piece how many styles it opens (-1 if it ends one), what it says, and the look at its place: of
    all styles that are open, with the one that it opens or ends.
    """
    styles: list[Style] = []
    front: str | None = None
    for index, piece in enumerate(pieces):
        look = Look(frozenset(styles), None, front) if styles or front else NO_LOOK
        if isinstance(piece, LineEnd):
            yield 0, None, look
        elif not isinstance(piece, Sign):
            yield 0, _with(piece, look) if isinstance(piece, Text) else piece, look
        elif piece.partner is None:
            yield 0, Text(piece.shown, look), look
        else:
            opens = piece.partner > index
            if piece.sign in STYLES:
                (styles.append if opens else styles.remove)(STYLES[piece.sign])
            else:
                front = piece.sign if opens and piece.sign.startswith("#") else None
            within = Look(frozenset(styles), None, front)
            yield (1 if opens else -1), None, within if opens else look


def _with(text: Text, look: Look) -> Text:
    own = text.look
    if look is NO_LOOK:
        return text
    return Text(text.text, Look(own.styles | look.styles, own.link, look.color or own.color))
