"""The console's API over HTTP. Translates every failure into `Unreachable` or `Refused`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from pydantic import ValidationError

from shared.as_code.plan import Change, Live, LiveConnection
from shared.as_code.ports import Fault, Refused, Saving, Stored, Unreachable
from shared.domain.differences import CONNECTION_OWNED, Difference
from shared.domain.mapping import Connection, Integration

_BASE: Final = "/api/v1"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60.0, connect=10.0)
_SERVER_ERRORS: Final = 500


@asynccontextmanager
async def open_console(url: str, token: str) -> AsyncIterator[HttpConsole]:
    """Yield the console at an address. Nothing is sent yet."""
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "tandem-cli"}
    async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers, trust_env=True) as session:
        yield HttpConsole(session, url)


class HttpConsole:
    """Implements `Console`."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def live(self) -> Live:
        """Return all connections and integrations."""
        connections = await self._call("GET", "/connections")
        integrations = await self._call("GET", "/integrations")
        try:
            return Live(
                connections={each["id"]: _connection(each) for each in connections["connections"]},
                integrations={each["id"]: Integration.model_validate(each) for each in integrations["integrations"]},
            )
        except (ValidationError, KeyError, TypeError) as error:
            words = f"{type(error).__name__}: {error}".splitlines()
            raise Unreachable(
                f"The answer of {self._url} is not understood ({' '.join(words[:3])}). Is this `tandem` of the same "
                "release as the console?"
            ) from error

    async def save(self, change: Change, secrets: Mapping[str, Any], how: Saving) -> Stored:
        """Save one connection or integration on the revision that it was compared with."""
        body = dict(change.body)
        if change.kind == "connection":
            body = {name: value for name, value in body.items() if name not in CONNECTION_OWNED}
            body |= {"secrets": dict(secrets)} if secrets else {}
        body["revision"] = change.revision
        headers = {"If-Match": f'"{change.revision}"'}
        query = ""
        if change.kind == "integration":
            query = f"?unchecked={str(how.unchecked).lower()}&evaluate={how.evaluate}"
        saved = await self._call("PUT", f"/{change.section}/{change.id}{query}", body, headers)
        return Stored(int(saved["revision"]), [_fault(each) for each in saved.get("findings") or ()])

    async def check(self, draft: Integration) -> Sequence[Fault] | None:
        """Return what the console finds in a draft."""
        try:
            answer = await self._call("POST", f"/integrations/{draft.id}/check", draft.model_dump(mode="json"))
        except Refused as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return [_fault(each) for each in answer.get("findings", ())]

    async def _call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        url = self._url + _BASE + path
        try:
            async with self._session.request(method, url, json=body, headers=headers, allow_redirects=False) as answer:
                raw = await answer.read()
        except TimeoutError as error:
            raise Unreachable(f"{self._url} did not answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(f"{self._url} cannot be reached: {str(error) or type(error).__name__}") from error
        content = _json(raw)
        if answer.status >= _SERVER_ERRORS:
            raise Unreachable(f"{url} answers {answer.status}: {_said(content)}")
        if not isinstance(content, dict) or not (answer.ok or "message" in content):
            raise Unreachable(f"{url} answers {answer.status}, and not as a console does. Check TANDEM_CONSOLE_URL.")
        if not answer.ok:
            raise _refused(answer.status, content)
        return content


def _connection(view: Mapping[str, Any]) -> LiveConnection:
    known = {name: value for name, value in view.items() if name in Connection.model_fields}
    held = view["secrets"]
    return LiveConnection(
        Connection.model_validate(known),
        bool(held["token"]),
        int(held["webhook_secrets"]),
        bool(held["url_token"]),
        opens=held.get("problem") is None,
    )


def _refused(status: int, content: Mapping[str, Any]) -> Refused:
    return Refused(
        status,
        str(content["message"]),
        content.get("next_step"),
        # Findings of a mapping say more than faults, which name only what keeps it from being saved.
        [_fault(each) for each in content.get("findings") or content.get("problems") or ()],
        [Difference.model_validate(each) for each in content.get("changes") or ()],
    )


def _fault(found: Mapping[str, Any]) -> Fault:
    severity = found.get("severity", "error")
    return Fault(
        path=str(found.get("path") or ""),
        message=str(found.get("message") or ""),
        fix=found.get("fix"),
        severity=severity if severity in ("warning", "note") else "error",
        code=found.get("code"),
    )


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _said(content: Any) -> str:
    return str(content.get("message", "")) if isinstance(content, dict) else "no words"
