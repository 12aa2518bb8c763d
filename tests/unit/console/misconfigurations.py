"""What admins typically get wrong about a mapping, one case for each; `python -m` writes docs/misconfigurations.md."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import async_solipsism

from sandbox.craft.settings import ADA_KEY
from sandbox.jira.site import SYNC_EMAIL
from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Direction, FieldKind, Mode, Shape, Takes, TransitionField, ValuePair
from shared.metadata.craft import CraftMetadata
from shared.metadata.jira import JiraField, JiraMetadata, JiraType, Schema
from tests.unit.console.misconfigured import PROJECT, Bench, Case, added, changed, revalued, typed, without

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "misconfigurations.md"

_Seen = Callable[[JiraMetadata, CraftMetadata], tuple[JiraMetadata, CraftMetadata]]


def _field(ident: str, name: str, **schema: str) -> _Seen:
    """Show one field more in Jira, on all screens."""
    of = Schema(**{"type": "string", **schema})

    def seen(jira: JiraMetadata, craft: CraftMetadata) -> tuple[JiraMetadata, CraftMetadata]:
        fields = {**jira.fields, ident: JiraField(ident, name, custom=True, schema=of)}
        template = next(one.create["summary"] for one in jira.types if one.create is not None)
        shown = dataclasses.replace(template, id=ident, name=name, required=False, schema=of)

        def on_screens(one: JiraType) -> JiraType:
            return dataclasses.replace(
                one, create={**(one.create or {}), ident: shown}, edit={**(one.edit or {}), ident: shown}
            )

        return dataclasses.replace(jira, fields=fields, types=tuple(map(on_screens, jira.types))), craft

    return seen


def _denied_sprints(jira: JiraMetadata, craft: CraftMetadata) -> tuple[JiraMetadata, CraftMetadata]:
    jira, craft = _field("customfield_10020", "Sprint", type="array", items="json", custom="x:gh-sprint")(jira, craft)
    return dataclasses.replace(jira, permissions={**jira.permissions, "MANAGE_SPRINTS_PERMISSION": False}), craft


def _deny(*keys: str) -> Callable[[Bench], None]:
    return lambda bench: bench.jira.deny(PROJECT, SYNC_EMAIL, *keys)


def _off_screen(operation: str, name: str, *types: str) -> Callable[[Bench], None]:
    def happens(bench: Bench) -> None:
        for each in types:
            bench.jira.screen(PROJECT, each, operation).remove(bench.jira.field_id(name))

    return happens


def _native(bench: Bench) -> None:
    item = bench.craft.person(ADA_KEY.key).create_item(type="feature", title="Search")
    bench.craft.set_native_key(item["id"], "TAN-1")


def _without_transition_to_review(bench: Bench) -> None:
    project = bench.jira.world.project(PROJECT)
    assert project is not None
    review = next(each.to_status for each in project.transitions if each.name == "Send to review")
    project.transitions = tuple(each for each in project.transitions if each.to_status != review)


def _points_in_words(bench: Bench, draft: Any) -> Any:
    size, points = bench.custom("Area"), bench.jira.field_id("Story Points")
    options = next(p for p in draft.pairs if p.id == "area").values
    values = (ValuePair(jira="small", craft=options[0].craft), ValuePair(jira="8", craft=options[1].craft))
    return added(
        without(draft, "area", "points"), "size", FieldKind.OPTION, points, size, jira_shape=Shape.NUMBER, values=values
    )


def _foreign_root(bench: Bench, draft: Any) -> Any:
    other = bench.craft.account.seed_workspace("Second")
    item = bench.craft.person(ADA_KEY.key).create_item(type="product", title="Elsewhere", workspaceId=other.id)
    return draft.model_copy(update={"craft_root": EntityId(item["id"])})


def _feature_root(bench: Bench, draft: Any) -> Any:
    item = bench.craft.person(ADA_KEY.key).create_item(type="feature", title="Search", parent=bench.root)
    return draft.model_copy(update={"craft_root": EntityId(item["id"])})


_ALL = ("Epic", "Story", "Task", "Bug", "Sub-task")

CASES: tuple[Case, ...] = (
    Case(
        "project_not_visible",
        "The project key is misspelt, or the account of the connection may not browse the project.",
        "jira_project",
        happens=lambda bench: bench.jira.hide_project(PROJECT, SYNC_EMAIL),
    ),
    Case(
        "workspace_not_visible",
        "The API key is for other workspaces.",
        "craft_workspace",
        lambda _, draft: draft.model_copy(update={"craft_workspace": "1"}),
    ),
    Case(
        "project_key_differs",
        "The project is named by its id, by a former key, or in small letters.",
        "jira_project",
        seen=lambda jira, craft: (dataclasses.replace(jira, key="TAND"), craft),
    ),
    Case("permission_missing", "The account may not create issues.", "jira_connection", happens=_deny("CREATE_ISSUES")),
    Case("permission_missing", "The account may not edit issues.", "jira_connection", happens=_deny("EDIT_ISSUES")),
    Case(
        "permission_missing",
        "People are mapped, and the account may not assign issues.",
        "jira_connection",
        lambda _, draft: added(
            draft, "assignee", FieldKind.USER, "assignee", "assignee", values=(ValuePair(jira="1", craft="2"),)
        ),
        happens=_deny("ASSIGN_ISSUES"),
    ),
    Case(
        "permission_missing",
        "Dependencies are mapped, and the account may not link issues.",
        "jira_connection",
        happens=_deny("LINK_ISSUES"),
    ),
    Case(
        "linking_off",
        "Dependencies are mapped, and linking issues is switched off in Jira.",
        "pairs[13].jira",
        seen=lambda jira, craft: (dataclasses.replace(jira, relations=()), craft),
    ),
    Case(
        "permission_missing",
        "Sprints are mapped, and the account may not manage them.",
        "jira_connection",
        lambda _, draft: added(
            draft,
            "sprint",
            FieldKind.OPTION,
            "customfield_10020",
            "sprint",
            jira_shape=Shape.SPRINT,
            values=(ValuePair(jira="7", craft="8"),),
        ),
        seen=_denied_sprints,
    ),
    Case(
        "permission_missing",
        "Missing versions shall be created, and the account may not administer the project.",
        "jira_connection",
        lambda _, draft: added(
            draft,
            "quarter",
            FieldKind.OPTION,
            "fixVersions",
            "quarter",
            jira_shape=Shape.NAME,
            values=(ValuePair(jira="2026 Q1", craft="8"),),
            create_missing=True,
        ),
        happens=_deny("ADMINISTER_PROJECTS"),
        seen=_field("fixVersions", "Fix versions", type="array", items="version", system="fixVersions"),
    ),
    Case(
        "permission_missing",
        "The status is carried to Jira, and the account may make no transitions.",
        "jira_connection",
        lambda _, draft: changed(draft, "status", direction=Direction.BOTH),
        happens=_deny("TRANSITION_ISSUES"),
    ),
    Case(
        "native_integration_writes", "Craft.io's own Jira integration is still on.", "craft_workspace", happens=_native
    ),
    Case(
        "craft_root_missing",
        "The item under which everything shall stand was deleted.",
        "craft_root",
        lambda _, draft: draft.model_copy(update={"craft_root": EntityId("99")}),
    ),
    Case(
        "craft_root_elsewhere",
        "The item under which everything shall stand is in another workspace.",
        "craft_root",
        _foreign_root,
    ),
    Case("craft_root_too_low", "Epics shall stand under a feature.", "craft_root", _feature_root),
    Case(
        "no_key_field",
        "No custom field holds the key of created items.",
        "craft_key_field",
        lambda _, draft: draft.model_copy(update={"craft_key_field": None}),
    ),
    Case(
        "key_field_wrong",
        "The key field is a number.",
        "craft_key_field",
        lambda bench, draft: draft.model_copy(
            update={"craft_key_field": bench.custom("Reach").removeprefix("custom:")}
        ),
    ),
    Case(
        "key_field_mapped",
        "The key field is mapped as well.",
        "pairs[7].craft",
        lambda bench, draft: changed(draft, "customer", craft=bench.custom("Jira key")),
    ),
    Case("no_type_mapped", "The type mapping is empty.", "types", lambda _, draft: typed(draft)),
    Case(
        "jira_type_missing",
        "An issue type was taken out of the project.",
        "types[1].jira",
        lambda _, draft: typed(draft, ("Epic", "epic"), ("10999", "feature")),
    ),
    Case(
        "craft_type_missing",
        "A type is named by the workspace's own word.",
        "types[1].craft",
        lambda _, draft: typed(draft, ("Epic", "epic"), ("Story", "Capability")),
        seen=lambda jira, craft: (jira, dataclasses.replace(craft, terms={**craft.terms, "feature": "Capability"})),
    ),
    Case(
        "craft_type_not_listed",
        "A type is mapped that the workspace does not use.",
        "types[0].craft",
        lambda _, draft: typed(draft, ("Epic", "epic"), ("Story", "feature")),
        seen=lambda jira, craft: (
            jira,
            dataclasses.replace(craft, terms={"feature": "Feature", "story": "Story"}),
        ),
    ),
    Case(
        "initiative_not_synced",
        "Initiatives are mapped.",
        "types[0].craft",
        lambda _, draft: typed(draft, ("Epic", "initiative"), ("Story", "feature")),
    ),
    Case("story_becomes_subtask", "Stories are mapped to sub-tasks.", "types[3]"),
    Case(
        "hierarchy_upside_down",
        "Epics and features are exchanged.",
        "types[1]",
        lambda _, draft: typed(draft, ("Story", "epic"), ("Epic", "feature")),
    ),
    Case(
        "hierarchy_flattened",
        "Features and stories are both mapped to standard types.",
        "types[2]",
        lambda _, draft: typed(draft, ("Epic", "epic"), ("Story", "feature"), ("Task", "story")),
    ),
    Case(
        "hierarchy_level_skipped",
        "Epics and stories are mapped, features are not.",
        "types",
        lambda _, draft: typed(draft, ("Epic", "epic"), ("Story", "story")),
    ),
    Case(
        "subtask_parent_not_mapped",
        "Only epics and sub-tasks are mapped.",
        "types[1]",
        lambda _, draft: typed(draft, ("Epic", "feature"), ("Sub-task", "story")),
    ),
    Case("types_share_one", "Story and Task both become Feature.", "types"),
    Case("no_parent_pair", "Nobody mapped the parent.", "pairs", lambda _, draft: without(draft, "parent")),
    Case(
        "pair_id_twice",
        "A pair was copied in a file, with its id.",
        "pairs[14].id",
        lambda _, draft: added(draft, "title", FieldKind.NUMBER, "x", "effort", direction=Direction.TO_CRAFT),
    ),
    Case(
        "jira_field_missing",
        "A Jira field was deleted and made anew.",
        "pairs[4].jira",
        lambda _, draft: changed(draft, "points", jira="customfield_10999"),
    ),
    Case(
        "craft_field_missing",
        "A custom field of another workspace is mapped.",
        "pairs[7].craft",
        lambda _, draft: changed(draft, "customer", craft="custom:1"),
    ),
    Case(
        "kind_does_not_fit",
        "A list is mapped as a number.",
        "pairs[8].jira",
        lambda bench, draft: changed(draft, "reach", jira=bench.jira.field_id("Squad")),
    ),
    Case(
        "kind_does_not_fit",
        "A date is mapped to a list.",
        "pairs[5].craft",
        lambda bench, draft: changed(draft, "start", craft=bench.custom("Area")),
    ),
    Case(
        "kind_does_not_fit",
        "A list is mapped in the shape of another one.",
        "pairs[9].jira",
        lambda _, draft: changed(draft, "area", jira_shape=Shape.CASCADE),
    ),
    Case(
        "field_type_unknown",
        "A field comes from an app of the Jira marketplace.",
        "pairs[7].jira",
        lambda _, draft: changed(draft, "customer", jira="customfield_10500"),
        seen=_field("customfield_10500", "Customer tier", type="any", custom="com.example.app:tier"),
    ),
    Case(
        "craft_read_only",
        "The Jira summary shall be written to Craft.io's short id.",
        "pairs[14].craft",
        lambda bench, draft: added(
            draft, "key", FieldKind.STRING, bench.jira.field_id("Customer reference"), "shortId"
        ),
    ),
    Case(
        "craft_read_only",
        "The reporter shall become who created the item in Craft.io.",
        "pairs[14].craft",
        lambda _, draft: added(draft, "creator", FieldKind.USER, "reporter", "createdBy", direction=Direction.TO_CRAFT),
    ),
    Case(
        "jira_read_only",
        "The time of creation shall be written to Jira.",
        "pairs[5].jira",
        lambda _, draft: changed(draft, "start", jira="created"),
    ),
    Case(
        "written_twice",
        "Two fields of Craft.io are mapped to one of Jira.",
        "pairs[14].jira",
        lambda bench, draft: added(draft, "effort", FieldKind.NUMBER, bench.jira.field_id("Story Points"), "effort"),
    ),
    Case("no_title_pair", "Nobody mapped the title.", "pairs", lambda _, draft: without(draft, "title")),
    Case(
        "nothing_is_created",
        "Both directions are off.",
        "",
        lambda _, draft: draft.model_copy(update={"to_jira": Mode.OFF, "to_craft": Mode.OFF}),
    ),
    Case(
        "pair_without_effect",
        "A pair is carried in a direction that is off.",
        "pairs[6].direction",
        lambda _, draft: changed(draft, "end", direction=Direction.TO_JIRA).model_copy(update={"to_jira": Mode.OFF}),
    ),
    Case(
        "pair_without_effect",
        "A pair fills new items only, and none are created.",
        "pairs[6].direction",
        lambda _, draft: changed(draft, "end", direction=Direction.ONCE).model_copy(
            update={"to_jira": Mode.OFF, "to_craft": Mode.OFF}
        ),
    ),
    Case(
        "cannot_be_emptied",
        "A number of Jira goes to a property that Craft.io's API does not let be empty.",
        "pairs[8].craft",
        lambda _, draft: changed(draft, "reach", craft="storyPoints"),
    ),
    Case(
        "formatting_lost",
        "Formatted text is mapped as plain text.",
        "pairs[1].kind",
        lambda _, draft: changed(draft, "description", kind=FieldKind.TEXT),
    ),
    Case(
        "transition_field_missing",
        "A field of transition screens is named as people call it.",
        "transition_fields[0].field",
        lambda _, draft: draft.model_copy(
            update={"transition_fields": (TransitionField(field="Resolution", value={"name": "Done"}),)}
        ),
    ),
    Case(
        "expression_fails",
        "A number is multiplied by a whole number.",
        "pairs[8].to_craft",
        lambda _, draft: changed(draft, "reach", to_craft="value * 2", to_jira="value / 2.0"),
    ),
    Case("text_may_be_cut", "Craft.io's titles may be longer than Jira's.", "pairs[0].jira"),
    Case(
        "not_on_create_screen",
        "A mapped field is on no create screen.",
        "pairs[7].jira",
        happens=_off_screen("create", "Customer reference", *_ALL),
    ),
    Case("not_on_create_screen", "Sub-tasks have no story points.", "pairs[4].jira"),
    Case(
        "not_on_edit_screen",
        "A mapped field is on no edit screen.",
        "pairs[6].jira",
        happens=_off_screen("edit", "Due date", *_ALL),
    ),
    Case(
        "required_without_source",
        "Jira requires a field that nobody mapped.",
        "pairs",
        lambda _, draft: without(draft, "customer"),
        happens=lambda bench: bench.jira.screen(PROJECT, "Story", "create").add(
            bench.jira.field_id("Customer reference"), required=True
        ),
    ),
    Case(
        "required_without_source",
        "Stories become sub-tasks, and nobody mapped the parent.",
        "pairs",
        lambda _, draft: without(draft, "parent"),
    ),
    Case(
        "value_map_missing",
        "Two lists are mapped without their values.",
        "pairs[9].values",
        lambda _, draft: revalued(draft, "area", keep=0),
    ),
    Case(
        "value_map_hole",
        "A value of the list is forgotten.",
        "pairs[2].values",
        lambda _, draft: revalued(draft, "importance", keep=4),
    ),
    Case(
        "value_gone",
        "An option was deleted in Jira.",
        "pairs[9].values[2].jira",
        lambda _, draft: changed(
            draft,
            "area",
            values=tuple(
                each.model_copy(update={"jira": "10999"}) if n == 2 else each
                for n, each in enumerate(next(p for p in draft.pairs if p.id == "area").values)
            ),
        ),
    ),
    Case(
        "value_impossible",
        "Story points are mapped to sizes by words.",
        "pairs[12].values[0].jira",
        _points_in_words,
    ),
    Case("value_way_back", "Highest and High both become Must have.", "pairs[2].values"),
    Case(
        "values_unknown",
        "Craft.io does not tell a list.",
        "pairs[10].craft",
        settings={"lists_system_fields": False},
    ),
    Case(
        "status_not_reachable",
        "The workflow has no way to a status.",
        "pairs[10].values",
        lambda _, draft: changed(draft, "status", direction=Direction.BOTH),
        happens=_without_transition_to_review,
    ),
    Case(
        "people_without_table",
        "People are mapped without saying who is who.",
        "pairs[14].values",
        lambda _, draft: added(draft, "assignee", FieldKind.USER, "assignee", "assignee"),
    ),
    Case(
        "takes_field_missing",
        "A rule for new items is about a field that was deleted.",
        "takes[0].field",
        lambda _, draft: draft.model_copy(
            update={"takes": (Takes(side=Side.JIRA, field="customfield_10999", values=("A",)),)}
        ),
    ),
    Case(
        "takes_value_unknown",
        "A rule for new items names a value that the field does not have.",
        "takes[0].values",
        lambda bench, draft: draft.model_copy(
            update={"takes": (Takes(side=Side.CRAFT, field=bench.custom("Area"), values=("Nowhere",)),)}
        ),
    ),
)

_HEAD = """# What goes wrong with a mapping, and what Tandem says

Written from the cases that the tests prove: `python -m tests.unit.console.misconfigurations` writes it anew.

A mapping is checked against Jira's and Craft.io's own metadata when it is saved
(`services/console/domain/validation/__init__.py::check`). An **error** keeps it from being saved; a **warning** tells
of items or values that will not be synced; a **note** is good to know. Each finding has a code that stays the same when
the words change, and the place in the draft.

"""


async def written() -> str:
    """Return the text of the document."""
    rows = []
    for number, case in enumerate(CASES, 1):
        found = await case.finding()
        rows.append(
            f"## {number}. {case.what}\n\n`{found.code}`, {found.severity}\n\n> {found.message}\n>\n> {found.fix}\n"
        )
    return _HEAD + "\n".join(rows)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        DOCUMENT.write_text(runner.run(written()))
