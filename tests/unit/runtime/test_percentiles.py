"""The percentiles of `make bench` are values that were measured."""

from __future__ import annotations

import pytest

from tests.bench.figures import percentile


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (10, 1), (11, 2), (50, 5), (90, 9), (99, 10), (100, 10)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == expected


def test_of_one_value_all_percentiles_are_that_value() -> None:
    assert [percentile([3.5], percent) for percent in (1, 50, 99)] == [3.5] * 3
