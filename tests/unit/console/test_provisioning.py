"""Mounted files are in effect by themselves, an invalid one changes nothing, and what is changed by hand is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deploy.local import scene
from sandbox.craft.settings import SYNC_KEY
from sandbox.jira.site import SYNC_TOKEN
from services.console.adapters.mounted_folder import MountedFolder
from services.console.bootstrap import PROVISIONING, wire
from services.console.handlers.provisioning import Provisioner
from services.console.ports import FolderUnreadable, Ports
from services.console.settings import ConsoleSettings
from shared.as_code import commands
from shared.as_code.yaml_text import write_yaml
from shared.domain.clock import SeededDice, SystemClock
from shared.store.secrets import content_digests
from tandem_cli.adapters.http_console import open_console
from tests.unit.console.harness import HOOK_SECRET, KEY, TOKEN, Desk, desk, stored_secrets, with_integration

DEMO = f"/integrations/{scene.INTEGRATION}"
JIRA = f"/connections/{scene.JIRA}"


@dataclass
class Mounted:
    """A folder as the kubelet fills it: each version in a folder of its own, behind the link `..data`."""

    folder: Path
    versions: int = 0

    def swap(self, **files: str) -> None:
        """Put another version in place at once."""
        self.versions += 1
        version = self.folder / f"..version_{self.versions}"
        version.mkdir()
        for name, text in files.items():
            (version / f"{name}.yaml").write_text(text)
            link = self.folder / f"{name}.yaml"
            if not link.is_symlink():
                link.symlink_to(Path("..data") / link.name)
        new = self.folder / "..data_tmp"
        new.symlink_to(version.name)
        new.replace(self.folder / "..data")
        for link in self.folder.glob("*.yaml"):
            if not link.exists():
                link.unlink()


class Ahead(SystemClock):
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the time that it is by this clock."""
        return super().now() + self.ahead

    def monotonic(self) -> float:
        """Return seconds by this clock."""
        return super().monotonic() + self.ahead.total_seconds()


@dataclass
class Scene:
    """A console that provisions from a folder, and an admin."""

    admin: Desk
    mounted: Mounted
    provisioners: list[Provisioner]
    text: str
    """A file that says what is live."""
    clock: Ahead

    async def round(self, replica: int = 0) -> dict[str, Any]:
        """Let a replica look once; return what is told of the only file."""
        self.clock.ahead += timedelta(seconds=120)
        await self.provisioners[replica].round()
        (file,) = (await self.admin.get("/provisioning"))["files"]
        return dict(file)

    async def drift(self) -> dict[str, list[str]]:
        (file,) = (await self.admin.get("/provisioning"))["files"]
        return {each["id"]: [one["words"] for one in each["drift"]] for each in file["provisions"] if each["drift"]}


@asynccontextmanager
async def provisioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replicas: int = 1) -> AsyncIterator[Scene]:
    monkeypatch.setenv("JIRA_TOKEN", SYNC_TOKEN)
    monkeypatch.setenv("HOOK", HOOK_SECRET)
    folder = tmp_path / "mounted"
    folder.mkdir()
    (tmp_path / "craft-key").write_text(f"{SYNC_KEY.key}\n")
    async with desk() as admin:
        await with_integration(admin)
        async with open_console(str(admin.client.make_url("/")), TOKEN) as console:
            data = await commands.export(console, None)
        jira, craft = (data["connections"][ident] for ident in (scene.JIRA, scene.CRAFT))
        jira["secrets"] = {"token": {"env": "JIRA_TOKEN"}, "webhook_secrets": [{"env": "HOOK"}]}
        craft["secrets"] = {"token": {"file": str(tmp_path / "craft-key")}}
        clock = Ahead()
        admin.world.store.clock = clock
        provisioners = [provisioner_of(admin, folder, f"replica-{number}", clock) for number in range(replicas)]
        yield Scene(admin, Mounted(folder), provisioners, write_yaml(data, ""), clock)


def provisioner_of(admin: Desk, folder: Path, name: str, clock: Ahead) -> Provisioner:
    world = admin.world
    settings = ConsoleSettings(
        kafka_bootstrap="test:9092",
        database_url="postgresql://test/test",
        secret_key=KEY,
        console_token=TOKEN,
        plain_http_hosts="jira.test,craft.test",
        provisioning_folder=folder,
        instance=name,
    )
    ports = Ports(world.log, world.store, world.store, world.store, world.transport, clock, SeededDice(3))
    made = wire(settings, ports)._provisioner
    assert made is not None
    return made


async def test_a_changed_file_is_in_effect_after_one_round_and_once_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provisioned(tmp_path, monkeypatch) as scene_:
        scene_.mounted.swap(tandem=scene_.text)
        first = await scene_.round()
        assert (first["file"], first["state"], first["findings"]) == ("tandem.yaml", "in_effect", [])
        assert {each["id"] for each in first["provisions"]} == {scene.JIRA, scene.CRAFT, scene.INTEGRATION}
        # What is live already is saved by nobody.
        assert (await scene_.admin.get(DEMO))["revision"] == 1
        scene_.mounted.swap(tandem=scene_.text.replace("name: Demo", "name: Roadmap"))
        assert (await scene_.round())["state"] == "in_effect"
        live = await scene_.admin.get(DEMO)
        assert (live["name"], live["revision"]) == ("Roadmap", 2)
        await scene_.round()
        assert (await scene_.admin.get(DEMO))["revision"] == 2
        assert (await scene_.admin.get("/audit"))["entries"][0]["by"] == PROVISIONING


async def test_what_is_changed_by_hand_stays_and_is_told_as_drift_until_the_file_changes_or_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provisioned(tmp_path, monkeypatch) as scene_:
        scene_.mounted.swap(tandem=scene_.text)
        await scene_.round()
        assert await scene_.drift() == {}
        by_hand = {**await scene_.admin.get(DEMO), "name": "By hand"}
        assert (await scene_.admin.call("PUT", DEMO, by_hand))[0] == 200
        await scene_.round()
        assert await scene_.drift() == {scene.INTEGRATION: ["name: By hand → Demo"]}
        # A replica that starts anew does not undo it either.
        scene_.provisioners.append(provisioner_of(scene_.admin, scene_.mounted.folder, "replica-0", scene_.clock))
        await scene_.round(1)
        assert (await scene_.admin.get(DEMO))["name"] == "By hand"
        assert (await scene_.admin.call("POST", "/provisioning/nothing.yaml"))[0] == 404
        assert (await scene_.admin.call("POST", "/provisioning/tandem.yaml"))[0] == 202
        await scene_.round()
        assert (await scene_.admin.get(DEMO))["name"] == "Demo"
        assert await scene_.drift() == {}


async def test_an_invalid_file_changes_nothing_and_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provisioned(tmp_path, monkeypatch) as scene_:
        scene_.mounted.swap(tandem=scene_.text)
        good = await scene_.round()
        broken = scene_.text.replace("name: Demo", "nmae: Demo")
        line = next(n for n, text in enumerate(broken.splitlines(), start=1) if "nmae" in text)
        scene_.mounted.swap(tandem=broken)
        told = await scene_.round()
        assert told["state"] == "invalid"
        assert line in {each["line"] for each in told["findings"]}
        assert told["applied_at"] == good["applied_at"]
        assert told["provisions"] == good["provisions"]
        assert (await scene_.admin.get(DEMO))["revision"] == 1
        scene_.mounted.swap(tandem=scene_.text)
        assert (await scene_.round())["state"] == "in_effect"


async def test_what_a_vendor_or_the_console_refuses_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provisioned(tmp_path, monkeypatch) as scene_:
        scene_.mounted.swap(tandem=scene_.text)
        await scene_.round()
        scene_.mounted.swap(tandem=scene_.text.replace("jira: summary", "jira: no_such_field"))
        told = await scene_.round()
        assert told["state"] == "refused"
        assert any(each["where"].startswith(f"integrations.{scene.INTEGRATION}") for each in told["findings"])
        assert all(each["line"] for each in told["findings"])
        assert (await scene_.admin.get(DEMO))["revision"] == 1


async def test_a_token_that_was_replaced_in_its_place_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with provisioned(tmp_path, monkeypatch) as scene_:
        scene_.mounted.swap(tandem=scene_.text)
        await scene_.round()
        before = (await scene_.admin.get(JIRA))["revision"]
        monkeypatch.setenv("HOOK", "another-hook-Secret-83bd1e")
        assert (await scene_.round())["state"] == "in_effect"
        held = await stored_secrets(scene_.admin, scene.JIRA)
        assert held is not None
        assert (held.webhook_secrets, held.token) == (("another-hook-Secret-83bd1e",), SYNC_TOKEN)
        assert (await scene_.admin.get(JIRA))["revision"] == before + 1
        monkeypatch.delenv("HOOK")
        told = await scene_.round()
        assert (told["state"], told["findings"][0]["message"]) == ("refused", "environment variable HOOK is not set")
        assert "83bd1e" not in str(await scene_.admin.get("/provisioning"))


async def test_one_replica_provisions_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with provisioned(tmp_path, monkeypatch, replicas=2) as scene_:
        scene_.mounted.swap(tandem=scene_.text)
        await scene_.provisioners[0].round()
        scene_.mounted.swap(tandem=scene_.text.replace("name: Demo", "name: Roadmap"))
        await scene_.provisioners[1].round()
        assert (await scene_.admin.get(DEMO))["name"] == "Demo"
        # The first one is gone for longer than it said.
        await scene_.round(1)
        assert (await scene_.admin.get(DEMO))["name"] == "Roadmap"


async def test_one_thing_has_one_file_and_a_file_that_is_gone_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provisioned(tmp_path, monkeypatch) as scene_:
        scene_.mounted.swap(a=scene_.text, b=scene_.text)
        await scene_.provisioners[0].round()
        first, second = (await scene_.admin.get("/provisioning"))["files"]
        assert (first["state"], second["state"]) == ("in_effect", "invalid")
        assert second["findings"][0]["message"] == "is in a.yaml already; keep one of them"
        scene_.mounted.swap(b=scene_.text)
        assert (await scene_.round())["state"] == "in_effect"
        assert (await scene_.admin.get(DEMO))["revision"] == 1


def test_a_version_that_vanishes_while_it_is_read_is_read_again_and_a_missing_folder_is_told(tmp_path: Path) -> None:
    mounted = Mounted(tmp_path)
    mounted.swap(tandem="version: 1")
    (tmp_path / "..data" / "notes.txt").write_text("no YAML")
    assert MountedFolder(tmp_path).files() == {"tandem.yaml": b"version: 1"}
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.yml").write_text("version: 1")
    assert MountedFolder(tmp_path / "plain").files() == {"a.yml": b"version: 1"}
    with pytest.raises(FolderUnreadable, match="nowhere"):
        MountedFolder(tmp_path / "nowhere").files()


def test_a_digest_is_the_same_under_an_older_key_and_says_nothing_without_it() -> None:
    digest = partial(content_digests, KEY)
    assert digest(b"a") == digest(b"a") != digest(b"b")
    assert len(content_digests(f"{KEY},{KEY}", b"a")) == 2
