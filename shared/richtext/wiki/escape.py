"""Lines of text as wiki markup that means nothing but what they say. Pure.

A backslash is written where Jira takes one, an entity where it does not or where other readers of the notation fail:
a bar in a cell, a colon of `:D`, the dot of `h1.`, a brace beside another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.richtext.canonical import kept
from shared.richtext.model import Break, Card, Inline, Look, Mention, OpaqueInline, Text
from shared.richtext.readable import words_of
from shared.richtext.wiki.notation import (
    EMOTICON,
    ENTITY,
    LIST_LINE,
    MARKERS,
    RULE_LINE,
    is_word,
    may_be_word,
)

_OPEN_ENTITY = re.compile(r"&[#A-Za-z0-9]*\Z")
_NAMED_LINE = re.compile(r"(h[1-6]|bq)\.")
_SIGNS_LINE = re.compile(r"[*#-]+\Z")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FACE_ENDS = re.compile(rf"(?:{EMOTICON.pattern})\Z")
_STAR = re.compile(r"[rgby]?\)")
NEW_LINE = "\\\\ "
"""Two backslashes. The blank keeps them apart from what follows: Jira leaves `\\\\server\\share` as it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands."""

    one_line: bool = False
    """Its breaks are written so that no line ends."""
    line_start: bool = True
    """What it begins with begins a line of the markup."""
    cell: bool = False
    """A bar would end it."""
    label: bool = False
    """It is the text of a link, or a part of it."""
    last: str = " "
    """The character before it."""
    following: str = " "
    """The character after it."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A marker that begins or ends a style."""

    sign: str
    opens: bool
    pair: int
    """The same for a style's beginning and end."""

    @property
    def sure(self) -> str:
        """The form that works within words and beside blanks."""
        if self.sign.startswith("#"):
            return f"{{color:{self.sign}}}" if self.opens else "{color}"
        return f"{{{self.sign}}}"


@dataclass(frozen=True, slots=True)
class _Line:
    """The place where a new line begins; `starts`: also in the markup."""

    text: str
    starts: bool


@dataclass(frozen=True, slots=True)
class _Code:
    """Monospaced text, which must not stand beside a letter."""

    text: str


_Token = str | _Mark | _Line | _Code


def inline_markup(inlines: Iterable[Inline], place: Place, *, wary: bool = False) -> str:
    """Return the markup of what stands in a paragraph. `wary`: text of which nothing is known stands beside it."""
    found = tuple(inlines)
    risky = _risky(found, everywhere=wary or place.one_line)
    tokens: list[_Token] = [_Line("", starts=True)] if place.line_start else []
    opened: list[_Mark] = []
    for index, inline in enumerate(found):
        if isinstance(inline, Break):
            _switch(opened, [], tokens)
            alone = not any(
                isinstance(one, Break) for one in (*found[max(0, index - 1) : index], *found[index + 1 :][:1])
            )
            ends = alone and not place.one_line
            tokens.append(_Line("\n" if ends else NEW_LINE, starts=ends))
        elif isinstance(inline, Text):
            _switch(opened, _signs(inline.look), tokens)
            tokens.append(_text(inline, risky, place))
        else:
            _switch(opened, [], tokens)
            tokens.append(_atom(inline, risky, place))
    _switch(opened, [], tokens)
    return _joined(tokens, place)


def _risky(inlines: tuple[Inline, ...], *, everywhere: bool) -> frozenset[str]:
    """Return the markers that could find a partner in this paragraph."""
    texts = [i if isinstance(i, Text) else words_of(i) for i in inlines if not isinstance(i, Break)]
    counts = dict.fromkeys("*_-+^~!", 2 if everywhere else 0)
    for text in texts:
        for marker in counts:
            counts[marker] += text.text.count(marker)
        for sign in _signs(text.look):
            counts[sign] = 2
    risky = {marker for marker, count in counts.items() if count > 1}
    return frozenset(risky | ({"?"} if any("??" in text.text for text in texts) else set()))


def _signs(look: Look) -> list[str]:
    signs = [marker for style, marker in MARKERS.items() if style in look.styles]
    return [look.color, *signs] if look.color else signs


def _switch(opened: list[_Mark], wanted: list[str], tokens: list[_Token]) -> None:
    """End the styles that are not wanted any more (and those within them), begin those that are."""
    still = 0
    while still < len(opened) and opened[still].sign in wanted:
        still += 1
    while len(opened) > still:
        tokens.append(replace(opened.pop(), opens=False))
    for sign in wanted:
        if all(mark.sign != sign for mark in opened):
            opened.append(_Mark(sign, opens=True, pair=len(tokens)))
            tokens.append(opened[-1])


def _joined(tokens: list[_Token], place: Place) -> str:
    """Return the tokens as markup. A style of which one end cannot be a plain marker has the sure form at both."""
    sure: set[int] = set()
    while True:
        known = len(sure)
        markup = _written(tokens, place, sure)
        if len(sure) == known:
            return markup


def _written(tokens: list[_Token], place: Place, sure: set[int]) -> str:
    written: list[str] = []
    last = place.last
    fresh = after_code = False
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else place.following
        match token:
            case _Line():
                written.append(token.text)
                last, fresh, after_code = " ", token.starts, False
                continue
            case _Mark():
                if not _plain(token, last, following, sure):
                    sure.add(token.pair)
                part = token.sure if token.pair in sure else token.sign
                fresh = fresh and part in ("*", "-")
            case _Code():
                if written and may_be_word(last):
                    written[-1] = _parted(written[-1])
                part, fresh = token.text, False
            case _:
                part = _glued(token) if after_code else token
                part = _at_line_start(part) if fresh else part
                fresh = fresh and not part
        if part:
            written.append(part)
            last, after_code = part[-1], isinstance(token, _Code)
    return "".join(written)


def _parted(text: str) -> str:
    """Return text before monospaced text, which would be none if a letter stood before it."""
    stem, last = text[:-1], _entity(text[-1])
    face = _FACE_ENDS.search(stem)  # the letter has kept it from being a picture
    return (stem[:-1] + _entity(stem[-1]) if face else stem) + last


def _glued(text: str) -> str:
    """Return text that follows monospaced text, which would be none if it went on with a letter."""
    return _entity(text[0]) + text[1:] if text and may_be_word(text[0]) else text


def _entity(char: str) -> str:
    return f"&#{ord(char)};"


def _plain(mark: _Mark, last: str, following: _Token, sure: set[int]) -> bool:
    """Tell whether a marker without braces is read as one here."""
    sign = mark.sign
    if sign.startswith("#"):
        return False
    after = _first_char(following, sure)
    outside, inside = (last, after) if mark.opens else (after, last)
    same = isinstance(following, _Mark) and following.sign == sign
    rest = following if isinstance(following, str) else ""
    face = (last == "(" and _STAR.match(rest) is not None) or (sign == "-" and last in ":;" and rest[:1] in ")(PpD\\")
    return not may_be_word(outside) and not inside.isspace() and not same and not face and sign not in (after, last)


def _first_char(token: _Token, sure: set[int]) -> str:
    match token:
        case _Mark():
            return "{" if token.pair in sure else token.sign[0]
        case _Line():
            return " "
        case _Code():
            return "{"
        case _:
            return token[:1] or " "


def _at_line_start(text: str) -> str:
    """Return a line's first text, escaped already, so that it begins no heading, list, table or rule."""
    named = _NAMED_LINE.match(text)
    if named is not None:
        return f"{named[1]}{_entity('.')}{text[named.end() :]}"
    if text.startswith("|"):
        return _entity("|") + text[1:]
    if LIST_LINE.match(text) or RULE_LINE.match(text) or _SIGNS_LINE.match(text):
        return f"\\{text}"
    return text


def _atom(inline: Mention | Card | OpaqueInline | Inline, risky: frozenset[str], place: Place) -> _Token:
    if not isinstance(inline, Text | Break):
        source = kept(inline.origin, "wiki")
        if isinstance(source, str):
            return source
    if isinstance(inline, Mention):
        return f"[~accountid:{inline.id}]" if inline.by_account else f"[~{inline.id}]"
    if isinstance(inline, Card):
        return f"[{inline.url}|{inline.url}|smart-link]"
    if isinstance(inline, Break):
        return ""
    return _text(inline if isinstance(inline, Text) else words_of(inline), risky, place)


def _text(text: Text, risky: frozenset[str], place: Place) -> _Token:
    look = text.look
    code = "code" in look.styles
    if look.link is not None and look.link == text.text and _ADDRESS.match(text.text) and not code:
        return f"[{look.link}]"
    label = look.link is not None or place.label
    shown = escaped(text.text, risky, bar=place.cell or label, brackets=label, braces=code)
    if code:
        shown = "{{" + shown + "}}"
    if look.link is not None:
        return f"[{shown}|{look.link}]"
    return _Code(shown) if code else shown


def escaped(
    text: str, risky: frozenset[str], *, bar: bool = False, brackets: bool = False, braces: bool = False
) -> str:
    """Return text of which no character is markup. `risky`: markers that could find a partner. `bar`, `brackets`,
    `braces`: these have to be entities where the text stands.
    """
    written: list[str] = []
    always = "^~" if brackets else ""  # in the text of a link they make it one to a file or a person
    faces = {_telling(found) for found in EMOTICON.finditer(text)}
    for index, char in enumerate(text):
        if char in "{}":
            written.append(_entity(char) if braces or text[index - 1 : index] == char else "\\" + char)
        elif char in "[]":
            written.append(_entity(char) if brackets else "\\" + char)
        elif char == "|":
            written.append(_entity(char) if bar else char)
        elif char in always or index in faces or (char in risky and not _harmless(text, index)):
            written.append(_entity(char) if char == ":" else "\\" + char)
        elif char == "\\":
            written.append(char if _plain_backslash(text, index) else _entity(char))
        elif char == "&":
            taken = ENTITY.match(text, index) or _OPEN_ENTITY.match(text, index)
            written.append(_entity(char) if taken else char)
        else:
            written.append(char)
    return "".join(written)


def _telling(face: re.Match[str]) -> int:
    """Return the place of the character to escape, lest Jira shows a picture: the bracket, or the colon of `:D`."""
    return face.end() - 1 if face[0][0] != "(" and face[0][-1] in "()" else face.start()


def _plain_backslash(text: str, index: int) -> bool:
    """Tell whether a backslash stands before a letter or digit, where it is nothing but itself."""
    return text[index + 1 : index + 2].isalnum()


def _harmless(text: str, index: int) -> bool:
    """Tell whether a marker stands within a word or between blanks, where it is none."""
    if not 0 < index < len(text) - 1 or text[index] in "!?":
        return False
    before, after = text[index - 1], text[index + 1]
    return (is_word(before) and is_word(after)) or (before.isspace() and after.isspace())
