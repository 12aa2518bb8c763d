"""What an outcome changes: the operation ends, bases move, what was overwritten is noted. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from services.mapper.domain import reasons
from services.mapper.domain.blocked import block_hash, refuse
from services.mapper.domain.changelog import arrived
from services.mapper.domain.context import Context
from services.mapper.domain.lag import arrive, give_back
from services.mapper.domain.observation import Observation, actor_of, from_outcome, item_of
from services.mapper.domain.order import Observed, observe
from services.mapper.domain.proof import stopped_half_way, unmet, words
from services.mapper.domain.record import keep_replaced, overwrite, remember
from services.mapper.domain.sentences import not_put_back, put_back_by_hand
from services.mapper.domain.trouble import note_trouble
from shared.domain.ids import PairId, Side
from shared.domain.kinds import SETS
from shared.domain.link import (
    PUT_OFF,
    Agreed,
    Held,
    Json,
    Link,
    Normalised,
    Operation,
    OperationKind,
    Overwritten,
    PairSide,
    PairWrite,
    Result,
)
from shared.domain.mapping import FieldPair
from shared.fields import same
from shared.fields.sets import edit_of, edited
from shared.messages.write import WriteOutcome

HTTP_NOT_FOUND = 404


def end_operation(link: Link, op: Operation, outcome: WriteOutcome, ctx: Context) -> None:
    """Close the open operation of a link by its outcome, whatever its kind but a create that found its entity.

    Not found says nothing of what an earlier attempt did (PROTOCOL F12): that stays open until its target is read, or
    known to be gone.
    """
    if outcome.status == HTTP_NOT_FOUND and op.attempts > 1:
        link.side(op.target).doubt(ctx.now)
        return
    observation = _close(link, op, outcome, ctx)
    match outcome.result:
        case Result.APPLIED | Result.ALREADY:
            _landed(link, op, outcome, observation, ctx)
        case Result.MOVED:
            _moved(link, op, outcome, observation, ctx)
        case Result.REJECTED:
            _rejected(link, op, outcome, observation, ctx)
        case Result.DEFERRED:
            link.not_before = outcome.not_before or ctx.now + timedelta(seconds=10)
            if outcome.message:
                note_trouble(link, PUT_OFF, outcome.message, ctx.now)


def observe_other(link: Link, outcome: WriteOutcome, ctx: Context) -> None:
    """Take an outcome of an operation that is not the open one for what it is: an observation, perhaps of a late
    effect.
    """
    observation = from_outcome(outcome, ctx.integration)
    if observation is not None and outcome.result in (Result.APPLIED, Result.ALREADY):
        observe(link, observation, ctx)


def first_look(link: Link, outcome: WriteOutcome, ctx: Context) -> None:
    """Take what a create shows of its new entity for the first fresh read of it."""
    observation = from_outcome(outcome, ctx.integration)
    if observation is not None and outcome.entity_id == link.entity_id(outcome.target):
        observe(link, replace(observation, fresh=True), ctx)


def _close(link: Link, op: Operation, outcome: WriteOutcome, ctx: Context) -> Observation | None:
    op.open, op.result, op.done_at = False, outcome.result, ctx.now
    op.read_at, op.write_at = outcome.read_at, outcome.write_at
    if outcome.result in (Result.APPLIED, Result.ALREADY):
        arrive(link, op, outcome.ended_at)
    else:
        give_back(link, op)
    # told as not found, or as changed by others, although a request of it had left
    op.unclear = op.attempts > 1 or (outcome.result is Result.MOVED and not outcome.untouched)
    link.op_id = None
    observation = from_outcome(outcome, ctx.integration)
    _disown(link, op, outcome, observation, ctx)
    if observation is not None:
        if outcome.result is Result.APPLIED and op.kind is not OperationKind.CREATE:
            op.unmet = frozenset(unmet(link, op, observation, ctx.integration))
        shown = op.pairs.keys() & observation.values.keys() - op.unmet
        op.shown = {pair_id: observation.values[pair_id] for pair_id in op.pairs if pair_id in shown}
    return observation


def _disown(link: Link, op: Operation, outcome: WriteOutcome, observation: Observation | None, ctx: Context) -> None:
    """Take what others set to the operation's value for what it is: an edit like any other, agreed on by nobody.

    The source may hold another value by now, which would replace that edit without a word.
    """
    untouched = {*outcome.untouched, *_set_by_a_person(op, observation, ctx)}
    for pair_id in untouched & op.pairs.keys():
        record = link.side(op.target).pair(pair_id)
        if record.seen is not None and record.seen.by == op.id:
            record.seen = replace(record.seen, by=None)
            if record.overwritten is not None:  # it was a person who replaced that
                remember(link, op.target, pair_id, record.overwritten.value, reasons.REPLACED_BY_EDIT, ctx.now)
                record.overwritten = None
    if op.pairs.keys() <= untouched:
        op.landed = False
    if outcome.result in (Result.APPLIED, Result.ALREADY):
        op.pairs = {pair_id: write for pair_id, write in op.pairs.items() if pair_id not in untouched}


def _set_by_a_person(op: Operation, observation: Observation | None, ctx: Context) -> Iterator[PairId]:
    """Yield the pairs whose value Jira's changelog says a person had set, so that there was nothing left to write."""
    if observation is None or op.target is not Side.JIRA:
        return
    for pair in ctx.integration.pairs:
        write = op.pairs.get(pair.id)
        if write is None or pair.id not in observation.values:
            continue
        ours = any(entry.op == op.id and item_of(entry, pair) is not None for entry in observation.changelog)
        actor = actor_of(observation, pair, ctx.accounts.get(Side.JIRA))
        if not ours and actor.ours is False and same(pair.kind, observation.values[pair.id], write.value):
            yield pair.id


def _landed(link: Link, op: Operation, outcome: WriteOutcome, observation: Observation | None, ctx: Context) -> None:
    target = link.side(op.target)
    if op.kind is OperationKind.WRITE:
        _move_bases(link, op, ctx)
    observed = observe(link, observation, ctx, closing=op) if observation is not None else None
    if observed is None:
        target.doubt(ctx.now)
    for pair in ctx.integration.pairs:
        if pair.id not in op.pairs:
            continue
        if pair.id in op.unmet and observation is not None:
            _did_not_happen(link, op, pair, observation, ctx)
        elif op.kind is OperationKind.RESTORE:
            _restored(link, op, pair, observed)
        elif observed is not None:
            _what_was_replaced(link, op, pair, outcome, observed, ctx)
            _perhaps_a_persons(link, op, pair, outcome, ctx)


def _move_bases(link: Link, op: Operation, ctx: Context) -> None:
    """Both sides agree on what was written, never on what was read back (PROTOCOL F5), but for a stubborn target
    (F18).
    """
    for pair in ctx.integration.pairs:
        write = op.pairs.get(pair.id)
        if write is None or pair.id in op.unmet:
            continue
        target = link.side(op.target).pair(pair.id)
        shown = op.shown.get(pair.id, write.value) if pair.id in op.shown else write.value
        agreed = write.value
        if pair.kind in SETS:
            agreed = _agreed_elements(target, write, shown)
        elif same(pair.kind, shown, write.value):
            agreed = shown
        elif target.norm is not None and target.norm.wrote == write.value and target.norm.shows == shown:
            agreed = shown
            target.norm = Normalised(write.value, shown, target.norm.times + 1)
        else:
            target.norm = Normalised(write.value, shown)
        link.side(op.target.other).pair(pair.id).base = Agreed(write.source, op.revision)
        target.base = Agreed(agreed, op.revision)
        pending = target.overwritten
        if pending is not None and same(pair.kind, pending.value, write.expect):
            target.overwritten = None


def _agreed_elements(target: PairSide, write: PairWrite, shown: Json) -> Json:
    """Return what of the target both sides agree on after a write: what was, with what it added and without what it
    removed. Whatever else is shown was there or came meanwhile, and is the target's own (PROTOCOL F5).
    """
    agreed = edited(target.base.value if target.base is not None else None, write)
    added, removed = edit_of(write)
    if set(added) <= set(shown) and not set(removed) & set(shown):
        return agreed
    known = target.norm
    if known is None or (known.wrote, known.shows) != (write.value, shown):
        target.norm = Normalised(write.value, shown)
        return agreed
    target.norm = Normalised(write.value, shown, known.times + 1)
    kept_otherwise = set(shown) - set(write.value)
    return sorted((set(agreed) - (set(added) - set(shown))) | kept_otherwise | (set(removed) & set(shown)))


def _what_was_replaced(
    link: Link, op: Operation, pair: FieldPair, outcome: WriteOutcome, observed: Observed, ctx: Context
) -> None:
    record, write = link.side(op.target).pair(pair.id), op.pairs[pair.id]
    if pair.id not in observed.accepted:
        seen, updated = record.seen, outcome.updated
        if seen is not None and seen.late and updated is not None and updated < seen.at:
            overwrite(link, op.target, pair, Overwritten(write.value, late=True), ctx)
        return
    previous = observed.accepted[pair.id]
    replaced = previous is not None and not same(pair.kind, previous.value, write.value)
    if replaced:
        keep_replaced(link, op.target, pair, previous, op, ctx)


def _perhaps_a_persons(link: Link, op: Operation, pair: FieldPair, outcome: WriteOutcome, ctx: Context) -> None:
    """Put on record what counts as written although nobody can tell whether it was, if it will be replaced now.

    An answer was lost, or a request refused for now; a person may have chosen the same value. Its source has moved on,
    or what it replaced is restored. Jira's changelog tells who it was.
    """
    unsure = outcome.result is Result.ALREADY or pair.id in outcome.unsure
    if not unsure or op.target is Side.JIRA:
        return
    source, write = link.jira.pair(pair.id).seen, op.pairs[pair.id]
    moved_on = source is not None and not same(pair.kind, source.value, write.source)
    if moved_on or link.craft.pair(pair.id).overwritten is not None:
        remember(link, op.target, pair.id, write.value, reasons.PERHAPS_BY_A_PERSON, ctx.now)


def _restored(link: Link, op: Operation, pair: FieldPair, observed: Observed | None) -> None:
    record = link.side(op.target).pair(pair.id)
    confirmed = record.seen is not None and same(pair.kind, record.seen.value, op.pairs[pair.id].value)
    if observed is None or link.side(op.target).dirty:
        return
    edited = None
    if pair.id in observed.accepted or confirmed:
        pending = record.overwritten
        if pending is not None and same(pair.kind, pending.value, op.pairs[pair.id].value):
            record.overwritten, edited = None, pending.edited
    if record.seen is not None and confirmed:
        # what is restored is a person's value again: not late, not ours, and as old as the edit (PROTOCOL F17)
        seen = record.seen
        span = seen.edited if seen.exact or edited is None else edited
        record.seen = Held(seen.value, seen.at, None, span.after, span.exact, span.until)


def _moved(link: Link, op: Operation, outcome: WriteOutcome, observation: Observation | None, ctx: Context) -> None:
    state = link.side(op.target)
    landed = op.landed or any(
        entry.op == op.id and (item := item_of(entry, pair)) is not None and arrived(pair, item, op.pairs[pair.id])
        for entry in outcome.changelog
        for pair in ctx.integration.pairs
        if pair.id in op.pairs
    )
    if landed and op.kind is OperationKind.WRITE:
        op.shown = {}
        _move_bases(link, op, ctx)
    observed = observe(link, observation, ctx, closing=op if landed else None) if observation is not None else None
    if landed and op.kind is OperationKind.RESTORE and observation is not None:
        for pair in ctx.integration.pairs:  # some of it stands, though a person has changed another field since
            if pair.id in op.pairs and same(pair.kind, observation.values.get(pair.id), op.pairs[pair.id].value):
                _restored(link, op, pair, observed)
    if observation is None or outcome.status == HTTP_NOT_FOUND:
        state.doubt(ctx.now)


def _rejected(link: Link, op: Operation, outcome: WriteOutcome, observation: Observation | None, ctx: Context) -> None:
    if observation is not None:
        observe(link, observation, ctx)
        _stopped_half_way(link, op, outcome, ctx)
    at_fault = {pair_id for pair_id in outcome.errors if pair_id in op.pairs} or set(op.pairs)
    for pair in ctx.integration.pairs:
        if pair.id not in op.pairs or pair.id not in at_fault:
            continue
        words = outcome.errors.get(pair.id) or outcome.message or "The vendor refused the value without saying why."
        _block(link, op, pair, words, ctx)


def _block(link: Link, op: Operation, pair: FieldPair, words: str, ctx: Context) -> None:
    """Remember what was not taken, so that it is not tried again and again (PROTOCOL F19). What was to be put back
    stays pending, and is on record from the first refusal on.
    """
    write, field = op.pairs[pair.id], pair.called(op.target)
    if op.kind is not OperationKind.RESTORE:
        source = link.side(op.target.other).pair(pair.id)
        refuse(source, block_hash(write.source, op.revision), words, field, ctx.now)
        return
    record = link.side(op.target).pair(pair.id)
    if record.seen is None or record.overwritten is None:
        remember(link, op.target, pair.id, write.value, reasons.not_taken_back(words), ctx.now)
        record.overwritten = None
        return
    digest = block_hash(record.seen.value, ctx.integration.revision)
    told = not_put_back(field, op.target, words)
    if refuse(record, digest, told, field, ctx.now, put_back_by_hand(op.target)).times == 1:
        remember(link, op.target, pair.id, write.value, reasons.not_taken_back(words), ctx.now)


def _did_not_happen(link: Link, op: Operation, pair: FieldPair, observation: Observation, ctx: Context) -> None:
    """Believe the read-back instead of the answer: the source keeps its value, and nothing is written back over it."""
    _block(link, op, pair, words(op, observation, pair), ctx)
    record = link.side(op.target).pair(pair.id)
    if stopped_half_way(op, observation, pair) and record.seen is not None:
        record.base = Agreed(record.seen.value, op.revision)  # by ourselves: nobody's edit


def _stopped_half_way(link: Link, op: Operation, outcome: WriteOutcome, ctx: Context) -> None:
    """What a part of a refused write left behind is our doing and nobody's edit: it is not carried back."""
    for pair in ctx.integration.pairs:
        record = link.side(op.target).pair(pair.id)
        if pair.id not in op.pairs or record.seen is None:
            continue
        last = next((entry for entry in reversed(outcome.changelog) if item_of(entry, pair) is not None), None)
        if last is not None and last.op == op.id:
            record.base = Agreed(record.seen.value, op.revision)
