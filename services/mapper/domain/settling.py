"""When a write waits although there is something to write: while somebody is still at it, and while it may be a loop.

A field that was written a moment ago settles first, so that the newest of many edits is written instead of each one.
The breaker looks at what nobody but a loop does (PROTOCOL, "the breaker"): the same value written again, and a change
that follows on the heels of our own write to that side and now is to be carried back. A person's edits never trip it,
however many they are; and it ends by itself, after a pause that grows while the loop goes on. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from services.mapper.domain.context import Context, ledger
from services.mapper.domain.decide import Decision
from shared.domain.ids import PairId, Side
from shared.domain.link import Link, LinkState, Operation, PairWrite, Result
from shared.domain.mapping import FieldPair
from shared.fields import same
from shared.messages.status import Cause

SETTLES: Final = timedelta(seconds=1)
"""How long after a write of a field the next one waits for further edits."""
WINDOW: Final = timedelta(minutes=2)
BREAKER_WRITES: Final = 20
"""So many writes within `WINDOW` that look like a loop stop a link (DESIGN 4.5)."""
ON_THE_HEELS: Final = timedelta(seconds=2)
"""No person reads what was written to a field and changes it within this time, over and over."""
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
FORGOTTEN: Final = timedelta(hours=6)
"""After this long without a loop the pauses begin anew with the shortest."""

_HAPPENED: Final = frozenset({Result.APPLIED, Result.ALREADY})


def unsettled(link: Link, decision: Decision, now: datetime) -> dict[PairId, datetime]:
    """Return the pairs of a decided write that were written a moment ago, with when each of them has settled."""
    found: dict[PairId, datetime] = {}
    if decision.target is None:
        return found
    for pair_id in decision.pairs:
        last = next((op for op in ledger(link, decision.target, pair_id) if op.result in _HAPPENED), None)
        if last is not None and last.kind is decision.kind and now < last.created_at + SETTLES:
            found[pair_id] = last.created_at + SETTLES
    return found


def looped(link: Link, decision: Decision, ctx: Context) -> list[FieldPair]:
    """Return the pairs of which a decided write looks like a round of a loop."""
    target = decision.target
    if target is None:
        return []
    written = [(pair, decision.pairs[pair.id]) for pair in ctx.integration.pairs if pair.id in decision.pairs]
    return [p for p, write in written if _again(link, target, p, write, ctx) or _heels(link, target, p)]


def _again(link: Link, target: Side, pair: FieldPair, write: PairWrite, ctx: Context) -> bool:
    """Tell whether this very value was written there within the window already."""
    return any(same(pair.kind, op.pairs[pair.id].value, write.value) for op in _lately(link, target, pair, ctx.now))


def _heels(link: Link, target: Side, pair: FieldPair) -> bool:
    """Tell whether the value to be carried over was set right after our own write to its side."""
    source = target.other
    seen = link.side(source).pair(pair.id).seen
    last = next((op for op in ledger(link, source, pair.id) if op.result in _HAPPENED), None)
    if seen is None or last is None or last.write_at is None:
        return False
    return timedelta(0) <= (seen.changed_at or seen.at) - last.write_at <= ON_THE_HEELS


def _lately(link: Link, target: Side, pair: FieldPair, now: datetime) -> Iterator[Operation]:
    since = now - WINDOW
    return (op for op in ledger(link, target, pair.id) if op.result in _HAPPENED and op.created_at > since)


def trip(link: Link, pairs: list[FieldPair], ctx: Context) -> bool:
    """Note a write that looks like a round of a loop; stop the link for a while if there were too many, and say so."""
    recent = [at for at in link.recent_writes if at > ctx.now - WINDOW]
    if len(recent) < BREAKER_WRITES:
        link.recent_writes = [*recent, ctx.now]
        return False
    link.tripped = [at for at in link.tripped if at > ctx.now - FORGOTTEN]
    pause = PAUSES[min(len(link.tripped), len(PAUSES) - 1)]
    link.tripped, link.recent_writes = [*link.tripped, ctx.now], []
    link.not_before = ctx.now + pause
    link.state, link.reason = LinkState.PAUSED, Cause.BREAKER
    names = " and ".join(sorted({pair.called(Side.JIRA) for pair in pairs}))
    link.reason_text = (
        f"{names} changed back and forth between Jira and Craft.io more than {BREAKER_WRITES} times within two "
        "minutes, each time right after Tandem had written it. An automation or a second integration seems to edit it. "
        f"Tandem waits and goes on by itself at {link.not_before:%H:%M} UTC."
    )
    return True


def resume(link: Link, now: datetime) -> None:
    """End the pause of a tripped breaker once its time is over."""
    tripped = link.state is LinkState.PAUSED and link.reason == Cause.BREAKER
    if tripped and (link.not_before is None or link.not_before <= now):
        link.state, link.reason, link.reason_text = LinkState.ACTIVE, None, None
