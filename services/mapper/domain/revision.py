"""What a newer revision of the mapping makes of what a link knows. Called before anything is observed under it.
Pure.
"""

from __future__ import annotations

from services.mapper.domain import reasons
from services.mapper.domain.context import Context
from services.mapper.domain.record import remember
from services.mapper.domain.requests import settle
from services.mapper.domain.voices import winner_by
from shared.domain.ids import Side
from shared.domain.link import Link
from shared.domain.mapping import Direction, Policy


def follow(link: Link, ctx: Context) -> None:
    """Forget what was seen of fields that a pair no longer names, and have its new ones read (PROTOCOL F16); settle
    open conflicts by a policy that was saved since (ADR 0009, 28).
    """
    _forget(link, ctx)
    for pair in ctx.integration.pairs:
        note = link.open_conflicts.get(pair.id)
        policy = ctx.integration.policy_of(pair)
        jira, craft = (link.side(side).pair(pair.id).seen for side in (Side.JIRA, Side.CRAFT))
        if note is None or note.policy == policy or pair.direction is not Direction.BOTH or not (jira and craft):
            continue
        # of a value that is kept on record only, nobody knows when it was set
        winner = winner_by(policy, jira, craft) if note.kept is None or policy is not Policy.LATEST else None
        if winner is not None:
            settle(link, pair, note, winner, reasons.by_rule(policy), ctx)


def _forget(link: Link, ctx: Context) -> None:
    """Forget what a pair held under its old name: it is another field's value, and compared, it would make the two
    sides agree on it.
    """
    known = link.revision_seen
    renamed = [pair for pair in ctx.integration.pairs if pair.fields_since > known]
    if known == 0 or not renamed:
        return
    for side in Side:
        state = link.side(side)
        state.read_whole = False
        for pair in renamed:
            state.candidates.pop(pair.id, None)
            record = state.pairs.pop(pair.id, None)
            if record is not None and record.overwritten is not None:
                remember(link, side, pair.id, record.overwritten.value, reasons.REPLACED_AND_REMAPPED, ctx.now)
