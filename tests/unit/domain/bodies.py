"""Any valid integration, built from the model itself, so that a new property of it is drawn too."""

from __future__ import annotations

import builtins
import types
import typing
from typing import Any, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticUndefined

from shared.domain.differences import PAIR_OWNED
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, TypePair, ValuePair

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda text: text.strip())
"""Text with what YAML makes something else of: see `TRAPS`."""
_WORDS = (
    "no yes on OFF null ~ true 010 0o17 1e3 0x1F 12:30:45 1_000 1.10 .inf 2026-01-05 9007199254740993 "
    "- = << *a &a !x {} [a] ' \" %a @a ` | > ? é\U0001f600 \ufeff \x07"
)
_SPACED = ("# no", "a: b", "- a", " a ", "a\nb", "\t", "\u2028", "\x85", "a #b", "key: [", "a:")
TRAPS = st.sampled_from([*_WORDS.split(), *_SPACED])
TEXT = TRAPS | WORDS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
NAMES = TEXT.map(str.strip).filter(bool)
VALUES = st.lists(st.builds(ValuePair, jira=st.none() | TEXT, craft=st.none() | TEXT), max_size=3).map(tuple)


def _optional(model: type[BaseModel], *known: str) -> dict[str, st.SearchStrategy[Any]]:
    """Return a strategy for each property that has a default and is not named: its default, or what its type gives."""
    return {
        name: st.just(field.default) | _of_type(field.annotation)
        for name, field in model.model_fields.items()
        if name not in known and field.default is not PydanticUndefined
    }


def _of_type(annotation: Any) -> st.SearchStrategy[Any]:
    """Return what a property's type gives: with texts of ours, since Hypothesis does not know pydantic's limits."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case typing.Annotated:
            return _of_type(arguments[0])
        case builtins.tuple:
            return st.lists(_of_type(arguments[0]), max_size=2).map(tuple)
        case typing.Union | types.UnionType:
            return st.one_of(*(_of_type(each) for each in arguments))
        case _:
            pass
    if annotation is Any:
        return JSON
    if annotation is str or getattr(annotation, "__supertype__", None) is str:
        return NAMES
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return _valid(
            st.fixed_dictionaries({name: _of_type(each.annotation) for name, each in fields.items()}), annotation
        )
    return st.from_type(annotation)


def _valid(build: st.SearchStrategy[dict[str, Any]], model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Return what a model takes. A body that breaks its rules is tried again with less: what has a default first."""
    needed = {name for name, field in model.model_fields.items() if field.is_required()}

    def checked(body: dict[str, Any]) -> BaseModel | None:
        for keep in (set(body), needed | {"values", "direction"}, needed | {"direction"}, needed):
            try:
                return model.model_validate({name: value for name, value in body.items() if name in keep})
            except ValidationError:
                continue
        return None

    return build.map(checked).filter(lambda made: made is not None)


PAIRS = _valid(
    st.fixed_dictionaries(
        {
            "id": NAMES,
            "kind": st.sampled_from(FieldKind),
            "jira": NAMES,
            "craft": NAMES,
            "direction": st.just(Direction.TO_CRAFT) | st.sampled_from(Direction),
            "values": VALUES,
        },
        optional=_optional(FieldPair, "id", "kind", "jira", "craft", "direction", "values", *PAIR_OWNED),
    ),
    FieldPair,
)
_IDENTS = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
INTEGRATIONS: st.SearchStrategy[Integration] = _valid(
    st.fixed_dictionaries(
        {
            "id": _IDENTS,
            "name": NAMES,
            "jira_connection": _IDENTS,
            "craft_connection": _IDENTS,
            "jira_project": NAMES,
            "craft_workspace": NAMES,
            "types": st.lists(st.builds(TypePair, jira=NAMES, craft=NAMES), max_size=3).map(tuple),
            "pairs": st.lists(PAIRS, max_size=3, unique_by=lambda pair: pair.id).map(tuple),
        },
        optional=_optional(
            Integration,
            *("id", "revision", "name", "jira_connection", "craft_connection", "jira_project", "craft_workspace"),
            *("types", "pairs", "jira_markup", "jira_project_id", "jira_subtasks"),
        ),
    ),
    Integration,
)
