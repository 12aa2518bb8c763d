"""A part of the simulation in `make test`: it finds nothing as it is, and everything that is planted."""

from __future__ import annotations

import pytest

from tests.simulation.bugs import BUGS, planted
from tests.simulation.finds import DOCS, known, table
from tests.simulation.world import simulate

ORDINARY = range(1, 41)
CLEAN = sorted({*ORDINARY, *(find.seed for find in known().values())})
"""What is planted in the seeds that find it is all that is wrong with them."""


@pytest.mark.parametrize("seed", CLEAN)
def test_nothing_is_found_in_ordinary_seeds_nor_in_those_of_planted_bugs_without_them(seed: int) -> None:
    assert simulate(seed).violations == []


@pytest.mark.parametrize("bug", sorted(known()))
def test_a_planted_bug_is_found_by_its_seed(bug: str) -> None:
    with planted(bug):
        report = simulate(known()[bug].seed)

    assert report.violations


def test_every_failure_of_the_protocol_has_a_planted_bug() -> None:
    planted_failures = {name.rstrip("abcdefghijklmnopqrstuvwxyz") for name in BUGS}

    assert planted_failures == {f"F{number}" for number in range(1, 23)}


def test_every_planted_bug_has_a_seed_that_finds_it() -> None:
    assert set(known()) == set(BUGS)


def test_the_documentation_lists_which_seed_found_which() -> None:
    assert table() in DOCS.read_text()


def test_the_same_seed_gives_the_same_report_twice() -> None:
    first, second = simulate(7), simulate(7)

    assert first == second
    assert first.history
