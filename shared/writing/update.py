"""Writes and restores: read, compare, send what differs, report (PROTOCOL, "Writer, per command").

Called by `shared.writing.writer`. An unclear answer gives no outcome: the next attempt reads first. It begins when the
lease has run out, which outlives every request; or soon, where no request is under way any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.clients.errors import NotFound, Rejected, UnclearEffect, VendorError
from shared.clients.reading import Reading
from shared.domain.clock import Dice
from shared.domain.ids import PairId, Side
from shared.domain.link import Json, OperationKind, PairWrite, Result
from shared.domain.mapping import FieldPair
from shared.fields import read, same
from shared.messages.write import WriteOutcome
from shared.writing.attempt import Attempt, read_at
from shared.writing.compare import compare, pairs_of
from shared.writing.ports import Hands, Written
from shared.writing.retries import retrying

MOST_UNCLEAR: Final = 3
"""Attempts that a vendor may fail at with an answer before the values are set aside."""

_LOOK_AGAIN_S: Final = 1.0
"""How long to wait before a target that still shows an old value is read once more."""


async def update(attempt: Attempt, hands: Hands, dice: Dice) -> WriteOutcome | None:
    """Carry out a write or restore; None when it was answered well but nobody has seen the target since: the lease was
    given back, and the next attempt looks.

    Raises `VendorError`, `TooLate` or `LeaseLost`; the caller says what they mean.
    """
    if not attempt.claim.late_possible and attempt.superseded:
        return attempt.deferred("The mapping changed before it was sent.", 0.0)
    restores = attempt.operation.kind is OperationKind.RESTORE
    read_first = hands.reads_first(attempt.claim) or attempt.claim.late_possible or restores or attempt.superseded
    try:
        return await _tried(attempt, hands, dice, read_first=read_first)
    except UnclearEffect as error:
        if error.over:  # a lease that outlives every request protects nothing here, and holds the item's other fields
            await attempt.release(attempt.timing.answered_again_s)
        raise


async def _tried(attempt: Attempt, hands: Hands, dice: Dice, *, read_first: bool) -> WriteOutcome | None:
    async for trial in retrying(attempt, dice):
        with trial:
            # a second try reads whatever the first one did: "without effect" may have been a gateway's mistake
            again = trial.retry_state.attempt_number > 1
            try:
                return await _once(attempt, hands, read_first=read_first or again)
            except NotFound as error:
                words = f"{hands.side.vendor} says that the item does not exist or is not visible: {error}"
                return attempt.outcome(Result.MOVED, status=404, message=words)
    raise AssertionError  # tenacity returns or raises


async def _once(attempt: Attempt, hands: Hands, *, read_first: bool) -> WriteOutcome | None:
    claim = attempt.claim
    to_write = pairs_of(attempt.operation, claim.integration)
    if not to_write:
        words = "The fields are not mapped any more, so there is nothing to do."
        return attempt.outcome(Result.REJECTED, message=words)
    before = None
    untouched: tuple[PairId, ...] = ()
    unsure: tuple[PairId, ...] = ()
    if read_first:
        first = not claim.late_possible and not attempt.sent
        before = await hands.read(claim)
        comparison = compare(hands.side, to_write, before.snapshot, hands.on_the_way(claim, before))
        if comparison.moved or (comparison.to_write and attempt.superseded):
            untouched = tuple(attempt.operation.pairs) if first else ()
            return attempt.outcome(Result.MOVED, before, read_at=read_at(before), untouched=untouched)
        untouched, unsure = (comparison.already, ()) if first else ((), comparison.already)
        if not comparison.to_write:
            times = {"read_at": read_at(before), "write_at": before.updated}
            return attempt.outcome(Result.ALREADY, before, **times, untouched=untouched, unsure=unsure)
        to_write = dict(comparison.to_write)
    values = {pair: write.value for pair, write in to_write.items()}
    try:
        written = await hands.write(claim, values, before, attempt.guard)
    except Rejected as error:
        return await _refused(attempt, hands, values, error)
    except UnclearEffect as error:
        if error.status is None or attempt.operation.attempts < MOST_UNCLEAR:
            raise
        return await _set_apart(attempt, hands, values, before, error)
    reading = await _seen_to_hold(attempt, hands, to_write, written)
    if reading is None:
        await attempt.release(attempt.timing.look_up_every_s)
        return None
    return attempt.outcome(
        Result.APPLIED,
        reading,
        read_at=read_at(before) if before is not None else None,
        write_at=written.write_at,
        untouched=untouched,
        unsure=unsure,
    )


async def _set_apart(
    attempt: Attempt, hands: Hands, values: Mapping[FieldPair, Json], before: Reading | None, error: UnclearEffect
) -> WriteOutcome:
    """Return which values a vendor fails at each time, although the site is well: it shows the item, and still what
    was expected. With several, each is sent alone; those that it takes stand.

    Raises `UnclearEffect` if the item does not show that the failed requests were without effect, or one of them got no
    answer: then it may still have its effect, and only the time of a lease tells.
    """
    unanswered: UnclearEffect | None = None
    pairs = pairs_of(attempt.operation, attempt.claim.integration)
    failed: dict[FieldPair, str] = {pair: str(error) for pair in values}
    if len(values) > 1:
        for pair, value in values.items():
            try:
                await hands.write(attempt.claim, {pair: value}, before, attempt.guard)
            except (UnclearEffect, Rejected) as one:
                failed[pair] = str(one)
                unanswered = one if isinstance(one, UnclearEffect) and one.status is None else unanswered
            else:
                del failed[pair]
    if unanswered is not None:
        raise unanswered
    now = await hands.read(attempt.claim)
    comparison = compare(hands.side, pairs, now.snapshot, hands.on_the_way(attempt.claim, now))
    if comparison.moved:
        return attempt.outcome(Result.MOVED, now, read_at=read_at(now))
    still = {pair.id: words for pair, words in failed.items() if pair in comparison.to_write}
    if not still:
        raise error
    words = f"{error}, each time that it was tried, although {hands.side.vendor} answers otherwise"
    return attempt.outcome(Result.REJECTED, now, errors=still, message=words, status=error.status)


async def _seen_to_hold(
    attempt: Attempt, hands: Hands, writes: Mapping[FieldPair, PairWrite], written: Written
) -> Reading | None:
    """Return the target after a write that was answered well, None if it could not be read: an answer alone says what
    was asked for, not what happened.

    Where it still shows an old value, it is read once more by id: what answered may have been behind.
    """
    reading = written.reading
    if reading is None or not _unchanged(hands.side, writes, reading):
        return reading
    await attempt.clock.sleep(_LOOK_AGAIN_S)
    try:
        return await hands.read(attempt.claim)
    except VendorError:
        return None


def _unchanged(side: Side, writes: Mapping[FieldPair, PairWrite], reading: Reading) -> bool:
    """Tell whether any of the written fields shows what it showed before."""
    shown = {pair: read(side, pair, reading.snapshot) for pair in writes}
    return any(
        value is not None
        and same(pair.kind, value.value, writes[pair].expect)
        and not same(pair.kind, value.value, writes[pair].value)
        for pair, value in shown.items()
    )


async def _refused(attempt: Attempt, hands: Hands, values: Mapping[FieldPair, Json], error: Rejected) -> WriteOutcome:
    """Return what a refusal means. Where a write takes several requests, a person may have come between, or some of
    them may stand.
    """
    errors = hands.at_fault(attempt.claim, values, error)
    if not hands.in_steps(attempt.claim):
        return attempt.outcome(Result.REJECTED, errors=errors, message=hands.in_words(error), status=error.status)
    now = await hands.read(attempt.claim)
    to_write = pairs_of(attempt.operation, attempt.claim.integration)
    comparison = compare(hands.side, to_write, now.snapshot, hands.on_the_way(attempt.claim, now))
    if comparison.moved:
        return attempt.outcome(Result.MOVED, now, read_at=read_at(now))
    return attempt.outcome(Result.REJECTED, now, errors=errors, message=hands.in_words(error), status=error.status)
