"""Fields that hold things from lists, and what else the plain site lacks: components, versions, sprints, multi and
cascading selects, checkboxes, addresses, moments, people.

On a site with the setting `rich_fields`. A value is the tuple of the things' ids (a cascading select: parent, child; a
sprint field: all sprints so far). Called by the modules that read, show and log field values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.jira.model import FieldDef, JsonObject, Kind, Option, Project, Value

_PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes"
_SPRINT = "com.pyxis.greenhopper.jira:gh-sprint"
PLATFORMS, CHECKBOX, REGION, SPRINT, ADDRESS, MOMENT, REVIEWER, SIZE = (
    "Platforms",
    "Approved",
    "Region",
    "Sprint",
    "Design",
    "Go live",
    "Reviewer",
    "Size",
)
_CUSTOM: tuple[tuple[str, Kind, str, str, str], ...] = (
    (PLATFORMS, Kind.MULTI, "array", "option", f"{_PLUGIN}:multiselect"),
    (CHECKBOX, Kind.MULTI, "array", "option", f"{_PLUGIN}:multicheckboxes"),
    (REGION, Kind.CASCADE, "option-with-child", "", f"{_PLUGIN}:cascadingselect"),
    (SPRINT, Kind.SPRINT, "array", "json", _SPRINT),
    (ADDRESS, Kind.URL, "string", "", f"{_PLUGIN}:url"),
    (MOMENT, Kind.MOMENT, "datetime", "", f"{_PLUGIN}:datetime"),
    (REVIEWER, Kind.USER, "user", "", f"{_PLUGIN}:userpicker"),
    (SIZE, Kind.OPTION, "option", "", f"{_PLUGIN}:select"),
)
SYSTEM = ("components", "fixVersions", "versions")
EMPTY_LISTS = frozenset({Kind.LABELS, Kind.COMPONENTS, Kind.VERSIONS})
"""Kinds that show an empty list where they are empty; the others show null."""
ONE_BY_ONE = frozenset({Kind.COMPONENTS, Kind.VERSIONS})
"""Kinds whose changelog has an item for each thing that was added or removed."""
_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?[+-]\d{4}")


@dataclass(frozen=True, slots=True)
class SprintDef:
    """A sprint of the site's board. `state` is closed, active or future."""

    id: str
    name: str
    state: str


class BadThing(ValueError):
    """A value is refused. The text has Jira's words."""


def system_fields() -> tuple[FieldDef, ...]:
    """Return the fields for components and versions."""
    verbs = ("add", "set", "remove")
    return tuple(
        FieldDef(field_id, name, kind, {"type": "array", "items": items, "system": field_id}, clauses, operations=verbs)
        for field_id, name, kind, items, clauses in (
            ("components", "Components", Kind.COMPONENTS, "component", ("component",)),
            ("fixVersions", "Fix versions", Kind.VERSIONS, "version", ("fixVersion",)),
            ("versions", "Affects versions", Kind.VERSIONS, "version", ("affectedVersion",)),
        )
    )


def custom_fields(first: int) -> tuple[FieldDef, ...]:
    """Return the custom fields, numbered from `first`."""
    found: list[FieldDef] = []
    for number, (name, kind, schema_type, items, custom) in enumerate(_CUSTOM, first):
        schema: JsonObject = {"type": schema_type, "custom": custom, "customId": number}
        if items:
            schema["items"] = items
        found.append(FieldDef(f"customfield_{number}", name, kind, schema, (f"cf[{number}]", name), custom=True))
    return tuple(found)


def options(customs: tuple[FieldDef, ...]) -> dict[str, dict[str, Option]]:
    """Return the options of the selects, by field id."""
    ids = {one.name: one.id for one in customs}
    cascade = [Option("10401", "Europe"), Option("10402", "America")]
    cascade += [
        Option("10411", "Berlin", parent="10401"),
        Option("10412", "Paris", parent="10401"),
        Option("10421", "Austin", parent="10402"),
    ]
    return {
        ids[PLATFORMS]: _options(10_201, "Web", "iOS", "Android", "API"),
        ids[CHECKBOX]: _options(10_301, "Yes"),
        ids[REGION]: {one.id: one for one in cascade},
        ids[SIZE]: _options(10_501, "S", "M", "L", "XL"),
    }


def components() -> dict[str, Option]:
    """Return the components of a new project."""
    return _options(10_601, "Back end", "Front end", "Docs")


def versions() -> dict[str, Option]:
    """Return the versions of a new project."""
    return _options(10_701, "2026 Q1", "2026 Q2", "2026 Q3")


def sprints() -> dict[str, SprintDef]:
    """Return the sprints of the site."""
    rows = (
        ("1", "Sprint 1", "closed"),
        ("2", "Sprint 2", "closed"),
        ("3", "Sprint 3", "active"),
        ("4", "Sprint 4", "future"),
    )
    return {ident: SprintDef(ident, name, state) for ident, name, state in rows}  # fmt: skip


def _options(first: int, *names: str) -> dict[str, Option]:
    return {str(number): Option(str(number), name) for number, name in enumerate(names, first)}


@dataclass(frozen=True, slots=True)
class Lists:
    """Where the things of a field come from."""

    options: Mapping[str, Mapping[str, Option]]
    sprints: Mapping[str, SprintDef]
    project: Project

    def of(self, field: FieldDef) -> Mapping[str, Option]:
        """Return the things that a field of components, versions or options chooses from."""
        if field.kind is Kind.COMPONENTS:
            return self.project.components
        return self.project.versions if field.kind is Kind.VERSIONS else self.options[field.id]


def read(field: FieldDef, raw: object, lists: Lists) -> Value:
    """Return the stored form of a raw value. Raises `BadThing`."""
    return _READERS[field.kind](field, raw, lists)


def one_of(field: FieldDef, raw: object, lists: Lists) -> str:
    """Return the id of one thing, given by id or by name (options: value). Raises `BadThing`, for a string too."""
    name_key = "value" if field.kind in (Kind.MULTI, Kind.CASCADE) else "name"
    what = {Kind.COMPONENTS: "Component", Kind.VERSIONS: "Version"}.get(field.kind, "Option")
    if not isinstance(raw, dict):
        raise BadThing("expected Object")
    known = lists.of(field)
    if raw.get("id") is not None:
        wanted = str(raw["id"])
        if wanted not in known:
            raise BadThing(f"{what} id '{wanted}' is not valid")
        return wanted
    for one in known.values():
        if raw.get(name_key) == one.name:
            return one.id
    if name_key in raw:
        raise BadThing(f"{what} {name_key} '{raw[name_key]}' is not valid")
    raise BadThing(f"Specify a valid 'id' or 'name' for {field.name}")


def _many(field: FieldDef, raw: object, lists: Lists) -> Value:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise BadThing("data was not an array")
    return tuple(dict.fromkeys(one_of(field, one, lists) for one in raw))


def _cascade(field: FieldDef, raw: object, lists: Lists) -> Value:
    if raw is None:
        return ()
    parent = one_of(field, raw, lists)
    if lists.of(field)[parent].parent is not None:
        raise BadThing(f"Option id '{parent}' is not valid")
    child = raw.get("child") if isinstance(raw, dict) else None
    if child is None:
        return (parent,)
    found = one_of(field, child, lists)
    if lists.of(field)[found].parent != parent:
        raise BadThing(f"Option id '{found}' is not valid")
    return (parent, found)


def _sprint(_: FieldDef, raw: object, lists: Lists) -> Value:
    if raw is None:
        return ()
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise BadThing("Number value expected as the Sprint id.")
    found = lists.sprints.get(str(raw))
    if found is None:
        raise BadThing(f"Sprint with id {raw} does not exist.")
    if found.state == "closed":
        raise BadThing("Issue can be assigned only active or future sprints.")
    return (found.id,)


def kept_sprints(held: Value, wanted: Value, known: Mapping[str, SprintDef]) -> Value:
    """Return all sprints after one was set: those that are closed stay."""
    closed = [one for one in (held if isinstance(held, tuple) else ()) if known[one].state == "closed"]
    return tuple(dict.fromkeys((*closed, *(wanted if isinstance(wanted, tuple) else ()))))


def _url(_: FieldDef, raw: object, __: Lists) -> Value:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise BadThing("Operation value must be a string")
    if not re.fullmatch(r"(https?|ftp|mailto):\S+", raw):
        raise BadThing("Not a valid URL")
    return raw


def _moment(_: FieldDef, raw: object, __: Lists) -> Value:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise BadThing("Operation value must be a string")
    if not _WITH_OFFSET.fullmatch(raw):
        raise BadThing(f"Error parsing time: {raw}")
    try:
        return datetime.fromisoformat(raw).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadThing(f"Error parsing time: {raw}") from None


_READERS: Mapping[Kind, Callable[[FieldDef, object, Lists], Value]] = {
    Kind.MULTI: _many,
    Kind.COMPONENTS: _many,
    Kind.VERSIONS: _many,
    Kind.CASCADE: _cascade,
    Kind.SPRINT: _sprint,
    Kind.URL: _url,
    Kind.MOMENT: _moment,
}
KINDS = frozenset(_READERS)


def show(field: FieldDef, value: Value, lists: Lists, rest: str) -> object:
    """Return the JSON of a value of one of `KINDS`, but moments."""
    held = value if isinstance(value, tuple) else ()
    match field.kind:
        case Kind.URL:
            return value
        case Kind.SPRINT:
            return [_sprint_json(lists.sprints[one]) for one in held] or None
        case Kind.CASCADE:
            shown = [_option_json(lists.of(field)[one], rest) for one in held]
            if not shown:
                return None
            return {**shown[0], "child": shown[1]} if len(shown) > 1 else shown[0]
        case Kind.MULTI:
            return [_option_json(lists.of(field)[one], rest) for one in held] or None
        case _:
            return [thing_json(field.kind, lists.of(field)[one], rest) for one in held]


def thing_json(kind: Kind, one: Option, rest: str) -> JsonObject:
    """Return a component or a version."""
    if kind is Kind.COMPONENTS:
        return {"self": f"{rest}/component/{one.id}", "id": one.id, "name": one.name}
    return {
        "self": f"{rest}/version/{one.id}",
        "id": one.id,
        "name": one.name,
        "archived": False,
        "released": False,
    }


def _option_json(one: Option, rest: str) -> JsonObject:
    return {"self": f"{rest}/customFieldOption/{one.id}", "value": one.name, "id": one.id}


def _sprint_json(one: SprintDef) -> JsonObject:
    return {"id": int(one.id), "name": one.name, "state": one.state, "boardId": 1, "goal": ""}


def allowed(field: FieldDef, lists: Lists, rest: str) -> list[JsonObject] | None:
    """Return the `allowedValues` of a field of one of `KINDS`."""
    match field.kind:
        case Kind.MULTI:
            return [_option_json(one, rest) for one in lists.of(field).values()]
        case Kind.CASCADE:
            every = lists.of(field).values()
            return [
                {
                    **_option_json(top, rest),
                    "children": [_option_json(one, rest) for one in every if one.parent == top.id],
                }
                for top in every
                if top.parent is None
            ]
        case Kind.COMPONENTS | Kind.VERSIONS:
            return [thing_json(field.kind, one, rest) for one in lists.of(field).values()]
        case _:
            return None


Logged = tuple[str | None, str | None, str | None, str | None]
"""Of one changelog item: from, fromString, to, toString."""


def logged(field: FieldDef, old: Value, new: Value, lists: Lists) -> list[Logged]:
    """Return the changelog items of a change."""
    if field.kind in ONE_BY_ONE:
        known = lists.of(field)
        before, after = (list(value) if isinstance(value, tuple) else [] for value in (old, new))
        gone: list[Logged] = [(one, known[one].name, None, None) for one in before if one not in after]
        return gone + [(None, None, one, known[one].name) for one in after if one not in before]
    return [(*_end(field, old, lists), *_end(field, new, lists))]


def _end(field: FieldDef, value: Value, lists: Lists) -> tuple[str | None, str | None]:
    held = value if isinstance(value, tuple) else ()
    match field.kind:
        case Kind.MULTI:
            names = ",".join(lists.of(field)[one].name for one in held)
            return (f"[{', '.join(held)}]", names) if held else ("", "")
        case Kind.SPRINT:
            return ", ".join(held), ", ".join(lists.sprints[one].name for one in held)
        case Kind.CASCADE:
            words = ("Parent values: ", "Level 1 values: ")
            parts = [f"{word}{lists.of(field)[one].name}({one})" for word, one in zip(words, held, strict=False)]
            return None, "".join(parts)
        case Kind.MOMENT if isinstance(value, datetime):
            return value.isoformat(timespec="milliseconds").replace("+00:00", "+0000"), f"{value:%d/%b/%y %I:%M %p}"
        case _:
            return None, str(value) if value is not None else None
