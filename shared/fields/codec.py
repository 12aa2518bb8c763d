"""One side's JSON <-> normal form, and when two values of one side are the same to a person.

Where the value stands in the JSON is decided here, how it stands there by its shape (`shared.fields.shapes`), what it
means by its kind. All three are one table in `docs/fields.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.ids import Side
from shared.domain.kinds import CUSTOM_PREFIX, FieldKind, Shape
from shared.domain.link import Json, PairWrite
from shared.domain.mapping import FieldPair
from shared.fields.markup import text_to_html
from shared.fields.people import same_person
from shared.fields.sets import edit_of
from shared.fields.shapes import LISTS, READ, RENDER, Place, Present, number_of, number_text
from shared.fields.times import day_of
from shared.messages.change import LEFT_OUT
from shared.richtext.forms import plain, words
from shared.richtext.forms import same as same_document

__all__ = ["CUSTOM_PREFIX", "Present", "read", "read_value", "render", "render_elements", "same", "tidy_text"]


def read(side: Side, pair: FieldPair, snapshot: Mapping[str, Any]) -> Present | None:
    """Return a pair's value in a vendor snapshot, None if the snapshot does not show the field.

    Never raises for odd shapes: what has not the shape that the vendor documents counts as not shown.
    """
    if is_left_out(side, pair, snapshot):
        return None
    raw = _raw_jira(pair, snapshot) if side is Side.JIRA else _raw_craft(pair, snapshot)
    return None if raw is None else read_value(side, pair, raw.value)


def is_left_out(side: Side, pair: FieldPair, snapshot: Mapping[str, Any]) -> bool:
    """Tell whether a pair's value is missing in a snapshot because it is too large to be told."""
    return pair.name_on(side) in left_out(snapshot)


def left_out(snapshot: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the sizes of what was left out of a snapshot, by the names that a mapping has for it."""
    named = snapshot.get(LEFT_OUT)
    return named if isinstance(named, Mapping) else {}


def read_value(side: Side, pair: FieldPair, raw: object) -> Present | None:
    """Return the normal form of what a pair's field holds, None if that has not the shape of the pair."""
    shaped = READ[pair.shape_on(side)](raw, _place(side, pair))
    if shaped is None or shaped.value is None:
        return shaped
    return _meant(side, pair, shaped.value)


def _place(side: Side, pair: FieldPair) -> Place:
    return Place(side, side is Side.CRAFT and pair.craft.startswith(CUSTOM_PREFIX), pair)


def _raw_jira(pair: FieldPair, snapshot: Mapping[str, Any]) -> Present | None:
    fields = snapshot.get("fields")
    if not isinstance(fields, Mapping):
        return None
    return Present(fields[pair.jira]) if pair.jira in fields else None


def _raw_craft(pair: FieldPair, snapshot: Mapping[str, Any]) -> Present | None:
    if not pair.craft.startswith(CUSTOM_PREFIX):
        return Present(snapshot[pair.craft]) if pair.craft in snapshot else None
    if "customFields" not in snapshot:
        return None
    field_id = pair.craft.removeprefix(CUSTOM_PREFIX)
    entries = snapshot["customFields"]
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("id") == field_id:
            return Present(_custom(entry, in_list=pair.shape_on(Side.CRAFT) in LISTS))
    return Present(None)


def _custom(entry: Mapping[str, Any], *, in_list: bool) -> object:
    """Return what a custom field holds; one that takes several is tolerated to show one value, and the other way."""
    value, values = entry.get("value"), entry.get("values")
    if in_list:
        return values if values is not None or value is None or value == "" else [value]
    return values[0] if value is None and isinstance(values, list) and len(values) == 1 else value


def _meant(side: Side, pair: FieldPair, value: Json) -> Present | None:
    """Return what a value that is there means to the kind, None if it means nothing to it."""
    match pair.kind:
        case FieldKind.TEXT:
            return Present(tidy_text(value if isinstance(value, str) else plain(value)) or None)
        case FieldKind.NUMBER if isinstance(value, str):
            number = number_of(value)
            return None if number is None else Present(number)
        case FieldKind.OPTION if isinstance(value, int | float):
            return Present(number_text(value))
        case FieldKind.TYPE if side is Side.CRAFT and isinstance(value, str):
            return Present(value.casefold())
        case FieldKind.DATE if isinstance(value, str):
            return Present(day_of(value, pair.zone))
        case _:
            return Present(value)


def tidy_text(text: str) -> str:
    """Return text as both vendors keep it: LF line ends, no blanks at line ends, at most one empty line in a row,
    trimmed.
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def same(kind: FieldKind, left: Json, right: Json) -> bool:
    """Tell whether two normal values of one side are the same to a person (the adapter's equivalence of PROTOCOL
    F18).

    An equivalence: each kind compares by a key of the value. People are the exception, see `same_person`.
    """
    if kind is FieldKind.USER:
        return same_person(left, right)
    if kind is FieldKind.RICH_TEXT:
        return same_document(left, right) or _told_otherwise(left, right)
    return bool(_key(kind, left) == _key(kind, right))


def _told_otherwise(left: Json, right: Json) -> bool:
    """Tell whether one value is what only Jira's changelog told, as text, and the words are those of the other."""
    if left is None or right is None or left.keys() == right.keys():
        return False
    said = words(left)
    return bool(said) and said == words(right)


def _key(kind: FieldKind, value: Json) -> Json:
    match kind:
        case FieldKind.STRING:
            return value.strip() if isinstance(value, str) else value or ""
        case FieldKind.TEXT:
            return tidy_text(value) if isinstance(value, str) else value or ""
        case FieldKind.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            return round(value, 9)
        case FieldKind.LABELS | FieldKind.OPTIONS | FieldKind.LINKS if value is None or isinstance(value, list):
            return set(value or ())
        case _:
            return value


def render(side: Side, values: Mapping[FieldPair, Json]) -> dict[str, Any]:
    """Return the JSON that sets these pairs: Jira's `fields` (v2 shapes), or the properties of a Craft item."""
    body: dict[str, Any] = {}
    for pair, value in values.items():
        shape = pair.shape_on(side)
        shaped = RENDER[shape](_worded(side, pair, value), _place(side, pair))
        if side is Side.CRAFT and pair.craft.startswith(CUSTOM_PREFIX):
            name = "values" if shape in LISTS else "value"
            entry = {"id": pair.craft.removeprefix(CUSTOM_PREFIX), name: shaped}
            body.setdefault("customFields", []).append(entry)
        else:
            body[pair.name_on(side)] = shaped
    return body


def render_elements(writes: Mapping[FieldPair, PairWrite]) -> dict[str, list[dict[str, Any]]]:
    """Return the part of a Jira edit (`update`) that adds and removes elements of sets one by one, so that whatever
    else they hold by then stays. Only for fields of `CHANGED_BY_ELEMENT`.
    """
    verbs: dict[str, list[dict[str, Any]]] = {}
    for pair, write in writes.items():
        shape = pair.shape_on(Side.JIRA)
        for verb, elements in zip(("remove", "add"), reversed(edit_of(write)), strict=True):
            shaped = RENDER[shape](elements, _place(Side.JIRA, pair))
            verbs.setdefault(pair.jira, []).extend({verb: each} for each in shaped)
    return verbs


def _worded(side: Side, pair: FieldPair, value: Json) -> Json:
    match pair.kind:
        case FieldKind.TEXT if isinstance(value, str) and pair.shape_on(side) is Shape.DOCUMENT:
            return {"html": text_to_html(value)}
        case FieldKind.STRING if isinstance(value, str) and side is Side.JIRA:
            return " ".join(value.split("\n")).strip()
        case FieldKind.NUMBER if isinstance(value, int | float) and pair.shape_on(side) is Shape.TEXT:
            return number_text(value)
        case _:
            return value
