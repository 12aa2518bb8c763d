"""Looking back: every revision stays readable, can be compared and saved again; the second saver is told."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.local import scene
from sandbox.jira.site import SYNC_TOKEN
from shared.messages.config import ConfigRevision
from shared.runtime.topics import Topic
from tests.unit.console.harness import Desk, desk, jira_draft, with_integration

DEMO = f"/integrations/{scene.INTEGRATION}"
JIRA = f"/connections/{scene.JIRA}"


async def with_two_revisions(admin: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """Save the integration, then save it with one pair less, one value less and another policy."""
    first = await with_integration(admin)
    pairs = [pair for pair in first["pairs"] if pair["id"] != "reach"]
    area = next(pair for pair in pairs if pair["id"] == "area")
    changed = [{**pair, "values": pair["values"][1:]} if pair is area else pair for pair in pairs]
    status, second = await admin.call("PUT", DEMO, {**first, "policy": "jira", "pairs": changed})
    assert (status, second["revision"]) == (200, 2)
    second.pop("findings")
    return first, second


async def test_revisions_are_listed_newest_first_with_who_and_when() -> None:
    async with desk() as admin:
        await with_two_revisions(admin)
        body = await admin.get(f"{DEMO}/revisions")
        assert [(each["revision"], each["saved_by"]) for each in body["revisions"]] == [(2, "admin"), (1, "admin")]
        assert body["next"] is None
        page = await admin.get(f"{DEMO}/revisions?limit=1")
        rest = await admin.get(f"{DEMO}/revisions?limit=1&before={page['next']}")
        assert page["revisions"] + rest["revisions"] == body["revisions"]


async def test_a_revision_shows_what_was_saved() -> None:
    async with desk() as admin:
        first, second = await with_two_revisions(admin)
        assert (await admin.get(f"{DEMO}/revisions/1"))["body"] == first
        assert (await admin.get(f"{DEMO}/revisions/2"))["body"] == second


async def test_two_revisions_are_compared_in_words() -> None:
    async with desk() as admin:
        await with_two_revisions(admin)
        there = await admin.get(f"{DEMO}/revisions/1/diff/2")
        assert [(each["path"], each["change"]) for each in there["differences"]] == [
            ("policy", "changed"),
            ("pairs.reach", "removed"),
            ("pairs.area.values", "removed"),
        ]
        assert there["differences"][0]["words"] == "who wins a conflict: ask → jira"
        back = await admin.get(f"{DEMO}/revisions/2/diff/1")
        assert [each["change"] for each in back["differences"]] == ["changed", "added", "added"]
        assert (await admin.get(f"{DEMO}/revisions/2/diff/2"))["differences"] == []


async def test_an_old_revision_is_restored_as_a_new_one_and_told() -> None:
    async with desk() as admin:
        first, _ = await with_two_revisions(admin)
        status, body = await admin.call("POST", f"{DEMO}/revisions/1/restore", headers={"If-Match": '"2"'})
        assert (status, body["revision"]) == (200, 3)
        assert (await admin.get(f"{DEMO}/revisions/1/diff/3"))["differences"] == []
        assert body["policy"] == first["policy"]
        told = admin.world.messages(Topic.CONFIG)[-1]
        assert isinstance(told, ConfigRevision)
        assert told.revision == 3
        entry = (await admin.get("/audit"))["entries"][0]
        assert entry["words"] == f"admin restored revision 1 of integration {scene.INTEGRATION} as revision 3"


async def test_restoring_needs_the_revision_that_it_replaces() -> None:
    async with desk() as admin:
        await with_two_revisions(admin)
        status, body = await admin.call("POST", f"{DEMO}/revisions/1/restore")
        assert (status, body["problems"][0]["path"]) == (422, "If-Match")
        status, body = await admin.call("POST", f"{DEMO}/revisions/1/restore", headers={"If-Match": '"1"'})
        assert (status, body["code"]) == (409, "revision_conflict")
        assert (await admin.get(DEMO))["revision"] == 2


async def test_what_cannot_work_any_more_is_not_restored() -> None:
    async with desk() as admin:
        await with_two_revisions(admin)
        lost = admin.world.integration.model_copy(update={"jira_project": "LOST"})
        await admin.world.store.save_integration(lost, 2, "somebody", admin.world.clock.now())
        await admin.world.store.save_integration(admin.world.integration, 3, "somebody", admin.world.clock.now())
        status, body = await admin.call("POST", f"{DEMO}/revisions/3/restore", headers={"If-Match": '"4"'})
        assert (status, body["problems"][0]["path"]) == (422, "jira_project")


async def test_the_second_of_two_savers_is_told_who_was_first_and_what_is_different_now() -> None:
    async with desk() as admin:
        first, second = await with_two_revisions(admin)
        status, body = await admin.call("PUT", DEMO, {**first, "name": "Theirs"})
        assert (status, body["current"]) == (409, second)
        assert body["message"] == "admin saved revision 2 meanwhile; you edited revision 1."
        assert [each["path"] for each in body["changes"]] == ["policy", "pairs.reach", "pairs.area.values"]
        renamed = jira_draft(name="Renamed", revision=1)
        assert (await admin.call("PUT", JIRA, renamed))[0] == 200
        status, body = await admin.call("PUT", JIRA, jira_draft(name="Other", revision=1))
        assert [each["words"] for each in body["changes"]] == ["name: Site → Renamed"]


async def test_the_audit_trail_tells_who_did_what_to_what_newest_first() -> None:
    async with desk() as admin:
        await with_two_revisions(admin)
        body = await admin.get("/audit")
        assert [each["words"] for each in body["entries"]] == [
            "admin changed integration demo from revision 1 to 2",
            "admin created integration demo",
            "admin created connection craft-demo",
            "admin created connection jira-demo",
        ]
        assert [(each["from_revision"], each["to_revision"]) for each in body["entries"][:2]] == [(1, 2), (None, 1)]
        page = await admin.get("/audit?limit=3")
        rest = await admin.get(f"/audit?limit=3&before={page['next']}")
        assert page["entries"] + rest["entries"] == body["entries"]
        assert rest["next"] is None


async def test_a_connections_past_is_shown_without_credentials() -> None:
    async with desk() as admin:
        await with_integration(admin)
        assert (await admin.call("PUT", JIRA, jira_draft(name="Renamed", revision=1)))[0] == 200
        shown = [await admin.get(f"{JIRA}/{path}") for path in ("revisions", "revisions/1", "revisions/1/diff/2")]
        assert shown[1]["body"]["name"] == "Site"
        assert shown[2]["differences"][0]["after"] == "Renamed"
        assert SYNC_TOKEN not in str(shown)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{DEMO}/revisions/7", 404),
        (f"{DEMO}/revisions/1/diff/7", 404),
        ("/integrations/none/revisions", 404),
        ("/integrations/none/revisions/1", 404),
        (f"{DEMO}/revisions/x", 422),
        (f"{DEMO}/revisions/0", 422),
        (f"{DEMO}/revisions/99999999999999999999999", 422),
        ("/audit?limit=0", 422),
        ("/audit?before=x", 422),
        ("/audit?before=99999999999999999999999", 422),
    ],
)
async def test_what_there_is_not_is_said_to_be_so(path: str, expected: int) -> None:
    async with desk() as admin:
        await with_integration(admin)
        status, body = await admin.call("GET", path)
        assert (status, bool(body["message"]), bool(body["next_step"])) == (expected, True, True)


async def test_every_status_names_the_revision_that_decided() -> None:
    async with desk() as admin:
        await with_integration(admin)
        schemas = (await admin.get("/openapi.json"))["components"]["schemas"]
        assert {"revision"} <= set(schemas["SyncStatus"]["required"])
        assert {"revision_seen"} <= set(schemas["LinkDetail"]["required"])
