"""Export, diff and apply against a console in this process: what is applied is live, and twice changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local import scene
from sandbox.craft.settings import SYNC_KEY
from sandbox.jira.site import SYNC_EMAIL, SYNC_TOKEN
from sandbox.kit.fault_rules import RequestRule
from shared.as_code import commands
from shared.as_code.findings import Finding
from shared.as_code.plan import Plan
from shared.as_code.ports import Console, Refused, Saving, SecretUnreadable, Stored, Unreachable
from shared.as_code.reading import ReadFile, read_file
from shared.as_code.secret_places import SecretPlaces
from shared.as_code.workspace import SecretReference, file_data
from shared.as_code.yaml_text import write_yaml
from tandem_cli.adapters.http_console import open_console
from tandem_cli.settings import NotSet, console_access
from tests.unit.console.harness import (
    HOOK_SECRET,
    TOKEN,
    Desk,
    desk,
    stored_secrets,
    with_connections,
    with_integration,
)
from tests.unit.reconciler.world import CRAFT_URL, JIRA_URL

DEMO = f"/integrations/{scene.INTEGRATION}"
SECRETS = SecretPlaces({"JIRA_TOKEN": SYNC_TOKEN, "CRAFT_KEY": f"{SYNC_KEY.key}\n", "HOOK": HOOK_SECRET}, Path())


@asynccontextmanager
async def admin_and_console(*, configured: bool = True) -> AsyncIterator[tuple[Desk, Console]]:
    async with desk() as admin:
        if configured:
            await with_integration(admin)
        async with open_console(str(admin.client.make_url("/")), TOKEN) as console:
            yield admin, console


async def exported(console: Console) -> str:
    return write_yaml(await commands.export(console, None), "heading")


def sound(text: str) -> ReadFile:
    found = read_file(text.encode())
    assert isinstance(found, ReadFile), found
    return found


async def planned(console: Console, text: str, *, replace_secrets: bool = False) -> Plan:
    found = await commands.diff(sound(text), console, replace_secrets=replace_secrets)
    assert isinstance(found, Plan), found
    return found


async def applied(console: Console, text: str, *, replace_secrets: bool = False) -> commands.Applied:
    found = await commands.apply(sound(text), console, SECRETS, replace_secrets=replace_secrets)
    assert isinstance(found, commands.Applied), found
    return found


def words(plan: Plan) -> list[tuple[str, list[str]]]:
    return [(change.id, [each.words for each in change.differences]) for change in plan.changes]


async def test_exporting_and_comparing_finds_no_difference() -> None:
    async with admin_and_console() as (_, console):
        plan = await planned(console, await exported(console))
        assert (plan.changes, plan.only_live) == ((), ())


async def test_an_export_holds_no_secret_and_names_all_that_is_live() -> None:
    async with admin_and_console() as (_, console):
        text = await exported(console)
        assert "secret" not in text
        assert SYNC_TOKEN not in text
        workspace = sound(text).workspace
        assert (set(workspace.connections), set(workspace.integrations)) == ({scene.JIRA, scene.CRAFT}, {"demo"})


async def test_one_workspace_is_exported_with_the_connections_that_it_uses() -> None:
    async with admin_and_console() as (admin, console):
        data = await commands.export(console, admin.world.workspace)
        assert (set(data["connections"]), set(data["integrations"])) == ({scene.JIRA, scene.CRAFT}, {"demo"})
        assert await commands.export(console, "1") == {"version": 1, "connections": {}, "integrations": {}}


async def test_differences_are_said_in_words_per_connection_integration_and_pair() -> None:
    async with admin_and_console() as (_, console):
        text = (await exported(console)).replace("name: Demo", "name: Roadmap").replace("name: Site", "name: Jira")
        text = text.replace("jira: labels", "jira: components")
        assert words(await planned(console, text)) == [
            (scene.JIRA, ["name: Site → Jira"]),
            ("demo", ["name: Demo → Roadmap", "field pair labels: Jira field: labels → components"]),
        ]


async def test_what_is_applied_is_live_and_twice_changes_nothing() -> None:
    async with admin_and_console() as (admin, console):
        text = (await exported(console)).replace("name: Demo", "name: Roadmap")
        first = await applied(console, text)
        assert [(saved.change.id, saved.revision) for saved in first.saved] == [("demo", 2)]
        assert (await admin.get(DEMO))["name"] == "Roadmap"
        second = await applied(console, text)
        assert (second.saved, second.plan.changes) == ([], ())
        assert (await admin.get(DEMO))["revision"] == 2


def from_nothing(admin: Desk) -> str:
    """Return a file for an empty console, with credentials by reference."""
    secrets: Mapping[str, Any] = {
        scene.JIRA: {"token": {"env": "JIRA_TOKEN"}, "webhook_secrets": [{"env": "HOOK"}]},
        scene.CRAFT: {"token": {"env": "CRAFT_KEY"}},
    }
    demo = admin.world.integration
    data = file_data({}, {demo.id: demo.model_dump(mode="json")})
    data["connections"] = {
        scene.JIRA: {"kind": "jira_cloud", "name": "Site", "url": JIRA_URL, "email": SYNC_EMAIL},
        scene.CRAFT: {"kind": "craft", "name": "Craft", "url": CRAFT_URL},
    }
    for ident, references in secrets.items():
        data["connections"][ident]["secrets"] = references
    return write_yaml(data, "")


async def test_an_empty_console_is_set_up_from_a_file_with_secrets_by_reference() -> None:
    async with admin_and_console(configured=False) as (admin, console):
        text = from_nothing(admin)
        found = dict(words(await planned(console, text)))
        assert found["demo"] == ["new, with 4 type pairs and 14 field pairs"]
        assert found[scene.JIRA][1:] == [
            "token: would be set from environment variable JIRA_TOKEN",
            "webhook secrets: would be set from environment variable HOOK",
        ]
        assert len((await applied(console, text)).saved) == 3
        stored = await stored_secrets(admin, scene.JIRA)
        assert stored is not None
        assert (stored.token, stored.webhook_secrets) == (SYNC_TOKEN, (HOOK_SECRET,))
        key = await stored_secrets(admin, scene.CRAFT)
        assert key is not None
        assert key.token == SYNC_KEY.key, "without the line end of the file"
        assert (await planned(console, text)).changes == ()


async def test_stored_credentials_are_replaced_only_when_asked_for() -> None:
    async with admin_and_console(configured=False) as (admin, console):
        text = from_nothing(admin)
        await applied(console, text)
        again = await applied(console, text, replace_secrets=True)
        assert [(saved.change.id, saved.revision) for saved in again.saved] == [(scene.JIRA, 2), (scene.CRAFT, 2)]
        assert (await applied(console, text)).saved == []


async def test_nothing_is_saved_unless_every_secret_can_be_read() -> None:
    async with admin_and_console(configured=False) as (admin, console):
        text = from_nothing(admin)
        none = SecretPlaces({}, Path("/nowhere"))
        found = await commands.apply(sound(text), console, none, replace_secrets=False)
        assert isinstance(found, list)
        assert [(each.where, each.place is not None) for each in found] == [
            (f"connections.{scene.JIRA}.secrets.token", True),
            (f"connections.{scene.JIRA}.secrets.webhook_secrets[0]", True),
            (f"connections.{scene.CRAFT}.secrets.token", True),
        ]
        assert await admin.world.store.connections() == []


async def test_a_webhook_secret_that_can_be_guessed_is_refused_where_the_file_names_it() -> None:
    async with admin_and_console(configured=False) as (admin, console):
        weak = SecretPlaces({"JIRA_TOKEN": SYNC_TOKEN, "CRAFT_KEY": SYNC_KEY.key, "HOOK": "x"}, Path())
        found = await commands.apply(sound(from_nothing(admin)), console, weak, replace_secrets=False)
        assert not isinstance(found, list)
        (finding,) = found.findings
        assert (finding.where, finding.place is not None) == (
            f"connections.{scene.JIRA}.secrets.webhook_secrets[0]",
            True,
        )
        assert "can be guessed" in finding.message
        assert scene.JIRA not in {each.id for each in await admin.world.store.connections()}


async def test_somebody_who_saves_meanwhile_is_not_overwritten_but_named() -> None:
    async with admin_and_console() as (admin, console):
        text = (await exported(console)).replace("name: Demo", "name: Mine")
        live = await console.live()

        class Late:
            """A console that somebody else uses between the comparison and the save."""

            live = staticmethod(console.live)
            check = staticmethod(console.check)

            async def save(self, change: Any, secrets: Any, how: Saving) -> Stored:
                body = live.integrations["demo"].model_dump(mode="json")
                assert (await admin.call("PUT", DEMO, {**body, "policy": "jira"}))[0] == 200
                return await console.save(change, secrets, how)

        found = await commands.apply(sound(text), Late(), SECRETS, replace_secrets=False)
        assert isinstance(found, commands.Applied)
        assert found.saved == []
        assert isinstance(found.why, Refused)
        assert [each.words for each in found.why.meanwhile] == ["who wins a conflict: ask → jira"]
        assert (await admin.get(DEMO))["name"] == "Demo"


async def test_a_console_that_goes_away_leaves_what_was_saved_told_and_the_rest_for_the_next_time() -> None:
    async with admin_and_console() as (_, console):
        text = (await exported(console)).replace("name: Demo", "name: Mine").replace("name: Site", "name: Other")

        class Fading:
            """A console that goes away after the first save."""

            live = staticmethod(console.live)
            check = staticmethod(console.check)
            saves = 0

            async def save(self, change: Any, secrets: Any, how: Saving) -> Stored:
                self.saves += 1
                if self.saves > 1:
                    raise Unreachable("gone")
                return await console.save(change, secrets, how)

        found = await commands.apply(sound(text), Fading(), SECRETS, replace_secrets=False)
        assert isinstance(found, commands.Applied)
        assert [saved.change.id for saved in found.saved] == [scene.JIRA]
        assert isinstance(found.why, Unreachable)
        assert [saved.change.id for saved in (await applied(console, text)).saved] == ["demo"]


async def test_what_the_console_refuses_is_said_with_its_place_in_the_file() -> None:
    async with admin_and_console() as (_, console):
        text = (await exported(console)).replace("jira_project: TAN", "jira_project: LOST")
        found = await applied(console, text)
        assert (found.stopped_at is not None, found.saved) == (True, [])
        (finding,) = found.findings
        lines = text.splitlines()
        assert finding.place is not None
        assert "LOST" in lines[finding.place.line - 1]


async def test_what_the_console_says_of_what_it_saved_is_told_with_its_place() -> None:
    async with admin_and_console() as (_, console):
        text = (await exported(console)).replace("name: Demo", "name: Roadmap")
        (saved,) = (await applied(console, text)).saved
        found = next(each for each in saved.findings if "types[" in each.where)
        assert (found.severity, found.place is not None) == ("warning", True)
        live = await commands.validate(sound(text), console)
        assert (live.asked, [each.where for each in live.findings]) == (True, [each.where for each in saved.findings])


async def test_with_a_vendor_away_a_mapping_is_saved_only_unchecked() -> None:
    async with admin_and_console(configured=False) as (admin, console):
        await with_connections(admin)
        text = from_nothing(admin)
        admin.world.faults.replace([RequestRule(effect="refuse")])
        assert isinstance((await applied(console, text)).why, Unreachable)
        found = await commands.apply(sound(text), console, SECRETS, replace_secrets=False, how=Saving(unchecked=True))
        assert isinstance(found, commands.Applied)
        assert [(saved.change.id, saved.revision) for saved in found.saved] == [("demo", 1)]


async def test_a_connection_that_is_nowhere_is_an_error_and_one_that_is_live_is_none() -> None:
    async with admin_and_console() as (_, console):
        text = await exported(console)
        connections, integrations = text.index("connections:"), text.index("integrations:")
        only_integrations = text[:connections] + text[integrations:]
        plan = await planned(console, only_integrations)
        assert (plan.changes, [ident for _, ident in plan.only_live]) == ((), [scene.CRAFT, scene.JIRA])
        lost = only_integrations.replace(f"jira_connection: {scene.JIRA}", "jira_connection: nowhere")
        found = await commands.diff(sound(lost), console, replace_secrets=False)
        assert isinstance(found, list)
        assert found[0].where == "integrations.demo.jira_connection"


async def test_what_is_only_live_is_left_alone() -> None:
    async with admin_and_console() as (admin, console):
        found = await applied(console, "version: 1\n")
        assert (found.saved, len(found.plan.only_live)) == ([], 3)
        assert (await admin.get(DEMO))["revision"] == 1


async def test_validating_alone_warns_of_connections_that_have_to_be_there_already() -> None:
    async with admin_and_console() as (_, console):
        text = await exported(console)
        alone = text[: text.index("connections:")] + text[text.index("integrations:") :]
        checked = await commands.validate(sound(alone), None)
        assert [(each.severity, each.where) for each in checked.findings] == [
            ("warning", "integrations.demo.jira_connection"),
            ("warning", "integrations.demo.craft_connection"),
        ]
        assert (await commands.validate(sound(text), None)).findings == []


async def test_a_wrong_token_is_a_refusal_and_no_console_is_unreachable() -> None:
    async with desk() as admin:
        await with_connections(admin)
        url = str(admin.client.make_url("/"))
        async with open_console(url, "wrong-token-for-this") as console:
            with pytest.raises(Refused, match="token"):
                await console.live()
        async with open_console(f"{url}somewhere/else", TOKEN) as console:
            with pytest.raises(Unreachable, match="TANDEM_CONSOLE_URL"):
                await console.live()
    async with open_console("http://127.0.0.1:1", TOKEN) as console:
        with pytest.raises(Unreachable):
            await console.live()


async def test_a_finding_has_a_place_also_where_a_property_is_missing() -> None:
    async with admin_and_console() as (_, console):
        text = await exported(console)
        (finding,) = _wrong(text.replace("    jira_project: TAN\n", ""))
        assert finding.place is not None


def _wrong(text: str) -> list[Finding]:
    found = read_file(text.encode())
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_secret_is_one_line_whatever_the_file_ends_with(tmp_path: Path, end: str) -> None:
    (tmp_path / "token").write_bytes(f"5ecret{end}".encode())
    places = SecretPlaces({"TOKEN": f"5ecret{end}", "TWO": f"5ecret{end}5ecret"}, tmp_path)
    assert places.read(SecretReference(file="token")) == places.read(SecretReference(env="TOKEN")) == "5ecret"
    with pytest.raises(SecretUnreadable, match="control character") as refused:
        places.read(SecretReference(env="TWO"))
    assert "5ecret" not in str(refused.value)
    access = console_access({"TANDEM_CONSOLE_URL": "http://c", "TANDEM_CONSOLE_TOKEN_FILE": str(tmp_path / "token")})
    assert access.token == "5ecret"
    with pytest.raises(NotSet, match="TANDEM_CONSOLE_TOKEN holds a line end") as not_set:
        console_access({"TANDEM_CONSOLE_URL": "http://c", "TANDEM_CONSOLE_TOKEN": f"5ecret{end}5ecret"})
    assert "5ecret" not in str(not_set.value)
