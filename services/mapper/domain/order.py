"""The order rule of PROTOCOL: what an observation changes in `seen`, and what a write of ours turns out to have
overwritten.

Called for every change event and for the snapshot of every outcome. Changes the link in place; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.mapper.domain import reasons
from services.mapper.domain.changelog import came_after, later, walk
from services.mapper.domain.context import Context, is_base, is_ours, is_users, ledger, was_expected
from services.mapper.domain.effects import came_true, cannot_tell, landing, late_effect, perhaps_effect, unseen_effect
from services.mapper.domain.lag import hear
from services.mapper.domain.observation import Actor, Observation, actor_of, may_hide_parent, may_hide_text
from services.mapper.domain.record import agree_on, keep_beside, keep_replaced, overwrite, remember
from shared.domain.ids import OperationId, Side
from shared.domain.kinds import SETS
from shared.domain.link import (
    BY_USER,
    Agreed,
    Candidate,
    Held,
    Json,
    Link,
    Operation,
    Oversize,
    Overwritten,
    PairSide,
    Span,
)
from shared.domain.mapping import FieldKind, FieldPair
from shared.fields import same
from shared.fields.sets import put_right

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
    result = Observed(fresh=state.is_current(observation.ticket), accepted={})
    walks = observation.side is Side.JIRA and not (state.dirty and not (observation.fresh and result.fresh))
    heard = False
    for pair in ctx.integration.pairs:
        if pair.id in observation.values:
            heard |= _observe_pair(link, observation, ctx, pair, result, closing)
        heard |= _observe_size(link, observation, pair, result, ctx)
    if may_hide_parent(observation, ctx.integration) or may_hide_text(observation, ctx.integration):
        state.doubt(ctx.now)
    if result.fresh and observation.fresh:
        _settle(link, observation, ctx)
        state.dirty_since = None
        state.read_whole = True
    if heard:
        state.mark += 1
    if walks and observation.changelog:
        walk(link, observation, ctx, closing, result.accepted)
    return result


def _observe_pair(
    link: Link, observation: Observation, ctx: Context, pair: FieldPair, result: Observed, closing: Operation | None
) -> bool:
    """Return False for what is certainly older than what is seen: no read that is under way can have missed it."""
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
                state.doubt(ctx.now)
            return True
    if seen is not None and same(pair.kind, seen.value, value):
        _seen_again(record, seen, at, actor, _set_at(actor, at, by_us=is_ours(link, side, pair, value)))
        _take_first(observation, ctx, record, actor)
        return result.fresh or at >= seen.at or came_after(seen, actor)
    if not result.fresh:
        if seen is not None and at < seen.at and not came_after(seen, actor):
            _older(link, observation, ctx, pair, record, at)
            return False
        if seen is not None and at == seen.at:
            _tie(link, observation, ctx, pair, record, actor)
            return True
        if cannot_tell(link, observation, pair, record, actor, at, closing):
            state.doubt(ctx.now)
            return True
    result.accepted[pair.id] = seen
    _accept(link, observation, ctx, pair, at, actor, closing)
    return True


def _observe_size(link: Link, observation: Observation, pair: FieldPair, result: Observed, ctx: Context) -> bool:
    """Take in that a pair holds more than can be told, or not any more. False if that is older than what is known."""
    state, at = link.side(observation.side), observation.at
    record = state.pair(pair.id)
    too_large, known = pair.id in observation.left_out, record.oversize
    if not too_large and (known is None or pair.id not in observation.values):
        return False
    before = known.at if known is not None else record.seen.at if record.seen is not None else None
    if not result.fresh and at is not None and before is not None and at < before:
        return False
    record.oversize = Oversize(at, observation.left_out[pair.id]) if too_large else None
    if too_large and known is None and not result.fresh:
        state.have_read(ctx.now)  # a webhook may be larger than what a read asks for
    return True


def _set_at(actor: Actor, at: datetime, *, by_us: bool) -> datetime | None:
    """Return the moment at which a person set a value, None if it is not known.

    That of a write of ours is none: what it carries was set before, on the other side or here (PROTOCOL F17).
    """
    if actor.at is None or actor.at > at or (by_us and actor.ours is not False):
        return None
    return actor.at


def _seen_again(record: PairSide, seen: Held, at: datetime, actor: Actor, set_at: datetime | None) -> None:
    """The value stays, its time moves on; an entry that set it after it was last seen to be another says when."""
    known = seen.changed_at if seen.exact else seen.after
    exact, changed_at = seen.exact, seen.changed_at
    if set_at is not None and (known is None or set_at > known):
        exact, changed_at = True, set_at
    record.seen = replace(
        seen, at=max(seen.at, at), exact=exact, changed_at=changed_at, entry=later(seen.entry, actor.entry)
    )


def _tie(link: Link, observation: Observation, ctx: Context, pair: FieldPair, record: PairSide, actor: Actor) -> None:
    """Equal time, different value: do not guess (PROTOCOL F13)."""
    state = link.side(observation.side)
    state.have_read(ctx.now)
    candidates = state.candidates.setdefault(pair.id, [])
    seen = record.seen
    fresh = [Candidate(seen.value, seen.by)] if seen is not None else []
    for candidate in (*fresh, Candidate(observation.values[pair.id], _by(actor))):
        if not any(same(pair.kind, known.value, candidate.value) for known in candidates):
            candidates.append(candidate)


def _older(link: Link, observation: Observation, ctx: Context, pair: FieldPair, record: PairSide, at: datetime) -> None:
    """Order rule 5: an older value is not accepted, but it may prove that a write of ours hid an edit nobody had
    seen.

    Equality of times decides nothing: what bears the very time of the write was set before it or after it. So it is not
    restored over what is shown; it is on record, and under `ask` a person is asked.
    """
    side, value = observation.side, observation.values[pair.id]
    state = link.side(side)
    if observation.compare:
        state.doubt(ctx.now)
    if side is Side.JIRA or any(same(pair.kind, old, value) for old in record.recent):
        return
    for op in ledger(link, side, pair.id):
        write = op.pairs[pair.id]
        if op.read_at is None or op.write_at is None or not op.read_at <= at <= op.write_at:
            continue
        if same(pair.kind, write.value, value) or same(pair.kind, write.expect, value):
            continue
        _seen_before(record, value)
        still = record.seen is not None and same(pair.kind, record.seen.value, write.value)
        lost = put_right(value, write) if pair.kind in SETS else value
        if still and at < op.write_at:
            overwrite(link, side, pair, Overwritten(lost, edited=Span(op.read_at, at)), ctx)
        elif still:
            keep_beside(link, side, pair, value, reasons.PERHAPS_REPLACED, ctx)
        else:
            remember(link, side, pair.id, value, reasons.REPLACED_BEFORE_SEEN, ctx.now)
        return


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
    brought_back = write is not None and old is not None and same(pair.kind, write.expect, value)
    if closing is not None and pair.id in closing.pairs and same(pair.kind, closing.pairs[pair.id].value, value):
        by = closing.id
    elif write is not None and (landed := landing(link, observation, ctx, pair, actor)) is not None:
        landed.landed, by = True, landed.id
        keep_replaced(link, side, pair, old, landed, ctx)
    elif (unseen := unseen_effect(link, side, pair, record, value)) is not None:
        by = unseen.id
        keep_replaced(link, side, pair, old, unseen, ctx)
    elif (true := came_true(link, side, pair, actor, value)) is not None:
        by = true.id
        agree_on(link, true, pair, value)
    elif (earlier := late_effect(link, observation, pair, at, actor, closing)) is not None:
        by, late = earlier.id, True
        known = write is not None and old is not None and same(pair.kind, write.expect, old.value)
        whole = pair.kind in SETS and old is not None and not old.late  # it took elements of anybody's along
        if old is not None and (whole or (not known and is_users(record, pair, old))):
            overwrite(link, side, pair, Overwritten.of(old, late=True), ctx)
    elif op is not None and write is not None and pair.kind is FieldKind.STATUS and by is None and actor.ours:
        by = op.id  # a step on the way to its status, told by a webhook, which names no operation
    elif side is Side.CRAFT and op is not None and write is not None and op.attempts > 0 and actor.ours is not False:
        _shown_otherwise(link, pair, op, actor, ctx)
    perhaps = _perhaps(link, observation, pair, at, actor, ctx) if by is None else None
    by_us = by is not None and by != BY_USER
    set_at = _set_at(actor, at, by_us=by_us)
    record.seen = Held(
        value,
        at,
        by,
        after=old.at if old is not None and old.at < at and not by_us else None,
        exact=set_at is not None,
        changed_at=set_at or at,
        late=late,
        entry=actor.entry,
        against=op.id if op is not None and brought_back and not by_us and not late else None,
        perhaps=perhaps,
    )
    hear(link.side(side), record, observation, by_us=by_us)
    _seen_before(record, value)
    _take_first(observation, ctx, record, actor)


def _perhaps(
    link: Link, observation: Observation, pair: FieldPair, at: datetime, actor: Actor, ctx: Context
) -> OperationId | None:
    """Return the operation whose effect a value of Craft.io may be although it is not the one that was written, and
    keep what it may have replaced.

    None where somebody is known to have set it, now or before: then nobody has to be asked, and it may be carried over.
    """
    if observation.side is not Side.CRAFT or actor.ours is False:
        return None
    op, record, value = link.open_operation, link.craft.pair(pair.id), observation.values[pair.id]
    if op is not None and op.target is Side.CRAFT and pair.id in op.pairs and op.attempts > 0:
        return None  # `_shown_otherwise` has looked after what it replaced
    perhaps = perhaps_effect(link, pair, at)
    if perhaps is None:
        return None
    if record.seen is not None and is_users(record, pair, record.seen):
        remember(link, Side.CRAFT, pair.id, record.seen.value, reasons.REPLACED_LATE, ctx.now)
    return None if any(same(pair.kind, known, value) for known in record.recent) else perhaps.id


def _take_first(observation: Observation, ctx: Context, record: PairSide, actor: Actor) -> None:
    """Agree on the value in which a new entity begins, unless a person set it.

    The event of another field's change shows it too, but not who set it: in Jira only the whole changelog tells.
    """
    tells = observation.side is Side.CRAFT or observation.whole_changelog or actor.ours is not None
    if not record.takes_first or record.seen is None or not tells:
        return
    record.takes_first = False
    if actor.ours is not False:
        record.base = Agreed(record.seen.value, ctx.integration.revision)


def _shown_otherwise(link: Link, pair: FieldPair, op: Operation, actor: Actor, ctx: Context) -> None:
    """Put on record what was replaced in Craft.io by another value than ours while a request of ours was under way.

    It may be ours as Craft.io keeps it (PROTOCOL F18). If our account set it, it is; else the history is enough.
    """
    record, write = link.craft.pair(pair.id), op.pairs[pair.id]
    old = record.seen
    if actor.ours:
        keep_replaced(link, Side.CRAFT, pair, old, op, ctx)
    elif old is not None and is_users(record, pair, old, write.expect, expecting=True):
        remember(link, Side.CRAFT, pair.id, old.value, reasons.REPLACED_BY_SOMEBODY, ctx.now)


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
            keep_beside(link, side, pair, value, reasons.REPLACED_AT_ONCE, ctx)
    state.candidates.clear()
