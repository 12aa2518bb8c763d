"""Whatever the stand-in is asked in a broad scenario, it answers in the shapes of Craft.io's public API description."""

from __future__ import annotations

import json

from sandbox.craft.settings import CraftKey
from sandbox.kit.site import SiteRequest, SiteResponse
from tests.sandbox.craft.account import Account
from tests.sandbox.craft.openapi import ApiDescription, description_file

ALL = ("fields", "all")
NARROW = CraftKey("narrow", "Narrow", scopes=("read:items:craft",), workspaces=frozenset())
DECLARED = {200, 400, 401, 403, 404, 500}


def test_all_requests_and_answers_of_a_broad_scenario_are_as_described() -> None:
    file = description_file()
    description = ApiDescription(json.loads(file.read_text())) if file is not None else None
    exchanged: list[int] = []

    def observe(request: SiteRequest, answer: SiteResponse) -> None:
        exchanged.append(answer.status)
        assert answer.status in DECLARED
        if description is not None:
            description.check(request, answer)

    account = Account(observer=observe)
    _play(account)
    assert len(exchanged) > 60
    assert set(exchanged) == DECLARED - {500}
    if description is not None:
        assert description.checked >= len(exchanged)
        offered = {template for method, template in description.used}
        assert {"/item", "/item/{itemId}", "/item/{itemId}/flat", "/workspace/{workspaceId}/items"} <= offered
        assert len(description.used) == 17
        assert description.refuses("Item", {"id": 1})
        assert description.refuses("Item", {"colour": "red"})


def _play(account: Account) -> None:
    workspace, site = account.workspace, account.site
    site.account.add_key(NARROW)
    initiative_id = site.account.seed_initiative("Grow")
    ids = {
        kind: site.account.add_to_catalogue(workspace.id, kind, f"The {kind}", start="2026-01-01", end="2026-03-31").id
        for kind in workspace.catalogues
    }
    rich = {
        "description": "<p>Text &amp; <b>more</b></p>",
        "storyPoints": 3,
        "initiativeId": initiative_id,
        "value": 1.5,
        "effort": 2,
        "kano": "delighter",
        "estimatedHours": 0.25,
        "labels": ["a", "b c"],
        "actualStartDate": "2026-01-02T00:00:00.000Z",
        "actualEndDate": None,
        "status": {"id": workspace.status_id("Done")},
        "importance": {"id": workspace.importance_id("Must have")},
        "objectives": [{"id": ids["objectives"]}],
        "keyResults": [{"id": ids["keyResults"]}],
        "persona": {"id": ids["personas"]},
        "personas": [{"id": ids["personas"]}],
        "sprint": {"id": ids["sprint"]},
        "quarter": {"id": ids["quarter"]},
        "assignee": {"id": "1", "team": "Web", "user": "Ada"},
        "customFields": [
            {"id": workspace.custom_field("Customer").id, "value": "Acme"},
            {"id": workspace.custom_field("Reach").id, "value": "12.5"},
            {"id": workspace.custom_field("Area").id, "value": workspace.custom_field("Area").option_id("Web")},
        ],
        "outIn": {"quarter": True},
    }
    _, epic = account.new(title="Epic", **rich)
    _, feature = account.new(type="feature", title="Feature", parent={"id": epic["id"]})
    account.put(feature["id"], **rich)
    account.put(feature["id"], parent=None, status=None, importance=None, assignee=None, sprint=None, quarter=None)
    account.ada.edit(epic["id"], dependencies=[{"id": feature["id"], "value": "blocks"}])
    _bad_writes(account, epic["id"], feature["id"])
    _reads(account, epic["id"], initiative_id)
    assert account.ask("DELETE", f"/item/{epic['id']}")[0] == 200
    assert account.ask("DELETE", f"/item/{epic['id']}")[0] == 404
    _refused(account, feature["id"])


def _bad_writes(account: Account, epic_id: str, feature_id: str) -> None:
    bad_properties: tuple[dict[str, object], ...] = (
        {"type": "saga"},
        {"type": 3},
        {"colour": "red"},
        {"title": ""},
        {"title": None},
        {"parent": "1"},
        {"parent": {"id": "1"}},
        {"storyPoints": "3"},
        {"labels": "a"},
        {"status": {"id": "1"}},
        {"initiativeId": "1"},
        {"actualStartDate": "tomorrow"},
        {"customFields": {}},
        {"customFields": [{"id": "1", "value": "x"}]},
    )
    for bad in bad_properties:
        assert account.new(**bad)[0] == 400
        if set(bad) != {"type"}:
            assert account.put(feature_id, **bad)[0] == 400
    assert account.put(epic_id, parent={"id": feature_id})[0] == 400
    assert account.put(epic_id, type="story")[0] == 400
    assert account.put("1", title="x")[0] == 404
    for body in (b"{", b"[]", b"null"):
        assert account.ask("PUT", "/item", body)[0] == 400
        assert account.ask("POST", "/item", body)[0] == 400


def _reads(account: Account, epic_id: str, initiative_id: str) -> None:
    workspace, site = account.workspace, account.site
    base = f"/workspace/{workspace.id}"
    for path in (f"{base}/items", f"{base}/items/flat", f"/item/{epic_id}", f"/item/{epic_id}/flat"):
        assert account.ask("GET", path)[0] == 200
        assert account.ask("GET", path, query=[ALL])[0] == 200
        assert account.ask("GET", path, query=[("fields", "title,status,customFields,nothing")])[0] == 200
    assert account.ask("GET", f"{base}/items", query=[("page", "0")])[0] == 400
    assert account.ask("GET", f"{base}/items", query=[("updated_from", "yesterday")])[0] == 400
    portfolio = f"/portfolio/{site.account.portfolio_id}"
    for path in (
        "/me/api-key",
        "/workspaces",
        f"/workspaces/{site.account.id}",
        f"{base}/custom_fields",
        f"{base}/terminology",
        f"/portfolios/{site.account.id}",
        f"{portfolio}/portfolio_fields",
        f"{portfolio}/terminology",
        f"{portfolio}/items",
        f"/portfolio_item/{initiative_id}",
    ):
        assert account.ask("GET", path)[0] == 200
    assert account.ask("GET", f"{base}/custom_fields", query=[("includeOptions", "true")])[0] == 200
    assert account.ask("GET", f"{portfolio}/items", query=[("limit", "x")])[0] == 400
    assert account.ask("GET", "/portfolio_item/1")[0] == 404
    assert account.ask("GET", "/portfolio/1/items")[0] == 403
    assert account.ask("GET", "/workspaces/1")[0] == 403
    assert account.ask("GET", "/workspace/1/items")[0] == 403


def _refused(account: Account, item_id: str) -> None:
    body = {"type": "epic", "workspaceId": account.workspace.id, "title": "t", "parent": None}
    for method, path, sent in (
        ("GET", f"/item/{item_id}", None),
        ("PUT", "/item", {"id": item_id}),
        ("POST", "/item", body),
        ("DELETE", f"/item/{item_id}", None),
        ("GET", f"/workspace/{account.workspace.id}/items", None),
    ):
        assert account.ask(method, path, sent, key=None)[0] == 401
        assert account.ask(method, path, sent, key="wrong")[0] == 401
        assert account.ask(method, path, sent, key=NARROW.key)[0] == 403
    assert account.ask("GET", "/me/api-key", key=NARROW.key)[0] == 200
    assert account.ask("GET", "/workspaces", key=NARROW.key)[0] == 403
