"""What saving a file needs of the world: the configuration that is live, and the places of secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.as_code.findings import Severity
from shared.as_code.plan import Change, Live
from shared.as_code.workspace import SecretReference
from shared.domain.differences import Difference
from shared.domain.mapping import Integration


class Unreachable(Exception):
    """The console does not answer, or not as a console does. The message says what was tried."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that the console finds wrong. `path` in the terms of its API, such as `pairs[3].values`."""

    path: str
    message: str
    fix: str | None = None
    severity: Severity = "error"
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the console says of what it saved."""

    revision: int
    faults: Sequence[Fault] = ()
    """Nothing that kept it from being saved."""


class Refused(Exception):
    """The console does not take what was sent."""

    def __init__(
        self,
        status: int,
        message: str,
        next_step: str | None,
        faults: Sequence[Fault] = (),
        meanwhile: Sequence[Difference] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.next_step = status, message, next_step
        self.faults = tuple(faults)
        self.meanwhile = tuple(meanwhile)
        """What somebody else changed since it was compared."""


@dataclass(frozen=True, slots=True)
class Saving:
    """How integrations are saved: also while a vendor cannot be asked; existing items decided again now or later."""

    unchecked: bool = False
    evaluate: str = "now"


AT_ONCE: Final = Saving()


class Console(Protocol):
    """The console's API. Every method raises `Unreachable` and `Refused`."""

    async def live(self) -> Live:
        """Return all connections and integrations."""
        ...

    async def save(self, change: Change, secrets: Mapping[str, Any], how: Saving) -> Stored:
        """Save, unless somebody saved since the revision it was compared with."""
        ...

    async def check(self, draft: Integration) -> Sequence[Fault] | None:
        """Return what the console finds in a draft, without saving it. None: this console cannot check."""
        ...


class SecretUnreadable(Exception):
    """A secret is not where its reference says. The message never holds a secret."""


class Secrets(Protocol):
    """Where secrets are looked up."""

    def read(self, reference: SecretReference) -> str:
        """Return a secret. Raises `SecretUnreadable`."""
        ...
