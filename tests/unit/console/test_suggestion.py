"""A first mapping that an admin can start from: it passes the check, and says why it is as it is."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jira.site import SYNC_EMAIL
from services.console.domain.fits import KIND_WORDS, craft_fits
from services.console.domain.suggestion import Identities, Suggestion, suggest
from services.console.domain.suggestion.names import alike, same_value
from services.console.domain.suggestion.values import by_order, by_status
from services.console.domain.validation import Severity
from shared.clients.jira.metadata import read_jira
from shared.domain.ids import Side
from shared.domain.kinds import shapes_of
from shared.domain.mapping import Direction, FieldKind, Integration, Shape, TypePair, ValuePair
from shared.metadata.choice import Choice, Choices
from shared.metadata.craft import CraftField, CraftMetadata, Holds
from shared.metadata.jira import JiraField, JiraMetadata, JiraStatus, JiraType, Schema, ScreenField
from tests.unit.clients.site import data_center_client, data_center_site, on_virtual_time
from tests.unit.console.misconfigured import PROJECT, TYPES, Bench


def identities(draft: Integration) -> Identities:
    return Identities(
        draft.id,
        draft.name,
        draft.jira_connection,
        draft.craft_connection,
        draft.jira_project,
        draft.craft_workspace,
        draft.craft_root,
    )


async def suggested(bench: Bench) -> Suggestion:
    return suggest(*await bench.metadata(), identities(bench.draft))


def covered(made: Integration, by_hand: Integration) -> float:
    mine = {(pair.jira, pair.craft) for pair in made.pairs}
    return len({(pair.jira, pair.craft) for pair in by_hand.pairs} & mine) / len(by_hand.pairs)


@on_virtual_time
async def test_the_demos_scene_is_suggested_nearly_as_an_admin_mapped_it_by_hand() -> None:
    bench = Bench()
    made = await suggested(bench)
    assert not [each for each in made.findings if each.severity is Severity.ERROR]
    assert covered(made.draft, bench.draft) >= 0.9
    assert made.draft.types == bench.draft.types
    assert made.draft.craft_key_field == bench.draft.craft_key_field
    by_hand = {(pair.jira, pair.craft): pair.values for pair in bench.draft.pairs}
    for pair in made.draft.pairs:
        assert set(pair.values) == set(by_hand[pair.jira, pair.craft]), pair.id
    assert Integration.model_validate(made.draft.model_dump()) == made.draft


@on_virtual_time
async def test_with_lists_that_only_items_show_it_is_still_most_of_it_and_without_error() -> None:
    bench = Bench(lists_system_fields=False)
    ada = bench.craft.person("craft-key-of-ada")
    for status, importance in (("In progress", "Must have"), ("Done", "Could have")):
        ada.create_item(type="feature", title=status, status=status, importance=importance)
    made = await suggested(bench)
    assert not [each for each in made.findings if each.severity is Severity.ERROR]
    assert covered(made.draft, bench.draft) >= 0.8


@on_virtual_time
async def test_every_part_has_a_reason_and_everything_left_out_too() -> None:
    bench = Bench()
    made = await suggested(bench)
    parts = {f"types[{n}]" for n in range(len(made.draft.types))} | {
        f"pairs[{n}]" for n in range(len(made.draft.pairs))
    }
    assert {each.path for each in made.reasons} == {*parts, "craft_key_field"}
    assert all(each.reason and 0 < each.confidence <= 1 for each in made.reasons)
    left_out = {(str(each.side), each.what): each.why for each in made.left_out}
    assert "defects" in left_out["jira", "Bug"]
    assert "who is who" in left_out["craft", "Assignee"]
    assert left_out["craft", "Area"]
    assert left_out["jira", "Squad"]
    assert not any("custom" in each.what + each.why for each in made.left_out)


@on_virtual_time
async def test_what_jira_requires_and_craft_has_not_is_said_with_the_suggestion() -> None:
    bench = Bench()
    squad = bench.jira.field_id("Squad")
    bench.jira.screen(PROJECT, "Story", "create").add(squad, required=True)
    made = await suggested(bench)
    assert [each.code for each in made.findings if each.severity is Severity.ERROR] == ["required_without_source"]


@on_virtual_time
async def test_a_field_that_is_on_no_screen_is_not_suggested() -> None:
    bench = Bench()
    for each in TYPES:
        bench.jira.screen(PROJECT, each, "edit").remove("duedate")
    made = await suggested(bench)
    assert "duedate" not in {pair.jira for pair in made.draft.pairs}
    bench.jira.deny(PROJECT, SYNC_EMAIL, "CREATE_ISSUES", "EDIT_ISSUES")
    unknown = await suggested(bench)
    assert "duedate" in {pair.jira for pair in unknown.draft.pairs}


@on_virtual_time
async def test_the_workspaces_own_words_count() -> None:
    bench = Bench()
    jira, craft = await bench.metadata()
    renamed = dataclasses.replace(craft, terms={**craft.terms, "feature": "Task"})
    made = suggest(jira, renamed, identities(bench.draft))
    by_path = {each.path: each for each in made.reasons}
    named = next(f"types[{n}]" for n, pair in enumerate(made.draft.types) if pair.jira == TYPES["Task"])
    assert by_path[named].confidence > by_path["types[1]"].confidence


def _jira(*types: JiraType, **fields: Schema) -> JiraMetadata:
    known = {name: JiraField(name, name, custom=False, schema=schema) for name, schema in fields.items()}
    screen = {name: ScreenField(name, name, required=False, schema=schema) for name, schema in fields.items()}
    shown = tuple(dataclasses.replace(each, create=screen, edit=screen) for each in types)
    return JiraMetadata("P", fields=known, types=shown)


TERMS = {"product": "Product", "epic": "Epic", "feature": "Feature", "story": "Story"}
IDENTITIES = identities(
    Integration.model_validate(
        {
            "id": "i",
            "name": "I",
            "jira_connection": "j",
            "craft_connection": "c",
            "jira_project": "P",
            "craft_workspace": "W",
            "types": (),
            "pairs": (),
        }
    )
)


def test_premium_levels_go_up_to_products_and_no_further() -> None:
    jira = _jira(
        JiraType("1", "Theme", 3, subtask=False),
        JiraType("2", "Initiative", 2, subtask=False),
        JiraType("3", "Epic", 1, subtask=False),
        JiraType("4", "Story", 0, subtask=False),
    )
    made = suggest(jira, CraftMetadata("W", terms=TERMS), IDENTITIES)
    assert made.draft.types == (
        TypePair(jira="2", craft="product"),
        TypePair(jira="3", craft="epic"),
        TypePair(jira="4", craft="feature"),
    )
    assert "Theme" in {each.what for each in made.left_out}


def test_data_center_has_no_levels_and_an_epic_is_known_by_its_name() -> None:
    jira = _jira(
        JiraType("4", "Task", None, subtask=False),
        JiraType("3", "Epic", None, subtask=False),
        JiraType("5", "Sub-task", None, subtask=True),
    )
    made = suggest(jira, CraftMetadata("W", terms=TERMS), IDENTITIES)
    assert [(pair.jira, pair.craft) for pair in made.draft.types] == [("3", "epic"), ("4", "feature"), ("5", "story")]


@on_virtual_time
async def test_data_center_is_suggested_the_same_and_with_its_epics_and_without_error() -> None:
    bench = Bench()
    jira = await read_jira(data_center_client(data_center_site()), PROJECT, api=2)
    _, craft = await bench.metadata()
    made = suggest(jira, craft, identities(bench.draft))
    assert not [each for each in made.findings if each.severity is Severity.ERROR]
    assert ("parent", "parent") in {(pair.jira, pair.craft) for pair in made.draft.pairs}
    assert covered(made.draft, bench.draft) >= 0.9


def test_story_points_are_known_by_their_schema_whatever_their_name() -> None:
    plain = Schema("number", custom="com.atlassian.jira.plugin.system.customfieldtypes:float")
    points = Schema("number", custom="com.pyxis.greenhopper.jira:jsw-story-points")
    jira = _jira(JiraType("4", "Story", 0, subtask=False), Punkte=points, **{"Business value": plain})
    made = suggest(jira, CraftMetadata("W", terms=TERMS), IDENTITIES)
    assert {(pair.jira, pair.craft) for pair in made.draft.pairs} == {
        ("Punkte", "storyPoints"),
        ("Business value", "value"),
    }


def test_a_pair_gets_the_shapes_that_its_fields_have() -> None:
    many = Schema("array", items="option", custom="x:multiselect")
    options = (Choice("1", "Web"), Choice("2", "Mobile"))
    jira = _jira(JiraType("4", "Story", 0, subtask=False), Platforms=many)
    screen = {"Platforms": ScreenField("Platforms", "Platforms", required=False, schema=many, allowed=options)}
    jira = dataclasses.replace(jira, types=(dataclasses.replace(jira.types[0], create=screen, edit=screen),))
    field = CraftField("9", "Platforms", "multi_select", (Choice("a", "web"), Choice("b", "mobile")))
    made = suggest(jira, CraftMetadata("W", terms=TERMS, fields={"9": field}), IDENTITIES)
    (pair,) = made.draft.pairs
    assert (pair.kind, pair.jira_shape, pair.craft_shape) == (FieldKind.OPTIONS, None, None)
    assert set(pair.values) == {ValuePair(jira="1", craft="a"), ValuePair(jira="2", craft="b")}
    one = dataclasses.replace(field, type="dropdown")
    (pair,) = suggest(jira, CraftMetadata("W", terms=TERMS, fields={"9": one}), IDENTITIES).draft.pairs
    assert (pair.kind, pair.jira_shape, pair.craft_shape) == (FieldKind.OPTION, Shape.ONE_REFERENCE, None)


def test_text_of_several_lines_is_suggested_as_such() -> None:
    """As a line it would never cross: Jira Cloud holds a document there."""
    area = Schema("string", custom="com.atlassian.jira.plugin.system.customfieldtypes:textarea")
    jira = _jira(JiraType("4", "Story", 0, subtask=False), Criteria=area)
    for word in ("text", "textarea"):
        craft = CraftMetadata("W", terms=TERMS, fields={"9": CraftField("9", "Criteria", word)})
        (pair,) = suggest(jira, craft, IDENTITIES).draft.pairs
        assert (pair.kind, pair.jira_shape, pair.craft_shape) == (FieldKind.TEXT, None, None)


def test_the_status_is_carried_to_craft() -> None:
    statuses = (JiraStatus("1", "Backlog", "new"), JiraStatus("2", "Coding", "indeterminate"))
    craft = Choices((Choice("a", "Open"), Choice("b", "In progress"), Choice("c", "Done")))
    found = by_status(statuses, craft)
    assert found is not None
    assert found.pairs == (ValuePair(jira="1", craft="a"), ValuePair(jira="2", craft="b"))
    jira = _jira(JiraType("4", "Story", 0, subtask=False, statuses=statuses), status=Schema("status", system="status"))
    jira = dataclasses.replace(jira, types=(dataclasses.replace(jira.types[0], statuses=statuses),))
    made = suggest(jira, CraftMetadata("W", terms=TERMS, lists={"status": craft}), IDENTITIES)
    assert [pair.direction for pair in made.draft.pairs] == [Direction.TO_CRAFT]


@pytest.mark.parametrize(
    ("left", "right"),
    [("Due date", "End Date"), ("Story point estimate", "Story Points"), ("Customer", "customer reference")],
)
def test_fields_go_by_several_names(left: str, right: str) -> None:
    assert alike(left, right) >= 0.6
    assert alike(right, left) == alike(left, right)


@pytest.mark.parametrize(("left", "right"), [("Start date", "End Date"), ("Name", "Key"), ("", ""), ("Team", "Reach")])
def test_fields_that_only_share_an_empty_word_are_not_alike(left: str, right: str) -> None:
    assert alike(left, right) < 0.6


@given(st.text(), st.text())
def test_likeness_is_a_share_and_the_same_both_ways(left: str, right: str) -> None:
    assert 0 <= alike(left, right) <= 1
    assert alike(left, right) == alike(right, left)
    assert same_value(left, right) == same_value(right, left)


@given(st.integers(1, 9), st.integers(1, 9))
def test_priorities_by_order_never_turn_around_and_all_find_a_place(jira: int, craft: int) -> None:
    found = by_order(
        Choices(tuple(Choice(str(n), f"j{n}") for n in range(jira))),
        Choices(tuple(Choice(str(n), f"c{n}") for n in range(craft))),
    )
    assert found is not None
    places = [int(each.craft or "") for each in found.pairs]
    assert [each.jira for each in found.pairs] == [str(n) for n in range(jira)]
    assert places == sorted(places)


def test_every_thing_that_a_craft_field_can_hold_is_judged() -> None:
    for name in ("title", "custom:1"):
        assert {holds for holds in Holds if craft_fits(name, holds) is None} == {Holds.UNKNOWN}


@pytest.mark.parametrize("word", ["text", "url", "textarea", "number", "dropdown", "multi_select", "checkbox", "date"])
def test_what_a_custom_field_can_be_part_of_can_be_a_pair(word: str) -> None:
    """Otherwise a suggestion could hold a pair that nobody can save."""
    fits = craft_fits("custom:1", CraftField("1", "Field", word).holds)
    assert fits
    assert [fit for fit in fits if fit.shape not in shapes_of(fit.kind, Side.CRAFT, "custom:1")] == []


def test_every_kind_of_pair_has_words() -> None:
    assert set(KIND_WORDS) == set(FieldKind)


def test_of_several_sub_task_types_one_is_suggested() -> None:
    jira = _jira(
        JiraType("4", "Story", 0, subtask=False),
        JiraType("5", "Sub-task", -1, subtask=True),
        JiraType("6", "Technical sub-task", -1, subtask=True),
    )
    made = suggest(jira, CraftMetadata("W", terms=TERMS), IDENTITIES)
    assert [pair.jira for pair in made.draft.types] == ["4", "5"]
    assert "Technical sub-task" in {each.what for each in made.left_out}
