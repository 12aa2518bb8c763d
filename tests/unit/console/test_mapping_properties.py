"""Whatever the two sites look like: a check never fails, and what is suggested passes it."""

from __future__ import annotations

import asyncio
from functools import cache

import async_solipsism
from hypothesis import given, settings
from hypothesis import strategies as st

from services.console.domain.drafts import IntegrationDraft
from services.console.domain.suggestion import suggest
from services.console.domain.validation import Severity, check
from shared.domain.ids import PairId
from shared.domain.kinds import Markup
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Mode, Shape, TypePair, ValuePair
from shared.metadata.choice import Choice, Choices
from shared.metadata.craft import PROPERTIES, CraftField, CraftMetadata
from shared.metadata.jira import JiraField, JiraMetadata, JiraStatus, JiraType, Schema, Screen, ScreenField
from tests.unit.console.misconfigured import TYPES, Bench
from tests.unit.console.test_suggestion import IDENTITIES, TERMS

NAMES = (
    "Story Points",
    "Story point estimate",
    "Customer",
    "Customer reference",
    "Due date",
    "Start date",
    "Target end",
    "Business value",
    "Effort",
    "Labels",
    "Personas",
    "Platforms",
    "Sprint",
    "Epic Link",
    "",
    "日付",
)
VALUES = ("To Do", "Done", "Must have", "High", "Web", "Mobile", "Red", "")
SCHEMAS = (
    None,
    Schema("string", custom="x:textfield"),
    Schema("string", custom="x:textarea"),
    Schema("number", custom="x:float"),
    Schema("number", custom="com.pyxis.greenhopper.jira:jsw-story-points"),
    Schema("date", custom="x:datepicker"),
    Schema("datetime", custom="x:datetime"),
    Schema("option", custom="x:select"),
    Schema("option-with-child", custom="x:cascadingselect"),
    Schema("array", items="option", custom="x:multiselect"),
    Schema("array", items="string", custom="x:labels"),
    Schema("array", items="version", custom="x:multiversion"),
    Schema("array", items="json", custom="com.pyxis.greenhopper.jira:gh-sprint"),
    Schema("any", custom="com.pyxis.greenhopper.jira:gh-epic-link"),
    Schema("user", custom="x:userpicker"),
    Schema("any", custom="com.example:thing"),
)
CRAFT_TYPES = ("text", "Long Text", "number", "dropdown", "multi_select", "date", "user", "something new")

choices = st.lists(st.sampled_from(VALUES), unique=True, max_size=4).map(
    lambda names: tuple(Choice(str(number), name) for number, name in enumerate(names))
)


@st.composite
def jira_sites(draw: st.DrawFn) -> JiraMetadata:
    """Make a project with at least one standard type and a summary."""
    fields = {"summary": JiraField("summary", "Summary", custom=False, schema=Schema("string", system="summary"))}
    for ident, kind in (("priority", "priority"), ("status", "status"), ("parent", "issuelink"), ("duedate", "date")):
        if draw(st.booleans()):
            fields[ident] = JiraField(ident, ident.capitalize(), custom=False, schema=Schema(kind, system=ident))
    for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), max_size=6))):
        ident = f"customfield_{number}"
        fields[ident] = JiraField(ident, name, custom=True, schema=draw(st.sampled_from(SCHEMAS)))
    ranks = draw(st.lists(st.sampled_from((3, 2, 1, 0, 0, -1, -1)), max_size=5))
    statuses = tuple(
        JiraStatus(str(number), name, category)
        for number, (name, category) in enumerate(
            draw(st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(("new", "indeterminate", "done")))))
        )
    )
    levels = draw(st.booleans())
    types = tuple(
        JiraType(
            str(number),
            draw(st.sampled_from(("Epic", "Story", "Task", "Bug", "Feature", "Theme"))) if rank >= 0 else "Sub-task",
            rank if levels else None,
            subtask=rank < 0,
            create=draw(screens(fields)),
            edit=draw(screens(fields)),
            statuses=statuses,
        )
        for number, rank in enumerate((*ranks, 0))
    )
    story = JiraType("99", "Story", 0 if levels else None, subtask=False, create=_all_of(fields), statuses=statuses)
    return JiraMetadata("P", name="Project", fields=fields, types=(*types, story), priorities=draw(choices))


def _all_of(fields: dict[str, JiraField]) -> Screen:
    return {
        each.id: ScreenField(each.id, each.name, required=each.id == "summary", schema=each.schema)
        for each in fields.values()
        if each.id != "status"
    }


@st.composite
def screens(draw: st.DrawFn, fields: dict[str, JiraField]) -> Screen | None:
    """Make a screen with a summary and some of the fields, or an unknown one."""
    if draw(st.booleans()):
        return None
    shown = _all_of(fields)
    return {
        name: ScreenField(name, field.name, field.required, allowed=draw(st.none() | choices), schema=field.schema)
        for name, field in shown.items()
        if name == "summary" or draw(st.booleans())
    }


@st.composite
def craft_workspaces(draw: st.DrawFn) -> CraftMetadata:
    """Make a workspace with custom fields and lists."""
    fields = {
        str(number): CraftField(str(number), name, draw(st.sampled_from(CRAFT_TYPES)), draw(st.none() | choices))
        for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), max_size=6)))
    }
    lists = {
        name: Choices(draw(choices), complete=draw(st.booleans()))
        for name in ("status", "importance", "sprint", "quarter", "personas")
        if draw(st.booleans())
    }
    return CraftMetadata("W", name="Workspace", terms=TERMS, fields=fields, lists=lists)


@settings(max_examples=100)
@given(jira_sites(), craft_workspaces())
def test_what_is_suggested_passes_the_check_on_any_two_sites(jira: JiraMetadata, craft: CraftMetadata) -> None:
    made = suggest(jira, craft, IDENTITIES)
    assert [each for each in made.findings if each.severity is Severity.ERROR] == []
    assert made.findings == check(made.draft, jira, craft)
    assert Integration.model_validate(made.draft.model_dump()) == made.draft
    paths = {each.path for each in made.reasons if each.path.startswith("pairs")}
    assert paths == {f"pairs[{number}]" for number in range(len(made.draft.pairs))}


@cache
def scene() -> tuple[Integration, JiraMetadata, CraftMetadata]:
    async def read() -> tuple[Integration, JiraMetadata, CraftMetadata]:
        bench = Bench()
        return bench.draft, *await bench.metadata()

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        return runner.run(read())


words = st.sampled_from((*VALUES[:3], "1", "2", "10000", "1/2")) | st.none()
field_pairs = st.builds(
    lambda ident, kind, jira, craft, direction, values, shapes: FieldPair.model_construct(
        id=PairId(ident),
        kind=kind,
        jira=jira,
        craft=craft,
        direction=direction,
        policy=None,
        values=tuple(ValuePair(jira=a, craft=b) for a, b in values),
        jira_shape=shapes[0],
        craft_shape=shapes[1],
        since=0,
        fields_since=0,
    ),
    st.sampled_from(("a", "b", "c")),
    st.sampled_from(FieldKind),
    st.sampled_from(("summary", "status", "parent", "priority", "labels", "created", "customfield_10019", "none")),
    st.sampled_from((*PROPERTIES, "custom:1", "none")),
    st.sampled_from(Direction),
    st.lists(st.tuples(words, words), max_size=3),
    st.tuples(st.none() | st.sampled_from(Shape), st.none() | st.sampled_from(Shape)),
)
type_pairs = st.builds(
    TypePair, jira=st.sampled_from((*TYPES.values(), "1")), craft=st.sampled_from((*TERMS, "initiative", "Thing"))
)


@settings(max_examples=100)
@given(
    st.lists(field_pairs, max_size=6),
    st.lists(type_pairs, max_size=5),
    st.sampled_from(Mode),
    st.sampled_from(Mode),
    st.none() | st.just("1"),
)
def test_a_check_never_fails_and_a_draft_without_errors_is_an_integration(
    pairs: list[FieldPair], types: list[TypePair], to_jira: Mode, to_craft: Mode, key: str | None
) -> None:
    draft, jira, craft = scene()
    changes = {"pairs": tuple(pairs), "types": tuple(types), "to_jira": to_jira, "to_craft": to_craft}
    changed = draft.model_copy(update={**changes, "craft_key_field": key})
    found = check(changed, jira, craft)
    assert found == check(changed, jira, craft)
    assert all(each.message and each.fix and each.code for each in found)
    order = [list(Severity).index(each.severity) for each in found]
    assert order == sorted(order)
    carried_to_jira = any(pair.kind is FieldKind.STATUS and pair.direction is not Direction.TO_CRAFT for pair in pairs)
    if not carried_to_jira and not any(each.severity is Severity.ERROR for each in found):
        IntegrationDraft.model_validate(changed.model_dump()).integration(Markup.ADF)
