"""Every alert has a drill, and what a drill names in its runbook is there. The drills themselves: `make drill`."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from deploy.drills.__main__ import chosen
from deploy.drills.drill import Drill, no, some, zero
from deploy.drills.runbook import at_tempo, causes, query_of
from deploy.drills.table import DRILLS
from deploy.drills.watchers import Sample
from deploy.monitoring.alerts import ALERTS
from deploy.monitoring.rules import Tempo

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"


def test_every_alert_has_one_drill() -> None:
    assert sorted(drill.alert for drill in DRILLS) == sorted(alert.name for alert in ALERTS)


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.alert)
def test_the_cause_of_a_drill_is_in_the_runbook_with_its_query(drill: Drill) -> None:
    assert query_of((RUNBOOKS / f"{drill.alert}.md").read_text(), drill.cause)


def test_only_the_watchdog_never_ends() -> None:
    assert [drill.alert for drill in DRILLS if not drill.over] == ["TandemWatchdog"]


def test_a_cause_that_is_not_there_is_named_with_those_that_are() -> None:
    page = "## Causes, the likeliest first\n\n### Rain\n\n```promql\nwater > 0\n```\n\n## How to know\n"
    assert causes(page) == {"Rain": "water > 0"}
    with pytest.raises(LookupError, match="no cause 'Snow'; it has Rain"):
        query_of(page, "Snow")


def test_a_query_has_the_tempo_of_the_rules() -> None:
    assert at_tempo("rate(a[15m]) + rate(b[1h])", Tempo(60)) == "rate(a[15s]) + rate(b[60s])"


def test_an_answer_shows_a_cause_by_the_labels_and_values_that_it_has() -> None:
    answer = [Sample({"system": "jira"}, 0.0), Sample({"system": "craft"}, 2.0)]
    assert some(system="craft")(answer)
    assert not some(system="jira")(answer)
    assert zero(system="jira")(answer)
    assert not zero(system="craft")(answer)
    assert no(system="other")(answer)
    assert not no(system="jira")(answer)
    assert not some()([])


def test_a_drill_is_chosen_by_name_with_or_without_its_prefix() -> None:
    assert [drill.alert for drill in chosen(["KafkaAway"])] == ["TandemKafkaAway"]
    assert chosen(["TandemKafkaAway"]) == chosen(["KafkaAway"])
    assert chosen([]) == DRILLS
    with pytest.raises(click.BadParameter, match="TandemNothing; there are healthy, "):
        chosen(["Nothing"])
