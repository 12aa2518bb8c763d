"""How long a change takes, measured on its link: from when it was accepted until it is written. Decides nothing. Pure.

A change is heard with its pair, taken along by the operation that carries it, and given back by one that did not come
to it. What waits for a person (a conflict, a block, a held item, a parent) is forgotten: how long that takes says
nothing about us.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.mapper.domain.observation import Observation
from shared.domain.ids import PairId, Side
from shared.domain.link import Carried, Link, LinkState, Operation, OperationKind, PairSide, SideState
from shared.messages.status import Cause


def hear(state: SideState, record: PairSide, observation: Observation, *, by_us: bool) -> None:
    """Note when the value that a pair shows now was accepted: what a fresh read shows was heard of before it."""
    if by_us:
        record.heard_at = None
        return
    since = state.dirty_since if observation.fresh else None
    record.heard_at = _first(record.heard_at, observation.heard_at, since)


def take(link: Link, kind: OperationKind, target: Side, pairs: Iterable[PairId]) -> datetime | None:
    """Return when the first of these changes was accepted, for the operation that carries them; they are on their way
    then.
    """
    records = [link.side(target.other).pair(pair_id) for pair_id in pairs]
    accepted_at = _first(*(record.heard_at for record in records))
    for record in records:
        record.heard_at = None
    return None if kind is OperationKind.RESTORE else accepted_at


def give_back(link: Link, op: Operation) -> None:
    """Have the changes of an operation that did not come to carry them still be on their way."""
    for pair_id in op.pairs if op.accepted_at is not None else ():
        record = link.side(op.target.other).pair(pair_id)
        record.heard_at = _first(record.heard_at, op.accepted_at)


def arrive(link: Link, op: Operation, at: datetime) -> None:
    """Note how long the changes of an operation took that were written at that moment."""
    if op.accepted_at is not None:
        link.carried = Carried(op.target, op.accepted_at, at)


def settle_lag(link: Link) -> None:
    """Forget what was heard where nothing is under way that would carry it: it agrees, or waits for a person."""
    down = link.state is LinkState.PAUSED and link.reason == Cause.CONNECTION_PAUSED
    if down or link.op_id is not None or link.not_before is not None or link.jira.dirty or link.craft.dirty:
        return
    for side in Side:
        for record in link.side(side).pairs.values():
            record.heard_at = None


def _first(*times: datetime | None) -> datetime | None:
    return min((at for at in times if at is not None), default=None)
