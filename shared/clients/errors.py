"""What can go wrong between us and a vendor, sorted by the question that decides what to do: did it take effect?

    VendorError
    ├── NoEffect             certainly without effect, and it will pass: safe to repeat (a `Transient` for handlers)
    │   ├── Unreachable          no connection could be made
    │   │   └── AddressRefused       nor will be, as long as the operator's settings do not allow the address
    │   ├── RateLimited          429; `retry_after_s`, `scope` (connection, endpoint or issue)
    │   └── Unavailable          503 or 409 before anything was done; for reads every failure that may pass
    ├── UnclearEffect        the request may have taken effect, now or still later: timeout, reset, 5xx, odd answer
    ├── Rejected             refused for good: `status`, the vendor's `message`, `field_errors` by its own field names
    ├── NotFound             404: absent, or not visible to our account
    └── BadCredentials       the credentials are refused; `denied` when trying again makes it worse (captcha lock)
        └── CredentialsLocked    ours do not open, so that nothing was sent

Raised by `JiraClient` and `CraftClient` only, from every call. A read never raises `UnclearEffect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shared.domain.errors import Transient

Scope = Literal["connection", "endpoint", "issue"]
"""What a rate limit holds back: everything, one kind of call, or calls on one item."""


class VendorError(Exception):
    """Base of all of them."""


class NoEffect(VendorError, Transient):
    """Nothing happened at the vendor. `retry_after_s` is the wait that the vendor asked for, if it did."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        Transient.__init__(self, reason, retry_after_s=retry_after_s)


class Unreachable(NoEffect):
    """No connection could be made."""


class AddressRefused(Unreachable):
    """Nothing was sent: the address is none that we may ask."""


class RateLimited(NoEffect):
    """The vendor asks us to slow down, or an earlier such answer still holds and the request was not sent."""

    def __init__(self, reason: str, *, retry_after_s: float, scope: Scope) -> None:
        super().__init__(reason, retry_after_s=retry_after_s)
        self.scope: Scope = scope


class Unavailable(NoEffect):
    """The vendor could not do it just now and did not begin."""


class UnclearEffect(VendorError):
    """Nobody knows whether the write took effect or still will. Never repeat it blindly: read first (PROTOCOL F12).

    `status` is that of the answer, None if there was none. `over`: nothing is under way any more, so that what a read
    shows from now on is all that comes of it. A gateway's 502 or 504 does not say that: what is behind it may go on.
    """

    def __init__(self, reason: str, status: int | None = None, *, over: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.over = over


class Rejected(VendorError):
    """The vendor will not do this, however often it is asked. `field_errors` is empty when it named no field."""

    def __init__(self, status: int, message: str, field_errors: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.field_errors = dict(field_errors or {})


class NotFound(VendorError):
    """404. No proof of a deletion: what we may not see answers the same."""


class BadCredentials(VendorError):
    """The credentials do not work. `denied`: the account is locked, every further try prolongs it."""

    def __init__(self, message: str, *, denied: bool = False) -> None:
        super().__init__(message)
        self.denied = denied


class CredentialsLocked(BadCredentials):
    """The stored credentials do not open for this connection as it is now; nothing was sent."""
