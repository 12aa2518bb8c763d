"""Lines of text as wiki markup that means nothing but what they say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.richtext.canonical import kept
from shared.richtext.model import Break, Card, Inline, Look, Mention, OpaqueInline, Text
from shared.richtext.readable import words_of
from shared.richtext.wiki.notation import ENTITY, ESCAPABLE, LIST_LINE, MARKERS, RULE_LINE, is_word

_ALWAYS = frozenset("{}[]|")
_OPEN_ENTITY = re.compile(r"&[#A-Za-z0-9]*\Z")
_NAMED_LINE = re.compile(r"(h[1-6]|bq)\.(?=\s|\Z)")
_ADDRESS = re.compile(r"https?:|mailto:")
_DOT, _BACKSLASH, _AMPERSAND = "&#46;", "&#92;", "&#38;"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A marker that begins or ends a style."""

    sign: str
    opens: bool

    @property
    def sure(self) -> str:
        """The form that works within words and beside blanks."""
        if self.sign.startswith("#"):
            return f"{{color:{self.sign}}}" if self.opens else "{color}"
        return f"{{{self.sign}}}"


@dataclass(frozen=True, slots=True)
class _Line:
    """The place where a new line begins."""

    text: str


_Token = str | _Mark | _Line


def inline_markup(inlines: Iterable[Inline], *, one_line: bool, at_line_start: bool = True) -> str:
    """Return the markup of what stands in a paragraph. `one_line`: its breaks are written so that no line ends."""
    found = tuple(inlines)
    risky = _risky(found, everywhere=one_line)
    tokens: list[_Token] = [_Line("")] if at_line_start else []
    opened: list[str] = []
    for index, inline in enumerate(found):
        if isinstance(inline, Break):
            _switch(opened, [], tokens)
            alone = not isinstance(found[index - 1], Break) and not isinstance(found[index + 1], Break)
            tokens.append(_Line("\n") if alone and not one_line else "\\\\")
        elif isinstance(inline, Text):
            _switch(opened, _signs(inline.look), tokens)
            tokens.append(_text(inline, risky))
        else:
            _switch(opened, [], tokens)
            tokens.append(_atom(inline, risky))
    _switch(opened, [], tokens)
    return _joined(tokens)


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


def _switch(opened: list[str], wanted: list[str], tokens: list[_Token]) -> None:
    """End the styles that are not wanted any more (and those within them), begin those that are."""
    still = 0
    while still < len(opened) and opened[still] in wanted:
        still += 1
    while len(opened) > still:
        tokens.append(_Mark(opened.pop(), opens=False))
    for sign in wanted:
        if sign not in opened:
            opened.append(sign)
            tokens.append(_Mark(sign, opens=True))


def _joined(tokens: list[_Token]) -> str:
    written: list[str] = []
    last = " "
    fresh = False
    for index, token in enumerate(tokens):
        if isinstance(token, _Line):
            written.append(token.text)
            last, fresh = " ", True
            continue
        if isinstance(token, _Mark):
            part = _marker(token, last, tokens[index + 1] if index + 1 < len(tokens) else "")
        else:
            part = _at_line_start(token) if fresh else token
        if part:
            written.append(part)
            last, fresh = part[-1], False
    return "".join(written)


def _marker(mark: _Mark, last: str, following: _Token) -> str:
    if mark.sign.startswith("#"):
        return mark.sure
    after = _first_char(following)
    if mark.opens:
        plain = not is_word(last) and not after.isspace() and last != mark.sign
    else:
        plain = not last.isspace() and not is_word(after) and last != mark.sign
    same = isinstance(following, _Mark) and following.sign == mark.sign
    return mark.sign if plain and not same and after != mark.sign else mark.sure


def _first_char(token: _Token) -> str:
    if isinstance(token, _Mark):
        return "{" if token.sign.startswith("#") else token.sign
    return token[:1] or " " if isinstance(token, str) else " "


def _at_line_start(text: str) -> str:
    """Return a line's first text so that it begins no heading, list or rule."""
    named = _NAMED_LINE.match(text)
    if named is not None:
        return f"{named[1]}{_DOT}{text[named.end() :]}"
    if LIST_LINE.match(text) or RULE_LINE.match(text) or text.startswith("#"):
        return f"\\{text}"
    return text


def _atom(inline: Mention | Card | OpaqueInline | Inline, risky: frozenset[str]) -> str:
    if not isinstance(inline, Text | Break):
        source = kept(inline.origin, "wiki")
        if isinstance(source, str):
            return source
    if isinstance(inline, Mention):
        return f"[~accountid:{inline.id}]" if inline.by_account else f"[~{inline.id}]"
    if isinstance(inline, Card):
        return f"[{inline.url}|{inline.url}|smart-link]"
    return "" if isinstance(inline, Break) else _text(inline if isinstance(inline, Text) else words_of(inline), risky)


def _text(text: Text, risky: frozenset[str]) -> str:
    look = text.look
    if look.link is not None and look.link == text.text and _ADDRESS.match(text.text) and "code" not in look.styles:
        return f"[{look.link}]"
    shown = escaped(text.text, risky)
    if "code" in look.styles:
        shown = "{{" + shown + "}}"
    return shown if look.link is None else f"[{shown}|{look.link}]"


def escaped(text: str, risky: frozenset[str]) -> str:
    """Return text of which no character is markup. `risky`: markers that could find a partner."""
    written: list[str] = []
    end = len(text) - 1
    for index, char in enumerate(text):
        if char in _ALWAYS or (char in risky and not _harmless(text, index)):
            written.append("\\" + char)
        elif char == "\\":
            plain = index < end and text[index + 1] not in ESCAPABLE and text[index + 1] != "\\"
            written.append(char if plain else _BACKSLASH)
        elif char == "&":
            taken = ENTITY.match(text, index) or _OPEN_ENTITY.match(text, index)
            written.append(_AMPERSAND if taken else char)
        else:
            written.append(char)
    return "".join(written)


def _harmless(text: str, index: int) -> bool:
    """Tell whether a marker stands within a word or between blanks, where it is none."""
    if not 0 < index < len(text) - 1 or text[index] in "!?":
        return False
    before, after = text[index - 1], text[index + 1]
    return (is_word(before) and is_word(after)) or (before.isspace() and after.isspace())
