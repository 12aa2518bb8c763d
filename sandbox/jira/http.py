"""One call to a stand-in Jira: what it asks, who asks, and the answers in Jira's shapes.

Used by every endpoint module of `sandbox.jira`. An endpoint raises `Refusal` before it has changed anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo

from sandbox.jira.model import Account, JsonObject
from sandbox.kit.site import SiteRequest, SiteResponse

JSON_TYPE = "application/json;charset=UTF-8"


class Refusal(Exception):  # an answer, not a failure of the stand-in
    """The call is refused with `status` and Jira's error body; nothing was changed."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, messages, errors)
        self.status = status
        self.messages = list(messages)
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def body(self) -> JsonObject:
        """Return the error body."""
        return {"errorMessages": self.messages, "errors": self.errors}


def bad_request(*messages: str, **errors: str) -> Refusal:
    """Return a 400 with messages, and errors by field id."""
    return Refusal(400, *messages, errors=errors)


def not_found(what: str = "Issue does not exist or you do not have permission to see it.") -> Refusal:
    """Return the 404 that Jira gives for what is absent and for what may not be seen."""
    return Refusal(404, what)


def dump(data: object) -> bytes:
    """Return JSON as UTF-8; lone surrogates, which UTF-8 cannot carry, become question marks."""
    return _ENCODER.encode(data).encode("utf-8", "replace")


def answer(status: int, data: object, headers: Mapping[str, str] | None = None) -> SiteResponse:
    """Return a JSON answer."""
    return SiteResponse(status, {"content-type": JSON_TYPE, **(headers or {})}, dump(data))


def no_content(status: int = 204) -> SiteResponse:
    """Return an answer without body."""
    return SiteResponse(status, {}, b"")


MAX_DEPTH = 200
_NOT_JSON = "There was an error parsing JSON. Check that your request body is valid."
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _depth(data: object) -> int:
    """Return how deep lists and objects are nested; without recursion, for bodies made to break it."""
    deepest = 0
    stack = [(data, 1)]
    while stack:
        one, level = stack.pop()
        deepest = max(deepest, level)
        if isinstance(one, dict):
            stack.extend((inner, level + 1) for inner in one.values())
        elif isinstance(one, list):
            stack.extend((inner, level + 1) for inner in one)
    return deepest


@dataclass(slots=True)
class Call:
    """One request with its caller. `account` is None for anonymous; `api` is 2 or 3, the version asked for."""

    request: SiteRequest
    api: int
    account: Account | None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def caller(self) -> Account:
        """Return the account; raises a 401 for anonymous callers."""
        if self.account is None:
            raise Refusal(401, "You are not authenticated. Authentication required to perform this operation.")
        return self.account

    @property
    def zone(self) -> tzinfo:
        """Return the caller's time zone, in which Jira writes its times."""
        return timezone(timedelta(minutes=self.account.utc_offset_min if self.account else 0))

    def first(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.request.query if key == name), None)

    def flag(self, name: str) -> bool:
        """Return whether a boolean query parameter is true."""
        return (self.first(name) or "").lower() == "true"

    def words(self, name: str) -> list[str]:
        """Return all values of a query parameter, repeats and commas taken apart."""
        return [
            word.strip()
            for key, value in self.request.query
            if key == name
            for word in value.split(",")
            if word.strip()
        ]

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number of the query between 0 and `most`; raises a 400 when it is none."""
        text = self.first(name)
        if text is None or text == "":
            return default
        try:
            return max(0, min(int(text), most))
        except ValueError:
            raise bad_request(f"Invalid value for query parameter '{name}'.") from None

    def json(self) -> object:
        """Return the body as JSON; raises a 400 when it is none."""
        body = self.request.body
        try:
            data: object = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError):
            raise bad_request(_NOT_JSON) from None
        if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
            raise bad_request(_NOT_JSON)
        return data

    def json_object(self) -> JsonObject:
        """Return the body as a JSON object; raises a 400 when it is none."""
        data = self.json()
        if not isinstance(data, dict):
            raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
        return data
