"""What both vendor clients do alike: pace, hold back, send, and tell every answer from every failure.

Used by `JiraClient` and `CraftClient`. One `VendorHttp` per connection. It never repeats a request: whoever calls
decides. All waiting is asyncio's, on the running loop's time, so that it also runs on a virtual clock.
"""

from __future__ import annotations

import asyncio
import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.clients.doubt import Probe, from_elsewhere, words_of
from shared.clients.errors import (
    AddressRefused,
    BadCredentials,
    NoEffect,
    NotFound,
    RateLimited,
    Rejected,
    Scope,
    Unavailable,
    UnclearEffect,
    Unreachable,
    VendorError,
)
from shared.clients.headers import retry_after, server_date
from shared.clients.holds import Holds, asked_for, within_reason
from shared.clients.meter import Meter
from shared.clients.pace import Pace
from shared.clients.transport import HttpRequest, HttpResponse, NotAllowed, NotSent, Transport, Unclear
from shared.domain.clock import Clock, Dice
from shared.domain.credentials import CONTROL_WORDS, fits_header
from shared.domain.mapping import Connection
from shared.observability.words import Access

Guard = Callable[[], Awaitable[None]]
"""Called right before a request leaves, after all waiting: raise, and it is not sent."""

DEFAULT_TIMEOUT_S: Final = 20.0
_LEAST_CREDENTIAL: Final = 8
"""Characters; what is shorter stands in any text by chance."""


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

    @property
    def access(self) -> Access:
        """Return the same as a word."""
        return "read" if self.reads else "write"


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

    @property
    @abstractmethod
    def who_are_we(self) -> Call:
        """Return the call that tells whom the credentials belong to, and nothing of any item."""

    @abstractmethod
    def credentials(self, response: HttpResponse) -> BadCredentials | None:
        """Return the error if the answer, whatever its status, says that our credentials were refused."""

    def certain(self, response: HttpResponse) -> bool:
        """Tell whether such an answer is about the credentials for certain, and not about what was asked for."""
        del response
        return False

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
        held = [form for value in auth.values() for form in _forms(value.rpartition(" ")[2])]
        self._credentials = [credential for credential in held if len(credential) >= _LEAST_CREDENTIAL]
        self._dialect = dialect
        self._transport = transport
        self._clock = clock
        self._dice = dice
        self._pace = Pace(connection.requests_per_second, clock)
        self._places = asyncio.Semaphore(connection.max_concurrent)
        self._holds = Holds(dialect.vendor, clock, dice)
        self._meter = Meter(connection, clock)
        self._probe = Probe(self._ask_who_we_are)

    async def send(self, call: Call, guard: Guard | None = None) -> Answer:
        """Send one call and return its 2xx answer. Raises `VendorError`, or whatever `guard` raises.

        A call that an earlier 429 or trouble at the site holds back is not sent: `RateLimited` or `Unavailable` with
        the rest of the wait.
        """
        outcome = "cancelled"
        try:
            if not all(fits_header(value) for value in self._headers.values()):
                raise BadCredentials(f"The {self._dialect.vendor} token of this connection {CONTROL_WORDS}.")
            async with self._places:
                self._check_holds(call)
                self._meter.paced(await self._pace.wait())
                self._check_holds(call)
                if guard is not None:
                    await guard()
                answer = await self._settle(call, await self._exchange(call))
            outcome = "ok"
        except VendorError as error:
            outcome = type(error).__name__
            raise
        else:
            return answer
        finally:
            self._meter.ended(call.endpoint, call.access, outcome)

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
        began = self._clock.monotonic()
        try:
            response = await self._transport.send(request)
        except NotAllowed as error:
            raise AddressRefused(f"{self._dialect.vendor} is not asked: {error}") from error
        except NotSent as error:
            raise Unreachable(f"{self._dialect.vendor} cannot be reached: {error}") from error
        except Unclear as error:
            words = f"{self._dialect.vendor} did not answer: {error}"
            raise Unavailable(words) if call.reads else UnclearEffect(words) from error
        self._meter.took(call.endpoint, call.access, self._clock.monotonic() - began)
        self._meter.told(response.headers)
        return response

    async def _settle(self, call: Call, response: HttpResponse) -> Answer:
        """Return a good answer; raise what any other one means, asking who we are where that is not plain."""
        refused = self._dialect.credentials(response)
        if refused is not None and self._dialect.certain(response):
            raise refused
        if refused is None and not from_elsewhere(response):
            if response.status < 500:
                self._holds.well()
            return self._accept(call, response)
        if call.endpoint == self._dialect.who_are_we.endpoint:
            raise refused or Unavailable(words_of(self._dialect.vendor, response))
        raise await self._blamed(response)

    async def _blamed(self, response: HttpResponse) -> VendorError:
        """Return what a doubtful answer means, now that we know whether the site is well and knows us."""
        vendor = self._dialect.vendor
        ours = self._dialect.credentials(response) is not None
        words = f"{vendor} answered {response.status}" if ours else words_of(vendor, response)
        trouble = await self._probe.trouble()
        if trouble is None:
            said = f" ({self._said(response).message})" if ours else ""
            return Rejected(response.status, f"{words}{said} to this request alone; others are answered")
        if isinstance(trouble, BadCredentials):
            return trouble
        held = self._holds.trouble(words)
        self._meter.held(held)
        return held

    async def _ask_who_we_are(self) -> None:
        call = self._dialect.who_are_we
        await self._settle(call, await self._exchange(call))

    def _accept(self, call: Call, response: HttpResponse) -> Answer:
        """Return a good answer of the vendor's own; raise what any other one means."""
        status = response.status
        if status == 429:
            raise self._limited(call, response)
        if 200 <= status < 300:
            return Answer(status, self._parse(call, response), response.headers, server_date(response.headers))
        said = self._said(response)
        if status >= 500 or status in (408, 409, 425):
            raise self._failed(call, response, said.message)
        if status == 404:
            raise NotFound(said.message)
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
        asked_s = retry_after(response.headers, self._clock.now())
        words = f"{self._dialect.vendor} answered {response.status}: {message}{asked_for(asked_s)}"
        wait_s = within_reason(asked_s)
        refused = response.status in (409, 425) or (
            # Data Center puts Retry-After: 0 on every answer where requests are limited: that promises nothing
            response.status == 503 and (call.method == "PUT" or bool(wait_s))
        )
        if call.reads or refused:
            return Unavailable(words, retry_after_s=wait_s)
        # 503 without Retry-After may come from a gateway that had passed the request on: no reason to repeat a create
        return UnclearEffect(words, response.status, over=response.status == 500)

    def _limited(self, call: Call, response: HttpResponse) -> RateLimited:
        scope = self._dialect.limit_scope(response)
        if scope == "issue" and (call.reads or call.item is None):
            scope = "endpoint"
        asked_s = retry_after(response.headers, self._clock.now())
        held = self._holds.limit(scope, *_held_as(call), asked_s, self._said(response).message)
        self._meter.held(held)
        return held

    def _check_holds(self, call: Call) -> None:
        """Raise what holds a call back; who we are may always be asked: by that the end of a trouble is noticed."""
        if call.endpoint != self._dialect.who_are_we.endpoint:
            try:
                self._holds.check(*_held_as(call))
            except NoEffect as error:
                self._meter.put_off(error)
                raise


def _held_as(call: Call) -> tuple[str, str | None]:
    return f"{call.method} {call.endpoint}", None if call.reads else call.item


def _forms(credential: str) -> Iterator[str]:
    """Yield a credential as it is sent, and the password in it where that is how Basic writes user and password."""
    yield credential
    try:
        yield base64.b64decode(credential, validate=True).decode().partition(":")[2]
    except (ValueError, UnicodeDecodeError):
        return
