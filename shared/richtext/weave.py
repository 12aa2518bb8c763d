"""A changed line: the nodes and marks of the old one stay where the edit left their words alone. Pure.

Both lines are read letter by letter, blanks apart, and each letter of the new one is traced to the one that it was. A
node stays if all letters that stand for it do, side by side; one that shows nothing goes with the letter before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import product

from shared.richtext.alike import has_color
from shared.richtext.canonical import canonical_inlines
from shared.richtext.model import Atom, Break, Inline, OpaqueInline, Text
from shared.richtext.readable import words_of
from shared.richtext.rename import renamed_inline
from shared.richtext.text import UNSPACED, WORD

MAX_TOKENS = 4000
"""In longer lines nodes are found by their words alone, from the left."""
MAX_PAIRS = 250_000
"""Above this many possible pairs of words in what changed, words that come often are no guide."""
MAX_LETTERS = 40_000
"""Above this many possible pairs of letters in one change, they are paired at its ends only."""
_RELATED = 0.6
"""How much of the shorter line has to be in the other one, if a line was found by its words alone."""
_TOKEN = re.compile(rf"{WORD.pattern}|\S")
_LETTER = re.compile(r"\w")
_SPACED = re.compile(rf"[^\W{UNSPACED}]")


_BREAK = "\0"
"""How a break is read: a letter that no text has."""


@dataclass(slots=True)
class _Node:
    """A node of a line."""

    atom: Atom
    start: int
    end: int
    """The letters that stand for it; none if both are the same."""
    before: bool = False
    after: bool = False
    """Whether blanks stand beside it."""


@dataclass(slots=True)
class _Line:
    """A line, letter by letter without its blanks."""

    letters: str
    parts: list[Text | Break]
    """By letter: how it looks."""
    blanks: list[Text | None]
    """By letter, and once more for the end: the blank before it."""
    nodes: list[_Node]

    @classmethod
    def of(cls, inlines: Iterable[Inline]) -> _Line:
        """Read a canonical line."""
        letters: list[str] = []
        parts: list[Text | Break] = []
        blanks: list[Text | None] = []
        nodes: list[_Node] = []
        unseen: list[_Node] = []
        blank: Text | None = None
        for inline in inlines:
            part = inline if isinstance(inline, Break | Text) else replace(words_of(inline), atom=False)
            start = len(letters)
            for letter in part.text if isinstance(part, Text) else _BREAK:
                if letter == " ":
                    blank = blank or replace(part, text=" ") if isinstance(part, Text) else None
                    for node in unseen:
                        node.after = True
                    continue
                unseen.clear()
                letters.append(letter)
                parts.append(part)
                blanks.append(blank)
                blank = None
            if isinstance(inline, Atom):
                nodes.append(_Node(inline, start, len(letters), before=blank is not None))
                unseen += nodes[-1:] if start == len(letters) else ()
        return cls("".join(letters), parts, [*blanks, blank], nodes)

    def words(self, start: int, end: int) -> str:
        """Return the words that some letters are."""
        if not any(self.blanks[start + 1 : end]):
            return self.letters[start:end]
        between = (" " if index > start and self.blanks[index] else "" for index in range(start, end))
        return "".join(f"{blank}{letter}" for blank, letter in zip(between, self.letters[start:end], strict=True))

    def beside(self, start: int, end: int, letter: re.Pattern[str]) -> tuple[bool, bool]:
        """Tell whether words go on before and after some letters, without a blank, with such letters on both sides."""

        def joined(at: int) -> bool:
            return not self.blanks[at] and all(map(letter.match, self.letters[at - 1 : at + 1]))

        return start > 0 and joined(start), end < len(self.letters) and joined(end)


def weave(
    new: Iterable[Inline], old: Iterable[Inline], *, keep_colors: bool, strays: bool = False
) -> tuple[Inline, ...]:
    """Return `new`, with nodes of `old` in the place of the words that stand for them.

    `keep_colors`: a new line without any colour takes those of the old one, word by word, for it may come from an
    editor that knows no colours. `strays`: the old line is another one, and nodes that show nothing come only with a
    letter beside them. Both lines may be in any form; the new one comes back canonical.
    """
    line, before = canonical_inlines(new), canonical_inlines(old)
    colors = keep_colors and has_color(before) and not has_color(line)
    marks = any(isinstance(inline, Text) and inline.own for inline in before)
    if not colors and not marks and not any(isinstance(inline, Atom) for inline in before):
        return line
    now, was = _Line.of(line), _Line.of(before)
    traced = _traced(now.letters, was.letters)
    related = not strays or sum(at is not None for at in traced) >= _RELATED * min(len(now.letters), len(was.letters))
    if (colors or marks) and related:
        _mark(now, was, traced, colors=colors)
    return canonical_inlines(_rewritten(now, _placed(now, was, traced, strays=strays, related=related)))


def _traced(now: str, was: str) -> list[int | None]:
    """Return for each new letter the old one that it was: word by word, and within what changed letter by letter."""
    traced: list[int | None] = [None] * len(now)
    words, old_words = (list(_TOKEN.finditer(letters)) for letters in (now, was))
    for first, end, old_first, old_end in _changes([w[0] for w in words], [w[0] for w in old_words]):
        start, stop = _extent(words, first, end)
        old_start, old_stop = _extent(old_words, old_first, old_end)
        for at, old_at in _letters(now[start:stop], was[old_start:old_stop]):
            traced[start + at] = old_start + old_at
    return traced


def _changes(now: list[str], was: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Return which words stand for which, changed or not, from which to which, in both lines."""
    start = 0
    while start < min(len(now), len(was)) and now[start] == was[start]:
        start += 1
    end = 0
    while end < min(len(now), len(was)) - start and now[-1 - end] == was[-1 - end]:
        end += 1
    yield 0, start, 0, start
    yield len(now) - end, len(now), len(was) - end, len(was)
    middle, old_middle = now[start : len(now) - end], was[start : len(was) - end]
    if not middle or not old_middle or max(len(middle), len(old_middle)) > MAX_TOKENS:
        return
    # words that come again and again take the square of their number: in long changes they match as part of others only
    common = len(middle) * len(old_middle) > MAX_PAIRS
    matcher = SequenceMatcher(None, middle, old_middle, autojunk=common)
    for _, first, last, old_first, old_last in matcher.get_opcodes():
        yield start + first, start + last, start + old_first, start + old_last


def _extent(words: Sequence[re.Match[str]], first: int, end: int) -> tuple[int, int]:
    return (words[first].start(), words[end - 1].end()) if first < end else (0, 0)


def _letters(now: str, was: str) -> Iterator[tuple[int, int]]:
    """Return which letters of a change are the same."""
    if now == was:
        yield from ((at, at) for at in range(len(now)))
    elif len(now) * len(was) <= MAX_LETTERS:
        for block in SequenceMatcher(None, now, was, autojunk=False).get_matching_blocks():
            yield from ((block.a + at, block.b + at) for at in range(block.size))
    else:
        same = 0
        while same < min(len(now), len(was)) and now[same] == was[same]:
            yield same, same
            same += 1
        last = 1
        while last <= min(len(now), len(was)) - same and now[-last] == was[-last]:
            yield len(now) - last, len(was) - last
            last += 1


def _placed(now: _Line, was: _Line, traced: Sequence[int | None], *, strays: bool, related: bool) -> list[_Node]:
    """Return the old nodes where they stand in the new line."""
    places = {old_at: at for at, old_at in enumerate(traced) if old_at is not None}
    placed = list(now.nodes)
    waiting: list[_Node] = []
    taken = {at for node in placed for at in range(node.start, node.end)}
    for node in was.nodes:
        at = places.get(node.start)
        if node.start == node.end:
            where = _beside(places, node.start, strays=strays) if related else None
            if where is not None or not strays:
                where = len(now.letters) if where is None else where
                placed.append(replace(node, start=where, end=where))
        elif at is not None and at not in taken and _stays(now, was, traced, (at, node)) and _takes(now, at, node.atom):
            placed.append(replace(node, start=at, end=at + node.end - node.start))
            taken.update(range(at, at + node.end - node.start))
        else:
            waiting.append(node)
    placed += _found(now, waiting, taken)
    if related and not strays:
        missing = [node for node in waiting if all(node.atom is not other.atom for other in placed)]
        placed += _renamed((now, was), places, missing, taken)
    return sorted(placed, key=lambda node: (node.start, node.end))


def _renamed(
    lines: tuple[_Line, _Line], places: dict[int, int], missing: Sequence[_Node], taken: set[int]
) -> Iterator[_Node]:
    """Return files and macros of which only the name was changed, with the words that stand there now."""
    now, was = lines
    for node in missing:
        old = node.atom
        for start, end in _extents(now, was, places, node) if isinstance(old, OpaqueInline) else ():
            part, letters = now.parts[start], range(start, end)
            free = all(now.parts[at] == part and at not in taken for at in letters)
            if not isinstance(old, OpaqueInline) or not isinstance(part, Text) or not free:
                continue
            atom = renamed_inline(old, now.words(start, end), part.look.link)
            if atom is not None:
                taken.update(letters)
                yield replace(node, atom=atom, start=start, end=end)
                break


def _extents(now: _Line, was: _Line, places: dict[int, int], node: _Node) -> Iterator[tuple[int, int]]:
    """Return where the new name of a node may stand: between what stood beside it, or as far as its letters go."""
    left = [at for at in range(node.start, node.end) if at in places]
    begins = {0 if node.start == 0 else places.get(node.start - 1, -2) + 1: False}
    ends = {len(now.letters) if node.end == len(was.letters) else places.get(node.end, -1): False}
    if left:
        begins.setdefault(places[left[0]], True)
        ends.setdefault(places[left[-1]] + 1, True)
    for (start, part_before), (end, part_after) in product(begins.items(), ends.items()):
        if 0 <= start < end:
            before, after = now.beside(start, end, _SPACED)
            if not (before and part_before) and not (after and part_after):
                yield start, end


def _beside(places: dict[int, int], start: int, *, strays: bool) -> int | None:
    """Return where something goes that stood before an old letter: after the one before it, else before itself, else
    after the last one that is left of those before it.
    """
    if start == 0 and not strays:
        return 0 if places else None
    if start - 1 in places:
        return places[start - 1] + 1
    if start in places:
        return places[start]
    if strays:
        return None
    nearest = max((old_at for old_at in places if old_at < start), default=None)
    return None if nearest is None else places[nearest] + 1


def _stays(now: _Line, was: _Line, traced: Sequence[int | None], place: tuple[int, _Node]) -> bool:
    """Tell whether an edit left the words of a node alone: letter by letter, and not as a part of longer ones now."""
    at, node = place
    length = node.end - node.start
    if list(traced[at : at + length]) != list(range(node.start, node.end)):
        return False
    if now.words(at, at + length) != was.words(node.start, node.end):
        return False
    grown = zip(now.beside(at, at + length, _SPACED), was.beside(node.start, node.end, _LETTER), strict=True)
    return all(was_so or not is_so for is_so, was_so in grown)


def _found(now: _Line, waiting: Sequence[_Node], taken: set[int]) -> Iterator[_Node]:
    """Return where the words of nodes stand that were put somewhere else, from the left."""
    for node in waiting:
        words = words_of(node.atom).text
        letters = words.replace(" ", "")
        at = now.letters.find(letters)
        while at >= 0:
            end = at + len(letters)
            free = taken.isdisjoint(range(at, end)) and now.words(at, end) == words
            if free and not any(now.beside(at, end, _SPACED)) and _takes(now, at, node.atom):
                taken.update(range(at, end))
                yield replace(node, start=at, end=end)
                break
            at = now.letters.find(letters, at + 1)


def _takes(now: _Line, at: int, atom: Atom) -> bool:
    """Tell whether words may become a node: not within code, and not if they lead somewhere else."""
    text = now.parts[at]
    if not isinstance(text, Text) or "code" in text.look.styles:
        return False
    return text.look.link in (None, words_of(atom).look.link)


def _mark(now: _Line, was: _Line, traced: Sequence[int | None], *, colors: bool) -> None:
    """Give letters what of the old ones cannot be seen on the other side."""
    marked: dict[tuple[int, int], Text] = {}
    found = set(traced)
    gone = {id(part) for at, part in enumerate(was.parts) if at not in found and _names_somebody(part)}
    for at, old in enumerate(_heirs(was, traced)):
        part = now.parts[at]
        if not isinstance(part, Text) or not isinstance(old, Text) or id(old) in gone:
            continue
        pair = (id(part), id(old))
        if pair not in marked:
            look = replace(part.look, color=old.look.color, background=old.look.background) if colors else part.look
            marked[pair] = replace(part, look=look, own=old.own)
        now.parts[at] = marked[pair]


def _heirs(was: _Line, traced: Sequence[int | None]) -> list[Text | Break | None]:
    """Return for each new letter the old text it belongs to: for new words, the one that they replace or stand in."""
    heirs = [None if old_at is None else was.parts[old_at] for old_at in traced]
    at = 0
    while at < len(traced):
        start = at
        while at < len(traced) and traced[at] is None:
            at += 1
        if at > start:
            first = traced[start - 1] if start else -1
            last = traced[at] if at < len(traced) else len(was.parts)
            if first is not None and last is not None and first < last:
                gone = was.parts[first + 1 : last] or was.parts[max(first, 0) : last + 1]
                if gone and all(part is gone[0] for part in gone):
                    heirs[start:at] = [gone[0]] * (at - start)
        at += 1
    return heirs


def _names_somebody(part: Text | Break) -> bool:
    """Tell whether a text stands in an element that says who or what it is: the words of another one lose it."""
    elements = [mark for mark in part.own if not isinstance(mark, Mapping)] if isinstance(part, Text) else []
    return any(key == "id" or key.startswith("data-") for _, attrs in elements for key, _ in attrs)


def _rewritten(now: _Line, placed: Sequence[_Node]) -> Iterator[Inline]:
    """Return the new line with nodes in their places."""
    at = 0
    for node in placed:
        yield from _as_written(now, at, node.start)
        at = max(at, node.end)
        blank = now.blanks[node.start]
        if blank and (node.before or not node.after or node.start < node.end):
            yield blank
        yield node.atom
        if node.start == node.end and not node.after:
            now.blanks[at] = None
    yield from _as_written(now, at, len(now.letters))


def _as_written(now: _Line, start: int, end: int) -> Iterator[Inline]:
    """Return letters as the new line has them, those together that look the same."""
    at = start
    while at < end:
        part, first = now.parts[at], at
        blank = now.blanks[at]
        if blank:
            yield blank
        at += 1
        while at < end and now.parts[at] is part and isinstance(part, Text):
            at += 1
        yield part if isinstance(part, Break) else replace(part, text=now.words(first, at), atom=False)
