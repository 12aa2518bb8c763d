"""What the writer's algorithm asks of a vendor, and the few other things it needs. Implemented by the two writers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.clients.errors import Rejected
from shared.clients.http import Guard
from shared.clients.reading import Reading
from shared.domain.ids import ConnectionId, EntityId, PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.store.port import Claim


@dataclass(frozen=True, slots=True)
class Written:
    """A write that certainly took effect: its vendor time, and the target afterwards (None: could not be read)."""

    write_at: datetime | None
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Created:
    """A create that certainly took effect: the new entity, and what it showed (None: was not shown whole)."""

    entity_id: EntityId
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look for a create of ours brought: `exact` may be it; `like` are ours too, in no link, and differ."""

    exact: tuple[EntityId, ...] = ()
    like: tuple[EntityId, ...] = ()


class Hands(Protocol):
    """One vendor as the writer's algorithm sees it. Every method raises `shared.clients.errors.VendorError`."""

    side: Side
    index_lag: timedelta
    """The longest time until the vendor's search or list shows what was created."""

    async def read(self, claim: Claim) -> Reading:
        """Read the target whole, with its newest changelog where there is one."""
        ...

    def reads_first(self, claim: Claim) -> bool:
        """Tell whether even a first attempt has to read the target.

        False where the answer to a write tells what it replaced (Jira's changelog).
        """
        ...

    def in_steps(self, claim: Claim) -> bool:
        """Tell whether a write takes several requests, of which some may land and others not."""
        ...

    def on_the_way(self, claim: Claim, reading: Reading) -> AbstractSet[PairId]:
        """Return the pairs that show a step of this very operation: neither what was expected nor what is wanted."""
        ...

    async def write(
        self, claim: Claim, values: Mapping[FieldPair, Json], before: Reading | None, guard: Guard
    ) -> Written:
        """Set these values on the target, nothing else. `guard` is called right before each request that changes it.

        `before` is the read before this write, None if there was none.
        """
        ...

    async def create(self, claim: Claim, guard: Guard) -> Created:
        """Create the target as the operation says, with the link id on it where the vendor can carry one."""
        ...

    async def look_up(self, claim: Claim, since: datetime, until: datetime) -> Found:
        """Look for what an earlier attempt of this create may have made. Changes nothing."""
        ...

    def marks_creates(self, claim: Claim) -> bool:
        """Tell whether what is created carries the link id, so that it can be told from all others."""
        ...

    def at_fault(self, claim: Claim, sent: Mapping[FieldPair, Json], error: Rejected) -> dict[PairId, str]:
        """Return the vendor's words by the pair at fault; empty if it named none of those that were sent."""
        ...

    def in_words(self, error: Rejected) -> str:
        """Return what the vendor says of a refusal as a whole, so that people can make something of it."""
        ...


class Pauser(Protocol):
    """Stops all writes of a connection whose credentials do not work (part of `shared.store.port.ConfigWriter`)."""

    async def set_connection_paused(self, connection_id: ConnectionId, reason: str | None) -> None:
        """Pause writes of a connection. Idempotent."""
        ...


class StoreHealth(Protocol):
    """Whether the store answers."""

    async def healthy(self) -> bool:
        """Tell within a second whether the database answers."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of PROTOCOL, "Writer, per command", in seconds. A lease outlives every request made under it."""

    lease_s: float = 90.0
    send_deadline_s: float = 20.0
    """After the claim; nothing is sent later than that."""
    http_timeout_s: float = 20.0
    look_up_every_s: float = 10.0
    """Between two looks for a create whose answer was lost."""
    answered_again_s: float = 2.0
    """Until the next attempt at a write that may have had its effect, but certainly is not under way any more."""
    clock_margin_s: float = 60.0
    """How far the vendor's clock and ours may differ where items are looked for by time."""

    def __post_init__(self) -> None:
        least = self.send_deadline_s + 2 * self.http_timeout_s
        if self.lease_s <= least:
            msg = f"the lease ({self.lease_s:g} s) must outlive the send deadline and two requests ({least:g} s)"
            raise ValueError(msg)

    @property
    def lease(self) -> timedelta:
        """Return the lease."""
        return timedelta(seconds=self.lease_s)

    @property
    def request_life(self) -> timedelta:
        """Return how long after its first moment a create may still reach the vendor."""
        return timedelta(seconds=self.send_deadline_s + self.http_timeout_s)
