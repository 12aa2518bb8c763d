"""HTTP as the vendor clients see it: one request, one answer, and errors that say whether the vendor may have acted.

Called by `shared.clients.jira` and `shared.clients.craft`. The real adapter is `AiohttpTransport`; the simulation has
one that calls the sandbox sites in the same process. A transport never retries and never follows a redirect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `url` is absolute without query; `query` keeps order and repeats; header names are lower case."""

    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request certainly had no effect: no connection could be made. Safe to repeat."""


class NotAllowed(NotSent):
    """The request was not sent, and will not be: the address is none that we may ask (`shared.clients.egress`)."""


class Unclear(Exception):
    """The request may or may not have had its effect: timeout, reset or a cut answer after sending began."""


class Transport(Protocol):
    """The port to a vendor's HTTP interface."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return the answer, whatever its status.

        Raises `NotSent` when nothing can have reached the vendor, `Unclear` when it may have.
        Returns or raises within `request.timeout_s` seconds plus scheduling.
        """
        ...
