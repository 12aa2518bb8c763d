"""A changed line of wiki markup: what still says the same stays, character by character. Pure.

The old markup is taken apart into stretches that can stand by themselves: a word, a blank, a link, a style with all in
it. Those whose words and looks still stand in the new line are given back as they were written, and only what is
between them is written anew. The result is read once more: if it does not say what it should, less of the old markup is
kept, and in the end none.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from shared.richtext.canonical import canonical_inlines
from shared.richtext.model import Break, Heading, Inline, Paragraph, Text
from shared.richtext.wiki.escape import Place, inline_markup
from shared.richtext.wiki.inlines import Stretch, inlines_of, stretches
from shared.richtext.wiki.notation import MACRO, begins_block
from shared.richtext.wiki.source import markup_of

MAX_UNITS = 4000
"""Longer lines are written anew."""
_PART = re.compile(r"\w+|\s+|[^\w\s]")
_TRIES = (0, 1, 3)
"""How many stretches beside each change are written anew as well, try by try."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A stretch of the old markup, and the units of the old line that it says: from `start` to before `end`."""

    text: str
    start: int
    end: int


def line_markup(block: Paragraph | Heading, place: Place) -> str:
    """Return the markup of a paragraph's or heading's content, as far as possible as it was written."""
    source = markup_of(block.origin)
    if source is not None and source.inner.strip():
        patched = _patched(source.inner.strip(), block.inlines, place)
        if patched is not None:
            return patched
    return inline_markup(block.inlines, place)


def _patched(source: str, inlines: tuple[Inline, ...], place: Place) -> str | None:
    wanted = canonical_inlines(inlines)
    new = list(_units(wanted))
    old: list[Inline] = []
    kept: list[_Kept] = []
    for part in _parts(source):
        units = _own_units(part.inlines, old)
        if units and isinstance(units[0], Break) and old and _is_blank(old[-1]):  # a blank at the end of a line
            old.pop()
            kept[-1] = replace(kept[-1], end=len(old))
        kept.append(_Kept(source[part.start : part.end], len(old), len(old) + len(units)))
        old += units
    if max(len(old), len(new)) > MAX_UNITS:
        return None
    matcher = SequenceMatcher(None, list(map(_key, old)), list(map(_key, new)), autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    for margin in _TRIES:
        written = _spliced(kept, blocks, new, place, margin)
        if canonical_inlines(inlines_of(written)) == wanted and _fits(written, source, place):
            return written
    return None


def _fits(written: str, source: str, place: Place) -> bool:
    """Tell whether a line is read as nothing but a line where it stands."""
    first = 0 if place.line_start else 1
    lines = written.split("\n")
    plain = all(line.strip() and not begins_block(line) for line in lines[first:])
    return plain and len(MACRO.findall(written)) <= len(MACRO.findall(source))


def _parts(source: str) -> Iterator[Stretch]:
    """Yield the stretches of a line; plain text word by word."""
    for part in stretches(source):
        text = source[part.start : part.end]
        if len(part.inlines) == 1 and part.inlines[0] == Text(text):
            for found in _PART.finditer(text):
                yield Stretch(part.start + found.start(), part.start + found.end(), (Text(found[0]),))
        else:
            yield part


def _own_units(inlines: Iterable[Inline], before: Sequence[Inline]) -> list[Inline]:
    """Return the units of a stretch, in the form in which a whole line has them: no blanks at its ends, no two."""
    units: list[Inline] = []
    for unit in (unit for inline in inlines for unit in _units(_tidied(inline))):
        last = units[-1] if units else before[-1] if before else Break()
        if not (_is_blank(unit) and (_is_blank(last) or isinstance(last, Break))):
            units.append(unit)
    return units


def _tidied(inline: Inline) -> tuple[Inline, ...]:
    if isinstance(inline, Break) or (isinstance(inline, Text) and not inline.text.strip()):
        return (inline,)
    blanks = isinstance(inline, Text)
    lead = (Text(" "),) if blanks and isinstance(inline, Text) and inline.text[0].isspace() else ()
    trail = (Text(" "),) if blanks and isinstance(inline, Text) and inline.text[-1].isspace() else ()
    return (*lead, *canonical_inlines((inline,)), *trail)


def _units(inlines: Iterable[Inline]) -> Iterator[Inline]:
    """Yield words, blanks and signs, nodes and breaks."""
    for inline in inlines:
        if isinstance(inline, Text):
            for found in _PART.finditer(inline.text):
                blank = found[0].isspace()
                yield Text(" ", inline.look) if blank else replace(inline, text=found[0])
        else:
            yield inline


def _is_blank(unit: Inline) -> bool:
    return isinstance(unit, Text) and unit.text == " "


def _key(unit: Inline) -> Hashable:
    """Return what tells units apart; the look of a blank does not, for its neighbours have it."""
    return " " if _is_blank(unit) else unit


def _spliced(
    kept: Sequence[_Kept], blocks: Sequence[tuple[int, int, int]], new: Sequence[Inline], place: Place, margin: int
) -> str:
    """Return the new line: old markup where it matches, new markup between."""
    written: list[str] = []
    done = 0
    rest = list(kept)
    for old, first, size in blocks:
        left = old if old == first == 0 else old + margin
        right = old + size
        if right != kept[-1].end or first + size != len(new):
            right -= margin
        for part in _within(rest, left, right):
            start = first + part.start - old
            if start > done:
                written.append(_fresh(new[done:start], place, written, part.text))
            written.append(part.text)
            done = first + part.end - old
    if done < len(new):
        written.append(_fresh(new[done:], place, written, ""))
    return "".join(written)


def _within(rest: list[_Kept], left: int, right: int) -> Iterator[_Kept]:
    """Take from `rest` what stands between two units; what says nothing goes with what is before it."""
    while rest and rest[0].start < left:
        rest.pop(0)
    while rest and rest[0].end <= right and left < right:
        yield rest.pop(0)


def _fresh(units: Sequence[Inline], place: Place, written: Sequence[str], following: str) -> str:
    before = written[-1] if written else ""
    here = replace(
        place,
        line_start=place.line_start and (not before or before.endswith("\n")),
        last=before[-1:] or " ",
        following=following[:1] or " ",
    )
    return inline_markup(_merged(units), here, wary=True)


def _merged(units: Iterable[Inline]) -> Iterator[Inline]:
    """Yield units with those of one look as one text."""
    waiting: Text | None = None
    for unit in units:
        if isinstance(unit, Text) and waiting is not None and not unit.atom and waiting.look == unit.look:
            waiting = replace(waiting, text=waiting.text + unit.text)
            continue
        if waiting is not None:
            yield waiting
        waiting = unit if isinstance(unit, Text) else None
        if waiting is None:
            yield unit
    if waiting is not None:
        yield waiting
