"""What a field pair can be, checked in words when it is built: shapes, value maps, fallbacks, expressions.

Called by `shared.domain.mapping.FieldPair`. What needs the vendors' metadata is not checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.domain.expressions import ExpressionError, compiled
from shared.domain.ids import Side
from shared.domain.kinds import VERSION_FIELDS, FieldKind, Shape, shape_problem, shapes_of

if TYPE_CHECKING:
    from shared.domain.mapping import FieldPair

MAPPED_BY_VALUE: Final = (FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.STATUS, FieldKind.USER, FieldKind.LINKS)
"""Kinds that a value map translates."""

TRANSFORMED: Final = (
    FieldKind.STRING,
    FieldKind.TEXT,
    FieldKind.NUMBER,
    FieldKind.OPTION,
    FieldKind.OPTIONS,
    FieldKind.LABELS,
    FieldKind.DATE,
    FieldKind.DATETIME,
)
"""Kinds that an expression can translate."""


def problems_of(pair: FieldPair) -> list[str]:
    """Return what cannot be about a pair, in words; empty: nothing."""
    problems = [
        words
        for side, shape in ((Side.JIRA, pair.jira_shape), (Side.CRAFT, pair.craft_shape))
        if (words := shape_problem(pair.kind, side, pair.name_on(side), shape))
    ]
    if pair.values and pair.kind not in MAPPED_BY_VALUE:
        problems.append(f"a value map has no meaning for kind {pair.kind}; it has for {', '.join(MAPPED_BY_VALUE)}")
    if pair.fallback is not None and pair.kind is not FieldKind.USER:
        problems.append(f"a fallback has no meaning for kind {pair.kind}; it stands for people who are not found")
    if pair.kind is FieldKind.LINKS and pair.direction != "to_jira":
        problems.append(
            "Craft.io lets nobody write dependencies from outside, so they are carried to Jira only: "
            "set the direction to to_jira"
        )
    return problems + _expressions(pair) + _creates(pair)


def _creates(pair: FieldPair) -> list[str]:
    """Versions are created by name, and only where the pair writes to Jira."""
    if not pair.create_missing:
        return []
    shape = pair.jira_shape or next(iter(shapes_of(pair.kind, Side.JIRA, pair.jira)), None)
    if pair.jira not in VERSION_FIELDS or shape not in (Shape.NAME, Shape.NAMES):
        fields, shapes = " or ".join(VERSION_FIELDS), f"{Shape.NAME} or {Shape.NAMES}"
        return [f"create_missing is for versions by name: map {fields} with the jira_shape {shapes}, or leave it out"]
    if pair.direction != "once" and not pair.direction.carries_to(Side.JIRA):
        return [f"create_missing is never used, since the direction is {pair.direction}; leave it out"]
    return []


def _expressions(pair: FieldPair) -> list[str]:
    given = {side: text for side in Side if (text := pair.expression(side)) is not None}
    if not given:
        return []
    if pair.kind not in TRANSFORMED:
        return [f"an expression has no meaning for kind {pair.kind}; it has for {', '.join(TRANSFORMED)}"]
    once = pair.direction == "once"
    problems: list[str] = []
    for target, text in given.items():
        if not once and not pair.direction.carries_to(target):
            problems.append(f"to_{target} is never used, since the direction is {pair.direction}; leave it out")
        try:
            compiled(text)
        except ExpressionError as error:
            problems.append(f"to_{target}: {error}")
    if len(given) == 1 and not pair.values and (once or pair.direction == "both"):
        target = next(iter(given))
        problems.append(
            f"to_{target} changes the value on the way to {target.vendor} only, but the direction is "
            f"{pair.direction}; add to_{target.other} for the way back, or set the direction to to_{target}"
        )
    return problems
