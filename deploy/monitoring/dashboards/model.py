"""What a dashboard is made of, and its JSON as Grafana imports it (schema of Grafana 10 and later, `@grafana/schema`).

A page is rows of panels; a panel has one or more queries. Places follow from widths, so that nobody counts
coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

_WIDE: Final = 24
_SCHEMA: Final = 39
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

Look = Literal["stat", "timeseries", "table", "bargauge"]
Unit = Literal["short", "s", "percentunit", "reqps", "dtdurations", "dateTimeFromNow", "bool_on_off"]


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and what its series are called (`{{label}}` for a label's value)."""

    expr: str
    legend: str = ""


def quantile(share: float, of: str, by: str = "", where: str = "") -> str:
    """Return the expression: what a share of a histogram's observations of the last minutes stays below."""
    chosen = f"{{{where}}}" if where else ""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({of}_bucket{chosen}[5m])))"


def quantiles(of: str, where: str = "") -> tuple[Query, ...]:
    """Return half of all, 95 and 99 % of a histogram."""
    return tuple(
        Query(quantile(share, of, where=where), name)
        for share, name in ((0.5, "half of all"), (0.95, "95 %"), (0.99, "99 %"))
    )


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `asks` is the question that it answers, shown as its description."""

    title: str
    asks: str
    queries: Sequence[Query]
    look: Look = "timeseries"
    unit: Unit = "short"
    width: int = 12
    height: int = 8
    bad_from: float | None = None
    """Red from this value on, green below; None: no colours."""
    stacked: bool = False

    def rendered(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Return the panel as Grafana's JSON has it."""
        at_once = self.look != "timeseries"
        targets = [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": at_once,
                "range": not at_once,
                **({"format": "table"} if self.look == "table" else {}),
            }
            for index, query in enumerate(self.queries)
        ]
        return {
            "id": number,
            "type": self.look,
            "title": self.title,
            "description": self.asks,
            "datasource": _SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": targets,
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
        }

    def _defaults(self) -> dict[str, Any]:
        defaults: dict[str, Any] = {"unit": self.unit, "noValue": "none"}
        if self.bad_from is not None:
            steps = [{"color": "green", "value": None}, {"color": "red", "value": self.bad_from}]
            defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        if self.look == "timeseries":
            stacking = {"mode": "normal" if self.stacked else "none", "group": "A"}
            defaults["custom"] = {"fillOpacity": 30 if self.stacked else 8, "lineWidth": 1, "stacking": stacking}
        return defaults

    def _options(self) -> dict[str, Any]:
        if self.look == "timeseries":
            return {
                "legend": {
                    "displayMode": "table",
                    "placement": "right",
                    "calcs": ["lastNotNull", "max"],
                    "showLegend": True,
                },
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        if self.look == "table":
            return {"showHeader": True}
        reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
        return reduced | ({"displayMode": "basic", "orientation": "horizontal"} if self.look == "bargauge" else {})


@dataclass(frozen=True, slots=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the page: the values of a label."""

    name: str
    label: str
    of: str
    """The series whose values are offered, as the argument of `label_values`."""
    by: str

    def rendered(self) -> dict[str, Any]:
        """Return the variable as Grafana's JSON has it: all values unless some are chosen."""
        return {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": f"label_values({self.of}, {self.by})", "refId": "variable"},
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".+",
            "current": {"text": "All", "value": "$__all"},
            "sort": 1,
        }


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    asks: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = ()

    def panels(self) -> Iterator[Panel]:
        """Yield all panels, in reading order."""
        for row in self.rows:
            yield from row.panels

    def rendered(self) -> Mapping[str, Any]:
        """Return the page as Grafana imports it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.asks,
            "tags": ["tandem"],
            "schemaVersion": _SCHEMA,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_DATA_SOURCE, *(each.rendered() for each in self.variables)]},
            "annotations": {"list": [_FIRING]},
            "links": [_SIBLINGS],
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[dict[str, Any]]:
        number, y = 1, 0
        for row in self.rows:
            yield {
                "id": number,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": _WIDE, "h": 1},
                "panels": [],
            }
            number, y, x, tallest = number + 1, y + 1, 0, 0
            for panel in row.panels:
                if x + panel.width > _WIDE:
                    x, y, tallest = 0, y + tallest, 0
                yield panel.rendered(number, x, y)
                number, x, tallest = number + 1, x + panel.width, max(tallest, panel.height)
            y += tallest


_DATA_SOURCE: Final = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
FIRING: Final = 'ALERTS{alertname=~"Tandem.+",alertname!="TandemWatchdog",alertstate="firing"}'
"""Every alert of Tandem that fires, without the watchdog."""

_FIRING: Final = {
    "name": "Alerts",
    "datasource": _SOURCE,
    "enable": True,
    "iconColor": "red",
    "expr": FIRING,
    "titleFormat": "{{alertname}}",
}
_SIBLINGS: Final = {
    "title": "Tandem",
    "type": "dashboards",
    "tags": ["tandem"],
    "asDropdown": False,
    "includeVars": False,
    "keepTime": True,
    "targetBlank": False,
    "icon": "external link",
    "tooltip": "",
    "url": "",
}
