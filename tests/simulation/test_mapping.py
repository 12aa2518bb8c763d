"""Laws of the mappings that the simulation draws: what the product allows, and something of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from shared.domain.mapping import Direction, FieldKind, Integration, Policy
from tests.simulation.loop import VirtualLoop
from tests.simulation.mapping import Atlas, revised
from tests.simulation.world import World

SEEDS = range(1, 61)


async def _mapping(seed: int) -> tuple[Integration, Atlas]:
    return World(seed).mapping()


@pytest.fixture(scope="module")
def drawn() -> Iterator[list[tuple[Integration, Atlas]]]:
    loop = VirtualLoop()
    asyncio.set_event_loop(None)
    yield [loop.run_until_complete(_mapping(seed)) for seed in SEEDS]
    loop.close()


def test_something_of_everything_is_mapped(drawn: list[tuple[Integration, Atlas]]) -> None:
    pairs = [pair for integration, _ in drawn for pair in integration.pairs]

    assert {pair.kind for pair in pairs} >= set(FieldKind) - {FieldKind.TEXT}  # texts are mapped as rich text
    assert {pair.direction for pair in pairs} == set(Direction)
    assert {pair.policy for pair in pairs} == {None, *Policy}
    assert any(pair.to_craft for pair in pairs)
    assert any(pair.fallback for pair in pairs)
    assert any(len({value.craft for value in pair.values}) < len(pair.values) for pair in pairs)
    assert any(len(atlas.whole(pair).values) > len(pair.values) for i, atlas in drawn for pair in i.pairs)


def test_an_item_never_begins_without_a_title(drawn: list[tuple[Integration, Atlas]]) -> None:
    for integration, atlas in drawn:
        mapping = integration
        for number in range(10):
            mapping, _ = revised(mapping, atlas, Random(number))
            title = next(pair for pair in mapping.pairs if pair.id == "title")
            assert title.direction in (Direction.BOTH, Direction.ONCE)


def test_a_part_of_the_seeds_keeps_the_mapping_of_the_demo(drawn: list[tuple[Integration, Atlas]]) -> None:
    plain = [integration for integration, atlas in drawn if not atlas.rich]

    assert len(SEEDS) / 4 < len(plain) < len(SEEDS) / 2
    assert all(len(integration.pairs) == 14 for integration in plain)
