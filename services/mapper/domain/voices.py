"""What each side of a pair has to say to the other, and whose word counts. Pure; used by `decide`.

| jira | craft | what follows |
|---|---|---|
| silent | silent | nothing; under a new meaning of the pair: `reread` |
| speaks | silent | Jira's value is carried over |
| silent | speaks | Craft.io's value is carried over |
| speaks | speaks | the policy says (`winner_by`), or a person |

A side speaks if it shows something else than when both last agreed, whatever the pair meant then; where they never did,
if it shows anything at all: an empty field says nothing (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Mapping

from services.mapper.domain.context import Context, base_of
from shared.domain.ids import Side
from shared.domain.link import Held, Json, PairSide, Span
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy
from shared.fields import Translated, same, translate, writable


def speaks(records: Mapping[Side, PairSide], side: Side, pair: FieldPair, ctx: Context) -> bool:
    """Tell whether a side has anything to say to the other (see the table above)."""
    seen, base = records[side].seen, base_of(records[side], pair)
    if seen is None:
        return False
    if base is not None:
        return not same(pair.kind, base.value, seen.value)
    # a person who chose an empty value made it the word of that side: then the other's is agreed on (`settle`)
    return base_of(records[side.other], pair) is not None or not is_empty(pair, side, seen.value, ctx)


def is_empty(pair: FieldPair, side: Side, value: Json, ctx: Context) -> bool:
    """Tell whether a field holds nothing; an item at the top of what is synced has no parent."""
    if pair.kind is FieldKind.PARENT and side is Side.CRAFT and value == ctx.integration.craft_root:
        return True
    return value in (None, [], "")


def reread(pair: FieldPair, held: Mapping[Side, Held], ctx: Context) -> Side | None:
    """Return whose value is to be carried over if nobody changed anything, but the pair has another meaning since the
    two agreed, under which they differ; None: neither.

    A field that is carried one way follows its source. Else a side that has nothing to say under the new meaning (it is
    empty, its value has no counterpart, its person is not found) follows the other; of two that have, the one that the
    policy names, and where that leaves it to people Jira, from which value maps are read.
    """
    ways = [side for side in Side if pair.direction.carries_to(side.other)]
    told = [side for side in ways if _carried(pair, side, held, ctx) is not None]
    if len(told) > 1:
        return winner_by(ctx.integration.policy_of(pair), held[Side.JIRA], held[Side.CRAFT]) or Side.JIRA
    stuck = (side for side in ways if not is_empty(pair, side, held[side].value, ctx))
    return next(iter(told), next(stuck, None))  # what is stuck says why when it is to be written


def _carried(pair: FieldPair, source: Side, held: Mapping[Side, Held], ctx: Context) -> Translated | None:
    """Return what a side's value is on the other, None if it has nothing to say there."""
    value = held[source].value
    over = translate(pair, source, value, ctx.parents, onto=held[source.other].value)
    if isinstance(over, Translated):
        over = writable(pair, source, over)
    if not isinstance(over, Translated) or over.note is not None:
        return None
    nothing = is_empty(pair, source, value, ctx) and is_empty(pair, source.other, over.value, ctx)
    return None if nothing else over


def source_of(pair: FieldPair) -> Side | None:
    """Return the side that leads a pair which is carried one way, None for any other."""
    return {Direction.TO_CRAFT: Side.JIRA, Direction.TO_JIRA: Side.CRAFT}.get(pair.direction)


def winner_by(policy: Policy, jira: Held, craft: Held) -> Side | None:
    """Return whose value a policy prefers, None if a person has to say."""
    return latest(jira, craft) if policy is Policy.LATEST else side_of(policy)


def latest(jira: Held, craft: Held) -> Side | None:
    """Return the side that changed last, None if what is known does not tell (PROTOCOL F17)."""
    if later(jira.edited, craft.edited):
        return Side.JIRA
    return Side.CRAFT if later(craft.edited, jira.edited) else None


def later(edited: Span, other: Span) -> bool:
    """Tell whether one edit was certainly made after another."""
    since = edited.until if edited.exact else edited.after
    return since is not None and since > other.until


def side_of(policy: Policy) -> Side | None:
    """Return the side that a policy prefers whatever the times."""
    return {Policy.JIRA: Side.JIRA, Policy.CRAFT: Side.CRAFT}.get(policy)
