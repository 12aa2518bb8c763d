"""Reads PromQL, by a parser that is not ours, and holds it against the metrics catalogue.

Used by the tests of rules, dashboards and runbooks: no expression can ask for a metric or a label that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import promql_parser

from deploy.monitoring.objectives import recordings
from shared.observability.bounds import OTHER, OneOf
from shared.observability.catalogue import CATALOGUE
from shared.observability.metrics import Histogram, Instrument

_OF_TARGETS: Final = frozenset({"job", "instance", "namespace", "pod", "container"})
"""What Prometheus itself puts on a series."""
_FOREIGN: Final = frozenset({"up", "ALERTS"})
"""Series that Prometheus makes itself."""
_OPERATORS: Final[Mapping[str, str]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def _series() -> Iterator[tuple[str, Instrument]]:
    for metric in CATALOGUE:
        for suffix in ("_bucket", "_sum", "_count") if isinstance(metric, Histogram) else ("",):
            yield metric.name + suffix, metric


_SERIES: Final = dict(_series())
"""Every series that a service shows, and the metric that it is of."""


@dataclass(frozen=True, slots=True)
class Selector:
    """One choice of series in an expression."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator (`=`, `!=`, `=~`, `!~`), value."""


def selectors(expression: str) -> Iterator[Selector]:
    """Yield every choice of series. Raises ValueError with the parser's words if it is not PromQL."""
    for node in _walk(promql_parser.parse(expression)):
        if isinstance(node, promql_parser.VectorSelector):
            matchers = tuple((each.name, _OPERATORS[str(each.op)], each.value) for each in node.matchers.matchers)
            named = node.name or next((value for name, _, value in matchers if name == "__name__"), "")
            yield Selector(named, matchers)


def unknown(expression: str) -> Iterator[str]:
    """Yield, in words, what an expression asks for and nobody shows."""
    recorded = {each.name for each in recordings()}
    for each in selectors(expression):
        if each.metric in recorded or each.metric in _FOREIGN:
            continue
        metric = _SERIES.get(each.metric)
        if metric is None:
            yield f"no metric is called {each.metric}"
            continue
        for label, operator, value in each.matchers:
            if label != "__name__":
                yield from _mismatch(metric, label, operator, value)


def _mismatch(metric: Instrument, label: str, operator: str, value: str) -> Iterator[str]:
    declared = {each.name: each for each in metric.labels}
    if label == "le" or label in _OF_TARGETS:
        return
    if label not in declared:
        yield f"{metric.name} has no label {label}"
        return
    bound = declared[label].bound
    if isinstance(bound, OneOf):
        asked = value.split("|") if operator in {"=~", "!~"} else [value]
        for each in asked:
            if "$" not in each and each not in {*bound.values, OTHER, "", ".+", ".*"}:
                yield f"{metric.name}: {label} is never {each}"


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for part in ("lhs", "rhs", "expr", "vector_selector", "param"):
        child = getattr(node, part, None)
        if child is not None and not isinstance(child, str | int | float):
            yield from _walk(child)
    for child in getattr(node, "args", None) or ():
        yield from _walk(child)
