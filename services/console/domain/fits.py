"""Which kind of pair, in which shape, a field of either side can be part of. Pure; for checking and for suggesting.

Jira fields are told by their schema, never by their id, which differs from site to site.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.domain.mapping import FieldKind, FieldPair, Shape
from shared.metadata.craft import Holds
from shared.metadata.jira import Schema


class Fit(NamedTuple):
    """A kind, and the shape in which one side holds its values (None: kinds that have but one)."""

    kind: FieldKind
    shape: Shape | None


USUAL: Final[Mapping[FieldKind, Shape]] = {
    FieldKind.STRING: Shape.TEXT,
    FieldKind.TEXT: Shape.TEXT,
    FieldKind.RICH_TEXT: Shape.TEXT,
    FieldKind.NUMBER: Shape.NUMBER,
    FieldKind.OPTION: Shape.REFERENCE,
    FieldKind.OPTIONS: Shape.REFERENCES,
    FieldKind.LABELS: Shape.WORDS,
}
"""The shape that a pair means when it names none."""

KIND_WORDS: Final[Mapping[FieldKind, str]] = {
    FieldKind.STRING: "a line of text",
    FieldKind.TEXT: "text",
    FieldKind.RICH_TEXT: "formatted text",
    FieldKind.NUMBER: "a number",
    FieldKind.OPTION: "one value of a list",
    FieldKind.OPTIONS: "several values of a list",
    FieldKind.LABELS: "labels",
    FieldKind.DATE: "a date",
    FieldKind.DATETIME: "a date with a time",
    FieldKind.USER: "a person",
    FieldKind.STATUS: "a status",
    FieldKind.PARENT: "the item above",
}

_LINE: Final = (Fit(FieldKind.STRING, Shape.TEXT), Fit(FieldKind.OPTION, Shape.TEXT))
_LONG: Final = (
    Fit(FieldKind.RICH_TEXT, Shape.TEXT),
    Fit(FieldKind.TEXT, Shape.TEXT),
    Fit(FieldKind.STRING, Shape.TEXT),
)
_NUMBER: Final = (Fit(FieldKind.NUMBER, Shape.NUMBER), Fit(FieldKind.OPTION, Shape.NUMBER))
_DAY: Final = (Fit(FieldKind.DATE, None),)
_MOMENT: Final = (Fit(FieldKind.DATETIME, None), Fit(FieldKind.DATE, None))
_ONE: Final = (Fit(FieldKind.OPTION, Shape.REFERENCE),)
_MANY: Final = (Fit(FieldKind.OPTIONS, Shape.REFERENCES), Fit(FieldKind.OPTION, Shape.ONE_REFERENCE))
_NAMED: Final = (
    Fit(FieldKind.OPTIONS, Shape.NAMES),
    Fit(FieldKind.OPTION, Shape.NAME),
    *_MANY,
)
_WORDS: Final = (Fit(FieldKind.LABELS, Shape.WORDS), Fit(FieldKind.OPTIONS, Shape.WORDS))
_PERSON: Final = (Fit(FieldKind.USER, None),)
_STATUS: Final = (Fit(FieldKind.STATUS, None),)
_PARENT: Final = (Fit(FieldKind.PARENT, None),)
_NOTHING: Final[tuple[Fit, ...]] = ()

_BY_CUSTOM_KIND: Final[Mapping[str, tuple[Fit, ...]]] = {
    "textarea": _LONG,
    "gh-sprint": (Fit(FieldKind.OPTION, Shape.SPRINT),),
    "gh-epic-link": _PARENT,
    "jpo-custom-field-parent": _PARENT,
    "cascadingselect": (Fit(FieldKind.OPTION, Shape.CASCADE),),
}
"""By the custom field type's key, where the schema's type alone does not tell."""
_BY_SYSTEM: Final[Mapping[str, tuple[Fit, ...]]] = {
    "description": _LONG,
    "environment": _LONG,
    "status": _STATUS,
    "parent": _PARENT,
    "issuelinks": _NOTHING,
    "subtasks": _NOTHING,
}
_BY_TYPE: Final[Mapping[str, tuple[Fit, ...]]] = {
    "string": _LINE,
    "number": _NUMBER,
    "date": _DAY,
    "datetime": _MOMENT,
    "option": _ONE,
    "option-with-child": (Fit(FieldKind.OPTION, Shape.CASCADE),),
    "priority": _ONE,
    "resolution": _ONE,
    "securitylevel": _ONE,
    "version": _ONE,
    "user": _PERSON,
    "status": _STATUS,
    **dict.fromkeys(("project", "issuetype", "progress", "votes", "watches", "timetracking"), _NOTHING),
    **dict.fromkeys(("comments-page", "attachment", "worklog", "issuelink"), _NOTHING),
}
_BY_ITEMS: Final[Mapping[str, tuple[Fit, ...]]] = {
    "string": _WORDS,
    "option": _MANY,
    "version": _NAMED,
    "component": _NAMED,
    **dict.fromkeys(("user", "issuelinks", "attachment", "worklog", "comments-page"), _NOTHING),
}
_BY_HOLDS: Final[Mapping[Holds, tuple[Fit, ...]]] = {
    Holds.LINE: _LINE,
    Holds.LONG_TEXT: _LONG[:2],
    Holds.NUMBER: _NUMBER,
    Holds.DAY: (*_DAY, Fit(FieldKind.DATETIME, None)),
    Holds.MOMENT: _MOMENT,
    Holds.ONE: _ONE,
    Holds.ONE_ID: (Fit(FieldKind.OPTION, Shape.TEXT),),
    Holds.MANY: _MANY,
    Holds.WORDS: _WORDS,
    Holds.PERSON: _PERSON,
    Holds.PARENT: _PARENT,
    Holds.STATUS: _STATUS,
    Holds.OTHER: _NOTHING,
}


def jira_fits(schema: Schema | None) -> tuple[Fit, ...] | None:
    """Return what a Jira field can be part of, the most natural first; None for a type that nobody has told us."""
    if schema is None:
        return None
    for table, word in ((_BY_CUSTOM_KIND, schema.custom_kind), (_BY_SYSTEM, schema.system or "")):
        if word in table:
            return table[word]
    if schema.type == "array":
        return _BY_ITEMS.get(schema.items or "")
    return _BY_TYPE.get(schema.type)


def craft_fits(holds: Holds) -> tuple[Fit, ...] | None:
    """Return what a Craft.io field can be part of, the most natural first; None for an unknown type."""
    return _BY_HOLDS.get(holds)


def fit_of(pair: FieldPair, shape: Shape | None) -> Fit:
    """Return what a pair takes a field for, `shape` being what it says of that side."""
    return Fit(pair.kind, shape or USUAL.get(pair.kind))


def kinds_in_words(fits: tuple[Fit, ...]) -> str:
    """Return what a field can hold, for people."""
    words = list(dict.fromkeys(KIND_WORDS[fit.kind] for fit in fits))
    return " or ".join(words) if words else "nothing that can be synced"
