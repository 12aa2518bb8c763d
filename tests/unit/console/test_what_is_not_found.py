"""What a check must not say: findings that are not the mapping's fault, or that nobody can know."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import pytest

from deploy.local import rich_scene
from sandbox.craft.account import RICH_CATALOGUES, RICH_FIELDS
from sandbox.craft.settings import ADA_KEY
from sandbox.craft.site import CraftSite
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.site import SYNC_EMAIL, JiraSite
from services.console.domain.fits import craft_fits, jira_fits
from services.console.domain.validation import Finding, Severity, check
from services.console.domain.validation.neighbours import new_items_go_elsewhere
from shared.clients.craft.metadata import read_craft
from shared.clients.jira.metadata import read_jira
from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Mode, Shape, Takes, TypePair, ValuePair
from shared.metadata.choice import Choice, Choices, distinct
from shared.metadata.craft import CraftMetadata, Holds
from shared.metadata.jira import JiraMetadata, Schema
from tests.sandbox.jira.desk import TestClock
from tests.unit.clients.site import craft_client, jira_client, on_virtual_time
from tests.unit.console.misconfigured import (
    PROJECT,
    TYPES,
    Bench,
    Case,
    added,
    changed,
    plain,
    revalued,
    same,
    typed,
    without,
)

_Draft = Callable[[Bench, Integration], Integration]


async def found(
    code: str,
    draft: _Draft = plain,
    *,
    happens: Callable[[Bench], None] = lambda _: None,
    seen: Callable[[JiraMetadata, CraftMetadata], tuple[JiraMetadata, CraftMetadata]] = same,
    **settings: Any,
) -> list[Finding]:
    case = Case(code, "", "", draft, happens, seen, settings)
    return [each for each in await case.findings() if each.code == code]


def off(bench: Bench, draft: Integration) -> Integration:
    del bench
    return draft.model_copy(update={"to_jira": Mode.OFF})


def strict(bench: Bench) -> None:
    """Require a field that nobody mapped, and take a mapped one off all create screens."""
    for each in TYPES:
        bench.jira.screen(PROJECT, each, "create").remove("duedate")
    bench.jira.screen(PROJECT, "Bug", "create").add(bench.jira.field_id("Squad"), required=True)


@on_virtual_time
async def test_create_screens_matter_only_where_items_are_created() -> None:
    assert [each.path for each in await found("not_on_create_screen", happens=strict) if each.severity == "error"]
    assert await found("not_on_create_screen", off, happens=strict) == []


@on_virtual_time
async def test_what_types_require_that_nobody_creates_is_no_matter() -> None:
    assert await found("required_without_source", lambda _, d: without(d, "area"), happens=strict) == []

    def with_bug_second(bench: Bench, draft: Integration) -> Integration:
        del bench
        return typed(without(draft, "area"), ("Story", "feature"), ("Bug", "feature"))

    def with_bug_first(bench: Bench, draft: Integration) -> Integration:
        del bench
        return typed(without(draft, "area"), ("Bug", "feature"), ("Story", "feature"))

    assert await found("required_without_source", with_bug_second, happens=strict) == []
    assert len(await found("required_without_source", with_bug_first, happens=strict)) == 1


@on_virtual_time
async def test_a_required_field_with_a_default_needs_no_source() -> None:
    bench = Bench()
    jira, _ = await bench.metadata()
    story = next(each for each in jira.types if each.name == "Story")
    assert story.create is not None
    assert (story.create["reporter"].required, story.create["reporter"].has_default) == (True, True)
    assert await found("required_without_source") == []


@on_virtual_time
async def test_edit_screens_that_nobody_could_look_at_are_not_judged() -> None:
    def blind(jira: JiraMetadata, craft: CraftMetadata) -> tuple[JiraMetadata, CraftMetadata]:
        types = tuple(dataclasses.replace(each, edit=None, steps={}) for each in jira.types)
        return dataclasses.replace(jira, types=types), craft

    def status_both(_: Bench, draft: Integration) -> Integration:
        return changed(draft, "status", direction=Direction.BOTH)

    assert await found("not_on_edit_screen", seen=blind) == []
    assert await found("status_not_reachable", status_both, seen=blind) == []


@on_virtual_time
async def test_a_status_that_a_transition_leads_to_is_reachable() -> None:
    assert await found("status_not_reachable", lambda _, d: changed(d, "status", direction=Direction.BOTH)) == []


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("craft_read_only", {"craft": "shortId", "direction": Direction.TO_JIRA}),
        ("jira_read_only", {"jira": "created", "direction": Direction.TO_CRAFT}),
    ],
)
def test_a_field_that_cannot_be_written_may_be_read(code: str, changes: dict[str, Any]) -> None:
    @on_virtual_time
    async def prove() -> None:
        assert await found(code, lambda _, draft: changed(draft, "customer", **changes)) == []
        both = {**changes, "direction": Direction.BOTH}
        assert len(await found(code, lambda _, draft: changed(draft, "customer", **both))) == 1

    prove()


@on_virtual_time
async def test_two_pairs_may_read_one_field() -> None:
    def read_twice(bench: Bench, draft: Integration) -> Integration:
        points = bench.jira.field_id("Story Points")
        return added(draft, "effort", FieldKind.NUMBER, points, "effort", direction=Direction.TO_CRAFT)

    assert await found("written_twice", read_twice) == []


@on_virtual_time
async def test_holes_matter_only_on_the_side_that_values_come_from() -> None:
    def to_jira(_: Bench, draft: Integration) -> Integration:
        return changed(revalued(draft, "importance", keep=4), "importance", direction=Direction.TO_JIRA)

    def to_craft(_: Bench, draft: Integration) -> Integration:
        return changed(revalued(draft, "importance", keep=4), "importance", direction=Direction.TO_CRAFT)

    (hole,) = await found("value_map_hole", to_jira)
    assert "Won't have" in hole.message
    (hole,) = await found("value_map_hole", to_craft)
    assert "Lowest" in hole.message


@on_virtual_time
async def test_a_value_that_is_gone_is_an_error_only_where_it_would_be_written() -> None:
    old = ValuePair(jira="10999", craft=None)

    def spare(bench: Bench, draft: Integration) -> Integration:
        web = bench.craft.workspace().custom_field("Area").option_id("Web")
        return revalued(draft, "area", old.model_copy(update={"craft": web}))

    def only_one(bench: Bench, draft: Integration) -> Integration:
        web = bench.craft.workspace().custom_field("Area").option_id("Web")
        return revalued(draft, "area", old.model_copy(update={"craft": web}), keep=0)

    def only_read(bench: Bench, draft: Integration) -> Integration:
        return changed(only_one(bench, draft), "area", direction=Direction.TO_CRAFT)

    severities = [[each.severity for each in await found("value_gone", case)] for case in (spare, only_one, only_read)]
    assert severities == [[Severity.WARNING], [Severity.ERROR], [Severity.WARNING]]


@on_virtual_time
async def test_of_a_list_that_was_only_harvested_no_value_is_gone() -> None:
    assert await found("value_gone", lists_system_fields=False) == []

    def whole(jira: JiraMetadata, craft: CraftMetadata) -> tuple[JiraMetadata, CraftMetadata]:
        return jira, dataclasses.replace(craft, lists={**craft.lists, "importance": Choices((Choice("1", "Other"),))})

    assert len(await found("value_gone", seen=whole, lists_system_fields=False)) == 5


@on_virtual_time
async def test_permissions_are_asked_for_only_where_the_mapping_needs_them() -> None:
    def everything(bench: Bench) -> None:
        keys = ("CREATE_ISSUES", "EDIT_ISSUES", "TRANSITION_ISSUES", "ASSIGN_ISSUES", "MANAGE_SPRINTS_PERMISSION")
        bench.jira.deny(PROJECT, SYNC_EMAIL, *keys)

    def only_to_craft(_: Bench, draft: Integration) -> Integration:
        pairs = tuple(pair.model_copy(update={"direction": Direction.TO_CRAFT}) for pair in draft.pairs)
        return draft.model_copy(update={"pairs": pairs, "to_jira": Mode.OFF})

    assert await found("permission_missing", only_to_craft, happens=everything) == []
    assert len(await found("permission_missing", happens=everything)) == 2


@on_virtual_time
async def test_a_permission_that_jira_did_not_tell_is_not_missing() -> None:
    def silent(jira: JiraMetadata, craft: CraftMetadata) -> tuple[JiraMetadata, CraftMetadata]:
        return dataclasses.replace(jira, permissions={}, permission_names={}), craft

    assert await found("permission_missing", seen=silent) == []


@on_virtual_time
async def test_a_root_stands_above_everything_mapped() -> None:
    def under(kind: str) -> _Draft:
        def draft(bench: Bench, draft: Integration) -> Integration:
            item = bench.craft.person(ADA_KEY.key).create_item(type=kind, title="Root")
            return draft.model_copy(update={"craft_root": EntityId(item["id"])})

        return draft

    assert await found("craft_root_too_low", under("product")) == []
    assert len(await found("craft_root_too_low", under("epic"))) == 1


@on_virtual_time
async def test_types_on_one_level_of_both_are_no_trouble() -> None:
    def draft(_: Bench, of: Integration) -> Integration:
        return typed(of, ("Epic", "epic"), ("Story", "feature"), ("Task", "feature"))

    for code in ("hierarchy_upside_down", "hierarchy_flattened", "hierarchy_level_skipped"):
        assert await found(code, draft) == []


@on_virtual_time
async def test_where_a_side_shows_nothing_nothing_else_is_said() -> None:
    bench = Bench()
    draft = bench.draft.model_copy(update={"jira_project": "NONE", "craft_workspace": "1", "pairs": (), "types": ()})
    codes = [each.code for each in check(draft, *await bench.metadata(draft))]
    assert codes == ["project_not_visible", "workspace_not_visible"]


@on_virtual_time
async def test_what_the_documents_call_possible_is_no_error() -> None:
    """Every pair of `deploy.local.rich_scene` works between the stand-ins, whether it names the usual shapes or not."""
    jira_site, craft_site = rich_sites()
    (workspace,) = cast("Any", craft_site.state()["workspaces"])
    fields = {field.name: field.id for field in jira_site.world.customs}
    draft = rich_scene.integration(project=PROJECT, fields=fields, workspace=workspace)
    spelt_out = [p.model_copy(update={"jira_shape": p.shape_on(Side.JIRA)}) for p in draft.pairs]
    spelt_out = [p.model_copy(update={"craft_shape": p.shape_on(Side.CRAFT)}) for p in spelt_out]
    known = (
        await read_jira(jira_client(jira_site), PROJECT),
        await read_craft(craft_client(craft_site), workspace["id"]),
    )
    for pairs in (draft.pairs, tuple(spelt_out)):
        findings = check(draft.model_copy(update={"pairs": pairs}), *known)
        assert [each.message for each in findings if each.severity is Severity.ERROR] == []
        assert not [each for each in findings if each.code == "field_type_unknown"]


def rich_sites() -> tuple[JiraSite, CraftSite]:
    jira_site = JiraSite(now=TestClock(), base_url="https://jira.test", settings=JiraSiteSettings(rich_fields=True))
    jira_site.seed_project(PROJECT, "Tandem")
    craft_site = CraftSite(now=TestClock(), base_url="https://craft.test")
    craft_site.account.seed_workspace("Rich", custom_fields=RICH_FIELDS, catalogues=RICH_CATALOGUES)
    return jira_site, craft_site


@pytest.mark.parametrize(
    ("kind", "craft", "more"),
    [
        (FieldKind.LABELS, "labels", {"jira_shape": Shape.NAMES}),
        (FieldKind.OPTIONS, "labels", {"values": (ValuePair(jira="10601", craft="backend"),)}),
    ],
)
def test_components_may_be_labels_by_name_or_by_map(kind: FieldKind, craft: str, more: dict[str, Any]) -> None:
    jira = jira_fits(Schema("array", items="component", system="components"))
    pair = {"id": "c", "kind": kind, "jira": "components", "craft": craft, **more}
    made = FieldPair.model_validate(pair)
    assert (kind, made.shape_on(Side.JIRA)) in (jira or ())
    assert (kind, made.shape_on(Side.CRAFT)) in (craft_fits(craft, Holds.WORDS) or ())


@on_virtual_time
async def test_an_expression_stands_in_for_the_value_map() -> None:
    def by_expression(_: Bench, draft: Integration) -> Integration:
        return changed(draft, "area", values=(), to_craft="value", to_jira="value")

    def one_way(_: Bench, draft: Integration) -> Integration:
        return changed(draft, "area", values=(), to_craft="value")

    assert await found("value_map_missing", by_expression) == []
    assert len(await found("value_map_missing", one_way)) == 1

    def hole(_: Bench, draft: Integration) -> Integration:
        return changed(revalued(draft, "area", keep=1), "area", to_craft="value")

    assert [each.message.partition(" of ")[2][:8] for each in await found("value_map_hole", hole)] == ["Craft.io"]


@on_virtual_time
async def test_words_without_a_value_map_do_not_map_to_themselves() -> None:
    """Nothing would cross: an option is carried by its value map only."""

    def by_word(bench: Bench, draft: Integration) -> Integration:
        return added(draft, "kano", FieldKind.OPTION, bench.jira.field_id("Customer reference"), "kano",
            jira_shape=Shape.TEXT)  # fmt: skip

    assert len(await found("value_map_missing", by_word)) == 1


@on_virtual_time
async def test_numbers_that_mean_one_size_are_told_by_themselves() -> None:
    def sizes(bench: Bench, draft: Integration) -> Integration:
        area = bench.custom("Area")
        options = [
            each["id"] for each in cast("Any", bench.craft.state()["workspaces"])[0]["customFields"][3]["options"]
        ]
        values = tuple(ValuePair(jira=n, craft=options[0]) for n in ("1", "2"))
        return added(without(draft, "area", "points"), "size", FieldKind.OPTION, bench.jira.field_id("Story Points"),
            area, jira_shape=Shape.NUMBER, values=values)  # fmt: skip

    (note,) = [each for each in await found("value_way_back", sizes) if "Story Points" in each.message]
    assert note.message.startswith('"1" and "2" of Jira\'s "Story Points" mean "Web"')


def test_values_of_several_screens_keep_the_order_in_which_they_first_come() -> None:
    a, b, c = (Choice(name, name) for name in "abc")
    assert distinct([a, b, c, a]) == (a, b, c)


@on_virtual_time
async def test_an_expression_that_works_for_some_values_is_not_judged() -> None:
    def picky(_: Bench, draft: Integration) -> Integration:
        return changed(draft, "customer", to_craft="string(int(value))", to_jira="value")

    assert await found("expression_fails", picky) == []


@on_virtual_time
async def test_two_integrations_share_a_workspace_or_a_project_only_where_one_would_create_nothing() -> None:
    bench = Bench()
    one = bench.draft.model_copy(update={"id": "a", "name": "A", "to_jira": Mode.MANUAL})
    two = bench.draft.model_copy(update={"id": "b", "name": "B", "to_jira": Mode.MANUAL})
    both = list(new_items_go_elsewhere(two, [one, two]))
    assert [each.path for each in both] == ["jira_project", "craft_workspace"]
    assert 'They go by "A", but for those below items of "B".' in both[0].message
    assert list(new_items_go_elsewhere(two, [two])) == []
    other_project = one.model_copy(update={"jira_project": "OTHER"})
    assert [each.path for each in new_items_go_elsewhere(two, [other_project, two])] == ["craft_workspace"]

    def ruled(draft: Integration, field: str, *values: str) -> Integration:
        return draft.model_copy(update={"takes": (Takes(side=Side.CRAFT, field=field, values=values),)})

    web = ruled(two, "custom:1", "Web")
    assert list(new_items_go_elsewhere(web, [other_project, web])) == []
    desktop = ruled(other_project, "custom:1", "Desktop")
    assert list(new_items_go_elsewhere(web, [desktop, web])) == []
    for rival in (ruled(other_project, "custom:1", "Desktop", "WEB"), ruled(other_project, "custom:2", "Desktop")):
        assert [each.path for each in new_items_go_elsewhere(web, [rival, web])] == ["craft_workspace"]
    other_types = other_project.model_copy(update={"types": (TypePair(jira="4711", craft="objective"),)})
    assert list(new_items_go_elsewhere(two, [other_types, two])) == []
    renamed = two.model_copy(update={"jira_project": "NEW", "jira_project_id": "10100"})
    before = one.model_copy(update={"jira_project_id": "10100", "craft_workspace": "other"})
    assert [each.path for each in new_items_go_elsewhere(renamed, [before, renamed])] == ["jira_project"]
    one_way = other_project.model_copy(update={"to_jira": Mode.OFF})
    assert list(new_items_go_elsewhere(two, [one_way, two])) == []
