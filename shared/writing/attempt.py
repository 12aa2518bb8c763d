"""One attempt at one operation: its claim, its deadline, the outcome that it may end with. Used by all operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.clients.reading import Reading
from shared.domain.clock import Clock
from shared.domain.link import Operation, OperationKind, Result
from shared.messages.write import WriteOutcome
from shared.store.port import Claim, ClaimStore
from shared.writing.ports import Timing

CHANGELOG_TAIL: Final = 100
"""Newest changelog entries that an outcome carries."""


class TooLate(Exception):
    """The send deadline is over: nothing was sent."""


class LeaseLost(Exception):
    """Another attempt owns the operation now: nothing was sent, and nothing may be said about it."""


@dataclass(slots=True)
class Attempt:
    """What one handler knows about its try. `sent` turns true right before a request leaves that changes something."""

    claim: Claim
    owner: str
    claims: ClaimStore
    clock: Clock
    timing: Timing
    claimed_at: float
    """Monotonic, before the claim was asked for."""
    sent: bool = False
    retries: int = 0
    perhaps_done: bool = False
    """An earlier attempt may have had its effect, so only what the vendor shows, or nothing, may end the operation."""

    @property
    def operation(self) -> Operation:
        """Return the operation."""
        return self.claim.operation

    @property
    def superseded(self) -> bool:
        """Tell whether an older revision of the mapping decided it: its values are not sent any more (PROTOCOL F16)."""
        stale = self.operation.revision < self.claim.integration.revision
        return stale and self.operation.kind is not OperationKind.RESTORE

    @property
    def deadline(self) -> float:
        """Return the monotonic second after which nothing may be sent."""
        return self.claimed_at + self.timing.send_deadline_s

    async def guard(self) -> None:
        """Allow one request to leave, or raise `TooLate` or `LeaseLost` (PROTOCOL, writer step 3)."""
        self._in_time()
        if not await self.claims.still_owner(self.operation.id, self.owner):
            raise LeaseLost
        self._in_time()
        self.sent = True

    def _in_time(self) -> None:
        if self.clock.monotonic() > self.deadline:
            raise TooLate

    async def release(self, after_s: float) -> None:
        """Give the lease back so that the next attempt can begin after that time."""
        await self.claims.release(self.operation.id, self.owner, timedelta(seconds=after_s))

    def outcome(self, result: Result, reading: Reading | None = None, **facts: Any) -> WriteOutcome:
        """Return the outcome of this attempt; `reading` is the target after (or instead of) the write."""
        if reading is not None:
            facts.setdefault("snapshot", reading.snapshot)
            facts.setdefault("updated", reading.updated)
            facts.setdefault("changelog", reading.changelog[-CHANGELOG_TAIL:])
        return WriteOutcome(
            op_id=self.operation.id,
            link_id=self.claim.link_id,
            target=self.operation.target,
            attempt=self.operation.attempts,
            result=result,
            ended_at=self.clock.now(),
            ticket=self.claim.ticket,
            **facts,
        )

    def deferred(self, words: str, after_s: float, **facts: Any) -> WriteOutcome:
        """Return the outcome of an operation that certainly had no effect: it is decided anew after that time."""
        not_before = self.clock.now() + timedelta(seconds=after_s)
        return self.outcome(Result.DEFERRED, message=words, not_before=not_before, **facts)


def read_at(reading: Reading) -> datetime | None:
    """Return the vendor time at which a reading held: the answer's `Date` (whole seconds), or its own if later."""
    known = [moment for moment in (reading.server_date, reading.updated) if moment is not None]
    return max(known, default=None)
