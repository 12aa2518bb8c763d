"""`tandem validate --live`: what the console finds is told in the file's terms, and a console that cannot check is no
error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.as_code import commands
from shared.as_code.reading import ReadFile, read_file
from tandem_cli.adapters.http_console import HttpConsole, open_console
from tests.unit.cli.test_file import FILE

FINDINGS = [
    {
        "code": "type_not_in_jira",
        "severity": "error",
        "path": "types[0].jira",
        "message": "there is no issue type 10001 in TAN",
        "fix": "Choose one of Epic, Story, Task.",
    },
    {"code": "value_map_holes", "severity": "warning", "path": "pairs[0].values", "message": "has holes", "fix": None},
    {"code": "whole", "severity": "note", "path": "", "message": "another integration writes too", "fix": None},
]


@asynccontextmanager
async def console_that(answer: Any, status: int = 200) -> AsyncIterator[tuple[HttpConsole, list[Any]]]:
    """Yield a console that has one Craft.io connection and answers checks so, and the drafts that it got."""
    drafts: list[Any] = []
    craft = {
        "id": "craft",
        "revision": 1,
        "kind": "craft",
        "name": "Craft",
        "url": "https://craft.example",
        "secrets": {"token": True, "webhook_secrets": 0, "url_token": False},
    }

    async def check(request: web.Request) -> web.Response:
        drafts.append(await request.json())
        return web.json_response(answer, status=status)

    async def listed(request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        return web.json_response({name: [craft] if name == "connections" else []})

    app = web.Application()
    app.router.add_get("/api/v1/connections", listed)
    app.router.add_get("/api/v1/integrations", listed)
    app.router.add_post("/api/v1/integrations/demo/check", check)
    async with TestServer(app) as server, open_console(str(server.make_url("")), "a-token-of-some-length") as console:
        yield console, drafts


def sound() -> ReadFile:
    found = read_file(FILE.encode())
    assert isinstance(found, ReadFile)
    return found


async def test_what_the_console_finds_is_told_with_its_place_in_the_file() -> None:
    async with console_that({"findings": FINDINGS}) as (console, drafts):
        checked = await commands.validate(sound(), console)
    assert checked.asked is True
    assert [(each.severity, each.where, each.place and each.place.line) for each in checked.findings] == [
        ("error", "integrations.demo.types[0].jira", 19),
        ("warning", "integrations.demo.pairs.title.values", 21),
        ("note", "integrations.demo", 12),
    ]
    assert checked.findings[0].fix == "Choose one of Epic, Story, Task."
    assert (drafts[0]["id"], drafts[0]["revision"], drafts[0]["pairs"][0]["id"]) == ("demo", 0, "title")


async def test_a_console_without_that_operation_cannot_check_and_that_is_no_error() -> None:
    problem = {"status": 404, "code": "not_found", "message": "There is no operation POST …", "next_step": "…"}
    async with console_that(problem, 404) as (console, _):
        checked = await commands.validate(sound(), console)
    assert (checked.asked, checked.findings) == (False, [])


async def test_a_draft_that_the_console_cannot_even_read_is_told_in_the_files_terms() -> None:
    problems = [{"path": "pairs[0].kind", "message": "is not known here"}]
    problem = {"status": 422, "code": "invalid", "message": "…", "next_step": "…", "problems": problems}
    async with console_that(problem, 422) as (console, _):
        checked = await commands.validate(sound(), console)
    assert [(each.severity, each.where) for each in checked.findings] == [
        ("error", "integrations.demo.pairs.title.kind")
    ]
