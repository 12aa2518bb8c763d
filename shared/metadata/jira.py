"""What one Jira project consists of, as our account sees it.

Cloud and Data Center alike; what only one of them tells is None on the other. Sources: Atlassian's "Get create
metadata issue types for a project", "Get create field metadata", "Get edit issue metadata", "Get my permissions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.metadata.choice import Choice, Choices, distinct

BROWSE, CREATE, EDIT = "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES"
TRANSITION, ASSIGN, REPORTER = "TRANSITION_ISSUES", "ASSIGN_ISSUES", "MODIFY_REPORTER"
ADMINISTER = "ADMINISTER_PROJECTS"
SCHEDULE, LINK, SPRINTS = "SCHEDULE_ISSUES", "LINK_ISSUES", "MANAGE_SPRINTS_PERMISSION"
PERMISSIONS: Final = (BROWSE, CREATE, EDIT, TRANSITION, ASSIGN, REPORTER, SCHEDULE, LINK, ADMINISTER)
"""The keys of the permissions that a mapping may need, but for `SPRINTS`, which only sites with boards know."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a field holds, in Jira's words: `type` (of `items`, for an array), and the custom field type's key."""

    type: str
    items: str | None = None
    system: str | None = None
    custom: str | None = None

    @property
    def custom_kind(self) -> str:
        """Return the last part of the custom field type's key (`textarea`), '' for a system field."""
        return (self.custom or "").rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class JiraField:
    """One field of the site."""

    id: str
    name: str
    custom: bool
    schema: Schema | None = None
    """None: Jira says nothing about what it holds."""


@dataclass(frozen=True, slots=True)
class ScreenField:
    """One field of a create or edit screen. `allowed` None: Jira lists no values (free text, people, numbers)."""

    id: str
    name: str
    required: bool
    has_default: bool = False
    operations: frozenset[str] = frozenset({"set"})
    allowed: tuple[Choice, ...] | None = None
    schema: Schema | None = None


Screen = Mapping[str, ScreenField]
"""The fields of a screen by id."""


@dataclass(frozen=True, slots=True)
class JiraStatus:
    """A status of a type's workflow; `category` is new, indeterminate or done."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class JiraType:
    """An issue type of the project.

    `steps`: from the statuses of sampled issues, by id, to the ids of the statuses that our account can move them to.
    """

    id: str
    name: str
    level: int | None
    """Hierarchy level: 1 epic, 0 standard, -1 sub-task, above 1 with Premium. None on Data Center."""
    subtask: bool
    create: Screen | None = None
    """None: our account may not create this type, or Jira did not show the screen."""
    edit: Screen | None = None
    """None: no issue of this type could be looked at."""
    statuses: tuple[JiraStatus, ...] = ()
    steps: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def rank(self) -> int | None:
        """Return the level, on Data Center what can be told of it: -1 for a sub-task, else unknown."""
        if self.level is not None:
            return self.level
        return -1 if self.subtask else None


@dataclass(frozen=True, slots=True)
class JiraMetadata:
    """One project. With `visible` False there is nothing else: it does not exist, or our account may not see it."""

    project: str
    """Project key, as a mapping names it."""
    visible: bool = True
    id: str = ""
    """Project id, which never changes; '' if not told."""
    key: str = ""
    """Project key as Jira writes it, which answers to ids, former keys and other capitals too; '' if not told."""
    name: str = ""
    fields: Mapping[str, JiraField] = field(default_factory=dict)
    types: tuple[JiraType, ...] = ()
    priorities: tuple[Choice, ...] = ()
    versions: tuple[Choice, ...] = ()
    components: tuple[Choice, ...] = ()
    relations: tuple[Choice, ...] = ()
    """What links between issues can mean, as a value map names it; none: linking is switched off on the site."""
    permissions: Mapping[str, bool] = field(default_factory=dict)
    """By key; what is missing is not known."""
    permission_names: Mapping[str, str] = field(default_factory=dict)

    def type(self, type_id: str) -> JiraType | None:
        """Return an issue type of the project by id."""
        return next((each for each in self.types if each.id == type_id), None)

    @property
    def statuses(self) -> tuple[JiraStatus, ...]:
        """Return the statuses of all types, each once."""
        return tuple({each.id: each for one in self.types for each in one.statuses}.values())

    def choices(self, field_id: str) -> Choices | None:
        """Return the values that a field can take in this project, None if Jira lists none."""
        if field_id == "status":
            return Choices(tuple(Choice(each.id, each.name) for each in self.statuses))
        screens = [screen for one in self.types for screen in (one.create, one.edit) if screen is not None]
        listed = [
            screen[field_id].allowed
            for screen in screens
            if field_id in screen and screen[field_id].allowed is not None
        ]
        if listed:
            return Choices(distinct(each for allowed in listed for each in allowed or ()))
        known = {
            "priority": self.priorities,
            "fixVersions": self.versions,
            "versions": self.versions,
            "components": self.components,
            "issuelinks": self.relations,
        }.get(field_id)
        return Choices(known) if known else None
