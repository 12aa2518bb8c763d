"""Laws of the oracle where it forgives: only what PROTOCOL section 2 leaves, and only by evidence."""

from __future__ import annotations

import pytest

from tests.simulation.network import Call
from tests.simulation.oracle import landed_late


@pytest.mark.parametrize(("sent_s", "late"), [(4.0, False), (63.0, False), (117.0, True)])
def test_w4_a_create_is_late_if_it_landed_when_its_time_and_the_index_lag_were_over(sent_s: float, late: bool) -> None:
    call = Call(3.8, sent_s, sent_s + 0.2, "http://jira.sim", "POST", "/rest/api/2/issue", 201, b"", "", "10003")

    assert landed_late(call) is late
