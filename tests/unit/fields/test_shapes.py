"""What the vendors' JSON really looks like, shape by shape."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.ids import ConnectionId, IntegrationId, PairId, Side
from shared.domain.kinds import FieldKind, Markup, Shape
from shared.domain.mapping import FieldPair, Integration, TypePair, ValuePair, next_revision
from shared.fields import Translated, Untranslatable, read, render, same, translate

STRINGS = (
    "com.atlassian.greenhopper.service.sprint.Sprint@1f[id=3,rapidViewId=1,state=CLOSED,name=S3,goal=,sequence=3]",
    "com.atlassian.greenhopper.service.sprint.Sprint@2f[id=12,rapidViewId=1,state=ACTIVE,name=S, [odd] 12,sequence=12]",
)


def pair(kind: FieldKind, jira: str = "customfield_10050", craft: str = "custom:9", **more: Any) -> FieldPair:
    """Return a pair."""
    return FieldPair(id=PairId("p"), kind=kind, jira=jira, craft=craft, **more)


def jira(one: FieldPair, raw: object) -> object:
    """Return what is read out of a Jira field, `...` for what counts as not shown."""
    found = read(Side.JIRA, one, {"fields": {one.jira: raw}})
    return ... if found is None else found.value


def craft(one: FieldPair, snapshot: dict[str, object]) -> object:
    """Return what is read out of a Craft item."""
    found = read(Side.CRAFT, one, snapshot)
    return ... if found is None else found.value


@pytest.mark.parametrize(
    ("shape", "raw", "value"),
    [
        (Shape.SPRINT, list(STRINGS), "12"),
        (Shape.SPRINT, [STRINGS[0]], None),
        (Shape.SPRINT, ["Sprint@1f[goal=all with [state=closed],id=9,name=S,state=ACTIVE]"], "9"),
        (Shape.SPRINT, ["goal=all with [state=closed],id=9,name=S,state=ACTIVE"], "9"),
        (Shape.SPRINT, ["Sprint@1f[id=9,state=ACTIVE,name=S,goal=be rid of id=4,state=CLOSED,]"], "9"),
        (Shape.SPRINT, ["Sprint@1f[goal=a,state=CLOSED,b,name=x,id=3,y,id=9,state=ACTIVE]"], "9"),
        (Shape.SPRINT, ["Sprint@1f[goal=,id=9,name=,state=CLOSED]"], None),
        (
            Shape.SPRINT,
            [{"id": 7, "state": "active"}, {"id": 9, "state": "future"}, {"id": 99, "state": "closed"}],
            "9",
        ),
        (Shape.SPRINT, None, None),
        (Shape.SPRINT, [], None),
        (Shape.SPRINT, ["Sprint 12"], ...),
        (Shape.CASCADE, {"id": "1", "value": "EU", "child": {"id": "11", "value": "Berlin"}}, "1/11"),
        (Shape.CASCADE, {"id": "1", "value": "EU"}, "1"),
        (Shape.CASCADE, "EU", ...),
        (Shape.ONE_REFERENCE, [{"id": "10300", "value": "Yes"}], "10300"),
        (Shape.ONE_REFERENCE, None, None),
        (Shape.NAME, [{"id": "1", "name": "2.0"}, {"id": "2", "name": "1.0"}], "2.0"),
        (Shape.NUMBER, 3.0, "3"),
        (Shape.NUMBER, 0.5, "0.5"),
        (Shape.REFERENCE, {"id": 2300000000000000001}, "2300000000000000001"),
        (Shape.REFERENCE, {"value": "without id"}, ...),
    ],
)
def test_a_jira_option_is_read_in_its_shape(shape: Shape, raw: object, value: object) -> None:
    assert jira(pair(FieldKind.OPTION, jira_shape=shape), raw) == value


@pytest.mark.parametrize(
    ("shape", "value", "json"),
    [
        (Shape.SPRINT, "12", 12),
        (Shape.SPRINT, None, None),
        (Shape.CASCADE, "1/11", {"id": "1", "child": {"id": "11"}}),
        (Shape.CASCADE, "1", {"id": "1"}),
        (Shape.ONE_REFERENCE, "10300", [{"id": "10300"}]),
        (Shape.ONE_REFERENCE, None, []),
        (Shape.NAME, "2.0", [{"name": "2.0"}]),
        (Shape.NUMBER, "0.5", 0.5),
        (Shape.TEXT, "M", "M"),
    ],
)
def test_a_jira_option_is_written_in_its_shape(shape: Shape, value: object, json: object) -> None:
    one = pair(FieldKind.OPTION, jira_shape=shape)
    assert render(Side.JIRA, {one: value}) == {one.jira: json}


def test_custom_fields_of_craft_hold_a_text_or_a_list_of_texts() -> None:
    several, one = pair(FieldKind.OPTIONS), pair(FieldKind.OPTION)
    number, checkbox = pair(FieldKind.NUMBER), pair(FieldKind.OPTION, craft_shape=Shape.TEXT)
    body = render(Side.CRAFT, {several: ["1", "2"], one: "3", number: 1e-7, checkbox: "true"})
    assert body == {
        "customFields": [
            {"id": "9", "values": ["1", "2"]},
            {"id": "9", "value": "3"},
            {"id": "9", "value": "0.0000001"},
            {"id": "9", "value": "true"},
        ]
    }
    assert craft(several, {"customFields": [{"id": "9", "value": None, "values": ["2", "1"]}]}) == ["1", "2"]
    assert craft(several, {"customFields": [{"id": "9", "value": "2"}]}) == ["2"]
    assert craft(several, {"customFields": []}) == []
    assert craft(number, {"customFields": [{"id": "9", "value": " 3.50 "}]}) == 3.5
    assert craft(number, {"customFields": [{"id": "9", "value": "about three"}]}) is ...


def test_html_is_for_descriptions_and_a_custom_field_keeps_its_brackets() -> None:
    custom, description = pair(FieldKind.TEXT), pair(FieldKind.TEXT, craft="description")
    assert craft(custom, {"customFields": [{"id": "9", "value": "if a <b> c &amp; d"}]}) == "if a <b> c &amp; d"
    assert craft(description, {"description": "<p>a &amp; b</p>"}) == "a & b"


def test_a_day_is_the_day_in_the_zone_of_the_integration() -> None:
    due = pair(FieldKind.DATE, "duedate", "actualEndDate").within("Europe/Berlin", ())
    assert craft(due, {"actualEndDate": "2026-06-30T22:00:00.000Z"}) == "2026-07-01"
    assert render(Side.CRAFT, {due: "2026-07-01"}) == {"actualEndDate": "2026-06-30T22:00:00.000Z"}
    assert jira(due, "2026-07-01") == "2026-07-01"
    assert jira(due, "2026-02-30") is ...


def test_a_moment_is_one_whatever_its_offset() -> None:
    when = pair(FieldKind.DATETIME)
    assert jira(when, "2026-01-02T05:04:05.678+0200") == "2026-01-02T03:04:05.678Z"
    assert render(Side.JIRA, {when: "2026-01-02T03:04:05.678Z"}) == {when.jira: "2026-01-02T03:04:05.678+0000"}
    assert craft(when, {"customFields": [{"id": "9", "value": "2026-01-02T03:04:05.6789Z"}]}) == jira(
        when, "2026-01-02T03:04:05.678+0000"
    )


def test_names_of_components_keep_their_blanks_and_labels_cannot() -> None:
    components = pair(FieldKind.LABELS, "components", "labels")
    assert components.shape_on(Side.JIRA) is Shape.NAMES
    over = translate(components, Side.CRAFT, ["Back end"])
    assert over == Translated(["Back end"])
    assert render(Side.JIRA, {components: ["Back end"]}) == {"components": [{"name": "Back end"}]}
    assert translate(pair(FieldKind.LABELS, "labels", "labels"), Side.CRAFT, ["Back  end "]) == Translated(["Back_end"])


def test_a_set_is_translated_one_by_one_and_what_maps_to_nothing_is_left_out() -> None:
    table = (ValuePair(jira="1", craft="A"), ValuePair(jira="2", craft="A"), ValuePair(jira="3", craft=None))
    some = pair(FieldKind.OPTIONS, values=table)
    assert translate(some, Side.JIRA, ["1", "2", "3"]) == Translated(["A"])
    assert translate(some, Side.CRAFT, ["A"]) == Translated(["1"])
    over = translate(some, Side.JIRA, ["1", "4"])
    assert isinstance(over, Untranslatable)
    assert "value 4 of Jira" in over.message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "rich_text", "craft": "storyPoints"}, "Craft.io's storyPoints cannot hold values of kind rich_text"),
        ({"kind": "option", "jira": "labels", "craft": "labels"}, "kinds that fit it: options, labels"),
        ({"kind": "number", "craft_shape": "sprint"}, "cannot hold kind number in the shape sprint; possible: text"),
        ({"kind": "user"}, "pair p: a custom field of Craft.io cannot hold values of kind user"),
        ({"kind": "string", "values": [{"jira": "a", "craft": "b"}]}, "a value map has no meaning for kind string"),
        ({"kind": "option", "create_missing": True}, "create_missing is for versions by name"),
        ({"kind": "option", "jira": "fixVersions", "create_missing": True}, "create_missing is for versions by name"),
        (
            {"kind": "labels", "jira": "versions", "direction": "to_craft", "create_missing": True},
            "create_missing is never used",
        ),
        ({"kind": "option", "fallback": {"jira": "a", "craft": "b"}}, "a fallback has no meaning for kind option"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_in_words(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FieldPair.model_validate({"id": "p", "jira": "customfield_1", "craft": "custom:9", **settings})


def integration(zone: str = "UTC", *pairs: FieldPair) -> Integration:
    """Return an integration in a zone."""
    return Integration(
        id=IntegrationId("i"),
        name="i",
        jira_connection=ConnectionId("j"),
        craft_connection=ConnectionId("c"),
        jira_project="TAN",
        craft_workspace="1",
        time_zone=zone,
        types=(TypePair(jira="1", craft="story"),),
        pairs=pairs,
    )


def test_people_are_told_as_the_integrations_jira_tells_them() -> None:
    """By account in Cloud, by user name in Data Center; a pair that says otherwise is believed."""
    someone = {"accountId": "5b-1", "name": "ada", "key": "JIRAUSER1"}
    usual = pair(FieldKind.USER, "assignee", "assignee")
    for markup, known in ((Markup.ADF, "5b-1"), (Markup.WIKI, {"name": "ada", "key": "JIRAUSER1"})):
        made = Integration.model_validate({**integration("UTC", usual).model_dump(), "jira_markup": markup})
        assert jira(made.pairs[0], someone) == known
    told = pair(FieldKind.USER, "assignee", "assignee", jira_shape=Shape.ACCOUNT)
    made = Integration.model_validate({**integration("UTC", told).model_dump(), "jira_markup": Markup.WIKI})
    assert jira(made.pairs[0], someone) == "5b-1"


def test_a_time_zone_that_there_is_not_is_refused_in_words() -> None:
    with pytest.raises(ValidationError, match=r"there is no time zone Europe/Atlantis; use an IANA name"):
        integration("Europe/Atlantis")


def test_another_time_zone_has_dates_read_again_and_nothing_else() -> None:
    due, title = pair(FieldKind.DATE, "duedate", "actualEndDate"), pair(FieldKind.STRING, "summary", "title")
    due = due.model_copy(update={"id": PairId("due")})
    first = next_revision(None, integration("UTC", due, title))
    loaded = Integration.model_validate_json(first.model_dump_json())
    second = next_revision(loaded, integration("Europe/Berlin", due, title))
    assert [p.fields_since for p in second.pairs] == [2, 1]
    again = Integration.model_validate_json(second.model_dump_json())
    assert str(again.pairs[0].zone) == "Europe/Berlin"
    assert str(due.zone) == "UTC"


def test_another_shape_has_the_field_read_again() -> None:
    names, ids = (pair(FieldKind.OPTION, "fixVersions", "quarter", jira_shape=s) for s in (Shape.NAME, None))
    first = next_revision(None, integration("UTC", ids))
    assert next_revision(first, integration("UTC", names)).pairs[0].fields_since == 2


def test_numbers_that_differ_by_less_than_anybody_can_see_are_the_same() -> None:
    assert same(FieldKind.NUMBER, 0.1 + 0.2, 0.3)
    assert not same(FieldKind.NUMBER, 2**60, 2**60 + 1)
    assert not same(FieldKind.NUMBER, 0, None)


def test_letting_versions_be_created_leaves_agreed_values_agreed() -> None:
    quarter = FieldPair.model_validate(
        {"id": "q", "kind": "option", "jira": "fixVersions", "craft": "quarter", "jira_shape": "name"}
    )
    first = next_revision(None, integration("UTC", quarter))
    second = next_revision(first, integration("UTC", quarter.model_copy(update={"create_missing": True})))
    assert (second.pairs[0].create_missing, second.pairs[0].since, second.revision) == (True, 1, 2)
