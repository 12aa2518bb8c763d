"""Labels, components, versions, options: what each side added or removed since both agreed is carried, no more (ADR
0027). Pure.

The base of a set holds of each side only what stands for something on the other. So what could not be carried over is
still to be carried once the mapping has a counterpart for it, and what is one side's own is never anybody's removal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.mapper.domain.blocked import block_hash
from services.mapper.domain.context import Context, base_of, stands
from services.mapper.domain.voices import side_of, source_of
from shared.domain.ids import Side
from shared.domain.link import Blocked, Held, Json, Link, PairWrite
from shared.domain.mapping import FieldPair
from shared.fields import Untranslatable, crosswalk
from shared.fields.sets import Way, merge_sets
from shared.messages.status import Cause


@dataclass(frozen=True, slots=True)
class Step:
    """What follows for one pair of sets."""

    agreed: tuple[Json, Json] | None = None
    """The (Jira, Craft) elements to agree on now."""
    writes: Mapping[Side, PairWrite] = field(default_factory=dict)
    """By target."""
    blocked: Mapping[Side, Blocked | None] = field(default_factory=dict)
    """By source: why some of it is not carried over."""


def merge(link: Link, pair: FieldPair, held: Mapping[Side, Held], ctx: Context) -> Step:
    """Return what follows from what both sides show and what they last agreed on."""
    records = {side: link.side(side).pair(pair.id) for side in Side}
    shown = {side: frozenset[str](held[side].value or ()) for side in Side}
    known = {side: base_of(records[side], pair) for side in Side}
    bases = {side: frozenset[str]((base.value if base is not None else None) or ()) for side, base in known.items()}
    stood = all(stands(record, pair) for record in records.values())
    other_meaning = not stood and all(base is not None for base in known.values())
    found = merge_sets(
        crosswalk(pair, ctx.parents),
        shown,
        bases,
        [side for side in Side if pair.direction.carries_to(side.other)],
        _leader(pair, ctx) if other_meaning else None,
    )
    writes: dict[Side, PairWrite] = {}
    blocked: dict[Side, Blocked | None] = dict.fromkeys(Side)
    for source, way in found.ways.items():
        target = source.other
        blocked[source] = why_stuck(pair, source, way, shown[source], ctx)
        if not way.add and not way.remove:
            continue
        refused = records[source].blocked
        digest = block_hash(sorted(way.source), ctx.integration.revision)
        if refused is not None and (refused.code, refused.value_hash) == (Cause.REJECTED, digest):
            blocked[source] = refused
            continue
        value = sorted((shown[target] | way.add) - way.remove)
        writes[target] = PairWrite(value, held[target].value, sorted(way.source))
    agreed = None
    if not found.reread and (not stood or any(found.agreed[side] != bases[side] for side in Side)):
        agreed = (sorted(found.agreed[Side.JIRA]), sorted(found.agreed[Side.CRAFT]))
    return Step(agreed, writes, blocked)


def why_stuck(
    pair: FieldPair, source: Side, way: Way[Untranslatable], shown: frozenset[str], ctx: Context
) -> Blocked | None:
    """Return why some elements of a side cannot be carried over, None if all can; the words are those of the first."""
    if not way.stuck:
        return None
    (_, problem), *more = way.stuck
    beside = f" The same goes for {len(more)} more." if more else ""
    words = f"{problem.message}{beside} All else in it is carried over."
    digest = block_hash(sorted(shown), ctx.integration.revision)
    return Blocked(digest, problem.cause, words, pair.called(source), next_step=problem.next_step)


def _leader(pair: FieldPair, ctx: Context) -> Side:
    """Return the side that is followed where only the mapping changed (see `voices.reread`)."""
    return source_of(pair) or side_of(ctx.integration.policy_of(pair)) or Side.JIRA
