"""What a mapped field can hold, and how each side's JSON holds it: the kinds, the shapes, and which go together.

One table, read by the pydantic models (which refuse what cannot be) and by `shared.fields` (which reads and renders).
What each combination means is written down for people in `docs/fields.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from shared.domain.ids import Side

CUSTOM_PREFIX = "custom:"
"""Begins the name of a Craft.io custom field in a pair: `custom:{id}`."""

NEVER_EMPTIED = frozenset({"storyPoints", "value", "effort", "estimatedHours", "kano"})
"""Properties that the description of Craft.io's API (schema ItemUpdate) does not let be null."""


class FieldKind(StrEnum):
    """How a pair's values are read, written, translated and compared."""

    STRING = "string"
    """One line of text; an address (URL) too."""
    TEXT = "text"
    """Text of several lines without its marks: Jira description and the like, Craft description (HTML)."""
    RICH_TEXT = "rich_text"
    """Text of several lines with headings, lists, tables, links and the like."""
    NUMBER = "number"
    OPTION = "option"
    """One of a list: priority, importance, single select, sprint, version. Needs a value map."""
    OPTIONS = "options"
    """A set out of a list: multi select, components, personas, objectives. Needs a value map."""
    LABELS = "labels"
    """A set of words that mean the same on both sides."""
    DATE = "date"
    """A calendar day, YYYY-MM-DD."""
    DATETIME = "datetime"
    """A moment, in UTC."""
    USER = "user"
    """A person: by value map, else by e-mail address, else the fallback."""
    STATUS = "status"
    """A status by value map; Jira's side is reached through transitions."""
    PARENT = "parent"
    """The item above, by the links of Tandem."""
    TYPE = "type"
    """The item's type, by the type mapping: an item that is converted takes its counterpart along where that can be."""
    LINKS = "links"
    """Dependencies of Craft.io, as issue links of Jira: to Jira only."""


IN_STEPS = frozenset({FieldKind.STATUS, FieldKind.LINKS})
"""Kinds whose Jira side is no part of an edit: it takes requests of its own, of which some may land and others not."""

SETS = frozenset({FieldKind.OPTIONS, FieldKind.LABELS})
"""Kinds whose values are merged element by element: neither side's is ever replaced as a whole (ADR 0027)."""


class Shape(StrEnum):
    """How one side's JSON holds the value of a pair, where it is not the usual way of its kind."""

    TEXT = "text"
    """A string."""
    DOCUMENT = "document"
    """Text of several lines with its marks: ADF in Jira Cloud, wiki markup in Data Center, HTML in Craft.io."""
    NUMBER = "number"
    """A number (as an option: its decimal text)."""
    WORDS = "words"
    """A list of strings: labels."""
    REFERENCE = "reference"
    """One thing by id: `{id}`; in a Craft.io custom field: the option's id."""
    REFERENCES = "references"
    """Several things by id: `[{id}]`; in a Craft.io custom field: the options' ids."""
    ONE_REFERENCE = "one_reference"
    """A list of which only the first counts: `[{id}]`. One checkbox, one persona of many."""
    NAME = "name"
    """A list of which only the first counts, by name: `[{name}]`. One fix version."""
    NAMES = "names"
    """Several things by name: `[{name}]`. Components, fix versions."""
    CASCADE = "cascade"
    """Jira's cascading select `{id, child: {id}}`, as `parent/child`."""
    SPRINT = "sprint"
    """Jira's sprint: read as a list of sprints, written as one number; the one that is not closed counts."""
    DAY = "day"
    """A calendar day, `YYYY-MM-DD`."""
    MOMENT = "moment"
    """A date-time; as a day: midnight in the integration's time zone."""
    ACCOUNT = "account"
    """A Jira Cloud user: `{accountId}`."""
    USERNAME = "username"
    """A Jira Data Center user: `{name}`."""
    ASSIGNEE = "assignee"
    """Craft.io's assignee: `{id, team}`."""
    ISSUE_LINKS = "issue_links"
    """Jira's links between issues: `[{type, outwardIssue | inwardIssue}]`; each is added and removed on its own."""
    DEPENDENCIES = "dependencies"
    """Craft.io's dependencies: `[{id, value}]`; its API does not let them be written."""


class Markup(StrEnum):
    """What Jira's documents are written in."""

    ADF = "adf"
    """Atlassian Document Format: Jira Cloud (REST v3)."""
    WIKI = "wiki"
    """Wiki markup: Data Center (REST v2)."""


class Shapes(NamedTuple):
    """The shapes that a kind can have in three places, the usual one first."""

    jira: tuple[Shape, ...]
    craft: tuple[Shape, ...]
    custom: tuple[Shape, ...]
    """In a custom field of Craft.io, which holds text (`value`) or a list of text (`values`)."""


_TEXT = Shapes((Shape.TEXT,), (Shape.TEXT,), (Shape.TEXT,))
_REFERENCE = Shapes((Shape.REFERENCE,), (Shape.REFERENCE,), (Shape.REFERENCE,))
_ONE = (Shape.REFERENCE, Shape.ONE_REFERENCE, Shape.NUMBER, Shape.TEXT)

SHAPES: Mapping[FieldKind, Shapes] = {
    FieldKind.STRING: _TEXT,
    FieldKind.TEXT: Shapes((Shape.DOCUMENT,), (Shape.DOCUMENT,), (Shape.TEXT,)),
    FieldKind.RICH_TEXT: Shapes((Shape.DOCUMENT,), (Shape.DOCUMENT,), ()),
    FieldKind.NUMBER: Shapes((Shape.NUMBER, Shape.TEXT), (Shape.NUMBER,), (Shape.TEXT,)),
    FieldKind.OPTION: Shapes((*_ONE, Shape.NAME, Shape.CASCADE, Shape.SPRINT), _ONE, _ONE),
    FieldKind.OPTIONS: Shapes(
        (Shape.REFERENCES, Shape.NAMES, Shape.WORDS), (Shape.REFERENCES, Shape.WORDS), (Shape.REFERENCES,)
    ),
    FieldKind.LABELS: Shapes((Shape.WORDS, Shape.NAMES), (Shape.WORDS,), (Shape.WORDS,)),
    FieldKind.DATE: Shapes((Shape.DAY, Shape.MOMENT), (Shape.MOMENT,), (Shape.DAY, Shape.MOMENT)),
    FieldKind.DATETIME: Shapes((Shape.MOMENT,), (Shape.MOMENT,), (Shape.MOMENT,)),
    FieldKind.USER: Shapes((Shape.ACCOUNT, Shape.USERNAME), (Shape.ASSIGNEE,), ()),
    FieldKind.STATUS: _REFERENCE,
    FieldKind.PARENT: Shapes((Shape.REFERENCE,), (Shape.REFERENCE,), ()),
    FieldKind.TYPE: Shapes((Shape.REFERENCE,), (Shape.TEXT,), ()),
    FieldKind.LINKS: Shapes((Shape.ISSUE_LINKS,), (Shape.DEPENDENCIES,), ()),
}
"""Every combination there is. What is not here cannot be mapped."""

VERSION_FIELDS = ("fixVersions", "versions")
"""Jira's own fields that hold versions of the project."""

CHANGED_BY_ELEMENT = frozenset({"labels", "components", *VERSION_FIELDS})
"""Jira's fields whose elements an edit can add and remove one by one (Atlassian, "Edit issue": `update`)."""

_THINGS = (Shape.REFERENCES, Shape.NAMES, Shape.ONE_REFERENCE, Shape.NAME)

JIRA_FIELDS: Mapping[str, tuple[Shape, ...]] = {
    "summary": (Shape.TEXT,),
    "description": (Shape.DOCUMENT,),
    "environment": (Shape.DOCUMENT,),
    "labels": (Shape.WORDS,),
    "components": _THINGS,
    "fixVersions": _THINGS,
    "versions": _THINGS,
    "duedate": (Shape.DAY,),
    "created": (Shape.MOMENT,),
    "updated": (Shape.MOMENT,),
    "resolutiondate": (Shape.MOMENT,),
    "assignee": (Shape.ACCOUNT, Shape.USERNAME),
    "reporter": (Shape.ACCOUNT, Shape.USERNAME),
    "creator": (Shape.ACCOUNT, Shape.USERNAME),
    "priority": (Shape.REFERENCE,),
    "resolution": (Shape.REFERENCE,),
    "status": (Shape.REFERENCE,),
    "parent": (Shape.REFERENCE,),
    "issuetype": (Shape.REFERENCE,),
    "issuelinks": (Shape.ISSUE_LINKS,),
}
"""What Jira's own fields hold; what a custom field holds is known per site only."""

CRAFT_PROPERTIES: Mapping[str, tuple[Shape, ...]] = {
    "title": (Shape.TEXT,),
    "description": (Shape.DOCUMENT,),
    "kano": (Shape.TEXT,),
    "storyPoints": (Shape.NUMBER,),
    "value": (Shape.NUMBER,),
    "effort": (Shape.NUMBER,),
    "estimatedHours": (Shape.NUMBER,),
    "labels": (Shape.WORDS,),
    "actualStartDate": (Shape.MOMENT,),
    "actualEndDate": (Shape.MOMENT,),
    "status": (Shape.REFERENCE,),
    "importance": (Shape.REFERENCE,),
    "sprint": (Shape.REFERENCE,),
    "quarter": (Shape.REFERENCE,),
    "persona": (Shape.REFERENCE,),
    "parent": (Shape.REFERENCE,),
    "objectives": (Shape.REFERENCES, Shape.ONE_REFERENCE),
    "keyResults": (Shape.REFERENCES, Shape.ONE_REFERENCE),
    "personas": (Shape.REFERENCES, Shape.ONE_REFERENCE),
    "assignee": (Shape.ASSIGNEE,),
    "createdBy": (Shape.ASSIGNEE,),
    "type": (Shape.TEXT,),
    "dependencies": (Shape.DEPENDENCIES,),
}
"""What the properties of Craft.io's items hold (its public API description, schema Item)."""


@lru_cache(maxsize=4096)
def shapes_of(kind: FieldKind, side: Side, name: str) -> tuple[Shape, ...]:
    """Return the shapes in which a field of one side can hold values of a kind, the usual one first; empty: none."""
    allowed = SHAPES[kind]
    if side is Side.CRAFT and name.startswith(CUSTOM_PREFIX):
        return allowed.custom
    known = JIRA_FIELDS if side is Side.JIRA else CRAFT_PROPERTIES
    return tuple(s for s in (allowed.jira if side is Side.JIRA else allowed.craft) if s in known.get(name, (s,)))


def shape_problem(kind: FieldKind, side: Side, name: str, shape: Shape | None) -> str | None:
    """Return in words why a field cannot hold a kind (in that shape), None if it can."""
    possible = shapes_of(kind, side, name)
    own = not name.startswith((CUSTOM_PREFIX, "customfield_"))  # nobody knows the others by their ids
    where = f"{side.vendor}'s {name}" if own else f"a custom field of {side.vendor}"
    if not possible:
        fitting = [str(k) for k in FieldKind if shapes_of(k, side, name)]
        return f"{where} cannot hold values of kind {kind}; kinds that fit it: {', '.join(fitting)}"
    if shape is None or shape in possible:
        return None
    return f"{where} cannot hold kind {kind} in the shape {shape}; possible: {', '.join(possible)}"
