"""Dependencies between items: people set them in the web application, no key over the API can. Shown on both items.

Called by `sandbox.craft.item_api`. One item blocks another exactly if that one is blocked by it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from sandbox.craft.checks import problem
from sandbox.craft.model import ItemRecord
from sandbox.craft.refusal import refuse

INVERSE: Mapping[str, str] = {"blocks": "blocked by", "blocked by": "blocks", "related": "related"}
"""What the other item shows for each relation that there is (schema Dependency)."""

Lookup = Callable[[str], ItemRecord | None]


def read_dependencies(raw: object, record: ItemRecord, lookup: Lookup) -> frozenset[tuple[str, str]]:
    """Return `(relation, item id)` of each entry of `[{id, value}]`; a 400 for what is none."""
    found: set[tuple[str, str]] = set()
    for each in raw if isinstance(raw, list) else [raw]:
        ident, value = (each.get("id"), each.get("value")) if isinstance(each, dict) else (None, None)
        if value not in INVERSE or ident == record.id or lookup(str(ident)) is None:
            refuse(problem("dependencies", "no such dependency", each))
        found.add((str(value), str(ident)))
    return frozenset(found)


def mirrored(record: ItemRecord, before: ItemRecord, lookup: Lookup) -> Iterator[ItemRecord]:
    """Yield the other items as they are after `record` got its dependencies in place of those of `before`."""
    for ident in sorted({ident for _, ident in record.dependencies ^ before.dependencies}):
        other = lookup(ident)
        if other is not None:
            mine = {(INVERSE[relation], record.id) for relation, each in record.dependencies if each == ident}
            rest = {entry for entry in other.dependencies if entry[1] != record.id}
            yield dataclasses.replace(other, dependencies=frozenset(rest | mine))
