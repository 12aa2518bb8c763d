"""The catalogue keeps Prometheus' conventions, every label has a bound, and nothing is counted outside of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.webhook_gateway.domain.verdict import EventKind
from shared.observability.bounds import OTHER, Named, OneOf, one_of
from shared.observability.catalogue import CATALOGUE
from shared.observability.catalogue.flow import LAG_GOAL_S, LAG_LIMIT_S, SYNC_LAG_SECONDS
from shared.observability.labels import EVENT, EVERYWHERE
from shared.observability.metric_docs import PAGE, page
from shared.observability.metrics import REGISTRY, Histogram, Instrument

ROOT = Path(__file__).resolve().parents[3]
NAME = re.compile(r"tandem_[a-z]+(_[a-z]+)*")
ON_TARGETS = {"job", "instance", "service", "pod", "container", "namespace", "node", "endpoint", "prometheus"}
"""What Prometheus and its operator put on every series of a target; ours would be renamed to `exported_…`."""
IN_THE_FORMAT = {"le", "quantile", "__name__"}
MOST_OF_A_LIST = 40
MOST_NAMES = 2_000

every_metric = pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)


@every_metric
def test_a_name_says_its_unit_and_its_kind(metric: Instrument) -> None:
    assert NAME.fullmatch(metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_info") == (metric.kind == "info")
    assert metric.name.removesuffix("_total").endswith(f"_{metric.unit}") or not metric.unit
    assert ("_seconds" in metric.name) == (metric.unit == "seconds")
    assert not re.search(r"_(ms|milliseconds|minutes|hours|days|kb|mb|percent)(_|$)", metric.name)


@every_metric
def test_a_metric_answers_a_question_and_says_who_shows_it(metric: Instrument) -> None:
    assert "?" in metric.question
    assert metric.shown_by
    assert set(metric.shown_by) <= set(EVERYWHERE)


@every_metric
def test_every_label_is_bounded_and_named_so_that_prometheus_keeps_its_name(metric: Instrument) -> None:
    names = metric.label_names
    assert len(set(names)) == len(names)
    for label in metric.labels:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", label.name)
        assert label.name not in ON_TARGETS | IN_THE_FORMAT
        match label.bound:
            case OneOf(values):
                assert 0 < len(values) <= MOST_OF_A_LIST
            case Named(most=most):
                assert 0 < most <= MOST_NAMES
            case other:
                pytest.fail(f"{metric.name}: {label.name} has a bound of an unknown kind, {other}")


def test_no_name_is_there_twice_even_with_the_suffixes_of_its_kind() -> None:
    families = [metric.family for metric in CATALOGUE]
    assert len(set(families)) == len(families)
    series = {
        name
        for metric in CATALOGUE
        for name in (
            [f"{metric.name}_{part}" for part in ("bucket", "sum", "count")] if metric.kind == "histogram" else []
        )
    }
    assert series.isdisjoint(metric.name for metric in CATALOGUE)


def test_what_is_registered_is_what_is_declared() -> None:
    assert {family.name for family in REGISTRY.collect()} == {metric.family for metric in CATALOGUE}


def test_both_objectives_are_edges_of_the_lag() -> None:
    assert {LAG_GOAL_S, LAG_LIMIT_S} <= set(SYNC_LAG_SECONDS.buckets)


@pytest.mark.parametrize("metric", [m for m in CATALOGUE if isinstance(m, Histogram)], ids=lambda metric: metric.name)
def test_the_edges_of_a_histogram_rise_and_are_few(metric: Histogram) -> None:
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert len(metric.buckets) <= 16


def test_a_value_outside_of_its_list_counts_as_other() -> None:
    assert one_of(("a", "b")).admit("a") == "a"
    assert one_of(("a", "b")).admit("issue 10023") == OTHER


def test_names_beyond_the_bound_count_as_other_and_the_first_ones_go_on() -> None:
    bound = Named("things", 2)
    assert [bound.admit(name) for name in ("one", "two", "three", "one")] == ["one", "two", OTHER, "one"]


def test_the_events_are_those_that_the_gateway_tells_apart() -> None:
    assert EVENT.bound == one_of(EventKind)


def test_the_page_is_current() -> None:
    current = (ROOT / PAGE).read_text() == page()
    assert current, "python -m shared.observability.metric_docs"
