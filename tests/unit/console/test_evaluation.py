"""After a change: existing items are decided again at once, or when an admin says so."""

from __future__ import annotations

from deploy.local import scene
from shared.messages.status import DisplayState
from tests.unit.console.harness import desk, with_integration, with_status

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


async def test_what_was_in_sync_before_the_mapping_changed_says_what_was_not_compared_since() -> None:
    async with desk() as admin:
        first = await with_integration(admin)
        link = await admin.world.link(jira_id="1", craft_id="2")
        await with_status(admin, link, DisplayState.IN_SYNC)
        untouched = await admin.get("/links")
        assert untouched["links"][0]["message"] == "ok"
        pairs = [{**each, "direction": "to_craft"} if each["kind"] == "option" else each for each in first["pairs"]]
        changed = [each["id"] for each in first["pairs"] if each["kind"] == "option"]
        values = [{**each, "values": each["values"][:1]} if each["id"] in changed else each for each in pairs]
        status, body = await admin.call("PUT", f"{DEMO}?evaluate=later&unchecked=true", {**first, "pairs": values})
        assert status == 200, body
        newer = {each["id"] for each in body["pairs"] if each["since"] == 2}
        assert newer
        (listed,), one = (await admin.get("/links"))["links"], (await admin.get(f"/links/{link.id}"))["status"]
        for shown in (listed, one):
            assert {(note["kind"], note["pair"]) for note in shown["notes"]} == {
                ("not_compared", pair) for pair in newer
            }
            assert shown["message"].startswith("It was in step until the mapping was changed. Not compared since: ")
            assert (shown["state"], shown["revision"]) == ("in_sync", 1)
