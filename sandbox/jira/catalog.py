"""What a fresh site has: types, statuses, priorities, fields, the workflow and the screens of a new project.

Called by `sandbox.jira.world` when a site is built. Everything but the custom field ids is a constant, so that building
thousands of sites costs little.
"""

from __future__ import annotations

from sandbox.jira.edition import Edition
from sandbox.jira.model import ALL_LEVELS, FieldDef, IssueType, JsonObject, Kind, Option, Screen, Status, Transition

EPIC, STORY, TASK, BUG, SUBTASK = (
    IssueType("10000", "Epic", 1, "Epics track collections of related bugs, stories, and tasks."),
    IssueType("10001", "Story", 0, "Stories track functionality or features expressed as user goals."),
    IssueType("10002", "Task", 0, "Tasks track small, distinct pieces of work."),
    IssueType("10003", "Bug", 0, "Bugs track problems or errors."),
    IssueType("10004", "Sub-task", -1, "Subtasks track small pieces of work that are part of a larger task."),
)
TYPES = {one.id: one for one in (EPIC, STORY, TASK, BUG, SUBTASK)}

TO_DO, IN_PROGRESS, IN_REVIEW, DONE = (
    Status("10000", "To Do", "new"),
    Status("3", "In Progress", "indeterminate"),
    Status("10001", "In Review", "indeterminate"),
    Status("10002", "Done", "done"),
)
STATUSES = {one.id: one for one in (TO_DO, IN_PROGRESS, IN_REVIEW, DONE)}
CATEGORIES = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}
TRANSITIONS = (
    Transition("11", "Start progress", TO_DO.id, IN_PROGRESS.id),
    Transition("21", "Send to review", IN_PROGRESS.id, IN_REVIEW.id),
    Transition("31", "Stop progress", IN_PROGRESS.id, TO_DO.id),
    Transition("41", "Approve", IN_REVIEW.id, DONE.id),
    Transition("51", "Request changes", IN_REVIEW.id, IN_PROGRESS.id),
    Transition("61", "Reopen", DONE.id, IN_REVIEW.id),
)
PRIORITIES = {
    one.id: one
    for one in (
        Option("1", "Highest", "This problem will block progress."),
        Option("2", "High", "Serious problem that could block progress."),
        Option("3", "Medium", "Has the potential to affect progress."),
        Option("4", "Low", "Minor problem or easily worked around."),
        Option("5", "Lowest", "Trivial problem with little or no impact on progress."),
    )
}
DEFAULT_PRIORITY = "3"
LINK_TYPES = (
    ("10000", "Blocks", "is blocked by", "blocks"),
    ("10001", "Cloners", "is cloned by", "clones"),
    ("10002", "Duplicate", "is duplicated by", "duplicates"),
    ("10003", "Relates", "relates to", "relates to"),
)
"""Id, name, inward and outward words of the types of issue links."""
RESOLVED = Option("10000", "Done", "Work has been completed on this issue.")

START_DATE, STORY_POINTS, TEXT_FIELD, NUMBER_FIELD, SELECT_FIELD = (
    "Start date",
    "Story Points",
    "Customer reference",
    "Reach",
    "Squad",
)
SQUADS = ("Red", "Green", "Blue")
EPIC_LINK, EPIC_NAME = "Epic Link", "Epic Name"
_PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes"
_SOFTWARE = "com.pyxis.greenhopper.jira"
_Custom = tuple[str, Kind, str, str, frozenset[int]]
_CUSTOM: tuple[_Custom, ...] = (
    (START_DATE, Kind.DATE, "date", f"{_PLUGIN}:datepicker", ALL_LEVELS),
    (STORY_POINTS, Kind.NUMBER, "number", f"{_SOFTWARE}:jsw-story-points", frozenset({0, 1})),
    (TEXT_FIELD, Kind.TEXT, "string", f"{_PLUGIN}:textfield", ALL_LEVELS),
    (NUMBER_FIELD, Kind.NUMBER, "number", f"{_PLUGIN}:float", ALL_LEVELS),
    (SELECT_FIELD, Kind.OPTION, "option", f"{_PLUGIN}:select", ALL_LEVELS),
)
_EPIC_FIELDS: tuple[_Custom, ...] = (
    (EPIC_LINK, Kind.EPIC_LINK, "any", f"{_SOFTWARE}:gh-epic-link", ALL_LEVELS),
    (EPIC_NAME, Kind.TEXT, "string", f"{_SOFTWARE}:gh-epic-label", frozenset({1})),
)
"""What an edition has for its epics instead of `parent`."""


def _system(
    field_id: str,
    name: str,
    kind: Kind,
    schema_type: str,
    *clauses: str,
    items: str = "",
    verbs: tuple[str, ...] = ("set",),
) -> FieldDef:
    schema: JsonObject = {"type": schema_type, "system": field_id}
    if items:
        schema["items"] = items
    return FieldDef(field_id, name, kind, schema, clauses or (field_id,), operations=verbs)


SYSTEM_FIELDS: tuple[FieldDef, ...] = (
    _system("summary", "Summary", Kind.TEXT, "string"),
    _system("issuetype", "Issue Type", Kind.TYPE, "issuetype", "issuetype", "type"),
    _system("project", "Project", Kind.PROJECT, "project"),
    _system("parent", "Parent", Kind.PARENT, "issuelink"),
    _system("description", "Description", Kind.RICH, "string"),
    _system("priority", "Priority", Kind.PRIORITY, "priority"),
    _system("labels", "Labels", Kind.LABELS, "array", items="string", verbs=("add", "set", "remove")),
    _system("assignee", "Assignee", Kind.USER, "user"),
    _system("reporter", "Reporter", Kind.USER, "user"),
    _system("duedate", "Due date", Kind.DATE, "date", "due", "duedate"),
    _system("status", "Status", Kind.STATUS, "status"),
    _system("resolution", "Resolution", Kind.RESOLUTION, "resolution"),
    _system("creator", "Creator", Kind.USER, "user"),
    _system("created", "Created", Kind.DATETIME, "datetime", "created", "createdDate"),
    _system("updated", "Updated", Kind.DATETIME, "datetime", "updated", "updatedDate"),
)
READ_ONLY = frozenset({"status", "resolution", "creator", "created", "updated"})
_CREATE = (
    "summary",
    "issuetype",
    "project",
    "description",
    "priority",
    "labels",
    "assignee",
    "reporter",
    "parent",
    "duedate",
)
_EDIT = ("summary", "issuetype", "description", "priority", "labels", "assignee", "reporter", "parent", "duedate")


def custom_fields(first: int, edition: Edition) -> tuple[FieldDef, ...]:
    """Return the custom fields of a site whose first one has the number `first`."""
    return tuple(
        FieldDef(
            f"customfield_{number}",
            name,
            kind,
            {"type": schema_type, "custom": custom, "customId": number},
            (f"cf[{number}]", name),
            custom=True,
            levels=levels,
        )
        for number, (name, kind, schema_type, custom, levels) in enumerate(
            (*_CUSTOM, *(_EPIC_FIELDS if edition.epic_link else ())), first
        )
    )


def screen(operation: str, issue_type: IssueType, customs: tuple[FieldDef, ...], edition: Edition) -> Screen:
    """Return the screen of a new project for `create` or `edit`; each call returns one of its own."""
    required = {"summary", "issuetype", "project", "reporter"}
    if issue_type.level < 0:
        required.add("parent")
    ids = list(_CREATE if operation == "create" else _EDIT)
    if edition.epic_link and not (issue_type.level < 0 and operation == "create"):
        ids.remove("parent")
    on_screen = [one for one in customs if one.kind is not Kind.EPIC_LINK or issue_type.level == 0]
    ids += [one.id for one in on_screen if issue_type.level in one.levels]
    required |= {one.id for one in customs if one.name == EPIC_NAME and operation == "create"}
    return Screen({field_id: field_id in required for field_id in ids})
