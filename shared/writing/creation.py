"""Creates: once at most, although answers get lost and searches lag (PROTOCOL, "Create", F8).

Called by `shared.writing.writer`. A POST is only sent after `post_started_at` is committed; once it is, only looks
follow until the entity is found or the longest time is over in which it could still appear.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from shared.clients.errors import NotFound, Rejected, UnclearEffect
from shared.domain.clock import Dice
from shared.domain.link import Result
from shared.messages.write import WriteOutcome
from shared.store.port import StoreUnavailable
from shared.writing.attempt import Attempt, LeaseLost
from shared.writing.compare import pairs_of
from shared.writing.ports import Created, Found, Hands
from shared.writing.retries import retrying


async def create(attempt: Attempt, hands: Hands, dice: Dice) -> WriteOutcome | None:
    """Carry out a create; None when there is nothing to report yet and the lease was given back until the next look.

    Raises `VendorError`, `TooLate` or `LeaseLost`. `attempt.perhaps_done` then tells whether an earlier POST may
    have had its effect, so that nothing may be reported.
    """
    op = attempt.operation
    if op.result_id is not None:
        return attempt.outcome(Result.APPLIED, entity_id=op.result_id)
    if op.post_started_at is not None:
        return await _after_lost_answer(attempt, hands, dice, op.post_started_at)
    if attempt.superseded:
        return attempt.deferred("The mapping changed before it was sent.", 0.0)
    if not hands.marks_creates(attempt.claim) and await attempt.claims.open_twins(op.id):
        # without a key two equal creates could not be told apart afterwards: one after the other
        await attempt.release(attempt.timing.look_up_every_s)
        return None
    return await _post(attempt, hands, dice)


async def _after_lost_answer(
    attempt: Attempt, hands: Hands, dice: Dice, post_started_at: datetime
) -> WriteOutcome | None:
    """Look for what an earlier POST made; POST anew only when it can no longer appear."""
    timing, now = attempt.timing, attempt.clock.now()
    margin = timedelta(seconds=timing.clock_margin_s)
    since, until = post_started_at - margin, post_started_at + timing.request_life + margin
    found = await _unlinked(attempt, hands, await hands.look_up(attempt.claim, since, until))
    if len(found.exact) == 1:
        return attempt.outcome(Result.ALREADY, entity_id=found.exact[0])
    if found.exact:
        return _ambiguous(attempt, found.exact)
    if now <= post_started_at + timing.request_life + hands.index_lag:
        await attempt.release(timing.look_up_every_s)
        return None
    if found.like:
        return _ambiguous(attempt, found.like)
    return await _post(attempt, hands, dice)


async def _unlinked(attempt: Attempt, hands: Hands, found: Found) -> Found:
    """Leave out what is in a link already; an entity that carries our key needs no such check."""
    claim = attempt.claim
    if hands.marks_creates(claim):
        return found
    free: dict[str, None] = {}
    for entity_id in (*found.exact, *found.like):
        if await attempt.claims.entity_linked(hands.side, claim.connection_id, entity_id) is None:
            free[entity_id] = None
    return Found(tuple(e for e in found.exact if e in free), tuple(e for e in found.like if e in free))


def _ambiguous(attempt: Attempt, ids: tuple[str, ...]) -> WriteOutcome:
    vendor = attempt.operation.target.vendor
    words = (
        f"{vendor} did not answer when the item was created, and now shows {len(ids)} items of ours that may be it. "
        "Link the right one, or have a new one created."
    )
    return attempt.outcome(Result.MOVED, ambiguous=ids, message=words)


async def _post(attempt: Attempt, hands: Hands, dice: Dice) -> WriteOutcome | None:
    claim = attempt.claim
    attempt.perhaps_done = False
    if not await attempt.claims.start_post(attempt.operation.id, attempt.owner, attempt.clock.now()):
        raise LeaseLost
    try:
        created = await _send(attempt, hands, dice)
    except UnclearEffect:
        # no outcome (PROTOCOL F12); looking early changes nothing, posting anew waits for its time in any case
        await attempt.release(attempt.timing.look_up_every_s)
        raise
    except NotFound as error:
        words = f"{hands.side.vendor} cannot find what the new item belongs to: {error}"
        return attempt.outcome(Result.REJECTED, message=words, status=404)
    except Rejected as error:
        values = {pair: write.value for pair, write in pairs_of(attempt.operation, claim.integration).items()}
        return attempt.outcome(
            Result.REJECTED,
            errors=hands.at_fault(claim, values, error),
            message=hands.in_words(error),
            status=error.status,
        )
    # should the store be away just now, the outcome carries the id as well
    with suppress(StoreUnavailable):
        await attempt.claims.store_result(attempt.operation.id, created.entity_id)
    write_at = created.reading.updated if created.reading is not None else None
    return attempt.outcome(Result.APPLIED, created.reading, entity_id=created.entity_id, write_at=write_at)


async def _send(attempt: Attempt, hands: Hands, dice: Dice) -> Created:
    async for trial in retrying(attempt, dice):
        with trial:
            return await hands.create(attempt.claim, attempt.guard)
    raise AssertionError  # tenacity returns or raises
