"""A dry run says what the real thing then does, and does nothing itself: one code path, told by two witnesses."""

from __future__ import annotations

import pytest

from shared.domain.dry_run import Outlook, Verdict
from tests.simulation.foresight import Foresight, Foretold
from tests.simulation.world import in_virtual_time

SEEDS = range(1, 33)
STEP = 32
"""All in one: conflicts are rare by now, and all that can be said has to be said at least once."""


def foretold(seed: int) -> Foretold:
    return in_virtual_time(lambda: Foresight(seed).play())


@pytest.mark.parametrize("first", range(SEEDS.start, SEEDS.stop, STEP))
def test_what_a_dry_run_says_comes_true_when_the_draft_is_saved_and_until_then_nothing_happens(first: int) -> None:
    reports = {seed: foretold(seed) for seed in range(first, first + STEP)}

    assert {seed: report.faults for seed, report in reports.items() if report.faults} == {}
    # what is compared is not nothing
    outlooks = {outlook for report in reports.values() for outlook in report.outlooks}
    assert outlooks >= {Outlook.CREATE, Outlook.WRITE_JIRA, Outlook.WRITE_CRAFT, Outlook.IN_SYNC, Outlook.EXCLUDED}
    assert {verdict for report in reports.values() for verdict in report.verdicts} == set(Verdict)
