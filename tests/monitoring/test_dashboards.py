"""No panel asks for what nobody shows, panels do not lie on one another, and what is checked in is current."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.monitoring.__main__ import OPERATOR, files
from deploy.monitoring.dashboards import DASHBOARDS
from deploy.monitoring.dashboards.model import Dashboard
from deploy.monitoring.expressions import selectors, unknown
from shared.observability.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)


@every_dashboard
def test_no_panel_asks_for_what_nobody_shows(dashboard: Dashboard) -> None:
    for panel in dashboard.panels():
        assert "?" in panel.asks, panel.title
        for query in panel.queries:
            assert list(unknown(query.expr)) == [], panel.title


@every_dashboard
def test_every_series_is_named_by_labels_that_it_has(dashboard: Dashboard) -> None:
    for panel in dashboard.panels():
        for query in panel.queries:
            for label in re.findall(r"{{(\w+)}}", query.legend):
                kept = re.findall(r"(?:by|on|group_left) \(([^)]*)\)", query.expr)
                has = {name.strip() for names in kept for name in names.split(",")}
                shown = {each.name: set(each.label_names) for each in CATALOGUE}
                if not kept:
                    has = set().union(*(shown.get(each.metric, set()) for each in selectors(query.expr)))
                assert label in has or "integration:" in query.expr, f"{panel.title}: {label}"


@every_dashboard
def test_variables_offer_values_of_labels_that_exist(dashboard: Dashboard) -> None:
    shown = {each.name: each.label_names for each in CATALOGUE}
    for variable in dashboard.variables:
        assert variable.by in shown[variable.of]
    asked = set(re.findall(r"\$(\w+)", " ".join(q.expr for p in dashboard.panels() for q in p.queries)))
    assert asked == {variable.name for variable in dashboard.variables}


@every_dashboard
def test_panels_lie_beside_one_another(dashboard: Dashboard) -> None:
    places = [panel["gridPos"] for panel in dashboard.rendered()["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not any(_overlap(one, other) for one, other in combinations(places, 2))


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_what_is_checked_in_is_current() -> None:
    for path, text in files().items():
        assert (ROOT / path).read_text() == text, f"python -m deploy.monitoring writes {path} anew"


def test_the_cluster_gets_the_same_pages() -> None:
    maps: list[dict[str, Any]] = list(yaml.safe_load_all(files()[OPERATOR / "dashboards.yaml"]))
    pages = [json.loads(text) for each in maps for text in each["data"].values()]
    assert pages == [json.loads(json.dumps(dashboard.rendered())) for dashboard in DASHBOARDS]
