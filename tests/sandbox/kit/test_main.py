"""`python -m sandbox`: both stand-ins as a program of their own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tests.patience import HANGS_S

ROOT = Path(__file__).parents[3]


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _login(account: Mapping[str, str]) -> dict[str, str]:
    return {"authorization": aiohttp.encode_basic_auth(account["email"], account["token"])}


async def test_it_says_where_it_is_answers_there_and_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    scene = {
        "jira": {"scene": {"issues": [{"project": "TAN", "type": "Story", "summary": "In Jira"}]}},
        "craft": {"scene": {"items": [{"type": "epic", "title": "In Craft"}]}, "settings": {"clock_step_ms": 1000}},
    }
    options = tmp_path / "options.json"
    options.write_text(json.dumps(scene))
    process = await _start("--options", str(options), "--craft-key", "k", "--jira-token", "t", "--seed", "7")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(HANGS_S):
            places = json.loads(await process.stdout.readline())
        jira, craft = places["jira"], places["craft"]
        async with aiohttp.ClientSession() as http:
            login = _login(jira)
            async with http.get(jira["url"] + f"/rest/api/3/project/{jira['project']}", headers=login) as answer:
                assert (await answer.json())["key"] == "TAN"
            listed = craft["url"] + f"/workspace/{craft['workspace_id']}/items"
            async with http.get(listed, headers={"x-api-key": craft["api_key"]}) as answer:
                assert [item["title"] for item in (await answer.json())["items"]] == ["In Craft"]
            for side, words in (("jira", "In Jira"), ("craft", "In Craft")):
                async with http.get(places[side]["control"] + "/state") as answer:
                    assert words in await answer.text()
            for person in craft["people"]:
                async with http.get(craft["url"] + "/me/api-key", headers={"x-api-key": person["api_key"]}) as answer:
                    assert answer.status == 200
            for person in jira["people"]:
                login = _login(person)
                async with http.get(jira["url"] + "/rest/api/3/myself", headers=login) as answer:
                    assert answer.status == 200
    finally:
        process.terminate()
        async with asyncio.timeout(HANGS_S):
            _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


async def test_bad_options_end_it_with_words_and_code_2(tmp_path: Path) -> None:
    options = tmp_path / "options.json"
    options.write_text('{"craft": {"settings": {"speed": 3}}}')
    process = await _start("--options", str(options))
    async with asyncio.timeout(HANGS_S):
        output, errors = await process.communicate()
    assert process.returncode == 2
    assert output == b""
    assert b"speed" in errors
    assert b"Traceback" not in errors


async def test_it_stands_in_for_a_data_center_and_on_another_address_when_asked_to() -> None:
    named = ("--host", "0.0.0.0", "--name", "localhost")  # noqa: S104  # as in a pod, where others have to reach it
    process = await _start("--jira-edition", "data-center", "--jira-version", "10.0.1", *named)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(HANGS_S):
            jira = json.loads(await process.stdout.readline())["jira"]
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {jira['token']}"}) as http:
            async with http.get(jira["url"] + "/rest/api/2/serverInfo") as answer:
                told = await answer.json()
            async with http.get(jira["url"] + "/rest/api/2/myself") as answer:
                us = await answer.json()
    finally:
        process.terminate()
        await process.wait()
    assert (told["deploymentType"], told["version"], jira["edition"]) == ("Server", "10.0.1", "data-center")
    assert us["emailAddress"] == jira["email"]
    assert jira["url"].startswith("http://localhost:")
