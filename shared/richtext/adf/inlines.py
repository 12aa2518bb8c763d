"""What stands in a line of ADF -> model, and what both halves of the reader need. Pure; never raises."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.richtext import text as texts
from shared.richtext.adf.marks import Mark, read_marks
from shared.richtext.model import (
    Break,
    Card,
    Date,
    Emoji,
    Inline,
    Look,
    Mention,
    OpaqueInline,
    Origin,
    Status,
    Text,
)

Node = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_SAID = frozenset({"localId", "occurrenceKey"})
"""Attributes by which editors tell nodes apart; a person never sees them."""
MAX_DEPTH = 60


def content_of(node: Node) -> Sequence[object]:
    """Return a node's children, none if it has no list of them."""
    content = node.get("content")
    return content if isinstance(content, list) else ()


def attrs_of(node: object) -> Mapping[str, Any]:
    """Return a node's attributes."""
    attrs = node.get("attrs") if isinstance(node, Mapping) else None
    return attrs if isinstance(attrs, Mapping) else {}


def kind_of(node: object) -> str:
    """Return a node's type, "" if it has none."""
    kind = node.get("type") if isinstance(node, Mapping) else None
    return kind if isinstance(kind, str) else ""


def identity(node: Node) -> str:
    """Return what tells one opaque node from another, whatever the order of its attributes."""
    try:
        return json.dumps(_said(node), sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return "?"


def _said(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _said(inner) for key, inner in value.items() if key not in _NOT_SAID}
    return [_said(inner) for inner in value] if isinstance(value, list) else value


def words_in(node: object) -> str:
    """Return all text in a node, however deep it stands."""
    words: list[str] = []
    left: list[object] = [node]
    while left:
        found = left.pop()
        if isinstance(found, str):
            words.append(found)
        elif isinstance(found, list):
            left.extend(reversed(found))
        elif isinstance(found, Mapping):
            text = found.get("text", attrs_of(found).get("text"))
            if isinstance(text, str):
                words.append(text)
            elif found.get("type") == "hardBreak":
                words.append("\n")
            left.append(found.get("content"))
    return "".join(words)


def read_inlines(nodes: Iterable[object], depth: int = 0) -> tuple[Inline, ...]:
    """Return what a paragraph's children say; a block among them says its words on a line of its own."""
    found: list[Inline] = []
    for node in nodes:
        kind = kind_of(node)
        if not isinstance(node, Mapping) or not kind:
            found += _lines(words_in(node), Look(), ())
        elif kind == "text":
            text = node.get("text")
            found += _lines(text if isinstance(text, str) else "", *read_marks(node.get("marks")))
        elif kind == "hardBreak":
            found.append(Break())
        elif kind in ("paragraph", "heading") and depth < MAX_DEPTH:
            found += [Break(), *read_inlines(content_of(node), depth + 1), Break()]
        else:
            found.append(_atom(kind, node))
    return tuple(found)


def _lines(text: str, look: Look, own: tuple[Mark, ...]) -> list[Inline]:
    """Return text of which each line end is a break: Jira shows it as one."""
    found: list[Inline] = []
    for number, line in enumerate(texts.clean(text).split("\n")):
        if number:
            found.append(Break())
        if line:
            found.append(Text(line, look, own=own))
    return found


FILE_SIGN = "📎"


def media_words(node: Node, around: object = None) -> Text:
    """Return the words that stand for a file: a link if its marks, those of the node `around` it, or itself lead on."""
    attrs = attrs_of(node)
    alt = texts.one_line(attrs["alt"]) if isinstance(attrs.get("alt"), str) else ""
    own = texts.safe_url(attrs["url"]) if isinstance(attrs.get("url"), str) else None
    leads = read_marks(node.get("marks"))[0].link or read_marks(around)[0].link
    words = f"{FILE_SIGN} {alt or 'attachment'}" if own is None else alt or texts.file_name(own)
    return Text(words, Look(link=leads or own), atom=True)


def reworded(node: Node, shown: Text, words: str, link: str | None) -> Node | None:
    """Return a node that shows other words than `shown`, None if its words cannot be changed."""
    attrs = attrs_of(node)
    match kind_of(node):
        case "media" | "mediaInline":
            name = words.removeprefix(FILE_SIGN).strip()
            if link not in (None, shown.look.link) or words.startswith(FILE_SIGN) != shown.text.startswith(FILE_SIGN):
                return None
            return {**node, "attrs": {**attrs, "alt": name}} if name else None
        case "extension" | "inlineExtension" if isinstance(attrs.get("text"), str) and words and link is None:
            return {**node, "attrs": {**attrs, "text": words}}
        case _:
            return None


def _atom(kind: str, node: Node) -> Inline:
    attrs, origin = attrs_of(node), Origin("adf", node)
    text = texts.one_line(attrs["text"]) if isinstance(attrs.get("text"), str) else ""
    url = texts.safe_url(attrs["url"]) if isinstance(attrs.get("url"), str) else None
    match kind:
        case "mention" if isinstance(attrs.get("id"), str) and attrs["id"]:
            return Mention(attrs["id"], text or None, origin=origin)
        case "emoji" if isinstance(attrs.get("shortName"), str) and texts.one_line(attrs["shortName"]):
            return Emoji(texts.one_line(attrs["shortName"]), text or None, origin=origin)
        case "status" if text:
            color = attrs.get("color")
            return Status(text, color if isinstance(color, str) else "neutral", origin=origin)
        case "date" if (day := _day(attrs.get("timestamp"))) is not None:
            return Date(day, origin=origin)
        case "inlineCard" if url is not None:
            return Card(url, origin=origin)
        case "mediaInline":
            return OpaqueInline("adf", identity(node), media_words(node), origin=origin)
        case _:
            words = "" if kind == "placeholder" else text or texts.one_line(words_in(node)) or _card_name(attrs)
            return OpaqueInline("adf", identity(node), Text(words), origin=origin)


def _card_name(attrs: Mapping[str, Any]) -> str:
    """Return the name in a card's JSON-LD, "" if it has none."""
    data = attrs.get("data")
    name = data.get("name") if isinstance(data, Mapping) else None
    return texts.one_line(name) if isinstance(name, str) else ""


def _day(timestamp: object) -> str | None:
    """Return the day of a `date` node: milliseconds since 1970 at midnight UTC, as digits."""
    try:
        moment = _EPOCH + timedelta(milliseconds=int(timestamp))  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%d}" if moment.year >= 1000 else None
