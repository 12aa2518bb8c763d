"""One side's JSON <-> normal form, and when two values of one side are the same to a person."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from shared.domain.ids import Side
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair
from shared.fields.markup import html_to_text, text_to_html

CUSTOM_PREFIX = "custom:"


@dataclass(frozen=True, slots=True)
class Present:
    """A field that a snapshot shows. A missing field is None instead: not seen is not empty."""

    value: Json


def read(side: Side, pair: FieldPair, snapshot: Mapping[str, Any]) -> Present | None:
    """Return a pair's value in a vendor snapshot, None if the snapshot does not show the field.

    Never raises for odd shapes: what has not the shape that the vendor documents counts as not shown.
    """
    raw = _raw_jira(pair, snapshot) if side is Side.JIRA else _raw_craft(pair, snapshot)
    if raw is None:
        return None
    return _normal(side, pair.kind, raw.value)


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
            return Present(entry.get("value"))
    return Present(None)


def _normal(side: Side, kind: FieldKind, raw: object) -> Present | None:
    match kind:
        case FieldKind.STRING:
            return _string(raw)
        case FieldKind.TEXT | FieldKind.RICH_TEXT:
            found = _string(raw)
            if found is None or found.value is None:
                return found
            text = tidy_text(html_to_text(found.value) if side is Side.CRAFT else found.value)
            return Present(text or None)
        case FieldKind.NUMBER:
            return _number(raw)
        case FieldKind.OPTION | FieldKind.STATUS | FieldKind.PARENT | FieldKind.USER:
            return _reference(raw)
        case FieldKind.DATETIME:
            return _string(raw)
        case FieldKind.LABELS | FieldKind.OPTIONS:
            if raw is None:
                return Present([])
            return Present(sorted({str(label) for label in raw})) if isinstance(raw, list) else None
        case FieldKind.DATE:
            return Present(raw[:10] if isinstance(raw, str) and raw else None)
        case _:
            assert_never(kind)


def _string(raw: object) -> Present | None:
    if raw is None or isinstance(raw, str):
        return Present(raw or None)
    return None


def _number(raw: object) -> Present | None:
    if raw is None or raw == "":
        return Present(None)
    if isinstance(raw, str):
        try:
            raw = float(raw)
        except ValueError:
            return None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        return None
    return Present(int(raw) if float(raw).is_integer() else float(raw))


def _reference(raw: object) -> Present | None:
    if raw is None or raw == "":
        return Present(None)
    if isinstance(raw, str):
        return Present(raw)
    if isinstance(raw, Mapping) and raw.get("id") is not None:
        return Present(str(raw["id"]))
    return None


def tidy_text(text: str) -> str:
    """Return text as both vendors keep it: LF line ends, no blanks at line ends, at most one empty line in a row,
    trimmed.
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def same(kind: FieldKind, left: Json, right: Json) -> bool:
    """Tell whether two normal values of one side are the same to a person (the adapter's equivalence of PROTOCOL
    F18).
    """
    match kind:
        case FieldKind.STRING:
            return bool((left or "").strip() == (right or "").strip())
        case FieldKind.TEXT:
            return tidy_text(left or "") == tidy_text(right or "")
        case FieldKind.NUMBER if isinstance(left, int | float) and isinstance(right, int | float):
            return abs(float(left) - float(right)) < 1e-9
        case FieldKind.LABELS:
            return set(left or ()) == set(right or ())
        case _:
            return bool(left == right)


def render(side: Side, values: Mapping[FieldPair, Json]) -> dict[str, Any]:
    """Return the JSON that sets these pairs: Jira's `fields` (v2 shapes), or the properties of a Craft item."""
    body: dict[str, Any] = {}
    for pair, value in values.items():
        if side is Side.JIRA:
            body[pair.jira] = _jira_json(pair.kind, value)
        elif pair.craft.startswith(CUSTOM_PREFIX):
            entry = {"id": pair.craft.removeprefix(CUSTOM_PREFIX), "value": _craft_custom(value)}
            body.setdefault("customFields", []).append(entry)
        else:
            body[pair.craft] = _craft_json(pair.kind, value)
    return body


def _jira_json(kind: FieldKind, value: Json) -> Json:
    match kind:
        case FieldKind.OPTION | FieldKind.STATUS | FieldKind.PARENT:
            return None if value is None else {"id": value}
        case FieldKind.LABELS:
            return list(value or ())
        case FieldKind.STRING if isinstance(value, str):
            return " ".join(value.split("\n")).strip()
        case _:
            return value


def _craft_json(kind: FieldKind, value: Json) -> Json:
    match kind:
        case FieldKind.TEXT:
            return None if value is None else text_to_html(value)
        case FieldKind.OPTION | FieldKind.STATUS | FieldKind.PARENT:
            return None if value is None else {"id": value}
        case FieldKind.LABELS:
            return list(value or ())
        case FieldKind.DATE:
            return None if value is None else f"{value}T00:00:00.000Z"
        case _:
            return value


def _craft_custom(value: Json) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else repr(value)
