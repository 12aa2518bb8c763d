"""Whether an item is one of those that an integration is for (`Takes`). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.ids import Side
from shared.domain.kinds import CUSTOM_PREFIX
from shared.domain.mapping import Takes

_NAMES = ("id", "key", "name", "value", "title", "displayName")
"""Under these names vendors show what a value is called."""


def is_for(rule: Takes, snapshot: Mapping[str, Any]) -> bool:
    """Tell whether an item has one of the rule's values, by its id or its name; what is not shown is none of them."""
    wanted = {each.casefold() for each in rule.values}
    return any(word.casefold() in wanted for word in _words(_raw(rule, snapshot)))


def _raw(rule: Takes, snapshot: Mapping[str, Any]) -> object:
    if rule.side is Side.JIRA:
        fields = snapshot.get("fields")
        return fields.get(rule.field) if isinstance(fields, Mapping) else None
    if not rule.field.startswith(CUSTOM_PREFIX):
        return snapshot.get(rule.field)
    entries, ident = snapshot.get("customFields"), rule.field.removeprefix(CUSTOM_PREFIX)
    found = entries if isinstance(entries, list) else []
    return [each.get("value") for each in found if isinstance(each, Mapping) and each.get("id") == ident]


def _words(raw: object) -> Iterator[str]:
    match raw:
        case bool() | None:
            return
        case str() | int() | float():
            yield str(raw)
        case list():
            for each in raw:
                yield from _words(each)
        case Mapping():
            yield from (str(raw[name]) for name in _NAMES if isinstance(raw.get(name), str | int))
        case _:
            return
