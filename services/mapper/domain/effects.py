"""Which of our writes a value may be the effect of: the open one, a late one, or one whose answer did not show it.

Used by the order rule for each value that it accepts. Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.mapper.domain.changelog import is_news
from services.mapper.domain.context import Context, is_base, ledger
from services.mapper.domain.observation import Actor, Observation
from shared.domain.ids import Side
from shared.domain.link import Json, Link, Operation, OperationKind, PairSide, Result
from shared.domain.mapping import FieldKind, FieldPair
from shared.fields import same

KEPT_OTHERWISE = frozenset(
    {FieldKind.STRING, FieldKind.TEXT, FieldKind.RICH_TEXT, FieldKind.NUMBER, FieldKind.LABELS, FieldKind.DATETIME}
)
"""Kinds whose values people make up: a vendor may keep one otherwise than it was written (PROTOCOL F18)."""

LATE_WINDOW = timedelta(minutes=15)
"""For how long a value of a repeated Craft write counts as its late effect (PROTOCOL W3)."""


def landing(link: Link, observation: Observation, ctx: Context, pair: FieldPair, actor: Actor) -> Operation | None:
    """Return the open operation if a value is its doing, as far as the observation can tell.

    All of a write lands at once: while another of its fields still shows what was expected there, it was somebody else
    who set this one to the same value.
    """
    op = link.open_operation
    write = op.pairs.get(pair.id) if op is not None and op.target is observation.side else None
    if op is None or write is None or not same(pair.kind, write.value, observation.values[pair.id]):
        return None
    if actor.op == op.id:
        return op
    for other in ctx.integration.pairs:
        beside = op.pairs.get(other.id)
        if beside is None or other.id not in observation.values or same(other.kind, beside.value, beside.expect):
            continue
        if same(other.kind, observation.values[other.id], beside.expect):
            return None
    return op


def late_effect(
    link: Link, observation: Observation, pair: FieldPair, at: datetime, actor: Actor, closing: Operation | None
) -> Operation | None:
    """Return the earlier operation whose request only now took effect (PROTOCOL F11), None if it is not one."""
    side, value = observation.side, observation.values[pair.id]
    for op in ledger(link, side, pair.id):
        if op.kind is OperationKind.CREATE:
            continue  # whatever comes late of it is another entity
        if op.id == link.op_id or op is closing:
            continue
        # Jira's changelog says whose it is, though it may be a step on the way, or the value as Jira keeps it
        known = pair.kind is FieldKind.STATUS or op.write_at is not None
        named = side is Side.JIRA and actor.op == op.id and known
        if not named and not _is_doing_of(op, pair, value):
            continue
        made = actor.at if actor.op == op.id and actor.at is not None else at  # others may have touched the item since
        if op.write_at is not None and made <= op.write_at:
            continue
        if side is Side.JIRA:
            if actor.op == op.id or (actor.op is None and actor.ours):
                return op
        elif op.unclear and at <= (op.write_at or op.done_at or op.created_at) + LATE_WINDOW:
            return op
    return None


def _is_doing_of(op: Operation, pair: FieldPair, value: Json) -> bool:
    """Tell whether a value is what an operation wrote, or what its target made of that (PROTOCOL F18)."""
    if same(pair.kind, op.pairs[pair.id].value, value):
        return True
    done = op.result in (Result.APPLIED, Result.ALREADY) and pair.id in op.shown
    return done and same(pair.kind, op.shown[pair.id], value)


def perhaps_effect(link: Link, pair: FieldPair, at: datetime) -> Operation | None:
    """Return the operation on Craft.io whose late effect a value of unknown origin may be, as Craft.io keeps it.

    That is one of unknown fate of which nobody saw what its target makes of it; and what is chosen from a list is kept
    as it was written, or refused.
    """
    if pair.kind not in KEPT_OTHERWISE:
        return None
    for op in ledger(link, Side.CRAFT, pair.id):
        ended = op.write_at or op.done_at
        if op.kind is OperationKind.CREATE or not op.unclear or ended is None or not at <= ended + LATE_WINDOW:
            continue
        if op.result not in (Result.APPLIED, Result.ALREADY):
            return op
    return None


def came_true(link: Link, side: Side, pair: FieldPair, actor: Actor, value: Json) -> Operation | None:
    """Return the newest operation if its read-back was behind: it showed the old value, and only now the written one.

    Its answer was good, so this is no late effect of something that was given up.
    """
    op = next(ledger(link, side, pair.id), None)
    if op is None or pair.id not in op.unmet or actor.ours is False:
        return None
    return op if same(pair.kind, op.pairs[pair.id].value, value) else None


def unseen_effect(link: Link, side: Side, pair: FieldPair, record: PairSide, value: Json) -> Operation | None:
    """Return the newest operation if it ended well, but its answer did not show what is seen only now."""
    op = next(ledger(link, side, pair.id), None)
    if op is None or op.kind is OperationKind.CREATE or op.result not in (Result.APPLIED, Result.ALREADY):
        return None
    if op.write_at is not None or pair.id in op.shown or not is_base(record, pair, value):
        return None
    return op if same(pair.kind, op.pairs[pair.id].value, value) else None


def cannot_tell(
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
    if record.seen is not None and not is_news(link, record.seen, actor):
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
