"""Dry runs at the API: asked for, watched, read field by field, cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deploy.local import scene
from sandbox.jira.edition import data_center
from sandbox.jira.site import SYNC_TOKEN
from sandbox.kit.fault_rules import RequestRule
from shared.domain.dry_run import (
    DryRunId,
    DryRunItem,
    FieldForecast,
    ItemForecast,
    Outlook,
    SideForecast,
    ValueName,
    Verdict,
)
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import Markup
from tests.unit.console.harness import (
    URL_TOKEN,
    Desk,
    craft_draft,
    desk,
    jira_draft,
    with_connections,
    with_integration,
)

PATH = f"/integrations/{scene.INTEGRATION}/dry-runs"


def draft(admin: Desk, **changes: Any) -> dict[str, Any]:
    return {**admin.world.integration.model_dump(mode="json"), **changes}


async def started(admin: Desk, **body: Any) -> dict[str, Any]:
    status, shown = await admin.call("POST", PATH, {"draft": draft(admin), **body})
    assert status == 202, shown
    found: dict[str, Any] = shown
    return found


def forecast(pair: str, verdict: Verdict, *outlooks: Outlook) -> ItemForecast:
    field = FieldForecast(
        pair=PairId(pair),
        jira_field="priority",
        craft_field="importance",
        verdict=verdict,
        jira=SideForecast(now="2", seen=True, would_be="2"),
        craft=SideForecast(now=["7", "8"], seen=True, would_be="9", changes=True),
        why="because",
    )
    return ItemForecast(outlooks=outlooks, fields=(field,), labels={"title": "One"}, compared_with=1)


async def answered(admin: Desk, ident: str, *forecasts: ItemForecast) -> None:
    """Be the reconciler and the mapper."""
    store, run = admin.world.store, DryRunId(ident)
    chosen = [DryRunItem(n=n, jira_id=EntityId(f"{n}")) for n in range(1, len(forecasts) + 2)]
    await store.plan_dry_run(run, chosen, "of all")
    names = [
        ValueName(side=Side.JIRA, pair=PairId("importance"), value="2", name="High"),
        ValueName(side=Side.CRAFT, pair=PairId("importance"), value="7", name="Must have"),
    ]
    for n, found in enumerate(forecasts, 1):
        assert await store.answer_dry_run_item(run, n, found, names)


async def test_a_dry_run_is_taken_and_can_be_watched() -> None:
    async with desk() as admin:
        await with_integration(admin)
        run = await started(admin, sample=5)
        assert (run["state"], run["sample"], run["base_revision"], run["outdated"]) == ("open", 5, 1, None)
        assert run["progress"] == {"done": 0, "total": 0}
        found = forecast("importance", Verdict.WRITE, Outlook.WRITE_CRAFT, Outlook.CONFLICT)
        await answered(admin, run["id"], found, forecast("importance", Verdict.SAME, Outlook.IN_SYNC))
        shown = await admin.get(f"/dry-runs/{run['id']}")
        listed = await admin.get(PATH)
    assert (shown["state"], shown["note"], shown["progress"]) == ("reading", "of all", {"done": 2, "total": 3})
    assert shown["outcomes"] == {"write_craft": 1, "conflict": 1, "in_sync": 1}
    by_pair = {each["pair"]: each for each in shown["pairs"]}
    assert (by_pair["importance"]["would_change"], by_pair["importance"]["same"]) == (1, 1)
    assert by_pair["importance"]["jira_field"] == "priority"
    assert by_pair["title"]["would_change"] == 0
    assert (by_pair["points"]["jira_name"], by_pair["points"]["craft_name"]) == ("Story Points", "Story Points")
    assert [each["id"] for each in listed["dry_runs"]] == [run["id"]]


async def test_items_are_shown_field_by_field_with_names_and_page_by_page() -> None:
    async with desk() as admin:
        await with_integration(admin)
        run = await started(admin, all=True)
        found = forecast("importance", Verdict.WRITE, Outlook.WRITE_CRAFT)
        await answered(admin, run["id"], found, forecast("importance", Verdict.SAME, Outlook.IN_SYNC), found)
        page = await admin.get(f"/dry-runs/{run['id']}/items?outcome=write_craft&limit=1")
        rest = await admin.get(f"/dry-runs/{run['id']}/items?outcome=write_craft&limit=10&after={page['next']}")
    (item,), (other,) = page["items"], rest["items"]
    assert (item["n"], other["n"], rest["next"]) == (1, 3, None)
    (field,) = item["fields"]
    assert (field["jira_name"], field["craft_name"]) == ("Priority", "Importance")
    assert field["jira"] == {
        "now": "2",
        "now_name": "High",
        "seen": True,
        "would_be": "2",
        "would_be_name": "High",
        "changes": False,
    }
    assert (field["craft"]["now_name"], field["craft"]["would_be_name"]) == (["Must have", "8"], None)
    assert (field["verdict"], field["why"], item["labels"]) == ("write", "because", {"title": "One"})


async def test_a_draft_is_checked_as_it_would_be_when_saved_and_tried_all_the_same() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        pairs = [{**each, "jira": "customfield_10999"} if each["id"] == "points" else each for each in saved["pairs"]]
        wrong = {**saved, "pairs": pairs}
        run = await started(admin, draft=wrong)
        would_be = (await admin.call("POST", f"/integrations/{scene.INTEGRATION}/check", wrong))[1]
        shown = await admin.get(f"/dry-runs/{run['id']}")
    assert "jira_field_missing" in {each["code"] for each in run["findings"]}
    assert (run["can_be_saved"], run["findings"]) == (False, would_be["findings"])
    assert (shown["can_be_saved"], shown["findings"]) == (False, would_be["findings"])


async def test_an_integration_may_be_sent_back_as_it_was_answered() -> None:
    async with desk() as admin:
        await with_connections(admin)
        status, answer = await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", draft(admin))
        assert status == 200
        assert answer["findings"]
        run = await started(admin, draft=answer)
    assert (run["can_be_saved"], run["state"]) == (True, "open")


async def test_what_no_integration_may_be_is_not_tried() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        pairs = [{**each, "craft": "storyPoints"} if each["id"] == "reach" else each for each in saved["pairs"]]
        status, problem = await admin.call("POST", PATH, {"draft": {**saved, "pairs": pairs}})
    assert status == 422
    assert "points and reach" in problem["message"]


async def test_a_draft_that_cannot_be_checked_just_now_says_so_beside_what_is_found() -> None:
    async with desk() as admin:
        await with_connections(admin)
        admin.world.faults.replace([RequestRule(effect="refuse")])
        run = await started(admin)
    assert [each["code"] for each in run["findings"]] == ["not_checked"]


async def test_a_draft_of_something_new_needs_connections_only() -> None:
    async with desk() as admin:
        await with_connections(admin)
        run = await started(admin)
    assert (run["base_revision"], run["sample"]) == (0, 20)


async def test_a_draft_is_tried_in_the_markup_of_its_jira_whatever_it_says() -> None:
    async with desk(data_center()) as admin:
        secrets = {"token": SYNC_TOKEN, "url_token": URL_TOKEN}
        for ident, connection in (
            (scene.JIRA, jira_draft(kind="jira_data_center", email=None, secrets=secrets)),
            (scene.CRAFT, craft_draft()),
        ):
            assert (await admin.call("PUT", f"/connections/{ident}", connection))[0] == 200
        run = await started(admin)
        stored = await admin.world.store.dry_run(DryRunId(run["id"]))
    assert stored is not None
    assert stored.draft.jira_markup is Markup.WIKI
    assert {pair.markup for pair in stored.draft.pairs if pair.id == "description"} == {Markup.WIKI}


async def test_it_says_so_when_the_integration_was_saved_meanwhile() -> None:
    async with desk() as admin:
        saved = await with_integration(admin)
        run = await started(admin)
        assert (await admin.call("PUT", f"/integrations/{scene.INTEGRATION}", {**saved, "name": "Anew"}))[0] == 200
        shown = await admin.get(f"/dry-runs/{run['id']}")
    assert "Revision 2" in shown["outdated"]


async def test_a_cancelled_one_stays_with_what_was_found() -> None:
    async with desk() as admin:
        await with_integration(admin)
        run = await started(admin)
        await answered(admin, run["id"], forecast("title", Verdict.SAME, Outlook.IN_SYNC))
        status, shown = await admin.call("DELETE", f"/dry-runs/{run['id']}")
        again = await admin.call("DELETE", f"/dry-runs/{run['id']}")
    assert (status, shown["state"], shown["outcomes"]) == (200, "cancelled", {"in_sync": 1})
    assert again == (200, shown)


async def test_no_more_than_three_are_under_way_at_once() -> None:
    async with desk() as admin:
        await with_integration(admin)
        runs = [await started(admin) for _ in range(3)]
        status, problem = await admin.call("POST", PATH, {"draft": draft(admin)})
        assert (status, problem["code"]) == (409, "too_many_dry_runs")
        await admin.call("DELETE", f"/dry-runs/{runs[0]['id']}")
        await started(admin)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"sample": 3, "all": True}, ""),
        ({"sample": 0}, "sample"),
        ({"samples": 3}, "samples"),
        ({"id": "other"}, "draft.id"),
        ({"jira_connection": "nothing"}, "draft.jira_connection"),
        ({"craft_connection": scene.JIRA}, "draft.craft_connection"),
        ({"types": 3}, "draft.types"),
    ],
)
async def test_what_cannot_be_tried_is_refused_with_its_place(body: dict[str, Any], path: str) -> None:
    async with desk() as admin:
        await with_integration(admin)
        of_draft = {name: value for name, value in body.items() if name not in ("sample", "samples", "all")}
        rest = {name: value for name, value in body.items() if name not in of_draft}
        status, problem = await admin.call("POST", PATH, {"draft": draft(admin, **of_draft), **rest})
        listed = await admin.get(PATH)
    assert status == 422
    assert path in [fault["path"] for fault in problem["problems"]]
    assert listed == {"dry_runs": []}


async def test_a_broken_connection_is_named_before_anything_is_read() -> None:
    async with desk() as admin:
        await with_integration(admin)
        await admin.world.store.set_connection_paused(scene.CRAFT, "the key was refused")
        status, problem = await admin.call("POST", PATH, {"draft": draft(admin)})
    assert status == 422
    assert "the key was refused" in problem["message"]


async def test_one_that_is_not_there_any_more_says_why() -> None:
    async with desk() as admin:
        await with_integration(admin)
        run = await started(admin)
        await admin.world.store.remove_dry_runs(admin.world.clock.now() + timedelta(seconds=1))
        for method, path in (("GET", ""), ("GET", "/items"), ("DELETE", "")):
            status, problem = await admin.call(method, f"/dry-runs/{run['id']}{path}")
            assert status == 404
            assert "7 days" in problem["next_step"]
