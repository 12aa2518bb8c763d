"""The mapping of the demo's scene: the sandbox's Jira project and Craft.io workspace, pair by pair.

Used by `make run`, `make demo`, the end-to-end tests and the simulation. Built from the stand-ins' own state, as an
admin would
pick the fields from lists. Types: Epic - Epic, Story/Task/Bug - Feature, Sub-task - Story.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.jira import catalog
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, PairId
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Mode, Policy, TypePair, ValuePair

JIRA = ConnectionId("jira-demo")
CRAFT = ConnectionId("craft-demo")
INTEGRATION = IntegrationId("demo")

_TYPES = (("Epic", "epic"), ("Story", "feature"), ("Task", "feature"), ("Sub-task", "story"))
"""Bug is left out on purpose: the demo shows how an unmapped type explains itself."""
_IMPORTANCE = (("1", "Must have"), ("2", "Must have"), ("3", "Should have"), ("4", "Could have"), ("5", "Won't have"))
_STATUS = (("To Do", "Open"), ("In Progress", "In progress"), ("In Review", "In review"), ("Done", "Done"))
_DEPENDENCIES = (("10000/outward", "blocks"), ("10000/inward", "blocked by"), ("10003", "related"))
_SQUADS = (("Red", "Web"), ("Green", "Mobile"), ("Blue", "Platform"))


def integration(
    *,
    project: str,
    workspace: Mapping[str, Any],
    craft_root: str | None,
    first_custom_field: int = 10_015,
    with_key: bool = True,
    policy: Policy = Policy.ASK,
    to_jira: Mode = Mode.AUTOMATIC,
    status: Direction = Direction.TO_CRAFT,
) -> Integration:
    """Return the integration of a project and a workspace (as in the Craft stand-in's `state()["workspaces"]`)."""
    custom = {field["name"]: field for field in workspace["customFields"]}
    importances = {each["name"]: each["id"] for each in workspace["importances"]}
    statuses = {each["name"]: each["id"] for each in workspace["statuses"]}
    areas = {each["label"]: each["id"] for each in custom["Area"]["options"]}
    types = {each.name: each.id for each in catalog.TYPES.values()}
    jira_statuses = {each.name: each.id for each in catalog.STATUSES.values()}
    start, points, text, number, select = (f"customfield_{first_custom_field + i}" for i in range(5))
    squads = {name: str(10_020 + i) for i, name in enumerate(catalog.SQUADS)}

    def pair(name: str, kind: FieldKind, jira: str, craft: str, **more: Any) -> FieldPair:
        return FieldPair(id=PairId(name), kind=kind, jira=jira, craft=craft, **more)

    return Integration(
        id=INTEGRATION,
        name="Demo",
        jira_connection=JIRA,
        craft_connection=CRAFT,
        jira_project=project,
        craft_workspace=workspace["id"],
        craft_root=EntityId(craft_root) if craft_root else None,
        to_craft=Mode.AUTOMATIC,
        to_jira=to_jira,
        policy=policy,
        craft_key_field=custom["Jira key"]["id"] if with_key else None,
        types=tuple(TypePair(jira=types[j], craft=c) for j, c in _TYPES),
        pairs=(
            pair("title", FieldKind.STRING, "summary", "title"),
            pair("description", FieldKind.RICH_TEXT, "description", "description"),
            pair(
                "importance",
                FieldKind.OPTION,
                "priority",
                "importance",
                values=tuple(ValuePair(jira=j, craft=importances[c]) for j, c in _IMPORTANCE),
            ),
            pair("labels", FieldKind.LABELS, "labels", "labels"),
            pair("points", FieldKind.NUMBER, points, "storyPoints"),
            pair("start", FieldKind.DATE, start, "actualStartDate"),
            pair("end", FieldKind.DATE, "duedate", "actualEndDate"),
            pair("customer", FieldKind.STRING, text, f"custom:{custom['Customer']['id']}"),
            pair("reach", FieldKind.NUMBER, number, f"custom:{custom['Reach']['id']}"),
            pair(
                "area",
                FieldKind.OPTION,
                select,
                f"custom:{custom['Area']['id']}",
                values=tuple(ValuePair(jira=squads[j], craft=areas[c]) for j, c in _SQUADS),
            ),
            pair(
                "status",
                FieldKind.STATUS,
                "status",
                "status",
                direction=status,
                values=tuple(ValuePair(jira=jira_statuses[j], craft=statuses[c]) for j, c in _STATUS),
            ),
            pair("parent", FieldKind.PARENT, "parent", "parent"),
            pair("type", FieldKind.TYPE, "issuetype", "type"),
            pair(
                "dependencies",
                FieldKind.LINKS,
                "issuelinks",
                "dependencies",
                direction=Direction.TO_JIRA,
                values=tuple(ValuePair(jira=j, craft=c) for j, c in _DEPENDENCIES),
            ),
        ),
    )
