"""What the core may know besides the link: the current revision, who we are on each side, parents, the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.ids import AccountId, EntityId, PairId, Side
from shared.domain.link import Agreed, Held, Json, Link, Operation, PairSide
from shared.domain.mapping import FieldPair, Integration
from shared.domain.person import Person
from shared.fields import same
from shared.fields.translate import NO_PARENTS, Parents


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one input."""

    integration: Integration
    accounts: Mapping[Side, AccountId | None]
    now: datetime
    parents: Parents = NO_PARENTS
    apart: Mapping[tuple[Side, EntityId], str] = field(default_factory=dict)
    """Parents of a side whose counterpart is in another project or workspace: by the name of the integration there."""
    shown: tuple[Person, ...] = ()
    """People whom the message at hand shows, where the integration maps people."""


def base_of(record: PairSide, pair: FieldPair) -> Agreed | None:
    """Return what a side held when both last agreed, whatever the pair meant then; None (UNKNOWN): they never did.

    Whether a side has changed since is told by this alone, so that a new meaning is no change of anybody's. Whether the
    two values still stand for each other is another question: `stands`.
    """
    return record.base if record.base is not None and record.base.revision >= pair.fields_since else None


def stands(record: PairSide, pair: FieldPair) -> bool:
    """Tell whether what was agreed on was agreed on under the present meaning of the pair (PROTOCOL F16)."""
    return record.base is not None and record.base.revision >= pair.since


def is_base(record: PairSide, pair: FieldPair, value: Json) -> bool:
    """Tell whether a value is the one that both sides last agreed on."""
    base = base_of(record, pair)
    return base is not None and same(pair.kind, base.value, value)


def changed(record: PairSide, pair: FieldPair) -> bool:
    """Tell whether a side differs from its base; an unknown base counts as changed (PROTOCOL F6). See `voices.says` for
    what that means to the other side.
    """
    return record.seen is not None and not is_base(record, pair, record.seen.value)


def is_oversize(link: Link, pair: FieldPair) -> bool:
    """Tell whether a side holds more of a pair than can be told: what that is, nobody knows here, so the pair rests."""
    return any(record is not None and record.oversize for record in (link.side(s).pairs.get(pair.id) for s in Side))


def ledger(link: Link, side: Side, pair_id: PairId) -> Iterator[Operation]:
    """Yield the operations that write a pair on a side, newest first."""
    for op in reversed(link.operations):
        if op.target is side and pair_id in op.pairs:
            yield op


def is_ours(link: Link, side: Side, pair: FieldPair, value: Json) -> bool:
    """Tell whether a value is one that an operation of the ledger wrote (or was to write) there."""
    return any(same(pair.kind, op.pairs[pair.id].value, value) for op in ledger(link, side, pair.id))


def was_expected(link: Link, side: Side, pair: FieldPair, value: Json) -> bool:
    """Tell whether an operation of the ledger knowingly replaced a value."""
    return any(same(pair.kind, op.pairs[pair.id].expect, value) for op in ledger(link, side, pair.id))


def is_users(
    record: PairSide, pair: FieldPair, held: Held | None, expect: Json = None, *, expecting: bool = False
) -> bool:
    """Tell whether a value is a person's that is not synced yet: not agreed, not put there by us, not knowingly
    replaced.
    """
    if held is None or held.late or (held.by is not None and ":" in held.by):
        return False
    if expecting and same(pair.kind, held.value, expect):
        return False
    return not is_base(record, pair, held.value)
