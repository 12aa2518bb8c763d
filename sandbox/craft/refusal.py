"""How the stand-in of Craft.io says no: one exception that carries the vendor's error answer, and what raises it.

Raised by the modules of `sandbox.craft`, turned into an answer by `sandbox.craft.site`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sandbox.craft.checks import Problems
from sandbox.kit.router import JsonBodyError, json_response, read_json
from sandbox.kit.site import SiteRequest, SiteResponse

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Refusal(Exception):
    """Ends a request with one of the vendor's error answers: `{message}`, on PUT with 400 also `details`."""

    def __init__(
        self, status: int, message: str, problems: Problems | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(message)
        self._status = status
        self._problems = problems or {}
        self._headers = headers

    def answer(self, method: str) -> SiteResponse:
        """Return the answer to a request of this method."""
        body: dict[str, object] = {"message": str(self)}
        if method == "PUT" and self._status == 400:
            body["details"] = self._problems
        return json_response(self._status, body, self._headers)


def refuse(problems: Problems) -> None:
    """Refuse a body that has problems: the message names each, as POST has no `details`. Raises `Refusal`."""
    if problems:
        words = (f"{path.removeprefix('requestBody.')}: {each['message']}" for path, each in problems.items())
        raise Refusal(400, f"Validation Failed: {'; '.join(words)}", problems)


def body_of(request: SiteRequest) -> dict[str, object]:
    """Return the JSON object in the body. Raises `Refusal`."""
    try:
        body = read_json(request)
    except JsonBodyError as error:
        raise Refusal(400, str(error)) from error
    if not isinstance(body, dict):
        raise Refusal(400, "Validation Failed: invalid object", {"requestBody": {"message": "invalid object"}})
    return body
