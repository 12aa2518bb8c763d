"""Tries the expressions of a draft on some values, before items have to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.console.domain.validation.finding import Finding, warning
from services.console.domain.validation.subject import Subject
from shared.domain.expressions import ExpressionError
from shared.domain.ids import Side
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair
from shared.fields.transform import transform

_ITEM = {"key": "TAN-7", "type": "story", "title": "Pay by invoice", "url": "https://site.example/TAN-7"}
_TEXTS: tuple[Json, ...] = ("Pay by invoice", "7", "a, b")
_SAMPLES: dict[FieldKind, tuple[Json, ...]] = {
    FieldKind.NUMBER: (8, 0.5),
    FieldKind.LABELS: (["one", "two"],),
    FieldKind.DATE: ("2026-01-31",),
    FieldKind.DATETIME: ("2026-01-31T10:00:00.000Z",),
}


def expression_fails(subject: Subject) -> Iterator[Finding]:
    """An expression that can make nothing of any usual value was not meant so."""
    for path, pair in subject.pairs():
        for target in Side:
            if pair.expression(target) is None:
                continue
            failures = [_failure(pair, target.other, each) for each in _samples(subject, pair, target.other)]
            if failures and all(failures):
                yield warning(
                    "expression_fails",
                    f"{path}.to_{target}",
                    f"The expression for {subject.name_on(target, pair)} makes nothing of any value that it was tried "
                    f"with: {failures[0]}.",
                    "Correct the expression. Numbers always have a fraction: 2.0, not 2.",
                )


def _samples(subject: Subject, pair: FieldPair, source: Side) -> tuple[Json, ...]:
    if pair.kind in (FieldKind.OPTION, FieldKind.OPTIONS):
        listed = subject.choices(pair, source)
        values = [each.id for each in listed.values] if listed is not None else []
        values += [value for each in pair.values if (value := each.jira if source is Side.JIRA else each.craft)]
        return tuple([each] if pair.kind is FieldKind.OPTIONS else each for each in values or ("7",))
    return _SAMPLES.get(pair.kind, _TEXTS)


def _failure(pair: FieldPair, source: Side, value: Json) -> str | None:
    """Return what is wrong about the expression with a value, None if nothing is."""
    try:
        transform(pair, source, value, _ITEM)
    except ExpressionError as error:
        return str(error)
    return None
