"""Which kind of pair, in which shape, a field of either side can be part of. Pure; for checking and for suggesting.

Jira fields are told by their schema, never by their id, which differs from site to site. What a kind can be in at all
is said in `shared.domain.kinds`; here is which of it a field of a site really holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.domain.kinds import CUSTOM_PREFIX, FieldKind, Shape
from shared.metadata.craft import Holds
from shared.metadata.jira import Schema


class Fit(NamedTuple):
    """A kind, and the shape in which one side holds its values."""

    kind: FieldKind
    shape: Shape


KIND_WORDS: Final[Mapping[FieldKind, str]] = {
    FieldKind.STRING: "a line of text",
    FieldKind.TEXT: "plain text",
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
    FieldKind.TYPE: "the type of the item",
    FieldKind.LINKS: "links to other items",
}

_LINE: Final = (Fit(FieldKind.STRING, Shape.TEXT), Fit(FieldKind.OPTION, Shape.TEXT))
_LONG: Final = (Fit(FieldKind.RICH_TEXT, Shape.DOCUMENT), Fit(FieldKind.TEXT, Shape.DOCUMENT))
_NUMBER: Final = (Fit(FieldKind.NUMBER, Shape.NUMBER), Fit(FieldKind.OPTION, Shape.NUMBER))
_DAY: Final = (Fit(FieldKind.DATE, Shape.DAY), Fit(FieldKind.DATE, Shape.MOMENT))
_MOMENT: Final = (Fit(FieldKind.DATETIME, Shape.MOMENT), Fit(FieldKind.DATE, Shape.MOMENT))
_ONE: Final = (Fit(FieldKind.OPTION, Shape.REFERENCE),)
_MANY: Final = (Fit(FieldKind.OPTIONS, Shape.REFERENCES), Fit(FieldKind.OPTION, Shape.ONE_REFERENCE))
_NAMED: Final = (
    Fit(FieldKind.OPTIONS, Shape.NAMES),
    Fit(FieldKind.OPTION, Shape.NAME),
    *_MANY,
    Fit(FieldKind.LABELS, Shape.NAMES),
)
_WORDS: Final = (Fit(FieldKind.LABELS, Shape.WORDS), Fit(FieldKind.OPTIONS, Shape.WORDS))
_CASCADE: Final = (Fit(FieldKind.OPTION, Shape.CASCADE),)
_JIRA_PERSON: Final = (Fit(FieldKind.USER, Shape.ACCOUNT), Fit(FieldKind.USER, Shape.USERNAME))
_STATUS: Final = (Fit(FieldKind.STATUS, Shape.REFERENCE),)
_PARENT: Final = (Fit(FieldKind.PARENT, Shape.REFERENCE),)
_LINKS: Final = (Fit(FieldKind.LINKS, Shape.ISSUE_LINKS),)
_NOTHING: Final[tuple[Fit, ...]] = ()

_BY_CUSTOM_KIND: Final[Mapping[str, tuple[Fit, ...]]] = {
    "textarea": _LONG,
    "gh-sprint": (Fit(FieldKind.OPTION, Shape.SPRINT),),
    "gh-epic-link": _PARENT,
    "jpo-custom-field-parent": _PARENT,
    "cascadingselect": _CASCADE,
}
"""By the custom field type's key, where the schema's type alone does not tell."""
_BY_SYSTEM: Final[Mapping[str, tuple[Fit, ...]]] = {
    "description": _LONG,
    "environment": _LONG,
    "status": _STATUS,
    "parent": _PARENT,
    "issuelinks": _LINKS,
    "subtasks": _NOTHING,
}
_BY_TYPE: Final[Mapping[str, tuple[Fit, ...]]] = {
    "string": (*_LINE, Fit(FieldKind.NUMBER, Shape.TEXT)),
    "number": _NUMBER,
    "date": _DAY[:1],
    "datetime": _MOMENT,
    "option": _ONE,
    "option-with-child": _CASCADE,
    "priority": _ONE,
    "resolution": _ONE,
    "securitylevel": _ONE,
    "version": _ONE,
    "user": _JIRA_PERSON,
    "status": _STATUS,
    "issuetype": (Fit(FieldKind.TYPE, Shape.REFERENCE),),
    **dict.fromkeys(("project", "progress", "votes", "watches", "timetracking"), _NOTHING),
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
    Holds.LONG_TEXT: _LONG,
    Holds.NUMBER: _NUMBER,
    Holds.DAY: (Fit(FieldKind.DATE, Shape.MOMENT), Fit(FieldKind.DATETIME, Shape.MOMENT)),
    Holds.MOMENT: _MOMENT,
    Holds.CHECKBOX: _NOTHING,
    Holds.ONE: _ONE,
    Holds.ONE_ID: (Fit(FieldKind.OPTION, Shape.TEXT),),
    Holds.MANY: _MANY,
    Holds.WORDS: _WORDS,
    Holds.PERSON: (Fit(FieldKind.USER, Shape.ASSIGNEE),),
    Holds.PARENT: _PARENT,
    Holds.STATUS: _STATUS,
    Holds.TYPE: (Fit(FieldKind.TYPE, Shape.TEXT),),
    Holds.LINKS: (Fit(FieldKind.LINKS, Shape.DEPENDENCIES),),
    Holds.OTHER: _NOTHING,
}
"""What the properties of Craft.io's items can be part of."""
_IN_CUSTOM: Final[Mapping[Holds, tuple[Fit, ...]]] = {
    Holds.LINE: (
        _LINE[0],
        Fit(FieldKind.TEXT, Shape.TEXT),
        *_LINE[1:],
        Fit(FieldKind.NUMBER, Shape.TEXT),
        _DAY[0],
        *_MOMENT,
    ),
    Holds.LONG_TEXT: (Fit(FieldKind.TEXT, Shape.TEXT), Fit(FieldKind.STRING, Shape.TEXT)),
    Holds.NUMBER: (
        Fit(FieldKind.NUMBER, Shape.TEXT),
        Fit(FieldKind.OPTION, Shape.NUMBER),
        Fit(FieldKind.OPTION, Shape.TEXT),
    ),
    Holds.DAY: _DAY[:1],
    Holds.CHECKBOX: (Fit(FieldKind.OPTION, Shape.TEXT), Fit(FieldKind.OPTION, Shape.REFERENCE)),
    Holds.PERSON: _NOTHING,
}
"""The same of custom fields, which hold text or lists of text, where that makes a difference."""


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


def craft_fits(name: str, holds: Holds) -> tuple[Fit, ...] | None:
    """Return what a Craft.io field can be part of, the most natural first; None for an unknown type."""
    custom = _IN_CUSTOM.get(holds) if name.startswith(CUSTOM_PREFIX) else None
    return custom if custom is not None else _BY_HOLDS.get(holds)


def kinds_in_words(fits: tuple[Fit, ...]) -> str:
    """Return what a field can hold, for people."""
    words = list(dict.fromkeys(KIND_WORDS[fit.kind] for fit in fits))
    if not words:
        return "nothing that can be synced"
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
