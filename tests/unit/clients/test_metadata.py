"""What both sides consist of, read from real-shaped stand-ins; Jira's calls also against Atlassian's document."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.craft.settings import ADA_KEY, SYNC_KEY, CraftKey
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.site import SiteRequest, SiteResponse
from shared.clients.craft.metadata import look_at, read_craft
from shared.clients.errors import BadCredentials, Unavailable
from shared.clients.jira.metadata import read_jira
from shared.clients.jira.metadata_shapes import choice_of
from shared.domain.ids import EntityId
from shared.metadata.choice import Choice
from shared.metadata.craft import Holds
from shared.metadata.jira import JiraMetadata
from tests.sandbox.jira.openapi import Document, find_document
from tests.unit.clients.site import (
    CLOCK,
    JIRA_URL,
    Scripted,
    answer,
    craft_client,
    craft_site,
    data_center_client,
    data_center_site,
    jira_client,
    jira_site,
    on_virtual_time,
)


async def known(site: JiraSite) -> JiraMetadata:
    return await read_jira(jira_client(site), "TAN")


@on_virtual_time
async def test_a_project_is_read_with_types_screens_statuses_lists_and_permissions() -> None:
    site = jira_site()
    site.person(ADA_EMAIL).create_issue("TAN", "One", type="Story")
    jira = await known(site)
    assert (jira.visible, jira.name) == (True, "Tandem")
    assert [(one.name, one.level, one.subtask) for one in jira.types] == [
        ("Epic", 1, False),
        ("Story", 0, False),
        ("Task", 0, False),
        ("Bug", 0, False),
        ("Sub-task", -1, True),
    ]
    story = next(one for one in jira.types if one.name == "Story")
    assert story.create is not None
    assert story.edit is not None
    assert story.create["summary"].required
    assert "project" in story.create
    assert "project" not in story.edit
    points = jira.fields[site.field_id("Story Points")]
    assert (points.name, points.custom) == ("Story Points", True)
    assert points.schema is not None
    assert points.schema.custom_kind == "jsw-story-points"
    assert [one.name for one in story.statuses] == ["To Do", "In Progress", "In Review", "Done"]
    assert [one.name for one in jira.priorities] == ["Highest", "High", "Medium", "Low", "Lowest"]
    squads = jira.choices(site.field_id("Squad"))
    assert squads is not None
    assert [one.name for one in squads.values] == ["Red", "Green", "Blue"]
    words = {one.id: one.name for one in jira.relations}
    assert (words["10000/outward"], words["10000/inward"], words["10003"]) == ("blocks", "is blocked by", "relates to")
    assert jira.permissions["CREATE_ISSUES"] is True
    assert jira.permission_names["MANAGE_SPRINTS_PERMISSION"] == "Manage Sprints"


@on_virtual_time
async def test_edit_screens_and_steps_are_known_of_the_types_that_have_issues() -> None:
    site = jira_site()
    ada = site.person(ADA_EMAIL)
    first = ada.create_issue("TAN", "One", type="Story")
    ada.create_issue("TAN", "Two", type="Story")
    ada.transition(first, "In Progress")
    jira = await known(site)
    story, epic = (next(one for one in jira.types if one.name == name) for name in ("Story", "Epic"))
    names = {one.id: one.name for one in story.statuses}
    shown = {names[start]: {names[goal] for goal in goals} for start, goals in story.steps.items()}
    assert shown == {"To Do": {"In Progress"}, "In Progress": {"To Do", "In Review"}}
    assert (epic.edit, dict(epic.steps)) == (None, {})


@on_virtual_time
async def test_a_project_that_is_not_there_for_us_is_not_visible() -> None:
    site = jira_site()
    assert (await read_jira(jira_client(site), "NONE")).visible is False
    site.hide_project("TAN", SYNC_EMAIL)
    assert (await known(site)).visible is False


@on_virtual_time
async def test_a_missing_permission_to_create_or_edit_leaves_the_screens_unknown() -> None:
    site = jira_site()
    site.person(ADA_EMAIL).create_issue("TAN", "One", type="Story")
    site.deny("TAN", SYNC_EMAIL, "CREATE_ISSUES", "EDIT_ISSUES")
    jira = await known(site)
    assert (jira.permissions["CREATE_ISSUES"], jira.permissions["BROWSE_PROJECTS"]) == (False, True)
    assert {(one.create, one.edit) for one in jira.types} == {(None, None)}


@on_virtual_time
async def test_a_long_create_screen_is_read_to_its_end() -> None:
    page = {"fields": [_plain(f"customfield_{n}") for n in range(100)], "startAt": 0, "maxResults": 100, "total": 130}
    rest = {"fields": [_plain(f"customfield_{n}") for n in range(100, 130)], "startAt": 100, "total": 130}
    project = {"id": "1", "name": "P", "issueTypes": [{"id": "7", "name": "Task", "subtask": False}]}
    vendor = _ByPath({"/project/P": project, "issuetypes/7?startAt=0": page, "issuetypes/7?startAt=100": rest})
    jira = await read_jira(jira_client(vendor), "P", api=2)
    assert jira.types[0].create is not None
    assert len(jira.types[0].create) == 130
    assert (jira.types[0].level, jira.types[0].rank) == (None, None)


@on_virtual_time
async def test_a_site_without_boards_still_tells_its_permissions() -> None:
    project = {"id": "1", "name": "P", "issueTypes": []}
    permission = {"CREATE_ISSUES": {"key": "CREATE_ISSUES", "name": "Create Issues", "havePermission": True}}
    jira = await read_jira(jira_client(_ByPath({"/project/P": project}, permissions=permission)), "P", api=2)
    assert dict(jira.permissions) == {"CREATE_ISSUES": True}


@on_virtual_time
async def test_a_vendor_that_cannot_be_asked_is_an_error_and_not_an_empty_project() -> None:
    site = jira_site()
    site.revoke_token(SYNC_TOKEN)
    with pytest.raises(BadCredentials):
        await known(site)
    with pytest.raises(Unavailable):
        await read_jira(jira_client(Scripted(answer(503))), "TAN")
    with pytest.raises(Unavailable):
        await read_craft(craft_client(Scripted(answer(500))), "1")


@on_virtual_time
async def test_what_the_reader_asks_and_gets_is_as_atlassian_describes_it() -> None:
    site = jira_site()
    site.person(ADA_EMAIL).create_issue("TAN", "One", type="Story")
    seen: list[tuple[SiteRequest, SiteResponse]] = []
    handle = site.handle

    class Listening(JiraSite):
        """Notes what it is asked."""

        def __init__(self) -> None:
            super().__init__(now=CLOCK.now, base_url=JIRA_URL)

        def handle(self, request: SiteRequest) -> SiteResponse:
            """Pass a request on to the site."""
            response = handle(request)
            seen.append((request, response))
            return response

    await known(Listening())
    assert {response.status for _, response in seen} == {200}
    path = find_document()
    if path is not None:
        version_3 = [(request, response) for request, response in seen if request.path.startswith("/rest/api/3/")]
        assert Document(path).problems(version_3) == []


def _plain(ident: str) -> dict[str, Any]:
    return {"fieldId": ident, "key": ident, "name": ident, "required": False, "schema": {"type": "string"}}


class _ByPath:
    """A Jira of few words: what is not told is an empty list."""

    def __init__(self, told: dict[str, Any], permissions: dict[str, Any] | None = None) -> None:
        self._told = told
        self._permissions = permissions or {}

    async def send(self, request: Any) -> Any:
        """Answer by the end of the path."""
        query = dict(request.query)
        path = request.url + (f"?startAt={query['startAt']}" if "startAt" in query else "")
        if "mypermissions" in path:
            if "MANAGE_SPRINTS_PERMISSION" in query["permissions"]:
                return answer(400, {"errorMessages": ["Unrecognized permission"], "errors": {}})
            return answer(200, {"permissions": self._permissions})
        if "issuetypes?" in path:
            return answer(200, {"values": [{"id": "7", "name": "Task"}], "total": 1})
        found = next((body for end, body in self._told.items() if path.endswith(end)), None)
        return answer(200, found if found is not None else {} if "search" in path else [])


@on_virtual_time
async def test_a_workspace_is_read_with_its_words_and_custom_fields() -> None:
    site = craft_site()
    workspace = site.account.seed_workspace("Other", terminology={"feature": ("Capability", "Capabilities")})
    craft = await read_craft(craft_client(site), workspace.id)
    assert (craft.visible, craft.name, craft.term("feature"), craft.term("epic")) == (
        True,
        "Other",
        "Capability",
        "Epic",
    )
    holds = {each.name: each.holds for each in craft.fields.values()}
    assert holds == {"Jira key": Holds.LINE, "Customer": Holds.LINE, "Reach": Holds.NUMBER, "Area": Holds.ONE}
    area = craft.choices(f"custom:{workspace.custom_field('Area').id}")
    assert area is not None
    assert ([each.name for each in area.values], area.complete) == (["Web", "Mobile", "Platform"], True)


@on_virtual_time
async def test_lists_that_the_api_does_not_tell_are_harvested_from_items_and_said_to_be_incomplete() -> None:
    site = craft_site()
    workspace = site.workspace()
    sprint = site.account.add_to_catalogue(workspace.id, "sprint", "Sprint 7", start="2026-01-01", end="2026-01-14")
    ada = site.person(ADA_KEY.key)
    ada.create_item(type="feature", title="One", status="Done", importance="Must have", labels=["a"])
    ada.create_item(type="feature", title="Two", sprint={"id": sprint.id}, assignee={"id": "7", "team": "Blue"})
    craft = await read_craft(craft_client(site), workspace.id)
    names = {name: [each.name for each in found.values] for name, found in craft.lists.items()}
    assert {name: sorted(found) for name, found in names.items()} == {
        "status": ["Done", "Open"],
        "importance": ["Must have"],
        "sprint": ["Sprint 7"],
        "assignee": ["Blue"],
        "labels": ["a"],
    }
    assert not any(found.complete for found in craft.lists.values())


@on_virtual_time
async def test_lists_that_the_account_tells_are_whole() -> None:
    craft = await _craft(craft_site(lists_system_fields=True))
    status = craft.lists["status"]
    assert ([each.name for each in status.values], status.complete) == (
        ["Open", "In progress", "In review", "Done"],
        True,
    )
    assert "status" not in craft.fields


async def _craft(site: Any) -> Any:
    return await read_craft(craft_client(site), site.workspace().id)


@on_virtual_time
async def test_the_native_integration_shows_on_items() -> None:
    site = craft_site()
    item = site.person(ADA_KEY.key).create_item(type="feature", title="One")
    assert (await _craft(site)).native_keys == ()
    site.set_native_key(item["id"], "TAN-1")
    assert (await _craft(site)).native_keys == ("TAN-1",)


@on_virtual_time
async def test_a_workspace_out_of_reach_is_not_visible() -> None:
    narrow = CraftKey(SYNC_KEY.key, SYNC_KEY.name, workspaces=frozenset())
    for site, workspace in ((craft_site(), "1"), (craft_site(keys=(narrow, ADA_KEY)), None)):
        found = await read_craft(craft_client(site), workspace or site.workspace().id)
        assert found.visible is False


@on_virtual_time
async def test_an_item_is_looked_at_by_id() -> None:
    site = craft_site()
    item = site.person(ADA_KEY.key).create_item(type="product", title="Root")["id"]
    found = await look_at(craft_client(site), EntityId(item))
    assert found is not None
    assert (found.title, found.type) == ("Root", "product")
    assert await look_at(craft_client(site), EntityId("99")) is None


def test_a_cascading_select_keeps_its_second_level() -> None:
    raw = {"id": "1", "value": "Europe", "children": [{"id": "2", "value": "France"}, {"value": "no id"}]}
    assert choice_of(raw) == Choice("1", "Europe", (Choice("2", "France"),))


@on_virtual_time
async def test_data_center_shows_epic_link_as_the_parent_and_asks_nobody_for_an_epic_name() -> None:
    site = data_center_site()
    jira = await read_jira(data_center_client(site), "TAN", api=2)
    link, name = site.field_id("Epic Link"), site.field_id("Epic Name")
    assert link not in jira.fields
    assert jira.fields["parent"].name == "Epic Link"
    screens = {one.name: one.create or {} for one in jira.types}
    assert [type_name for type_name, screen in screens.items() if "parent" not in screen] == ["Epic"]
    assert not any(link in screen for screen in screens.values())
    assert (screens["Epic"][name].required, screens["Epic"][name].has_default) == (True, True)
    assert screens["Sub-task"]["parent"].name == "Parent"
