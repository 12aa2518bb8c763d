"""The records that a stand-in Jira holds. Used by every module of `sandbox.jira`; knows neither HTTP nor JSON shapes.

The values of an issue are one read-only mapping that an edit replaces and never changes, so that the search index and a
webhook can keep an older state by keeping a reference.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class RichText:
    """Text with formatting, kept as ADF (what v3 shows) and as wiki markup (what v2 and webhooks show)."""

    adf: JsonObject
    wiki: str


Value: TypeAlias = str | float | tuple[str, ...] | RichText | datetime | None
Values: TypeAlias = Mapping[str, Value]


class Kind(StrEnum):
    """What a field holds; decides how it is read, shown, searched and written to the changelog."""

    TEXT = "text"
    RICH = "rich"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    LABELS = "labels"
    USER = "user"
    PRIORITY = "priority"
    RESOLUTION = "resolution"
    TYPE = "issuetype"
    PROJECT = "project"
    STATUS = "status"
    PARENT = "parent"
    EPIC_LINK = "epic_link"
    OPTION = "option"
    MULTI = "multi"
    CASCADE = "cascade"
    COMPONENTS = "components"
    VERSIONS = "versions"
    SPRINT = "sprint"
    URL = "url"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who can log in. `email_visible` False hides the address from other people, as most do in Jira Cloud.

    `account_id` is the accountId of Cloud or the key of Data Center.
    """

    account_id: str
    email: str
    display_name: str
    account_type: str = "atlassian"
    active: bool = True
    admin: bool = False
    email_visible: bool = True
    utc_offset_min: int = 0

    @property
    def name(self) -> str:
        """Return the name to log in with at a Data Center."""
        return self.email.partition("@")[0]


ALL_LEVELS = frozenset({-1, 0, 1})


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field of the site. `levels` is its context: issues of other levels lack it altogether."""

    id: str
    name: str
    kind: Kind
    schema: JsonObject
    clause_names: tuple[str, ...]
    custom: bool = False
    operations: tuple[str, ...] = ("set",)
    levels: frozenset[int] = ALL_LEVELS


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select, or a priority, resolution, component or version."""

    id: str
    name: str
    description: str = ""
    parent: str | None = None
    """Of the second level of a cascading select: the option above."""


@dataclass(frozen=True, slots=True)
class IssueType:
    """An issue type. `level` 1 is an epic, 0 a standard type, -1 a sub-task."""

    id: str
    name: str
    level: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A status; `category` is new, indeterminate or done."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of a workflow from one status to another."""

    id: str
    name: str
    from_status: str
    to_status: str


@dataclass(slots=True)
class Screen:
    """The fields that may be set in one operation, in order, and whether each is required."""

    fields: dict[str, bool]

    def add(self, field_id: str, *, required: bool = False) -> None:
        """Put a field on the screen, or change whether it is required."""
        self.fields[field_id] = required

    def remove(self, field_id: str) -> None:
        """Take a field off the screen; nothing happens when it is not there."""
        self.fields.pop(field_id, None)


@dataclass(slots=True)
class Project:
    """A project with its types, screens and workflow."""

    id: str
    key: str
    name: str
    lead: str
    type_ids: tuple[str, ...]
    transitions: tuple[Transition, ...]
    create_screens: dict[str, Screen]
    edit_screens: dict[str, Screen]
    transition_screens: dict[str, Screen] = field(default_factory=dict)
    hidden_from: set[str] = field(default_factory=set)
    denied: set[tuple[str, str]] = field(default_factory=set)
    """Permissions taken away: account id and key."""
    next_number: int = 1
    former_keys: set[str] = field(default_factory=set)
    """Keys that it had before: Jira goes on to answer to them."""
    components: dict[str, Option] = field(default_factory=dict)
    versions: dict[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """One changed field of a changelog entry."""

    field: str
    custom: bool
    field_id: str | None
    from_id: str | None
    from_string: str | None
    to_id: str | None
    to_string: str | None


@dataclass(frozen=True, slots=True)
class History:
    """One changelog entry."""

    id: str
    author: str
    created: datetime
    items: tuple[ChangeItem, ...]
    metadata: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment."""

    id: str
    author: str
    body: RichText
    created: datetime


@dataclass(frozen=True, slots=True)
class IssueLink:
    """A link: `source` shows the outward words of its type ("blocks"), `target` the inward ones. Ids all."""

    id: str
    type_id: str
    source: str
    target: str


@dataclass(slots=True)
class Issue:
    """One issue. `values` is replaced at each edit, never changed in place."""

    id: str
    values: Values
    properties: dict[str, object] = field(default_factory=dict)
    histories: list[History] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    children: dict[str, None] = field(default_factory=dict)
    indexed: Values | None = None
    pending: deque[tuple[datetime, Values]] = field(default_factory=deque)
    hidden_from: set[str] = field(default_factory=set)
    archived_at: datetime | None = None
    """While it is archived: found by id, by no search, and not to be changed."""
    writes: deque[datetime] = field(default_factory=deque)
