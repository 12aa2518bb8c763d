"""After a change: existing items are decided again at once, or when an admin says so."""

from __future__ import annotations

from deploy.local import scene
from tests.unit.console.harness import desk, with_integration

DEMO = f"/integrations/{scene.INTEGRATION}"


async def test_what_is_saved_for_later_waits_for_an_admins_word_and_both_are_on_record() -> None:
    async with desk() as admin:
        first = await with_integration(admin)
        status, second = await admin.call("PUT", f"{DEMO}?evaluate=later", {**first, "policy": "jira"})
        assert status == 200
        shown = await admin.get(f"{DEMO}/evaluation")
        assert (shown["revision"], shown["agreed_revision"]) == (second["revision"], first["revision"])
        status, agreed = await admin.call("POST", f"{DEMO}/evaluation", {"revision": second["revision"]})
        assert (status, agreed["agreed_revision"]) == (202, second["revision"])
        entries = (await admin.get("/audit?limit=2"))["entries"]
        assert [entry["action"] for entry in entries] == ["agreed", "changed"]
        assert entries[0]["words"] == f"admin had existing items of integration demo decided again by revision {2}"


async def test_a_save_evaluates_at_once_unless_told_otherwise() -> None:
    async with desk() as admin:
        first = await with_integration(admin)
        await admin.call("PUT", DEMO, {**first, "policy": "jira"})
        shown = await admin.get(f"{DEMO}/evaluation")
        assert (shown["agreed_revision"], shown["total"]) == (2, 0)


async def test_agreeing_to_a_revision_that_is_no_longer_in_force_is_a_409_that_says_which_one_is() -> None:
    async with desk() as admin:
        first = await with_integration(admin)
        await admin.call("PUT", f"{DEMO}?evaluate=later", {**first, "policy": "jira"})
        status, refusal = await admin.call("POST", f"{DEMO}/evaluation", {"revision": 1})
        assert (status, refusal["code"]) == (409, "revision_conflict")
        assert "Revision 2 is in force" in refusal["message"]


async def test_an_unknown_integration_is_a_404() -> None:
    async with desk() as admin:
        assert (await admin.call("GET", "/integrations/nobody/evaluation"))[0] == 404
        assert (await admin.call("POST", "/integrations/nobody/evaluation", {"revision": 1}))[0] == 404
