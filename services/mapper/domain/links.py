"""Dependencies of Craft.io as issue links of Jira: what is to be added and removed (ADR 0019). Pure.

A field that holds a value is written whole; of links only those that came from Craft.io are Tandem's to add and remove.
So this compares three: what the issue shows, what was carried over before (the base), and what there is to carry now.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.mapper.domain.blocked import block_hash
from services.mapper.domain.context import Context, stands
from shared.domain.ids import EntityId, Side
from shared.domain.link import Blocked, Held, Json, Link, PairWrite
from shared.domain.mapping import FieldPair
from shared.fields import same
from shared.fields.links import Crossing, cross, merged
from shared.fields.translate import not_carried
from shared.messages.status import Cause


@dataclass(frozen=True, slots=True)
class Step:
    """What follows for one pair of links."""

    agreed: tuple[Json, Json] | None = None
    """The (Jira, Craft) values to agree on: of Craft.io's only those that could be carried over."""
    write: PairWrite | None = None
    """To Jira."""
    blocked: Blocked | None = None
    """Why some are not carried over."""
    waits_for: EntityId | None = None
    """An item at the other end that has no issue yet."""


def carry(link: Link, pair: FieldPair, jira: Held, craft: Held, ctx: Context) -> Step:
    """Return what follows from the dependencies and the issue links that are shown.

    Only a change in Craft.io causes a write: what a person links or unlinks in Jira stays, as with every one-way pair.
    """
    record, linked = link.craft.pair(pair.id), ctx.parents.known
    crossing = cross(pair, craft.value, linked)
    carried = sorted(crossing.over)
    blocked = _why_not(pair, craft, crossing, ctx)
    waits_for = crossing.not_linked[0] if crossing.not_linked else None
    base = record.base if stands(record, pair) else None
    if base is not None and same(pair.kind, base.value, carried):
        return Step(blocked=blocked, waits_for=waits_for)
    refused = record.blocked
    if refused is not None and (refused.code, refused.value_hash) == (
        Cause.REJECTED,
        block_hash(carried, ctx.integration.revision),
    ):
        return Step(blocked=refused, waits_for=waits_for)
    before = cross(pair, base.value if base is not None else (), linked).over.values()
    wanted = merged(jira.value, frozenset(before), frozenset(crossing.over.values()))
    if same(pair.kind, wanted, jira.value):
        return Step(agreed=(jira.value, carried), blocked=blocked, waits_for=waits_for)
    return Step(write=PairWrite(wanted, jira.value, carried), blocked=blocked, waits_for=waits_for)


def _why_not(pair: FieldPair, craft: Held, crossing: Crossing, ctx: Context) -> Blocked | None:
    problem = not_carried(pair, crossing)
    if problem is None:
        return None
    digest, field = block_hash(craft.value, ctx.integration.revision), pair.called(Side.CRAFT)
    return Blocked(digest, problem.cause, problem.message, field, next_step=problem.next_step)
