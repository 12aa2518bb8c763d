"""What the target shows against what an operation writes and expects, pair by pair. Pure; used by both writers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from shared.domain.ids import PairId, Side
from shared.domain.link import Operation, PairWrite
from shared.domain.mapping import FieldPair, Integration
from shared.fields import read, same


@dataclass(frozen=True, slots=True)
class Comparison:
    """`already`: the target holds the value; `to_write`: it shows what was expected; `moved`: neither."""

    already: tuple[PairId, ...]
    to_write: Mapping[FieldPair, PairWrite]
    moved: tuple[PairId, ...]


def pairs_of(operation: Operation, integration: Integration) -> dict[FieldPair, PairWrite]:
    """Return what an operation writes by the pairs that are still mapped; a restore may outlive a revision."""
    return {pair: operation.pairs[pair.id] for pair in integration.pairs if pair.id in operation.pairs}


def compare(
    side: Side,
    writes: Mapping[FieldPair, PairWrite],
    snapshot: Mapping[str, Any],
    on_the_way: AbstractSet[PairId] = frozenset(),
) -> Comparison:
    """Compare pair by pair, values not times. A field that the snapshot does not show is written unchecked.

    What is `on_the_way` shows a step of this operation, and is gone on with.
    """
    already: list[PairId] = []
    moved: list[PairId] = []
    to_write: dict[FieldPair, PairWrite] = {}
    for pair, write in writes.items():
        shown = read(side, pair, snapshot)
        if shown is not None and same(pair.kind, shown.value, write.value):
            already.append(pair.id)
        elif shown is None or pair.id in on_the_way or same(pair.kind, shown.value, write.expect):
            to_write[pair] = write
        else:
            moved.append(pair.id)
    return Comparison(tuple(already), to_write, tuple(moved))


def holds_all(side: Side, writes: Mapping[FieldPair, PairWrite], snapshot: Mapping[str, Any]) -> bool:
    """Tell whether a snapshot shows every value of an operation (an exact match of a create)."""
    return all(
        (shown := read(side, pair, snapshot)) is not None and same(pair.kind, shown.value, write.value)
        for pair, write in writes.items()
    )
