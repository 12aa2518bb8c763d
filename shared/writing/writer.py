"""The writer: a command comes in, at most one attempt is made, an outcome goes out. One canonical log line per attempt.

Called by the entrypoints of both writers for each message. A command is a wake-up: what to do stands in the store.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import structlog

from shared.clients.errors import BadCredentials, NoEffect, NotFound, Rejected, UnclearEffect
from shared.clients.pool import ClientPool
from shared.domain.clock import Clock, Dice
from shared.domain.errors import Poison
from shared.domain.ids import ConnectionId, Side
from shared.domain.link import OperationKind, Result
from shared.domain.mapping import Connection
from shared.messages.base import Message
from shared.messages.trouble import Trouble
from shared.messages.write import WriteCommand, WriteOutcome
from shared.observability.catalogue.flow import SYNC_LAG_SECONDS, WRITE_RETRIES, WRITE_SECONDS, WRITES
from shared.observability.words import AttemptResult
from shared.runtime.error_words import told
from shared.runtime.log import LogUnavailable
from shared.runtime.publisher import Publisher
from shared.store.port import ClaimStore, StoreUnavailable
from shared.writing.attempt import Attempt, LeaseLost, TooLate
from shared.writing.creation import create
from shared.writing.lanes import LaneFull, Lanes
from shared.writing.ports import Hands, Pauser, Timing
from shared.writing.retries import wait_after
from shared.writing.update import update

MAX_WAITING: Final = 64
"""Commands of one connection that may wait for a place; see `Lanes`."""

MAX_HELD: Final = 2048
"""Commands that a writer has in hand at the same time; waiting ones cost a task each, nothing else."""
_RESERVE: Final = 128

_TOO_LATE_WAIT_S: Final = 5.0
_CREDENTIALS_WAIT_S: Final = 10.0
_PUBLISH_AGAIN_S: Final = 0.5
_DEFAULT_WIDTH: Final = 8
_NOT_MADE: Final = frozenset({Result.DEFERRED, Result.REJECTED})
_REPORTED_HOLD_S: Final = 3_600.0

log = structlog.get_logger(__name__)


class Writer:
    """Carries out operations on one vendor. Safe to be called concurrently, also twice for the same operation."""

    def __init__(
        self,
        hands: Hands,
        pool: ClientPool,
        claims: ClaimStore,
        pauser: Pauser,
        publisher: Publisher,
        clock: Clock,
        dice: Dice,
        *,
        timing: Timing,
        instance: str,
    ) -> None:
        self._hands = hands
        self._pool = pool
        self._claims = claims
        self._pauser = pauser
        self._publisher = publisher
        self._clock = clock
        self._dice = dice
        self._timing = timing
        self._instance = instance
        self._lanes = Lanes(MAX_WAITING, MAX_HELD, _RESERVE)

    @property
    def side(self) -> Side:
        """Return the side that it writes to."""
        return self._hands.side

    async def handle(self, message: Message) -> None:
        """Handle one command. Returns once it is reported, dropped, or left to a later attempt.

        Raises `Poison` for what is no command of this writer, `StoreUnavailable` and `LogUnavailable` as they come.
        """
        if not isinstance(message, WriteCommand) or message.target is not self._hands.side:
            raise Poison(f"{type(message).__name__} is not a write command for {self._hands.side.vendor}")
        connection = await self._connection(message)
        lane = connection.id if connection is not None else ConnectionId("")
        width = connection.max_concurrent if connection is not None else _DEFAULT_WIDTH
        try:
            async with self._lanes.enter(lane, width):
                await self._attempt(message)
        except LaneFull:
            _count(message, "turned_away")

    async def _connection(self, command: WriteCommand) -> Connection | None:
        integration = await self._pool.integration(command.integration_id)
        return await self._pool.connection(integration.connection(command.target)) if integration is not None else None

    async def _attempt(self, command: WriteCommand) -> None:
        owner = f"{self._instance}:{self._dice.token()}"
        claimed_at = self._clock.monotonic()
        claim = await self._claims.claim(command.op_id, owner, self._timing.lease)
        if claim is None:
            _count(command, "dropped")
            return
        attempt = Attempt(claim, owner, self._claims, self._clock, self._timing, claimed_at)
        creates = claim.operation.kind is OperationKind.CREATE
        attempt.perhaps_done = claim.operation.post_started_at is not None if creates else claim.late_possible
        result: AttemptResult = "failed"
        words: str | None = None
        status: int | None = None
        try:
            outcome, result, words = await self._carry_out(attempt)
            if outcome is not None:
                status = outcome.status
                await self._report(attempt, outcome)
                await self._hold(attempt, outcome)
            elif words is not None:
                await self._tell(attempt, words)
        except Exception:
            await self._give_back(attempt)
            raise
        finally:
            seconds = self._clock.monotonic() - claimed_at
            _count(command, result)
            if result in ("applied", "already") and claim.operation.accepted_at is not None:
                lag_s = (self._clock.now() - claim.operation.accepted_at).total_seconds()
                SYNC_LAG_SECONDS.observe(lag_s, integration=command.integration_id, direction=f"to_{command.target}")
            WRITE_SECONDS.observe(seconds, system=command.target, kind=command.kind)
            WRITE_RETRIES.inc(attempt.retries, system=command.target)
            log.info(
                "write attempt",
                op_id=command.op_id,
                link_id=command.link_id,
                target=command.target,
                kind=claim.operation.kind,
                entity_id=claim.entity_id,
                attempt=claim.operation.attempts,
                result=result,
                status=status,
                retries=attempt.retries,
                seconds=round(seconds, 3),
            )

    async def _carry_out(self, attempt: Attempt) -> tuple[WriteOutcome | None, AttemptResult, str | None]:
        """Do it, and turn every way in which it can end into an outcome or the reason why there is none."""
        claim = attempt.claim
        connection = await self._pool.connection(claim.connection_id)
        try:
            _check_paused(connection)
            outcome = await self._work(attempt)
        except LeaseLost:
            return None, "lost", None
        except UnclearEffect as error:
            return None, "unclear", str(error)
        except TooLate:
            return await self._put_off(attempt, "Too much time had passed before it could be sent.", _TOO_LATE_WAIT_S)
        except NoEffect as error:
            return await self._put_off(attempt, str(error), wait_after(error, self._dice))
        except BadCredentials as error:
            await self._pause(connection, str(error))
            return await self._put_off(attempt, str(error), _CREDENTIALS_WAIT_S, status=401)
        except (NotFound, Rejected) as error:
            if attempt.perhaps_done:
                return await self._put_off(attempt, str(error), self._timing.look_up_every_s)
            status = error.status if isinstance(error, Rejected) else 404
            outcome = attempt.outcome(Result.REJECTED, message=str(error), status=status)
        if outcome is None:
            return None, "waiting", self._why_it_waits(attempt)
        return outcome, outcome.result.value, outcome.message

    async def _work(self, attempt: Attempt) -> WriteOutcome | None:
        if attempt.operation.kind is OperationKind.CREATE:
            return await create(attempt, self._hands, self._dice)
        return await update(attempt, self._hands, self._dice)

    async def _put_off(
        self, attempt: Attempt, words: str, after_s: float, **facts: int
    ) -> tuple[WriteOutcome | None, AttemptResult, str]:
        """End the operation as deferred; or, where an earlier attempt may have had its effect, look again later.

        Only what was certainly never sent is decided anew: else the effect of the earlier attempt would be taken for a
        late one, undone, and then written again in front of people.
        """
        if attempt.perhaps_done:
            await attempt.release(after_s)
            return None, "waiting", words
        return attempt.deferred(words, after_s, **facts), "deferred", words

    async def _pause(self, used: Connection | None, reason: str) -> None:
        """Stop all writes of a connection, unless its credentials were replaced since they were used."""
        if used is None or used.paused_reason:
            return
        self._pool.forget()
        try:
            current = await self._pool.connection(used.id)
            if current is not None and current.revision == used.revision:
                await self._pauser.set_connection_paused(used.id, reason)
                self._pool.forget()
        except StoreUnavailable as error:
            log.warning("connection could not be paused", connection_id=used.id, error=told(error))

    async def _report(self, attempt: Attempt, outcome: WriteOutcome) -> None:
        """Publish the outcome, for as long as nobody else can have taken the operation over."""
        until = attempt.claimed_at + self._timing.lease_s
        while True:
            try:
                await self._publisher.publish(outcome)
            except LogUnavailable:
                if self._clock.monotonic() + _PUBLISH_AGAIN_S >= until:
                    raise
                await self._clock.sleep(_PUBLISH_AGAIN_S)
            else:
                return

    def _why_it_waits(self, attempt: Attempt) -> str:
        """Return why there is nothing to report yet."""
        vendor = self._hands.side.vendor
        if attempt.operation.kind is not OperationKind.CREATE:
            return f"{vendor} took the new values, but does not show the item yet."
        if attempt.operation.post_started_at is None:
            return f"Another item with the same values is being created in {vendor}; this one follows."
        return (
            f"{vendor} did not answer when the item was created. Tandem looks for it there before it tries again, so "
            "that there are never two."
        )

    async def _tell(self, attempt: Attempt, words: str) -> None:
        """Tell why an attempt did not end the operation. For people only: the next attempt tells again."""
        told = Trouble(
            link_id=attempt.claim.link_id,
            side=self._hands.side,
            op_id=attempt.operation.id,
            words=words,
            at=self._clock.now(),
        )
        with suppress(LogUnavailable):
            await self._publisher.publish(told)

    async def _hold(self, attempt: Attempt, outcome: WriteOutcome) -> None:
        """Keep later attempts off a create that was reported as not made, until the mapper has closed it.

        Were the mapper away longer than the lease, the next attempt might create after all; the mapper would then first
        read that this operation failed, and open another one.
        """
        if attempt.operation.kind is not OperationKind.CREATE or outcome.result not in _NOT_MADE:
            return
        try:
            await attempt.release(_REPORTED_HOLD_S)
        except StoreUnavailable as error:
            log.warning("reported create could not be held", op_id=attempt.operation.id, error=told(error))

    async def _give_back(self, attempt: Attempt) -> None:
        """After a failure of our own: let the next attempt begin at once, if this one has sent nothing."""
        if attempt.sent:
            return
        try:
            await self._claims.release(attempt.operation.id, attempt.owner)
        except StoreUnavailable as error:
            log.warning("lease could not be given back", op_id=attempt.operation.id, error=told(error))


def _count(command: WriteCommand, result: AttemptResult) -> None:
    WRITES.inc(system=command.target, kind=command.kind, result=result)


def _check_paused(connection: Connection | None) -> None:
    """Raise `BadCredentials` if the credentials are known not to work: asking again would only make it worse."""
    if connection is not None and connection.paused_reason:
        raise BadCredentials(connection.paused_reason)
