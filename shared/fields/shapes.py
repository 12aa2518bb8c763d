"""The shapes of `shared.domain.kinds`: what each reads out of a side's JSON, and what JSON it sets. Pure.

`READ` gets what the field holds (in a custom field of Craft.io: its `value`, or for lists its `values`) and returns the
value, or None for what has not the shape: that counts as not shown. Readers never raise. `RENDER` is the way back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.ids import Side
from shared.domain.kinds import Markup, Shape
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.fields.idents import ident_of
from shared.fields.links import parts_of, read_dependencies, read_issue_links
from shared.fields.times import day_of, jira_moment, midnight, moment_of
from shared.richtext.forms import from_craft, from_jira, parse
from shared.richtext.forms import render as render_document
from shared.richtext.model import Language

LISTS = frozenset({Shape.WORDS, Shape.REFERENCES, Shape.ONE_REFERENCE})
"""Shapes that a custom field of Craft.io holds in `values`."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SPRINT_PART = re.compile(r"(?:^|,)(id|state|name|goal)=(?:(?P<word>\w+)(?=,|\]?$))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Present:
    """A field that a snapshot shows. A missing field is None instead: not seen is not empty."""

    value: Json


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: on which side, in a custom field of Craft.io or not; for times, where its days begin."""

    side: Side
    custom: bool
    pair: FieldPair

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of the pair."""
        return self.pair.zone


def number_of(raw: object) -> int | float | None:
    """Return a number, or the number that a text is, whole ones as int; None for anything else."""
    if isinstance(raw, str):
        text = raw.strip()
        if not _NUMBER.fullmatch(text):
            return None
        if text.lstrip("+-").isdigit():
            return int(text) if len(text) < 400 else None
        raw = float(text)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    if isinstance(raw, int):
        return raw
    if not math.isfinite(raw):
        return None
    return int(raw) if raw.is_integer() else raw


def number_text(value: float) -> str:
    """Return a number as plain decimal text, without an exponent."""
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


def _text(raw: object, _: Place) -> Present | None:
    return Present(raw or None) if raw is None or isinstance(raw, str) else None


def _document(raw: object, place: Place) -> Present | None:
    """A webhook of Jira Cloud shows documents as wiki markup, which only resembles them: that counts as not shown."""
    if place.side is Side.CRAFT:
        return Present(from_craft(raw)) if raw is None or isinstance(raw, str) else None
    of_markup = isinstance(raw, Mapping if place.pair.markup is Markup.ADF else str)
    return Present(from_jira(raw)) if raw is None or of_markup else None


def _number(raw: object, _: Place) -> Present | None:
    if raw is None or raw == "":
        return Present(None)
    found = number_of(raw)
    return None if found is None else Present(found)


def _reference(raw: object, _: Place) -> Present | None:
    if raw is None or raw == "":
        return Present(None)
    found = ident_of(raw.get("id") if isinstance(raw, Mapping) else raw)
    return None if found is None else Present(found)


def _list(raw: object, part: Callable[[object], str | None]) -> list[str] | None:
    """Return the named part of each element, in the vendor's order; None if one has none, or it is no list."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        return None
    found = [part(each) for each in raw]
    return [each for each in found if each is not None] if None not in found else None


def _id_in(raw: object) -> str | None:
    return ident_of(raw.get("id") if isinstance(raw, Mapping) else raw)


def _name_in(raw: object) -> str | None:
    name = raw.get("name") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) and name else None


def _word(raw: object) -> str | None:
    return raw if isinstance(raw, str) and raw else None


def _all_of(part: Callable[[object], str | None]) -> Callable[[object, Place], Present | None]:
    def read(raw: object, _: Place) -> Present | None:
        found = _list(raw, part)
        return None if found is None else Present(sorted(set(found)))

    return read


def _first_of(part: Callable[[object], str | None]) -> Callable[[object, Place], Present | None]:
    def read(raw: object, _: Place) -> Present | None:
        found = _list(raw, part)
        return None if found is None else Present(found[0] if found else None)

    return read


def _entries(reader: Callable[[object], list[str] | None]) -> Callable[[object, Place], Present | None]:
    def read(raw: object, _: Place) -> Present | None:
        found = reader(raw)
        return None if found is None else Present(found)

    return read


def _cascade(raw: object, _: Place) -> Present | None:
    if raw is None:
        return Present(None)
    parent = ident_of(raw.get("id")) if isinstance(raw, Mapping) else None
    if parent is None or not isinstance(raw, Mapping):
        return None
    child = raw.get("child")
    if child is None:
        return Present(parent)
    found = ident_of(child.get("id")) if isinstance(child, Mapping) else None
    return None if found is None else Present(f"{parent}/{found}")


def _sprint(raw: object, _: Place) -> Present | None:
    """Of several the newest that is not closed; older sites show each as a string with its id and state in brackets."""
    if raw is None:
        return Present(None)
    if not isinstance(raw, list):
        return None
    found: list[int] = []
    for each in raw:
        ident: object = None
        state: object = None
        if isinstance(each, Mapping):
            ident, state = each.get("id"), each.get("state")
        elif isinstance(each, str):
            ident, state = _sprint_in_words(each)
        text = ident_of(ident)
        if text is None or not text.isascii() or not text.isdigit() or len(text) > 30:
            return None
        if not isinstance(state, str) or state.lower() != "closed":
            found.append(int(text))
    return Present(str(max(found)) if found else None)


def _sprint_in_words(shown: str) -> tuple[str | None, str | None]:
    """Return id and state of a sprint as older sites show it: `…Sprint@1f[id=9,state=ACTIVE,name=…,goal=…]`.

    Nothing is escaped there, and people write what they like into name and goal. What stands before those two is sure;
    what does not is what stands last.
    """
    parts = list(_SPRINT_PART.finditer(shown.partition("[")[2] if "@" in shown.partition("[")[0] else shown))
    free = next((at for at, part in enumerate(parts) if part[1].lower() in ("name", "goal")), len(parts))

    def told(name: str) -> str | None:
        by_weight = (*parts[:free], *reversed(parts[free:]))
        return next((part["word"] for part in by_weight if part[1].lower() == name and part["word"]), None)

    return told("id"), told("state")


def _day(raw: object, place: Place) -> Present | None:
    if raw is None or raw == "":
        return Present(None)
    found = day_of(raw, place.zone) if isinstance(raw, str) else None
    return None if found is None else Present(found)


def _moment(raw: object, place: Place) -> Present | None:
    if raw is None or raw == "":
        return Present(None)
    found = moment_of(raw, place.zone) if isinstance(raw, str) else None
    return None if found is None else Present(found)


def _account(raw: object, _: Place) -> Present | None:
    if raw is None:
        return Present(None)
    found = raw.get("accountId") if isinstance(raw, Mapping) else None
    return Present(found) if isinstance(found, str) and found else None


def _username(raw: object, _: Place) -> Present | None:
    """A Data Center user is written by name, but its changelog names keys: both are kept."""
    if raw is None:
        return Present(None)
    if not isinstance(raw, Mapping):
        return None
    found = {name: raw[name] for name in ("name", "key") if isinstance(raw.get(name), str) and raw[name]}
    return Present(found) if "name" in found else None


def _assignee(raw: object, _: Place) -> Present | None:
    """Craft.io wants the team with each write, so it is part of the value; who it is, is told by the id alone."""
    if raw is None:
        return Present(None)
    ident = ident_of(raw.get("id")) if isinstance(raw, Mapping) else None
    if ident is None or not isinstance(raw, Mapping):
        return None
    team = raw.get("team")
    return Present({"id": ident, "team": team if isinstance(team, str) else ""})


READ: Mapping[Shape, Callable[[object, Place], Present | None]] = {
    Shape.TEXT: _text,
    Shape.DOCUMENT: _document,
    Shape.NUMBER: _number,
    Shape.WORDS: _all_of(_word),
    Shape.REFERENCE: _reference,
    Shape.REFERENCES: _all_of(_id_in),
    Shape.ONE_REFERENCE: _first_of(_id_in),
    Shape.NAME: _first_of(_name_in),
    Shape.NAMES: _all_of(_name_in),
    Shape.CASCADE: _cascade,
    Shape.SPRINT: _sprint,
    Shape.DAY: _day,
    Shape.MOMENT: _moment,
    Shape.ACCOUNT: _account,
    Shape.USERNAME: _username,
    Shape.ASSIGNEE: _assignee,
    Shape.ISSUE_LINKS: _entries(read_issue_links),
    Shape.DEPENDENCIES: _entries(read_dependencies),
}


def _set_document(value: Json, place: Place) -> Json:
    """A value that only Jira's changelog told is wiki markup wherever it was found."""
    if value is None:
        return None
    language: Language = "html" if place.side is Side.CRAFT else place.pair.markup.value
    form = value if language in value else render_document(parse(value), language)
    return None if form is None else form[language]


def _set_number(value: Json, place: Place) -> Json:
    number = number_of(value)
    if number is None:
        return None
    return number_text(number) if place.custom else number


def _set_reference(value: Json, place: Place) -> Json:
    if value is None:
        return None
    return value if place.custom else {"id": value}


def _set_references(value: Json, place: Place) -> Json:
    wanted = list(value or ())
    return wanted if place.custom else [{"id": each} for each in wanted]


def _set_cascade(value: Json, _: Place) -> Json:
    if value is None:
        return None
    parent, _slash, child = str(value).partition("/")
    return {"id": parent, "child": {"id": child}} if child else {"id": parent}


def _set_sprint(value: Json, _: Place) -> Json:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _set_day(value: Json, place: Place) -> Json:
    del place
    return value


def _set_day_as_moment(value: Json, place: Place) -> Json:
    moment = midnight(value, place.zone) if isinstance(value, str) and len(value) == len("2026-01-02") else value
    return jira_moment(moment) if place.side is Side.JIRA and isinstance(moment, str) else moment


def _set_username(value: Json, _: Place) -> Json:
    """A value that only a changelog told has the key alone, which for most users is the name too."""
    if value is None:
        return None
    return {"name": (value.get("name") or value.get("key")) if isinstance(value, Mapping) else value}


def _set_assignee(value: Json, _: Place) -> Json:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {"id": value.get("id"), "team": value.get("team") or ""}
    return {"id": value, "team": ""}


def _set_dependencies(value: Json, _: Place) -> Json:
    entries = [parts_of(each) for each in value or ()]
    return [{"id": other, "value": relation} for relation, other in entries]


RENDER: Mapping[Shape, Callable[[Json, Place], Any]] = {
    Shape.TEXT: lambda value, _: value,
    Shape.DOCUMENT: _set_document,
    Shape.NUMBER: _set_number,
    Shape.WORDS: lambda value, _: list(value or ()),
    Shape.REFERENCE: _set_reference,
    Shape.REFERENCES: _set_references,
    Shape.ONE_REFERENCE: lambda value, place: _set_references([] if value is None else [value], place),
    Shape.NAME: lambda value, _: [] if value is None else [{"name": value}],
    Shape.NAMES: lambda value, _: [{"name": each} for each in value or ()],
    Shape.CASCADE: _set_cascade,
    Shape.SPRINT: _set_sprint,
    Shape.DAY: _set_day,
    Shape.MOMENT: _set_day_as_moment,
    Shape.ACCOUNT: lambda value, _: None if value is None else {"accountId": value},
    Shape.USERNAME: _set_username,
    Shape.ASSIGNEE: _set_assignee,
    Shape.DEPENDENCIES: _set_dependencies,
}
"""Issue links are missing: no edit sets them, each takes a request of its own."""
