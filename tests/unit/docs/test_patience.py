"""No test may fail because a machine is slow: what would judge one by the clock on the wall is found here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parents[2]
# Measuring is what these are for, and none of them is run by `make test`.
MEASURING = TESTS / "bench"
JUDGES = {
    "a bound on seconds that went by": re.compile(
        r"(?i)assert .*(?<!clock\.)(monotonic|perf_counter|time\.time|process_time)\(\) - \w+ <"
    ),
    "a deadline of Hypothesis": re.compile(r"\bdeadline=(?!None)\w"),
    "a time limit of a test's own": re.compile(r"pytest\.mark\.timeout\("),
}


def test_hypothesis_has_no_deadline() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check


@pytest.mark.parametrize("what", JUDGES)
def test_no_test_judges_by_the_clock_on_the_wall(what: str) -> None:
    found = [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in TESTS.rglob("*.py")
        if MEASURING not in path.parents and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if JUDGES[what].search(line)
    ]
    assert found == []
