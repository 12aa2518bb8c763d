"""What became of what people asked for: noted when it is taken, answered by whoever decides about it.

The console notes a request before it publishes it; the mapper answers in the transaction in which it carries it out or
refuses it (`shared.store.port.LinkTransaction.answer`). The first answer stays, so that a message that comes twice
changes nothing. Every method raises `StoreUnavailable` when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from shared.domain.ids import LinkId

KEPT_FOR: Final = timedelta(days=30)
"""How long a request can be asked about."""


class RequestState(StrEnum):
    """How far a request got."""

    ASKED = "asked"
    DONE = "done"
    """Carried out; what follows from it shows in the status of its link."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. `code`, `message` and `next_step` say why it was refused."""

    state: RequestState
    at: datetime
    link_id: LinkId | None = None
    code: str | None = None
    message: str | None = None
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, with its answer once there is one."""

    id: str
    kind: str
    by: str
    at: datetime
    link_id: LinkId | None = None
    """The link that it names, or that came of it."""
    answer: Answer | None = None


class RequestDesk(Protocol):
    """What the console asks of the store."""

    async def note_request(self, asked: Asked) -> None:
        """Note a request that is about to be published. Idempotent."""
        ...

    async def request(self, request_id: str) -> Asked | None:
        """Return a request of the last days."""
        ...

    async def requests_of(self, link_id: LinkId, limit: int) -> Sequence[Asked]:
        """Return the latest requests on a link, newest first."""
        ...
