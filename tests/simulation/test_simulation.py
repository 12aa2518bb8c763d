"""A part of the simulation in `make test`: it finds nothing as it is, and everything that is planted."""

from __future__ import annotations

import pytest

from tests.simulation.bugs import BUGS, planted
from tests.simulation.finds import DOCS, known, table
from tests.simulation.world import simulate

ORDINARY = range(1, 41)


@pytest.mark.parametrize("first", range(ORDINARY.start, ORDINARY.stop, 8))
def test_nothing_is_found_in_ordinary_seeds(first: int) -> None:
    found = {seed: report.violations for seed in range(first, first + 8) if (report := simulate(seed)).violations}

    assert found == {}


@pytest.mark.parametrize("bug", sorted(known()))
def test_a_planted_bug_is_found_by_its_seed(bug: str) -> None:
    with planted(bug):
        report = simulate(known()[bug].seed)

    assert report.violations


@pytest.mark.parametrize("bug", sorted(known()))
def test_the_seed_of_a_planted_bug_finds_nothing_without_it(bug: str) -> None:
    assert simulate(known()[bug].seed).violations == []


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
