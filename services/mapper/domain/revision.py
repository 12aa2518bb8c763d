"""What a newer revision of the mapping makes of what a link knows. Called before anything is observed under it.
Pure.
"""

from __future__ import annotations

from services.mapper.domain.context import Context
from services.mapper.domain.record import remember
from shared.domain.ids import Side
from shared.domain.link import Link


def follow(link: Link, ctx: Context) -> None:
    """Forget what was seen of fields that a pair no longer names, and have its new ones read (PROTOCOL F16).

    What a pair held under its old name is another field's value: compared, it would make the two sides agree on it.
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
                why = "replaced by our write, then its field was mapped otherwise"
                remember(link, side, pair.id, record.overwritten.value, why, ctx.now)
