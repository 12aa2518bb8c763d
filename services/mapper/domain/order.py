"""The order rule of PROTOCOL: what an observation changes in `seen`, and what a write of ours turns out to have
overwritten.

Called for every change event and for the snapshot of every outcome. Changes the link in place; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.mapper.domain.changelog import after, walk
from services.mapper.domain.context import Context, is_base, is_ours, is_users, ledger, was_expected
from services.mapper.domain.observation import Actor, Observation, actor_of, item_of, may_hide_parent
from services.mapper.domain.record import open_conflict, overwrite, remember
from shared.domain.ids import Side
from shared.domain.link import (
    BY_USER,
    Candidate,
    Held,
    Json,
    Link,
    Operation,
    OperationKind,
    Overwritten,
    PairSide,
    Result,
)
from shared.domain.mapping import FieldPair, Policy
from shared.fields import same

LATE_WINDOW = timedelta(minutes=15)
"""For how long a value of a repeated Craft write counts as its late effect (PROTOCOL W3)."""

_REMEMBERED = 12


@dataclass(slots=True)
class Observed:
    """What an observation did: the pairs that it moved, and what they showed before."""

    fresh: bool
    accepted: dict[str, Held | None]
    """Pair id to the value that was replaced in `seen`."""


def observe(link: Link, observation: Observation, ctx: Context, closing: Operation | None = None) -> Observed:
    """Apply the order rule to all pairs of an observation. `closing` is the operation whose outcome brought it."""
    state = link.side(observation.side)
    result = Observed(fresh=observation.ticket is not None and observation.ticket == state.mark, accepted={})
    walks = observation.side is Side.JIRA and not (state.dirty and not (observation.fresh and result.fresh))
    for pair in ctx.integration.pairs:
        if pair.id in observation.values:
            _observe_pair(link, observation, ctx, pair, result, closing)
    if may_hide_parent(observation, ctx.integration):
        state.dirty_since = state.dirty_since or ctx.now
    if result.fresh and observation.fresh:
        _settle(link, observation, ctx)
        state.dirty_since = None
        state.read_whole = True
    if result.accepted:
        state.mark += 1
    if walks and observation.changelog:
        walk(link, observation, ctx, closing)
    return result


def _observe_pair(
    link: Link, observation: Observation, ctx: Context, pair: FieldPair, result: Observed, closing: Operation | None
) -> None:
    side = observation.side
    state = link.side(side)
    record = state.pair(pair.id)
    value, seen = observation.values[pair.id], record.seen
    actor = actor_of(observation, pair, ctx.accounts.get(side))
    at = observation.at
    if at is None:
        if result.fresh:
            at = seen.at if seen else ctx.now
        else:
            if seen is None or not same(pair.kind, seen.value, value):
                state.dirty_since = state.dirty_since or ctx.now
            return
    if not result.fresh:
        if seen is not None and same(pair.kind, seen.value, value):
            _seen_again(record, seen, at, actor)
            return
        if seen is not None and at < seen.at:
            _older(link, observation, ctx, pair, record, at)
            return
        if seen is not None and at == seen.at:
            _tie(link, observation, ctx, pair, record, actor)
            return
        if _cannot_tell(link, observation, pair, record, actor, at, closing):
            state.dirty_since = state.dirty_since or ctx.now
            return
    elif seen is not None and same(pair.kind, seen.value, value):
        _seen_again(record, seen, at, actor)
        return
    result.accepted[pair.id] = seen
    _accept(link, observation, ctx, pair, at, actor, closing)


def _seen_again(record: PairSide, seen: Held, at: datetime, actor: Actor) -> None:
    exact = seen.exact or (actor.at is not None and actor.at <= at)
    changed_at = seen.changed_at if seen.exact or actor.at is None else actor.at
    record.seen = Held(seen.value, max(seen.at, at), seen.by, seen.after, exact, changed_at, seen.late)


def _tie(link: Link, observation: Observation, ctx: Context, pair: FieldPair, record: PairSide, actor: Actor) -> None:
    """Equal time, different value: do not guess (PROTOCOL F13)."""
    state = link.side(observation.side)
    state.dirty_since = state.dirty_since or ctx.now
    candidates = state.candidates.setdefault(pair.id, [])
    seen = record.seen
    fresh = [Candidate(seen.value, seen.by)] if seen is not None else []
    for candidate in (*fresh, Candidate(observation.values[pair.id], _by(actor))):
        if not any(same(pair.kind, known.value, candidate.value) for known in candidates):
            candidates.append(candidate)


def _older(link: Link, observation: Observation, ctx: Context, pair: FieldPair, record: PairSide, at: datetime) -> None:
    """Order rule 5: an older value is not accepted, but it may prove that a write of ours hid an edit nobody had
    seen.
    """
    side, value = observation.side, observation.values[pair.id]
    state = link.side(side)
    if observation.compare:
        state.dirty_since = state.dirty_since or ctx.now
    if side is Side.JIRA or any(same(pair.kind, old, value) for old in record.recent):
        return
    for op in ledger(link, side, pair.id):
        write = op.pairs[pair.id]
        if op.read_at is None or op.write_at is None or not op.read_at <= at <= op.write_at:
            continue
        if same(pair.kind, write.value, value) or same(pair.kind, write.expect, value):
            continue
        _seen_before(record, value)
        if record.seen is not None and same(pair.kind, record.seen.value, write.value):
            overwrite(link, side, pair, Overwritten(value), ctx)
        else:
            remember(link, side, pair, value, f"overwritten by {op.id}, then changed again", ctx.now)
        return


def _cannot_tell(
    link: Link,
    observation: Observation,
    pair: FieldPair,
    record: PairSide,
    actor: Actor,
    at: datetime,
    closing: Operation | None,
) -> bool:
    """Tell whether a Jira value may be a late effect of ours, or an old one, and only a changelog could say so."""
    if observation.side is not Side.JIRA or closing is not None:
        return False
    if _comes_again(link, observation, pair, record):
        return True
    value = observation.values[pair.id]
    if actor.ours is not None or is_base(record, pair, value):
        return False
    return any(
        op.id != link.op_id
        and op.kind is not OperationKind.CREATE
        and same(pair.kind, op.pairs[pair.id].value, value)
        and (op.write_at is None or at > op.write_at)
        for op in ledger(link, observation.side, pair.id)
    )


def _comes_again(link: Link, observation: Observation, pair: FieldPair, record: PairSide) -> bool:
    """Tell whether a value was seen before and nothing newer in the changelog says that it was set again.

    Jira's order is that of its changelog: where a clock stepped back, an old state may carry the newest time
    (PROTOCOL F15).
    """
    if not any(same(pair.kind, old, observation.values[pair.id]) for old in record.recent):
        return False
    entry = next((entry for entry in reversed(observation.changelog) if item_of(entry, pair) is not None), None)
    return entry is None or not after(entry.id, link.jira.changelog_cursor)


def _late_effect(
    link: Link, observation: Observation, pair: FieldPair, at: datetime, actor: Actor, closing: Operation | None
) -> Operation | None:
    """Return the earlier operation whose request only now took effect (PROTOCOL F11), None if it is not one."""
    side, value = observation.side, observation.values[pair.id]
    for op in ledger(link, side, pair.id):
        if op.kind is OperationKind.CREATE:
            continue  # whatever comes late of it is another entity
        if op.id == link.op_id or op is closing or not same(pair.kind, op.pairs[pair.id].value, value):
            continue
        if op.write_at is not None and at <= op.write_at:
            continue
        if side is Side.JIRA:
            if actor.op == op.id or (actor.op is None and actor.ours):
                return op
        elif _may_come_late(op) and at <= (op.write_at or op.done_at or op.created_at) + LATE_WINDOW:
            return op
    return None


def _may_come_late(op: Operation) -> bool:
    """Tell whether a request may outlive its operation: there were several, or it was given up."""
    given_up = op.result is Result.MOVED and op.read_at is None and op.write_at is None
    return op.attempts > 1 or (given_up and op.attempts > 0)


def _unseen_effect(link: Link, side: Side, pair: FieldPair, record: PairSide, value: Json) -> Operation | None:
    """Return the newest operation if it ended well, but its answer did not show what is seen only now."""
    op = next(ledger(link, side, pair.id), None)
    if op is None or op.kind is OperationKind.CREATE or op.result not in (Result.APPLIED, Result.ALREADY):
        return None
    if op.write_at is not None or pair.id in op.shown or not is_base(record, pair, value):
        return None
    return op if same(pair.kind, op.pairs[pair.id].value, value) else None


def _accept(
    link: Link,
    observation: Observation,
    ctx: Context,
    pair: FieldPair,
    at: datetime,
    actor: Actor,
    closing: Operation | None,
) -> None:
    """Accept a value: (a) our own write landed, (b) a late effect, (c) a person's edit or anything else."""
    side, value = observation.side, observation.values[pair.id]
    record = link.side(side).pair(pair.id)
    old = record.seen
    op = link.open_operation
    by, late = _by(actor), False
    write = op.pairs.get(pair.id) if op is not None and op.target is side else None
    if closing is not None and pair.id in closing.pairs and same(pair.kind, closing.pairs[pair.id].value, value):
        by = closing.id
    elif op is not None and write is not None and same(pair.kind, write.value, value):
        op.landed, by = True, op.id
        if old is not None and is_users(record, pair, old, write.expect, expecting=True):
            overwrite(link, side, pair, Overwritten(old.value), ctx)
    elif (unseen := _unseen_effect(link, side, pair, record, value)) is not None:
        by = unseen.id
        if old is not None and is_users(record, pair, old, unseen.pairs[pair.id].expect, expecting=True):
            overwrite(link, side, pair, Overwritten(old.value), ctx)
    elif (earlier := _late_effect(link, observation, pair, at, actor, closing)) is not None:
        by, late = earlier.id, True
        known = write is not None and old is not None and same(pair.kind, write.expect, old.value)
        if old is not None and not known and is_users(record, pair, old):
            overwrite(link, side, pair, Overwritten(old.value, late=True), ctx)
    exact = actor.at is not None and actor.at <= at
    record.seen = Held(
        value,
        at,
        by,
        after=old.at if old is not None and old.at < at else None,
        exact=exact,
        changed_at=actor.at if exact else at,
        late=late,
    )
    _seen_before(record, value)


def _by(actor: Actor) -> str | None:
    if actor.op is not None:
        return actor.op
    return BY_USER if actor.ours is False else None


def _seen_before(record: PairSide, value: Json) -> None:
    record.recent = [*record.recent, value][-_REMEMBERED:]


def _settle(link: Link, observation: Observation, ctx: Context) -> None:
    """After a fresh read: what else was shown at the same moment and lost against one of our values is kept on
    record.
    """
    side = observation.side
    state = link.side(side)
    for pair_id, candidates in state.candidates.items():
        pair, record = ctx.integration.pair(pair_id), state.pair(pair_id)
        if pair is None or record.seen is None or not is_ours(link, side, pair, record.seen.value):
            continue
        for candidate in candidates:
            value = candidate.value
            if (
                same(pair.kind, value, record.seen.value)
                or is_ours(link, side, pair, value)
                or is_base(record, pair, value)
            ):
                continue
            if was_expected(link, side, pair, value):
                continue
            remember(link, side, pair, value, "replaced by our write at the same moment", ctx.now)
            if ctx.integration.policy_of(pair) is Policy.ASK and pair.id not in link.open_conflicts:
                open_conflict(link, ctx, pair, side, value)
    state.candidates.clear()
