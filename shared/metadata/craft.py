"""What one Craft.io workspace consists of, as our API key sees it.

Craft.io's public API lists custom fields and words; the lists of statuses, importances, sprints and the like are
harvested from items where no custom field carries them, and are then not complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from shared.metadata.choice import Choice, Choices

CUSTOM_PREFIX: Final = "custom:"
LEVELS: Final[Mapping[str, int]] = {"product": 3, "epic": 2, "feature": 1, "story": 0}
"""Craft.io's item types by their default terms, with their level: higher is above."""
INITIATIVE: Final = "initiative"
"""The portfolio's type above products: the public API shows it and does not write it."""


class Holds(StrEnum):
    """What a property or custom field of an item holds."""

    LINE = "line"
    """One line of text."""
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    CHECKBOX = "checkbox"
    """`true` or `false`."""
    ONE = "one"
    """One thing by id."""
    ONE_ID = "one_id"
    """One thing, as its bare id."""
    MANY = "many"
    """Several things by id."""
    WORDS = "words"
    """A list of words."""
    PERSON = "person"
    PARENT = "parent"
    STATUS = "status"
    TYPE = "type"
    LINKS = "links"
    """Relations to other items."""
    OTHER = "other"
    """Something that no mapping can use."""
    UNKNOWN = "unknown"
    """A custom field of a type that is not documented."""


@dataclass(frozen=True, slots=True)
class CraftProperty:
    """A property that every item has, by its name in the API and its name for people."""

    id: str
    name: str
    holds: Holds
    writable: bool = True


_PROPERTIES: Final = (
    CraftProperty("title", "Title", Holds.LINE),
    CraftProperty("description", "Description", Holds.LONG_TEXT),
    CraftProperty("parent", "Parent", Holds.PARENT),
    CraftProperty("status", "Status", Holds.STATUS),
    CraftProperty("importance", "Importance", Holds.ONE),
    CraftProperty("storyPoints", "Story Points", Holds.NUMBER),
    CraftProperty("value", "Value", Holds.NUMBER),
    CraftProperty("effort", "Effort", Holds.NUMBER),
    CraftProperty("estimatedHours", "Estimated Hours", Holds.NUMBER),
    CraftProperty("kano", "Kano", Holds.LINE),
    CraftProperty("labels", "Labels", Holds.WORDS),
    CraftProperty("actualStartDate", "Start Date", Holds.DAY),
    CraftProperty("actualEndDate", "End Date", Holds.DAY),
    CraftProperty("objectives", "Objectives", Holds.MANY),
    CraftProperty("keyResults", "Key Results", Holds.MANY),
    CraftProperty("persona", "Persona", Holds.ONE),
    CraftProperty("personas", "Personas", Holds.MANY),
    CraftProperty("sprint", "Sprint", Holds.ONE),
    CraftProperty("quarter", "Quarter", Holds.ONE),
    CraftProperty("assignee", "Assignee", Holds.PERSON),
    CraftProperty("initiativeId", "Initiative", Holds.ONE_ID),
    CraftProperty("outIn", "Out/In", Holds.OTHER),
    CraftProperty("shortId", "Short ID", Holds.LINE, writable=False),
    CraftProperty("webUrl", "Link", Holds.LINE, writable=False),
    CraftProperty("creationTime", "Created", Holds.MOMENT, writable=False),
    CraftProperty("updateTime", "Updated", Holds.MOMENT, writable=False),
    CraftProperty("createdBy", "Created by", Holds.PERSON, writable=False),
    CraftProperty("dependencies", "Dependencies", Holds.LINKS, writable=False),
    CraftProperty("devToolKey", "Development tool key", Holds.OTHER, writable=False),
    CraftProperty("feedbackLinks", "Feedback links", Holds.OTHER, writable=False),
    CraftProperty("type", "Type", Holds.TYPE, writable=False),
    CraftProperty("workspaceId", "Workspace", Holds.OTHER, writable=False),
)
RELATIONS: Final = Choices(tuple(Choice(each, each.capitalize()) for each in ("blocks", "blocked by", "related")))
"""Of dependencies (schema Dependency)."""
PROPERTIES: Final[Mapping[str, CraftProperty]] = {each.id: each for each in _PROPERTIES}
"""Of every item. The writable ones are those of schema ItemUpdate in the API's description."""


@dataclass(frozen=True, slots=True)
class CraftField:
    """A custom field. `type` is the vendor's own word, an open set; `options` None: it has no list."""

    id: str
    name: str
    type: str
    options: tuple[Choice, ...] | None = None

    @property
    def holds(self) -> Holds:
        """Return what it holds, as far as its type's word tells."""
        word = "".join(each for each in self.type.casefold() if each.isalnum())
        found = _TYPE_WORDS.get(word)
        if found is None:
            return Holds.ONE if self.options else Holds.UNKNOWN
        return found


_TYPE_WORDS: Final[Mapping[str, Holds]] = {
    word: holds
    for holds, words in {
        Holds.LINE: "text string textfield shorttext singleline url link email",
        Holds.LONG_TEXT: "textarea longtext multiline richtext paragraph",
        Holds.NUMBER: "number numeric integer float decimal currency percent percentage",
        Holds.ONE: "dropdown select singleselect radio single",
        Holds.MANY: "multiselect multidropdown dropdownmulti multi checkboxes tags multiple",
        Holds.DAY: "date day",
        Holds.MOMENT: "datetime timestamp",
        Holds.CHECKBOX: "checkbox boolean",
        Holds.PERSON: "user person people assignee",
    }.items()
    for word in words.split()
}


@dataclass(frozen=True, slots=True)
class CraftItem:
    """An item that was looked at by id."""

    id: str
    title: str
    type: str
    workspace: str
    """Workspace id."""


@dataclass(frozen=True, slots=True)
class CraftMetadata:
    """One workspace. With `visible` False there is nothing else: it does not exist, or our key does not reach it."""

    workspace: str
    """Workspace id."""
    visible: bool = True
    name: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    """What this workspace calls the item types, by their default terms."""
    fields: Mapping[str, CraftField] = field(default_factory=dict)
    """Custom fields by id."""
    lists: Mapping[str, Choices] = field(default_factory=dict)
    """The values of properties (status, importance, sprint, quarter, assignee, …) that were found."""
    looked_at: Mapping[str, CraftItem | None] = field(default_factory=dict)
    """Items that were asked for by id; None: not there, or not for us."""
    native_keys: tuple[str, ...] = ()
    """Jira keys that Craft.io's own integration put on items (`devToolKey.jira`)."""

    def choices(self, name: str) -> Choices | None:
        """Return the values of a field as a mapping names it, None if it has no list that is known."""
        if name.startswith(CUSTOM_PREFIX):
            found = self.fields.get(name.removeprefix(CUSTOM_PREFIX))
            return Choices(found.options) if found is not None and found.options is not None else None
        return RELATIONS if name == "dependencies" else self.lists.get(name)

    def holds(self, name: str) -> Holds | None:
        """Return what a field holds as a mapping names it, None if there is no such field."""
        if name.startswith(CUSTOM_PREFIX):
            found = self.fields.get(name.removeprefix(CUSTOM_PREFIX))
            return found.holds if found is not None else None
        known = PROPERTIES.get(name)
        return known.holds if known is not None else None

    def term(self, default: str) -> str:
        """Return what this workspace calls a type."""
        return self.terms.get(default, default.capitalize())
