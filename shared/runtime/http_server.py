"""The HTTP server of a service process: aiohttp's, but what a stranger sends is neither logged nor sent back.

Built by `shared.runtime.service` alone. aiohttp itself logs a request that it cannot read with all its bytes, and
repeats them on the 400 page: an Authorization header with a Windows line end is enough to put a token there.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from shared.runtime.error_words import told

_WORDS: Final = {
    HTTPStatus.BAD_REQUEST: "This is not HTTP as the server understands it; look for line ends and control characters "
    "in the headers.",
}

_log = structlog.get_logger(__name__)


class _Handler(RequestHandler):
    """One connection."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be read or was not handled, in words of ours, and say it in one line."""
        del message
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("broken request", remote=request.remote, status=status, error=told(exc) if exc else None)
        else:
            _log.error("request failed", remote=request.remote, status=status, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; no other can be sent")
        known = HTTPStatus(status)
        answer = web.Response(status=status, text=f"{known.value} {_WORDS.get(known, known.phrase)}\n")
        answer.force_close()
        return answer


class _Server(web.Server):
    """Makes a handler for each connection."""

    def __call__(self) -> RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class HttpRunner(web.AppRunner):
    """Runs an application like `web.AppRunner`, without an access log."""

    def __init__(self, app: web.Application, **how: Any) -> None:
        super().__init__(app, access_log=None, **how)

    async def _make_server(self) -> web.Server:
        # What AppRunner does, with our server in the place of aiohttp's: it has no other way to choose the handler.
        loop = asyncio.get_running_loop()
        self.app._set_loop(loop)  # noqa: SLF001
        self.app.on_startup.freeze()
        await self.app.startup()
        self.app.freeze()
        return _Server(self._handle, request_factory=self.app._make_request, loop=loop, **self._kwargs)  # type: ignore[arg-type]  # noqa: SLF001  # as aiohttp does

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self.app._handle(request)  # noqa: SLF001
        except web.HTTPExpectationFailed:
            # aiohttp's own words repeat the header.
            raise web.HTTPExpectationFailed(text="417: only 100-continue can be expected") from None
