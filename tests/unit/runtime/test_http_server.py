"""What a stranger sends is neither logged nor sent back, however broken it is."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from shared.runtime.http_server import HttpRunner
from shared.runtime.logs import configure_logs
from tests.patience import HANGS_S
from tests.unit.runtime.test_logs import root_logger

__all__ = ["root_logger"]
SECRET = "5ecret-0f-a-stranger"

BROKEN = {
    "a token with a Windows line end": f"GET /ok HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {SECRET}\r\r\n\r\n",
    "a control character": f"GET /ok HTTP/1.1\r\nHost: h\r\nX-Token: {SECRET}\0\r\n\r\n",
    "a header name with a space": f"GET /ok HTTP/1.1\r\nHost: h\r\n{SECRET} x: 1\r\n\r\n",
    "no HTTP": f"{SECRET}\r\n\r\n",
    "a bad method": f"{SECRET}@ /ok HTTP/1.1\r\nHost: h\r\n\r\n",
    "a bad version": f"GET /ok HTTP/{SECRET}\r\nHost: h\r\n\r\n",
    "a bad length": f"POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: {SECRET}\r\n\r\n",
    "a bad chunk": f"POST /ok HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n\r\n",
    "a long line": f"GET /{SECRET * 2000} HTTP/1.1\r\nHost: h\r\n\r\n",
    "an unknown path": f"GET /{SECRET} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "a handler that fails": f"GET /bug?{SECRET} HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
    "an expectation": f"GET /ok HTTP/1.1\r\nHost: h\r\nExpect: {SECRET}\r\nConnection: close\r\n\r\n",
}


async def _answer(raw: str) -> str:
    async def ok(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="ok")

    async def bug(request: web.Request) -> web.Response:
        raise ValueError(request.query_string)

    app = web.Application()
    app.add_routes([web.route("*", "/ok", ok), web.get("/bug", bug)])
    runner = HttpRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port, *_ = runner.addresses[0]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(raw.encode())
        async with asyncio.timeout(HANGS_S):
            answer = await reader.read()
        writer.close()
        return answer.decode()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("what", BROKEN)
async def test_broken_http_is_neither_logged_nor_echoed(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("DEBUG", service="gateway", instance="here:1")
    answer = await _answer(BROKEN[what])
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    assert SECRET not in answer
    assert answer.startswith("HTTP/1.") or not answer
    assert all(json.loads(line)["event"] for line in shown.err.splitlines())


async def test_a_broken_request_is_told_once_with_who_sent_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", service="gateway", instance="here:1")
    answer = await _answer(BROKEN["a token with a Windows line end"])
    assert answer.startswith("HTTP/1.0 400 ")
    assert "look for line ends" in answer
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["remote"], line["status"]) == ("broken request", "127.0.0.1", 400)
