"""The command as CI calls it: exit codes, what is on standard output, JSON, and never a secret."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from sandbox.jira.site import SYNC_TOKEN
from tandem_cli.entrypoint import schema_text, tandem
from tests.patience import HANGS_S
from tests.unit.cli.test_commands import from_nothing
from tests.unit.cli.test_file import FILE
from tests.unit.console.harness import TOKEN, Desk, desk, with_integration

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Ended:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output as JSON."""
        return json.loads(self.out)


async def run(admin: Desk | None, *arguments: str, stdin: str = "", **environment: str) -> Ended:
    """Run the command as a process of its own, towards the console of this process."""
    url = {"TANDEM_CONSOLE_URL": str(admin.client.make_url("/")), "TANDEM_CONSOLE_TOKEN": TOKEN} if admin else {}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tandem_cli", *arguments),
        cwd=ROOT,
        env={**inherited, **url, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(HANGS_S):
        out, err = await process.communicate(stdin.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_export_diff_apply_diff_as_ci_does_it(tmp_path: Path) -> None:
    file = tmp_path / "tandem.yaml"
    async with desk() as admin:
        await with_integration(admin)
        assert (await run(admin, "export", "-o", str(file))).code == 0
        assert file.read_text().startswith("# yaml-language-server: $schema=tandem.schema.json\n")
        same = await run(admin, "diff", str(file), "--exit-code")
        assert (same.code, same.out) == (0, "No differences.\n")
        file.write_text(file.read_text().replace("name: Demo", "name: Roadmap"))
        different = await run(admin, "diff", str(file), "--exit-code")
        assert (different.code, "name: Demo → Roadmap" in different.out) == (1, True)
        assert (await run(admin, "diff", str(file))).code == 0
        assert (await run(admin, "apply", str(file), "--dry-run")).code == 0
        assert (await admin.get("/integrations/demo"))["revision"] == 1
        done = await run(admin, "apply", str(file))
        assert (done.code, "integration demo saved as revision 2" in done.out) == (0, True)
        again = await run(admin, "apply", str(file))
        assert (again.code, again.out) == (0, "No differences; nothing was saved.\n")


async def test_programs_get_json(tmp_path: Path) -> None:
    file = tmp_path / "tandem.yaml"
    async with desk() as admin:
        await with_integration(admin)
        text = (await run(admin, "export")).out.replace("policy: ask", "policy: jira")
        file.write_text(text.replace("name: Demo", "name: Roadmap"))
        plan = (await run(admin, "diff", str(file), "--json")).json
        assert [(each["kind"], each["action"], each["revision"]) for each in plan["changes"]] == [
            ("integration", "change", 1)
        ]
        assert plan["changes"][0]["differences"][0]["path"] == "name"
        applied = (await run(admin, "apply", str(file), "--json")).json
        assert [(each["id"], each["revision"]) for each in applied["saved"]] == [("demo", 2)]
        assert applied["failed"] is None
        file.write_text(file.read_text().replace("jira_project: TAN", "jira_project: LOST"))
        refused = await run(admin, "apply", str(file), "--json")
        assert (refused.code, refused.json["failed"]["findings"][0]["path"]) == (2, "integrations.demo.jira_project")


async def test_secrets_are_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "tandem.yaml"
    secrets = {"JIRA_TOKEN": f"{SYNC_TOKEN}-wrong", "CRAFT_KEY": "another-wrong-key", "HOOK": "hook-Secret-57d0c4be9a"}
    async with desk() as admin:
        file.write_text(from_nothing(admin))
        ends = [await run(admin, name, str(file), **secrets) for name in ("validate", "diff", "apply")]
        ends.append(await run(admin, "apply", str(file), "--json", **secrets))
        assert [end.code for end in ends] == [0, 0, 2, 2]
        said = "".join(end.out + end.err for end in ends)
        assert not [secret for secret in (*secrets.values(), TOKEN) if secret in said]
        assert "connections.jira-demo.secrets.token" in ends[2].out


async def test_the_token_may_be_in_a_file_and_the_configuration_on_standard_input(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    async with desk() as admin:
        url = str(admin.client.make_url("/"))
        ended = await run(
            None, "diff", "-", stdin="version: 1\n", TANDEM_CONSOLE_URL=url, TANDEM_CONSOLE_TOKEN_FILE=str(token)
        )
        assert (ended.code, ended.out) == (0, "No differences.\n")
        wrong = await run(None, "export", TANDEM_CONSOLE_URL=url, TANDEM_CONSOLE_TOKEN="not-that-one")
        assert (wrong.code, "token" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "TANDEM_CONSOLE_URL"),
        ({"TANDEM_CONSOLE_URL": "http://127.0.0.1:1"}, "TANDEM_CONSOLE_TOKEN"),
        ({"TANDEM_CONSOLE_URL": "http://127.0.0.1:1", "TANDEM_CONSOLE_TOKEN": "x" * 20}, "cannot be reached"),
    ],
)
def test_without_a_console_the_exit_code_is_3(environment: dict[str, str], words: str) -> None:
    for arguments in (["export"], ["diff", "-"], ["apply", "-", "--json"], ["validate", "-", "--live"]):
        ended = CliRunner(env={"TANDEM_CONSOLE_URL": None, "TANDEM_CONSOLE_TOKEN": None, **environment}).invoke(
            tandem, arguments, input="version: 1\n"
        )
        assert (ended.exit_code, words in ended.output) == (3, True), ended.output


def test_an_invalid_file_is_said_as_editors_read_it_and_the_exit_code_is_2(tmp_path: Path) -> None:
    file = tmp_path / "tandem.yaml"
    file.write_text(FILE.replace("name: Demo", "colour: red"))
    ended = CliRunner().invoke(tandem, ["validate", str(file)])
    assert ended.exit_code == 2
    assert ended.stdout.splitlines() == [
        f"{file}:12:3: error: integrations.demo.name: is missing",
        f"{file}:13:5: error: integrations.demo.colour: is not known here; is it misspelt?",
    ]
    found = json.loads(CliRunner().invoke(tandem, ["validate", str(file), "--json"]).stdout)["findings"]
    assert [(each["line"], each["column"]) for each in found] == [(12, 3), (13, 5)]
    missing = CliRunner().invoke(tandem, ["validate", str(tmp_path / "none.yaml")])
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)


def test_warnings_are_errors_only_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "tandem.yaml"
    file.write_text(FILE)
    assert CliRunner().invoke(tandem, ["validate", str(file)]).exit_code == 0
    assert CliRunner().invoke(tandem, ["validate", str(file), "--strict"]).exit_code == 2


def test_the_published_schema_is_what_the_code_generates() -> None:
    assert (ROOT / "docs" / "tandem.schema.json").read_text() == schema_text(), (
        "run: python -m tandem_cli schema -o docs/tandem.schema.json"
    )
    assert CliRunner().invoke(tandem, ["schema"]).stdout == schema_text()
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("owned", ['"revision"', '"since"', '"fields_since"', '"account_id"', '"paused_reason"'])
def test_editors_are_not_offered_what_nobody_writes(owned: str) -> None:
    assert owned not in schema_text()
