"""What Jira's changelog tells of a field, in the normal form of its pair. Pure; used by the mapper.

An item has `from` and `to` (ids) and `fromString` and `toString` (labels), both text. What is in them depends on the
field: the value itself, ids joined by commas, ids in brackets, or, for components and versions, one thing added or
removed per item, so that several items of one entry are about one field. What cannot be told is None, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.domain.ids import Side
from shared.domain.kinds import FieldKind, Shape
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.fields.codec import read_value, same, tidy_text
from shared.fields.shapes import Present
from shared.messages.change import ChangelogItem
from shared.richtext.forms import from_jira, plain, words

_IDS = re.compile(r"[0-9]+")
_WORDS = re.compile(r"\w+")
_LEVEL_IDS = re.compile(r"\(([0-9]+)\)")
_ONE_BY_ONE = frozenset({"components", "fixversions", "versions"})
"""Jira's fields that log each thing that is added or removed on its own."""
_LISTS = frozenset({Shape.REFERENCES, Shape.ONE_REFERENCE, Shape.NAMES, Shape.NAME})


def replaced(pair: FieldPair, items: Sequence[ChangelogItem], written: Json) -> Present | None:
    """Return what the field held before an entry, given what it held after it; None if the entry does not tell."""
    if not items:
        return None
    if _one_by_one(pair):
        return _undone(pair, items, written)
    if pair.shape_on(Side.JIRA) is Shape.SPRINT:
        return _sprint_left(items[0].old, items[0].new)
    return told(pair, items[0].old, items[0].old_label)


def set_to(pair: FieldPair, items: Sequence[ChangelogItem], value: Json) -> bool:
    """Tell whether an entry can have set the field to a value."""
    if not items:
        return False
    if _one_by_one(pair):
        held = set(value) if isinstance(value, list) else {value} - {None}
        added = {_element(pair, item.new, item.new_label) for item in items} - {None}
        removed = {_element(pair, item.old, item.old_label) for item in items} - {None}
        return added <= held and not removed & held
    if pair.shape_on(Side.JIRA) is Shape.SPRINT:
        return same(pair.kind, _sprint_left(items[0].new, items[0].old).value, value)
    found = told(pair, items[0].new, items[0].new_label)
    return found is not None and agrees(pair, found.value, value)


def agrees(pair: FieldPair, logged: Json, value: Json) -> bool:
    """Tell whether what an entry says may be a value: of documents it shows the words, and the marks otherwise."""
    match pair.kind:
        case FieldKind.RICH_TEXT:
            return same(pair.kind, logged, value) or words(logged) == words(value)
        case FieldKind.TEXT:
            return _WORDS.findall(logged or "") == _WORDS.findall(value or "")
        case _:
            return same(pair.kind, logged, value)


def told(pair: FieldPair, ident: str | None, label: str | None) -> Present | None:
    """Return the normal form of an item's `from` or `to` with its label; None if that cannot be told."""
    shape = pair.shape_on(Side.JIRA)
    raw: object
    match shape:
        case Shape.REFERENCE:
            raw = ident or None
        case Shape.ACCOUNT:
            raw = {"accountId": ident} if ident else None
        case Shape.USERNAME:
            return Present({"key": ident} if ident else None)
        case Shape.DOCUMENT:
            form = from_jira(label)
            return Present(form if pair.kind is FieldKind.RICH_TEXT else tidy_text(plain(form)) or None)
        case Shape.NUMBER:
            raw = label or ident or None
        case Shape.WORDS:
            raw = (label or "").split()
        case Shape.DAY | Shape.MOMENT:
            return _time(pair, ident, label)
        case Shape.CASCADE:
            return _levels(label)
        case Shape.REFERENCES | Shape.ONE_REFERENCE:
            raw = [{"id": each} for each in _IDS.findall(ident or "")]
            if label and not raw:
                return None
        case Shape.SPRINT:
            raw = [{"id": each} for each in _IDS.findall(ident or "")]
        case Shape.NAMES | Shape.NAME:
            raw = [{"name": each.strip()} for each in (label or "").split(",") if each.strip()]
        case _:
            raw = label or None
    return read_value(Side.JIRA, pair, raw)


def _time(pair: FieldPair, ident: str | None, label: str | None) -> Present | None:
    """The id has the time as Jira stores it, the label as it shows it: in words of the site's language, perhaps."""
    for text in (ident, label):
        if text and (found := read_value(Side.JIRA, pair, text)) is not None:
            return found
    return None if ident or label else Present(None)


def _levels(label: str | None) -> Present | None:
    """A cascading select is logged as words with the ids of its levels in parentheses."""
    ids = _LEVEL_IDS.findall(label or "")
    if label and not ids:
        return None
    return Present("/".join(ids[:2]) or None)


def _sprint_left(ours: str | None, theirs: str | None) -> Present:
    """Return the sprint that is on one end of an item and not on the other: closed ones stay on both."""
    gone = set(_IDS.findall(ours or "")) - set(_IDS.findall(theirs or ""))
    return Present(max(gone, key=int) if gone else None)


def _one_by_one(pair: FieldPair) -> bool:
    return pair.jira.casefold() in _ONE_BY_ONE and pair.shape_on(Side.JIRA) in _LISTS


def _element(pair: FieldPair, ident: str | None, label: str | None) -> str | None:
    return (label if pair.shape_on(Side.JIRA) in (Shape.NAMES, Shape.NAME) else ident) or None


def _undone(pair: FieldPair, items: Sequence[ChangelogItem], written: Json) -> Present | None:
    """Take back what the items of an entry added and removed."""
    added = {_element(pair, item.new, item.new_label) for item in items}
    removed = {_element(pair, item.old, item.old_label) for item in items} - {None}
    if pair.kind is not FieldKind.OPTION:
        return Present(sorted(((set(written or ()) - added) | removed) - {None}))
    if len(removed) > 1:
        return None  # which of them came first is not told
    return Present(next(iter(removed), None))
