"""What both vendor clients do alike: pace, hold back after a 429, send, and tell every answer from every failure.

Used by `JiraClient` and `CraftClient`. One `VendorHttp` per connection. It never repeats a request: whoever calls
decides. All waiting is asyncio's, on the running loop's time, so that it also runs on a virtual clock.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from prometheus_client import Counter

from shared.clients.errors import (
    BadCredentials,
    NotFound,
    RateLimited,
    Rejected,
    Scope,
    Unavailable,
    UnclearEffect,
    Unreachable,
    VendorError,
)
from shared.clients.pace import Pace
from shared.clients.transport import HttpRequest, HttpResponse, NotSent, Transport, Unclear
from shared.domain.clock import Clock, Dice
from shared.domain.credentials import CONTROL_WORDS, fits_header
from shared.domain.mapping import Connection

Guard = Callable[[], Awaitable[None]]
"""Called right before a request leaves, after all waiting: raise, and it is not sent."""

DEFAULT_TIMEOUT_S: Final = 20.0
_MAX_WORDS: Final = 500
_DEFAULT_RETRY_AFTER_S: Final = 2.0
_LEAST_CREDENTIAL: Final = 8
"""Characters; what is shorter stands in any text by chance."""

REQUESTS: Final = Counter(
    "tandem_vendor_requests_total", "Requests to a vendor by what came of them.", ["vendor", "method", "outcome"]
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what to send, and what a rate limit on it may hold back (`endpoint`: a kind of call, `item`: an id)."""

    method: str
    path: str
    endpoint: str
    query: Sequence[tuple[str, str]] = ()
    body: object | None = None
    item: str | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S

    @property
    def reads(self) -> bool:
        """Tell whether the call changes nothing at the vendor, so that every failure is harmless."""
        return self.method == "GET" or self.endpoint == "search"


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer. `json` is None where there was no body."""

    status: int
    json: Any
    headers: Mapping[str, str]
    server_date: datetime | None


@dataclass(frozen=True, slots=True)
class Words:
    """What a vendor said in an error body."""

    message: str
    fields: Mapping[str, str]


class Dialect(ABC):
    """What differs between the vendors: how errors read and what a 429 is about. Override what differs."""

    vendor: str = "vendor"

    @abstractmethod
    def credentials(self, response: HttpResponse) -> VendorError | None:
        """Return the error if the answer, whatever its status, says that our credentials were refused."""

    @abstractmethod
    def words(self, response: HttpResponse) -> Words:
        """Return what an error answer says, by the vendor's field names where it names some."""

    def limit_scope(self, response: HttpResponse) -> Scope:
        """Return what a 429 holds back."""
        del response
        return "connection"


class VendorHttp:
    """The way to one connection: at most `max_concurrent` requests at once and `requests_per_second` of them.

    Safe for concurrent use within one event loop.
    """

    def __init__(
        self,
        connection: Connection,
        auth: Mapping[str, str],
        dialect: Dialect,
        transport: Transport,
        clock: Clock,
        dice: Dice,
    ) -> None:
        self.base = connection.url.strip().rstrip("/")
        self._headers = {"accept": "application/json", "user-agent": "tandem-sync", **auth}
        held = (value.rpartition(" ")[2] for value in auth.values())
        self._credentials = [credential for credential in held if len(credential) >= _LEAST_CREDENTIAL]
        self._dialect = dialect
        self._transport = transport
        self._clock = clock
        self._dice = dice
        self._pace = Pace(connection.requests_per_second, clock)
        self._places = asyncio.Semaphore(connection.max_concurrent)
        self._held: dict[tuple[Scope, str], float] = {}

    async def send(self, call: Call, guard: Guard | None = None) -> Answer:
        """Send one call and return its 2xx answer. Raises `VendorError`, or whatever `guard` raises.

        A call that an earlier 429 still holds back is not sent: `RateLimited` with the rest of the wait.
        """
        outcome = "cancelled"
        try:
            if not all(fits_header(value) for value in self._headers.values()):
                raise BadCredentials(f"The {self._dialect.vendor} token of this connection {CONTROL_WORDS}.")
            async with self._places:
                self._check_holds(call)
                await self._pace.wait()
                self._check_holds(call)
                if guard is not None:
                    await guard()
                answer = self._accept(call, await self._exchange(call))
            outcome = "ok"
        except VendorError as error:
            outcome = type(error).__name__
            raise
        else:
            return answer
        finally:
            REQUESTS.labels(self._dialect.vendor, call.method, outcome).inc()

    async def _exchange(self, call: Call) -> HttpResponse:
        headers = dict(self._headers)
        body = b""
        if call.body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
        request = HttpRequest(
            method=call.method,
            url=self.base + call.path,
            query=tuple(call.query),
            headers=headers,
            body=body,
            timeout_s=call.timeout_s,
        )
        try:
            return await self._transport.send(request)
        except NotSent as error:
            raise Unreachable(f"{self._dialect.vendor} cannot be reached: {error}") from error
        except Unclear as error:
            words = f"{self._dialect.vendor} did not answer: {error}"
            raise Unavailable(words) if call.reads else UnclearEffect(words) from error

    def _accept(self, call: Call, response: HttpResponse) -> Answer:
        """Return a good answer; raise what any other one means."""
        refused = self._dialect.credentials(response)
        if refused is not None:
            raise refused
        status = response.status
        if status == 429:
            raise self._hold(call, response)
        if 200 <= status < 300:
            return Answer(status, self._parse(call, response), response.headers, server_date(response.headers))
        said = self._said(response)
        if status >= 500 or status in (408, 409, 425):
            raise self._failed(call, response, said.message)
        if status == 404:
            raise NotFound(said.message)
        if 300 <= status < 400:
            target = response.headers.get("location", "another address")
            raise Rejected(status, f"the address redirects to {target}; check the URL of the connection")
        raise Rejected(status, said.message, said.fields)

    def _said(self, response: HttpResponse) -> Words:
        """Return the vendor's words, without our credentials: a proxy in debug mode repeats the headers it got."""
        said = self._dialect.words(response)

        def scrubbed(text: str) -> str:
            for credential in self._credentials:
                text = text.replace(credential, "[credentials]")
            return text

        return Words(scrubbed(said.message), {name: scrubbed(text) for name, text in said.fields.items()})

    def _parse(self, call: Call, response: HttpResponse) -> Any:
        if not response.body.strip():
            return None
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError) as error:
            words = f"{self._dialect.vendor} answered {response.status} with something that is not JSON"
            raise Unavailable(words) if call.reads else UnclearEffect(words) from error

    def _failed(self, call: Call, response: HttpResponse, message: str) -> VendorError:
        """Tell a failure that certainly had no effect from one that may have had it."""
        words = f"{self._dialect.vendor} answered {response.status}: {message}"
        wait_s = retry_after(response.headers, self._clock.now())
        refused = response.status in (409, 425) or (
            # Data Center puts Retry-After: 0 on every answer where requests are limited: that promises nothing
            response.status == 503 and (call.method == "PUT" or bool(wait_s))
        )
        if call.reads or refused:
            return Unavailable(words, retry_after_s=wait_s)
        # 503 without Retry-After may come from a gateway that had passed the request on: no reason to repeat a create
        return UnclearEffect(words)

    def _hold(self, call: Call, response: HttpResponse) -> RateLimited:
        scope = self._dialect.limit_scope(response)
        if scope == "issue" and (call.reads or call.item is None):
            scope = "endpoint"
        wait_s = retry_after(response.headers, self._clock.now()) or _DEFAULT_RETRY_AFTER_S
        until = self._clock.monotonic() + wait_s * self._dice.uniform(1.0, 1.1)
        key = self._hold_key(scope, call)
        self._held[key] = max(until, self._held.get(key, until))
        return RateLimited(
            f"{self._dialect.vendor} limits the rate of requests ({self._said(response).message})",
            retry_after_s=wait_s,
            scope=scope,
        )

    def _check_holds(self, call: Call) -> None:
        if not self._held:
            return
        now = self._clock.monotonic()
        self._held = {key: until for key, until in self._held.items() if until > now}
        scopes: tuple[Scope, ...] = ("connection", "endpoint", "issue")
        for scope in scopes:
            until = self._held.get(self._hold_key(scope, call))
            if until is not None:
                words = f"{self._dialect.vendor} asked to wait with this ({scope})"
                raise RateLimited(words, retry_after_s=until - now, scope=scope)

    def _hold_key(self, scope: Scope, call: Call) -> tuple[Scope, str]:
        match scope:
            case "connection":
                return scope, ""
            case "endpoint":
                return scope, f"{call.method} {call.endpoint}"
            case "issue":
                # limits on one item are limits on its writes
                return scope, "" if call.reads else call.item or ""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for (a number or an HTTP date), None without a readable one."""
    raw = headers.get("retry-after", "").strip()
    if not raw:
        return None
    try:
        return max(0.0, float(raw))
    except ValueError:
        pass
    moment = _http_date(raw)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """Return the vendor's own clock from the `Date` header, in UTC and whole seconds."""
    return _http_date(headers.get("date", ""))


def _http_date(raw: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(raw)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def json_object(response: HttpResponse) -> dict[str, Any] | None:
    """Return the body as a JSON object, None if it is anything else (HTML, a list, nothing)."""
    try:
        parsed = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def short(text: str) -> str:
    """Return words of a vendor cut to a length that fits a status."""
    text = " ".join(text.split())
    return text if len(text) <= _MAX_WORDS else text[: _MAX_WORDS - 1] + "…"
