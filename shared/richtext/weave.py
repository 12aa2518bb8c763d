"""A changed line: the nodes of the old one go where their words still stand in the new one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from shared.richtext.alike import has_color
from shared.richtext.canonical import canonical_inlines
from shared.richtext.model import Atom, Break, Inline, Text
from shared.richtext.readable import words_of

MAX_TOKENS = 4000
"""In longer lines nodes are found by their words alone, from the left."""
_PART = r"\w+|\s+|[^\w\s]"


@dataclass(slots=True)
class _Token:
    """A word, blank or sign of a line, or a node with the words that stand for it."""

    words: str
    inline: Inline


def weave(new: Iterable[Inline], old: Iterable[Inline], *, keep_colors: bool) -> tuple[Inline, ...]:
    """Return `new`, with nodes of `old` in the place of the words that stand for them.

    `keep_colors`: a new line without any colour takes those of the old one, word by word, for it may come from an
    editor that knows no colours. Both lines may be in any form; the new one comes back canonical.
    """
    line, before = canonical_inlines(new), canonical_inlines(old)
    atoms = [inline for inline in before if isinstance(inline, Atom)]
    colors = keep_colors and has_color(before) and not has_color(line)
    if not atoms and not colors:
        return line
    signs = sorted({words for atom in atoms if (words := words_of(atom).text)}, key=len, reverse=True)
    pattern = re.compile("|".join([*map(_whole, signs), _PART]))
    tokens = list(_tokens(line, pattern))
    _place(tokens, list(_tokens(before, re.compile(_PART))), colors=colors)
    unseen = [atom for atom in atoms if not words_of(atom).text]
    first = bool(before) and before[0] in unseen
    woven = [token.inline for token in tokens]
    return canonical_inlines([*unseen, *woven] if first else [*woven, *unseen])


def _whole(words: str) -> str:
    """Return a pattern for words that are no part of longer ones."""
    before = r"(?<!\w)" if re.match(r"\w", words) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", words) else ""
    return before + re.escape(words) + after


def _tokens(line: Sequence[Inline], pattern: re.Pattern[str]) -> Iterator[_Token]:
    for inline in line:
        if isinstance(inline, Break):
            yield _Token("\n", inline)
        elif not isinstance(inline, Text):
            yield _Token(words_of(inline).text, inline)
        else:
            for found in pattern.finditer(inline.text):
                yield _Token(found[0], replace(inline, text=found[0]))


def _place(tokens: list[_Token], before: list[_Token], *, colors: bool) -> None:
    """Put old nodes (and colours) where the same words stand, first by their neighbourhood, then from the left."""
    placed: set[int] = set()
    if max(len(tokens), len(before)) <= MAX_TOKENS:
        matcher = SequenceMatcher(None, [t.words for t in tokens], [t.words for t in before])
        for at, old_at, size in matcher.get_matching_blocks():
            for offset in range(size):
                token, old = tokens[at + offset], before[old_at + offset]
                if isinstance(old.inline, Atom) and _takes(token, old.inline):
                    token.inline = old.inline
                    placed.add(old_at + offset)
                elif colors and isinstance(old.inline, Text) and isinstance(token.inline, Text):
                    token.inline = _colored(token.inline, old.inline)
    waiting: dict[str, list[Atom]] = {}
    for index, old in reversed(list(enumerate(before))):
        if isinstance(old.inline, Atom) and index not in placed and old.words:
            waiting.setdefault(old.words, []).append(old.inline)
    for token in tokens:
        atoms = waiting.get(token.words)
        if atoms and _takes(token, atoms[-1]):
            token.inline = atoms.pop()


def _takes(token: _Token, atom: Atom) -> bool:
    """Tell whether words may become a node: not within code, and not if they lead somewhere else."""
    text = token.inline
    if not isinstance(text, Text) or "code" in text.look.styles:
        return False
    return text.look.link in (None, words_of(atom).look.link)


def _colored(text: Text, old: Text) -> Text:
    look = replace(text.look, color=old.look.color, background=old.look.background)
    return replace(text, look=look)
