"""Lists are turned to their end, and never in circles."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.clients.errors import Unavailable
from shared.clients.reading import Page, Reading
from shared.clients.walk import pages
from shared.domain.ids import EntityId


def page(ids: Sequence[int], token: str | None) -> Page:
    return Page(tuple(Reading(EntityId(str(each)), {}, None) for each in ids), token, None)


async def walked(*given: Page) -> list[str]:
    """Return the ids of all pages; the last page is given for ever."""
    asked = 0

    async def turn(_: str | None) -> Page:
        nonlocal asked
        asked += 1
        assert asked < 50, "asked without end"
        return given[min(asked, len(given)) - 1]

    return [each.entity_id async for part in pages(turn) for each in part.items]


def test_a_list_is_turned_to_its_end() -> None:
    assert asyncio.run(walked(page([1, 2], "a"), page([], "b"), page([3], None))) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "given",
    [
        (page([], "same"),),
        (page([1], "a"), page([2], "a"), page([3], "a")),
        (page([1], "a"), page([2], "b"), page([3], "a")),
        tuple(page([1], str(number)) for number in range(40)),
        tuple(page([], str(number)) for number in range(40)),
    ],
)
def test_a_list_that_does_not_get_on_ends_with_an_error(given: tuple[Page, ...]) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(walked(*given))
