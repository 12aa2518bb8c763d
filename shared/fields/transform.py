"""Carrying a value over by a pair's expression: what goes in, and what the other side's kind makes of what comes out.

Used by `shared.fields.translate`. What cannot be worked out is said in words that name the pair and the value. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.expressions import ExpressionError, compiled
from shared.domain.ids import Side
from shared.domain.kinds import FieldKind
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.fields.codec import tidy_text
from shared.fields.shapes import number_of, number_text
from shared.fields.times import day_of, moment_of

_SHOWN = 80


def transform(pair: FieldPair, source: Side, value: Json, item: Mapping[str, str]) -> Json:
    """Return what the pair's expression makes of a value, in the normal form of its kind. Raises `ExpressionError`."""
    text = pair.expression(source.other)
    if text is None:
        raise ExpressionError(f"there is none for the way to {source.other.vendor}")
    return _normal(pair, compiled(text).evaluate(value, item))


def failure(pair: FieldPair, source: Side, value: Json, error: ExpressionError) -> tuple[str, str]:
    """Return in words what went wrong with which value, and what to do."""
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    field = f"{source.other.vendor}'s {pair.called(source.other)}"
    return (
        f"The mapping's expression cannot make a value for {field} of {shown}: {error}.",
        f"Ask an admin to correct it, or change the value in {source.vendor}.",
    )


def _normal(pair: FieldPair, result: Any) -> Json:
    match pair.kind:
        case FieldKind.OPTIONS | FieldKind.LABELS:
            return _list(pair, result)
        case FieldKind.NUMBER:
            return _number(result)
        case FieldKind.DATE | FieldKind.DATETIME:
            return _time(pair, result)
        case FieldKind.TEXT:
            return tidy_text(_text(pair, result)) or None
        case _:
            return _text(pair, result).strip() or None


def _text(pair: FieldPair, result: Any) -> str:
    if result is None:
        return ""
    if isinstance(result, bool):
        return "true" if result else "false"
    if isinstance(result, int | float) and (number := number_of(result)) is not None:
        return number_text(number)
    if not isinstance(result, str):
        raise ExpressionError(f"it gives {_named(result)}, and kind {pair.kind} takes text")
    return result


def _list(pair: FieldPair, result: Any) -> Json:
    if result is None:
        return []
    if not isinstance(result, list):
        raise ExpressionError(f"it gives {_named(result)}, and kind {pair.kind} takes a list")
    return sorted({word for each in result if (word := _text(pair, each).strip())})


def _number(result: Any) -> Json:
    if result is None or result == "":
        return None
    found = number_of(result)
    if found is None:
        raise ExpressionError(f"it gives {_named(result)}, and kind number takes a number")
    return found


def _time(pair: FieldPair, result: Any) -> Json:
    if result is None or result == "":
        return None
    text = result.astimezone(UTC).isoformat() if isinstance(result, datetime) else result
    convert = day_of if pair.kind is FieldKind.DATE else moment_of
    found = convert(text, pair.zone) if isinstance(text, str) else None
    if found is None:
        raise ExpressionError(f"it gives {_named(result)}, and kind {pair.kind} takes such as 2026-01-31")
    return found


def _named(result: Any) -> str:
    """Return what a result is, for people."""
    match result:
        case bool() | int() | float():
            return str(result).lower()
        case str():
            return f"the text {result[:_SHOWN]!r}"
        case list():
            return "a list"
        case dict():
            return "a map"
        case _:
            return f"a {type(result).__name__}"
