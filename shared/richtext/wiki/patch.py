"""A changed line of wiki markup: what still says the same stays, character by character. Pure.

The old markup is taken apart into parts: words, blanks, signs, nodes, the markers around them. Those whose words and
looks still stand in the new line are given back as they were written, and only what is between them is written anew,
within the styles that are open there. The result is read once more. If it does not say what it should, it is tried with
styles and links as wholes, then with more written anew around each change, and in the end all of it is.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from shared.richtext.canonical import canonical_inlines
from shared.richtext.model import Break, Heading, Inline, Look, OpaqueInline, Paragraph, Text
from shared.richtext.wiki.escape import Place, inline_markup
from shared.richtext.wiki.inlines import Part, inlines_of, parts_of
from shared.richtext.wiki.notation import MACRO, begins_block
from shared.richtext.wiki.source import markup_of

MAX_UNITS = 4000
"""Longer lines are written anew."""
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_TRIES = ((True, 0), (False, 0), (False, 1), (False, 3))
"""Whether styles and links are opened, and how many units beside each change are written anew as well."""


@dataclass(frozen=True, slots=True)
class _Old:
    """A part of the old markup, and the units of the old line that it says: from `start` to before `end`."""

    text: str
    start: int
    end: int
    look: Look
    marker: bool = False


def line_markup(block: Paragraph | Heading, place: Place) -> str:
    """Return the markup of a paragraph's or heading's content, as far as possible as it was written."""
    source = markup_of(block.origin)
    if source is not None and source.inner.strip():
        patched = _patched(source.inner.strip(), block.inlines, place)
        if patched is not None:
            return patched
    return inline_markup(block.inlines, place)


def _patched(source: str, inlines: tuple[Inline, ...], place: Place) -> str | None:
    """Return the old markup with what changed in it, None if it cannot be had like this."""
    parts = parts_of(source)
    wanted = _seen(canonical_inlines(inlines))
    new = list(_units(wanted))
    if max(len(source), len(new)) > MAX_UNITS:
        return None
    for opened, margin in _TRIES:
        olds, units = _olds(source, parts if opened else _closed(parts))
        matcher = SequenceMatcher(None, list(map(_key, units)), list(map(_key, new)), autojunk=False)
        where = _kept(matcher.get_matching_blocks(), len(units), len(new), margin)
        written = _spliced(olds, where, new, place)
        if written is None or not _fits(written, source, place):
            continue
        read = canonical_inlines(inlines_of(written))
        if canonical_inlines(_seen(read)) == wanted and _unseen(read) == _unseen(inlines):
            return written
    return None


def _seen(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return what can be seen of a line; what cannot stays where the markup has it."""
    return canonical_inlines(inline for inline in inlines if not _hides(inline))


def _unseen(inlines: Iterable[Inline]) -> list[str]:
    return sorted(inline.content for inline in inlines if isinstance(inline, OpaqueInline) and _hides(inline))


def _hides(inline: Inline) -> bool:
    return isinstance(inline, OpaqueInline) and not inline.fallback.text


def _fits(written: str, source: str, place: Place) -> bool:
    """Tell whether a line is read as nothing but a line where it stands."""
    first = 0 if place.line_start else 1
    lines = written.split("\n")
    plain = all(line.strip() and not begins_block(line) for line in lines[first:])
    return plain and len(MACRO.findall(written)) <= len(MACRO.findall(source))


def _closed(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield parts with each style, and each link, as one."""
    depth = 0
    held: list[Part] = []
    for part in parts:
        held.append(part)
        depth += part.step
        if depth == 0:
            inlines = tuple(inline for one in held for inline in one.inlines)
            yield Part(held[0].start, part.end, inlines) if len(held) > 1 else part
            held = []


def _olds(source: str, parts: Iterable[Part]) -> tuple[list[_Old], list[Inline]]:
    """Return the parts with the units of the line that they say, and these, as a whole line has them: no blanks at
    the ends of lines, no two of them together.
    """
    olds: list[_Old] = []
    units: list[Inline] = []
    for part in parts:
        for start, end, inlines in _words(source, part):
            begin = len(units)
            for unit in (unit for inline in inlines if not _hides(inline) for unit in _units(_tidied(inline))):
                if isinstance(unit, Break) and units and _is_blank(units[-1]) and olds:
                    units.pop()
                    begin = min(begin, len(units))
                    olds[-1] = replace(olds[-1], end=min(olds[-1].end, len(units)))
                if not _is_blank(unit) or (units and not _is_blank(units[-1]) and not isinstance(units[-1], Break)):
                    units.append(unit)
            olds.append(_Old(source[start:end], begin, len(units), part.look, marker=part.step != 0))
    return olds, units


def _words(source: str, part: Part) -> Iterator[tuple[int, int, tuple[Inline, ...]]]:
    """Yield plain text word by word, any other part whole."""
    text = source[part.start : part.end]
    only = part.inlines[0] if len(part.inlines) == 1 else None
    if not isinstance(only, Text) or only.text != text or "code" in only.look.styles or "://" in text:
        yield part.start, part.end, part.inlines
        return
    for found in _WORD.finditer(text):
        yield part.start + found.start(), part.start + found.end(), (replace(only, text=found[0]),)


def _tidied(inline: Inline) -> tuple[Inline, ...]:
    """Return what stands by itself as it stands in a line: a blank at its end is one within the line."""
    if not isinstance(inline, Text):
        return (inline,)
    text = inline.text
    lead = (Text(" "),) if text[:1].isspace() else ()
    trail = (Text(" "),) if text.strip() and text[-1].isspace() else ()
    return (*lead, *canonical_inlines((inline,)), *trail)


def _units(inlines: Iterable[Inline]) -> Iterator[Inline]:
    """Yield words, blanks and signs, nodes and breaks."""
    for inline in inlines:
        if isinstance(inline, Text):
            for found in _WORD.finditer(inline.text):
                yield Text(" ", inline.look) if found[0].isspace() else replace(inline, text=found[0])
        else:
            yield inline


def _is_blank(unit: Inline) -> bool:
    return isinstance(unit, Text) and unit.text == " "


def _key(unit: Inline) -> Hashable:
    """Return what tells units apart; the look of a blank does not, for its neighbours have it."""
    return " " if _is_blank(unit) else unit


def _kept(blocks: Iterable[tuple[int, int, int]], old_end: int, new_end: int, margin: int) -> dict[int, int]:
    """Return where in the new line the units of the old one stand that stay."""
    where: dict[int, int] = {}
    for old, new, size in blocks:
        left = 0 if old == new == 0 else margin
        right = 0 if (old + size, new + size) == (old_end, new_end) else margin
        where.update((old + step, new + step) for step in range(left, size - right))
    return where


def _spliced(olds: Sequence[_Old], where: dict[int, int], new: Sequence[Inline], place: Place) -> str | None:
    """Return the new line: old markup where it stays, new markup where something else stood, or behind what stays."""
    staying = [_stays(old, where) for old in olds]
    following = _following(olds, where, staying, len(new))
    written: list[str] = []
    done = 0
    look = Look()
    for index, old in enumerate(olds):
        if staying[index]:
            if old.end > old.start:
                until = where[old.start]
                if until > done and not _write(new[done:until], look, written, old.text, place):
                    return None
                done = where[old.end - 1] + 1
            written.append(old.text)
            look = old.look
            continue
        until = following[index]
        if until > done:
            if not _write(new[done:until], old.look, written, _next(olds, staying, index), place):
                return None
            done = until
    if done < len(new) and not _write(new[done:], look, written, "", place):
        return None
    return "".join(written)


def _stays(old: _Old, where: dict[int, int]) -> bool:
    """Tell whether all that a part says stands together in the new line. (It may say nothing.)"""
    first = where.get(old.start, -1)
    return all(where.get(at) == first + at - old.start and first >= 0 for at in range(old.start, old.end))


def _following(olds: Sequence[_Old], where: dict[int, int], staying: Sequence[bool], end: int) -> list[int]:
    """Return for each part where in the new line the next part begins that stays and says something."""
    following = [end] * len(olds)
    for index in range(len(olds) - 1, -1, -1):
        old = olds[index]
        if staying[index] and old.end > old.start:
            end = where[old.start]
        following[index] = end
    return following


def _next(olds: Sequence[_Old], staying: Sequence[bool], index: int) -> str:
    return next((old.text for old, stays in zip(olds[index:], staying[index:], strict=True) if stays), "")


def _write(units: Sequence[Inline], look: Look, written: list[str], following: str, place: Place) -> bool:
    """Write units within styles that are open; tell whether they have all of these."""
    inlines = list(_merged(units))
    fresh: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Text):
            own = inline.look
            blank = not inline.text.strip()
            if not blank and (
                not look.styles <= own.styles
                or (look.link or own.link) != own.link
                or (look.color or own.color) != own.color
            ):
                return False
            color = None if look.color else own.color
            fresh.append(replace(inline, look=Look(own.styles - look.styles, None if look.link else own.link, color)))
        elif look.link or look.styles or look.color:
            return False
        else:
            fresh.append(inline)
    before = "".join(written[-1:])
    here = replace(
        place,
        line_start=place.line_start and (not before or before.endswith("\n")),
        label=look.link is not None,
        last=before[-1:] or " ",
        following=following[:1] or " ",
    )
    written.append(inline_markup(fresh, here, wary=True))
    return True


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
