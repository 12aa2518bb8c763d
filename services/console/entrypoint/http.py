"""From an aiohttp request to a checked call and back: the token, JSON, faults in words, headers."""

from __future__ import annotations

import asyncio
import hmac
import json
import math
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NoReturn

import structlog
from aiohttp import web
from aiohttp.hdrs import METH_ALL
from pydantic import BaseModel, ValidationError

from services.console.domain.problems import Fault, Refusal, faults_of, invalid, not_found
from services.console.domain.shown import shown
from services.console.domain.tries import TokenTries
from services.console.entrypoint.operations import Call, Operation
from shared.clients.errors import VendorError
from shared.domain.errors import Poison
from shared.runtime.http_body import Pace, read_body
from shared.runtime.http_client_address import client_address
from shared.runtime.log import LogUnavailable
from shared.store.port import Contended, StoreUnavailable

_IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_REVISION = re.compile(r'(?:W/)?"?(\d{1,9})"?')
_RETRY_AFTER_S = "2"
_MAX_DEPTH = 100
_NEXT = {400: "Send it again.", 408: "Send it again, without pauses.", 413: "Send less."}

log = structlog.get_logger(__name__)


class TooManyTries(Refusal):
    """A try of the token that does not count: there were too many wrong ones."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_tries",
            "Too many tries with a wrong token came from this address.",
            f"Try again in {wait_s} seconds. If it was not you, see the console's log for the address.",
        )
        self.wait_s = wait_s


class Gate:
    """Who may come in: the admin's token, and how often it may be tried."""

    def __init__(self, token: str, proxies: int) -> None:
        self._token = token
        self._proxies = proxies
        self._tries = TokenTries()

    def admit(self, request: web.Request) -> None:
        """Raise a 401 unless the request carries the admin's token, a 429 for too many tries.

        Takes the same time however much of the token is right. Nothing of the body is read before.
        """
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and given:
            client, now = client_address(request, self._proxies), asyncio.get_running_loop().time()
            if wait_s := self._tries.wait_s(client, now):
                raise TooManyTries(wait_s)
            if hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._token.encode()):
                self._tries.right(client)
                return
            self._tries.wrong(client, now)
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "The admin's token is missing or wrong.",
            "Send `Authorization: Bearer …` with the value of TANDEM_CONSOLE_TOKEN.",
        )

    def problem(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return the answer to what is refused, and log from where it came."""
        problem = refusal.problem
        log.info(
            "refused",
            operation=_operation(request),
            status=problem.status,
            code=problem.code,
            client=client_address(request, self._proxies),
        )
        response = json_response(problem.model_dump(mode="json", exclude_none=True), HTTPStatus(problem.status))
        response.content_type = "application/problem+json"
        if problem.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.REQUEST_TIMEOUT):
            response.headers["Retry-After"] = _RETRY_AFTER_S
        if isinstance(refusal, TooManyTries):
            response.headers["Retry-After"] = str(refusal.wait_s)
        return response


def handler_of(
    operation: Operation, gate: Gate, max_body_bytes: int
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the aiohttp handler of an operation."""

    async def handle(request: web.Request) -> web.Response:
        try:
            gate.admit(request)
            call = await _call(operation, request, max_body_bytes)
            answer = await operation.handle(call)
        except Exception as error:  # noqa: BLE001  # the edge: every failure becomes an answer that says what to do
            return gate.problem(_refusal(error), request)
        response = json_response(answer.model_dump(mode="json"), operation.status)
        if operation.revised:
            response.headers["ETag"] = f'"{getattr(answer, "revision", 0)}"'
        return response

    return handle


def no_such_operation(gate: Gate) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of everything below the API that is no operation."""

    async def handle(request: web.Request) -> web.Response:
        try:
            gate.admit(request)
        except Refusal as refusal:
            return gate.problem(refusal, request)
        words = "There is no such operation."
        return gate.problem(not_found(words, "/api/v1/openapi.json lists all operations."), request)

    return handle


async def _call(operation: Operation, request: web.Request, max_body_bytes: int) -> Call:
    for name, value in request.match_info.items():
        if not _IDENT.fullmatch(value):
            raise invalid(Fault(path=name, message="is made of letters, digits and . _ : - only"))
    try:
        query = operation.query.model_validate(_query(request))
    except ValidationError as error:
        raise invalid(*faults_of(error)) from error
    body = await _body(operation, request, max_body_bytes) if operation.body is not None else None
    return Call(dict(request.match_info), query, body, _if_match(request))


def _query(request: web.Request) -> dict[str, str]:
    twice = [name for name in request.query if len(request.query.getall(name)) > 1]
    if twice:
        raise invalid(Fault(path=twice[0], message="is given more than once"))
    odd = [name for name, value in request.query.items() if "\0" in value]
    if odd:
        raise invalid(Fault(path=odd[0], message="holds a NUL character, which no name or id has"))
    return dict(request.query)


async def _body(operation: Operation, request: web.Request, max_body_bytes: int) -> BaseModel:
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "packed", "The body is packed.", "Send it without Content-Encoding."
        )
    raw = bytearray()
    why = await read_body(request, raw.extend, most_bytes=max_body_bytes, pace=Pace())
    if why is not None:
        raise Refusal(HTTPStatus(why.status), why.reason, f"{why.words[:1].upper()}{why.words[1:]}.", _NEXT[why.status])
    if operation.body is None:
        raise TypeError(f"{operation.name} takes no body")
    try:
        return operation.body.model_validate(parse_json(bytes(raw)))
    except ValidationError as error:
        raise invalid(*faults_of(error)) from error


def parse_json(raw: bytes) -> Any:
    """Return parsed JSON. Raises a 400 for what is none, with NaN, infinity and names given twice counted as none."""
    try:
        value = json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_twins)
        return _not_too_deep(value)
    except (ValueError, RecursionError) as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "not_json", f"The body is not JSON: {error}", "Send a JSON object in UTF-8."
        ) from error


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found


def _not_too_deep(value: Any) -> Any:
    """Return the value; goes through it without recursion, for bodies made to break one."""
    stack = [(value, 1)]
    while stack:
        one, level = stack.pop()
        if level > _MAX_DEPTH:
            raise ValueError("it is nested too deep")
        if isinstance(one, dict | list):
            stack.extend((inner, level + 1) for inner in (one.values() if isinstance(one, dict) else one))
    return value


def _if_match(request: web.Request) -> int | None:
    text = request.headers.get("If-Match")
    if text is None:
        return None
    found = _REVISION.fullmatch(text.strip())
    if found is None:
        raise invalid(Fault(path="If-Match", message='is a revision, such as "3"'))
    return int(found[1])


def _refusal(error: Exception) -> Refusal:
    """Return what a caller is told about a failure."""
    match error:
        case Refusal():
            return error
        case StoreUnavailable() | Contended():
            return _unavailable("The database does not answer just now.")
        case LogUnavailable():
            return _unavailable("Kafka does not answer just now, so the request was not taken.")
        case Poison():
            return Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "too_large",
                f"The item is larger or nested deeper than Tandem can take in: {error}",
                "Make it smaller, for example by moving a part of its text into another item.",
            )
        case VendorError():
            return Refusal(HTTPStatus.BAD_GATEWAY, "vendor_unavailable", str(error), "Try again.")
        case web.HTTPException() | ConnectionError():
            raise error
        case _:
            log.error("request_failed", exc_info=error)
            return Refusal(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal",
                f"This should not happen ({type(error).__name__}).",
                "Try again; if it stays, report it with the log of the console.",
            )


def _unavailable(message: str) -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", message, "Nothing was changed. Try again.")


def _operation(request: web.Request) -> str:
    """Return what was asked for as our routes name it: method and path as sent are anybody's words."""
    resource = request.match_info.route.resource
    if resource is None or request.method not in METH_ALL:
        return "unknown"
    return f"{request.method} {resource.canonical}"


def json_response(value: Any, status: HTTPStatus) -> web.Response:
    """Return a JSON answer that every reader takes."""
    text = json.dumps(shown(value), separators=(",", ":"), allow_nan=False)
    response = web.Response(status=status, text=text, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
