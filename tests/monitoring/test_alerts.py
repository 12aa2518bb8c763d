"""Every alert fires when it should and only then, says what it should, and leads to a runbook. Judged by promtool."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.monitoring.__main__ import operator_file, rules_file
from deploy.monitoring.alerts import ALERTS, GROUPS
from deploy.monitoring.expressions import selectors, unknown
from deploy.monitoring.rules import REAL, RUNBOOKS, Alert, Group, Severity, Tempo, rendered
from tests.monitoring.cases import CASES, HEALTHY
from tests.monitoring.series import as_promtool

DRILLS = Tempo(60)
PROMTOOL = shutil.which("promtool")
judged_by_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: prometheus): the rules are not judged"
)


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)


def _rules_of(alert: Alert, every: str) -> dict[str, Any]:
    """Return the alert's rule, and what is recorded if it is read from that: the whole costs promtool minutes."""
    recorded = [group.rules for group in GROUPS if not group.alerts()] if "integration:" in alert.expr else []
    return dict(rendered([Group(alert.name, (*itertools.chain(*recorded), alert), every)]))


def _write_tests(folder: Path, alert: Alert, tests: list[dict[str, Any]], every: str) -> Path:
    """Write a file of tests for one alert and return its path."""
    rules = f"{alert.name}.{every}.rules.yaml"
    (folder / rules).write_text(yaml.safe_dump(_rules_of(alert, every)))
    path = folder / f"{alert.name}.{every}.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [rules], "evaluation_interval": every, "tests": tests}))
    return path


def test_names_are_unique_and_severities_are_used_as_they_are_meant() -> None:
    names = [alert.name for alert in ALERTS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"Tandem([A-Z0-9][a-z0-9]*)+", name) for name in names)
    assert [alert.name for alert in ALERTS if alert.severity is Severity.NONE] == ["TandemWatchdog"]


def test_every_summary_has_its_numbers_or_says_who_is_meant() -> None:
    for alert in ALERTS:
        if alert.severity is not Severity.NONE and alert.name != "TandemCensusStale":
            assert "{{" in alert.summary, alert.name


def test_no_rule_asks_for_what_nobody_shows() -> None:
    for group in GROUPS:
        for rule in group.rules:
            assert list(unknown(REAL.spelled(rule.expr))) == [], rule.name


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rate(tandem_webhook_total[5m])", "no metric is called tandem_webhook_total"),
        ("tandem_sync_lag_seconds", "no metric is called tandem_sync_lag_seconds"),
        ('tandem_items{cause="conflict"}', "tandem_items has no label cause"),
        ('sum(tandem_items{standing=~"in_sync|lost"})', "tandem_items: standing is never lost"),
    ],
)
def test_what_nobody_shows_is_named(expression: str, words: str) -> None:
    assert list(unknown(expression)) == [words]


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    names = {alert.name for alert in ALERTS}
    assert {case.alert for case in CASES if case.firing} == names
    assert {case.alert for case in CASES if not case.firing} == names - {"TandemWatchdog"}


@judged_by_promtool
def test_alerts_fire_when_they_should_and_say_what_they_should(tmp_path: Path) -> None:
    files = []
    for alert in ALERTS:
        rule = alert.rendered(REAL, RUNBOOKS)
        for every in ("1m", "10m"):
            cases = [case for case in CASES if case.alert == alert.name and case.every == every]
            if cases:
                files.append(_write_tests(tmp_path, alert, [as_promtool(case, rule) for case in cases], every))
    judged = _promtool("test", "rules", *files)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@judged_by_promtool
def test_healthy_hours_fire_nothing_but_the_watchdog(tmp_path: Path) -> None:
    files = []
    for alert in ALERTS:
        if alert.severity is Severity.NONE:
            continue
        quiet: list[dict[str, Any]] = [
            {"eval_time": at, "alertname": alert.name, "exp_alerts": []} for at in ("5m", "30m", "6h")
        ]
        asked = {each.metric for each in selectors(REAL.spelled(alert.expr))}
        if any("integration:" in name for name in asked):
            asked = {each.name.partition("{")[0] for each in HEALTHY}
        series = [each.rendered() for each in HEALTHY if each.name.partition("{")[0] in asked]
        test = {"name": "healthy", "interval": "1m", "input_series": series, "alert_rule_test": quiet}
        files.append(_write_tests(tmp_path, alert, [test], "10m"))
    judged = _promtool("test", "rules", *files)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@judged_by_promtool
@pytest.mark.parametrize("tempo", [REAL, DRILLS], ids=["real", "of drills"])
def test_prometheus_reads_the_rules(tempo: Tempo, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rules_file(tempo))
    judged = _promtool("check", "rules", tmp_path / "rules.yaml")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_operator_is_told_the_same() -> None:
    assert yaml.safe_load(operator_file())["spec"] == yaml.safe_load(rules_file())
