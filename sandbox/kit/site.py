"""The shape of a stand-in: a synchronous function from request to answer over its own state, with time as a port.

A site does no I/O and never waits, so that the same code serves real HTTP (`sandbox.kit.server`) and the simulation,
which
calls `handle` in the same process on virtual time. Faults, delays and lost answers are put around it, never inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Now = Callable[[], datetime]
"""The site's own clock, aware UTC. May be coarse or step back when a test wants it."""


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """One request. `path` is decoded and starts with '/'; header names are lower case; `query` keeps order and
    repeats.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class SiteResponse:
    """One answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One webhook that a site wants delivered: a POST of `body` with `headers` to `url`.

    `identifier` is stable across retries of the same event. `retry_statuses` tells for which answers the vendor
    tries again
    (the deliverer retries connection failures and timeouts too when the set is not empty); `max_retries` how often.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    identifier: str
    retry_statuses: frozenset[int] = frozenset()
    max_retries: int = 0


class Site(Protocol):
    """A stand-in of one vendor."""

    def handle(self, request: SiteRequest) -> SiteResponse:
        """Do the request at once, completely or not at all, and return the answer. Never raises for bad input."""
        ...

    def drain_webhooks(self) -> list[WebhookDelivery]:
        """Return and forget the webhooks caused since the last call, oldest first."""
        ...

    def state(self) -> dict[str, object]:
        """Return all items with their values as JSON-able data, for checks."""
        ...
