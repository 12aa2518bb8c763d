"""The services over HTTP, as Kubernetes asks them, and the console's API with the admin's token."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp

from shared.domain.clock import Clock
from tandem_ops.ports import Alive, CannotReach, Skew

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)
_NAME: Final = re.compile(r"[a-z_]{1,40}")
_MOST_BYTES: Final = 5_000_000


class Services:
    """Asks addresses. Everything raises `CannotReach`."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def alive(self, url: str) -> Alive:
        """Return whether a service is ready, and its clock."""
        before = self._clock.now()
        try:
            async with self._session.get(f"{url}/readyz", allow_redirects=False) as answer:
                after = self._clock.now()
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise CannotReach(words(error)) from error
        answers = told.get("dependencies") if isinstance(told, dict) else None
        if not isinstance(answers, dict):
            raise CannotReach(f"the answer ({answer.status}) is none of Tandem's")
        waits_for = None
        if answer.status != HTTPStatus.OK:
            waits_for = tuple(sorted(name for name, well in answers.items() if not well and _NAME.fullmatch(name)))
        return Alive(waits_for, skew_of(answer.headers.get("date"), before, after))

    async def console(self, url: str, token: str) -> None:
        """Ask the console's API something, with the token."""
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._session.get(f"{url}/api/v1/summary", headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise CannotReach(words(error)) from error
        if status == HTTPStatus.UNAUTHORIZED:
            raise CannotReach("it refuses the token of TANDEM_CONSOLE_TOKEN")
        if status != HTTPStatus.OK:
            raise CannotReach(f"it answers {status}, and not as a console does")

    async def metrics(self, url: str) -> str:
        """Return the metrics of a service as text."""
        try:
            async with self._session.get(f"{url}/metrics", allow_redirects=False) as answer:
                raw = await answer.content.read(_MOST_BYTES)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CannotReach(words(error)) from error
        return raw.decode(errors="replace")


@asynccontextmanager
async def open_services(clock: Clock) -> AsyncIterator[Services]:
    """Yield what asks services."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        yield Services(session, clock)


def skew_of(date: str | None, before: datetime, after: datetime) -> Skew | None:
    """Return how far the clock is ahead that wrote a Date header (whole seconds), None if it is none."""
    try:
        return Skew.between(before, parsedate_to_datetime(date or ""), after, grain_s=1.0)
    except (ValueError, TypeError):
        return None


def words(error: BaseException) -> str:
    """Return what went wrong, in words of ours."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"there is no host {error.host}"
        case aiohttp.ClientConnectorError():
            return (
                "the connection is refused" if isinstance(error.os_error, ConnectionRefusedError) else "no connection"
            )
        case TimeoutError():
            return "no answer in time"
        case _:
            return type(error).__name__
