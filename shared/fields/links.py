"""Dependencies of Craft.io and issue links of Jira: how they are read, and how the former become the latter. Pure.

In normal form each side holds a sorted list of texts `relation:id of the other end`. A relation of Craft.io is what its
API calls it (`blocks`, `blocked by`, `related`); one of Jira is the id of the link's type with the way that it goes,
`10000/outward`, or the id alone where both ways have the same words (`relates to`). The value map of a pair says which
relation is which (ADR 0019). Craft.io's dependencies cannot be written, so they cross to Jira only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.ids import EntityId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldPair, pair_values
from shared.fields.idents import ident_of

OUTWARD, INWARD = "outward", "inward"


@dataclass(frozen=True, slots=True)
class Crossing:
    """What dependencies are in Jira: the entry of each that can be carried over, and why the others cannot."""

    over: Mapping[str, str]
    """Entry of Craft.io to entry of Jira."""
    not_linked: tuple[EntityId, ...]
    """Other ends that have no issue yet."""
    not_mapped: tuple[str, ...]
    """Relations that the value map lacks."""


def read_dependencies(raw: object) -> list[str] | None:
    """Return the entries of `[{id, value}]`, the dependencies of an item; None for what has not this shape."""
    return _entries(raw, lambda each: (each.get("value"), each.get("id")))


def read_issue_links(raw: object) -> list[str] | None:
    """Return the entries of Jira's `[{id, type, outwardIssue | inwardIssue}]`; None for what has not this shape."""
    return _entries(raw, _of_issue_link)


def relation_of(kind: Mapping[str, Any], way: str) -> str | None:
    """Return the relation that a type of link is in one way: `{id, inward, outward}`; None without an id."""
    ident = ident_of(kind.get("id"))
    if ident is None or kind.get(INWARD) == kind.get(OUTWARD):
        return ident
    return f"{ident}/{way}"


def parts_of(entry: str) -> tuple[str, EntityId]:
    """Return the relation of an entry and the id of its other end."""
    relation, _, other = entry.rpartition(":")
    return relation, EntityId(other)


def cross(pair: FieldPair, dependencies: Json, linked: Mapping[tuple[Side, EntityId], EntityId]) -> Crossing:
    """Return what an item's dependencies are in Jira. `linked` tells the issues of the other ends."""
    over: dict[str, str] = {}
    not_linked: list[EntityId] = []
    not_mapped: dict[str, None] = {}
    for entry in dependencies or ():
        relation, other = parts_of(entry)
        found = pair_values(pair.values, Side.CRAFT, relation)
        issue = linked.get((Side.CRAFT, other))
        if not found:
            not_mapped[relation] = None
        elif found[0] is not None and issue is None:
            not_linked.append(other)
        elif found[0] is not None:
            over[entry] = f"{found[0]}:{issue}"
    return Crossing(over, tuple(not_linked), tuple(not_mapped))


def merged(shown: Json, before: Collection[str], now: Collection[str]) -> list[str]:
    """Return the links an issue is to have: those it shows, without what came from Craft.io and is gone there, and with
    what is there now. What people linked in Jira stays.
    """
    return sorted((set(shown or ()) - (set(before) - set(now))) | set(now))


def _entries(raw: object, parts: Any) -> list[str] | None:
    if not isinstance(raw, list):
        return None
    found: set[str] = set()
    for each in raw:
        relation, other = parts(each) if isinstance(each, Mapping) else (None, None)
        ident = ident_of(other)
        if not isinstance(relation, str) or not relation or ident is None:
            return None
        found.add(f"{relation}:{ident}")
    return sorted(found)


def _of_issue_link(raw: Mapping[str, Any]) -> tuple[str | None, object]:
    kind = raw.get("type")
    for way in (OUTWARD, INWARD):
        other = raw.get(f"{way}Issue")
        if isinstance(other, Mapping) and isinstance(kind, Mapping):
            return relation_of(kind, way), other.get("id")
    return None, None


def other_ends(dependencies: Iterable[str] | None) -> set[EntityId]:
    """Return the items that these dependencies lead to."""
    return {parts_of(entry)[1] for entry in dependencies or ()}
