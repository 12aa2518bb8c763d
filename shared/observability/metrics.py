"""The kinds of metric, each an instrument of prometheus_client made from its declaration.

Used by `shared.observability.catalogue` to declare and by the services to count. This is the one module that makes
instruments: whatever is counted is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final, Literal

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Gauge as PrometheusGauge
from prometheus_client import Histogram as PrometheusHistogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

from shared.observability.bounds import Label
from shared.runtime.trace import current_traceparent, trace_id

Unit = Literal["", "seconds", "bytes", "ratio"]
"""Base units only, as Prometheus' conventions have it; empty: what is counted is in the metric's name."""

Kind = Literal["counter", "gauge", "histogram", "info"]

REGISTRY: Final = CollectorRegistry(auto_describe=True)
"""Every metric of Tandem, and nothing of anybody else's."""

Values = Mapping[tuple[str, ...], float]
"""Figures by the values of the labels, in their order."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for


def _always() -> bool:
    return True


class Instrument:
    """One metric: what it is called, what it answers, who shows it, and the way to set it."""

    kind: ClassVar[Kind]

    def __init__(
        self, name: str, question: str, *, shown_by: Sequence[str], labels: Sequence[Label] = (), unit: Unit = ""
    ) -> None:
        self.name = name
        """As Prometheus shows it, with its suffixes (a histogram's series add `_bucket`, `_sum` and `_count`)."""
        self.question = question
        """The question that it answers, as a sentence: also its HELP text."""
        self.shown_by = tuple(shown_by)
        """The services whose `/metrics` has it."""
        self.labels = tuple(labels)
        self.unit = unit

    @property
    def family(self) -> str:
        """Return the name of the metric family: without the suffix that its kind adds."""
        return self.name.removesuffix({"counter": "_total", "info": "_info"}.get(self.kind, ""))

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the names of its labels."""
        return tuple(label.name for label in self.labels)

    def admitted(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values of all labels, each within its bound. Raises KeyError if others are given than it has."""
        if len(given) != len(self.labels):
            raise KeyError(f"{self.name} has the labels {self.label_names}, not {tuple(given)}")
        return tuple(label.bound.admit(str(given[label.name])) for label in self.labels)

    def collect(self) -> Iterable[Metric]:
        """Return what there is to show, as one family."""
        raise NotImplementedError


class Counter(Instrument):
    """Counts what happened in this process."""

    kind = "counter"

    def __init__(
        self, name: str, question: str, *, shown_by: Sequence[str], labels: Sequence[Label] = (), unit: Unit = ""
    ) -> None:
        super().__init__(name, question, shown_by=shown_by, labels=labels, unit=unit)
        self._counter = PrometheusCounter(self.family, question, self.label_names, unit=unit, registry=REGISTRY)

    def inc(self, amount: float = 1, /, **labels: str) -> None:
        """Count `amount` more."""
        values = self.admitted(labels)
        (self._counter.labels(*values) if values else self._counter).inc(amount)

    def collect(self) -> Iterable[Metric]:
        """Return the family."""
        return self._counter.collect()


class Gauge(Instrument):
    """Shows how something stands in this process."""

    kind = "gauge"

    def __init__(
        self, name: str, question: str, *, shown_by: Sequence[str], labels: Sequence[Label] = (), unit: Unit = ""
    ) -> None:
        super().__init__(name, question, shown_by=shown_by, labels=labels, unit=unit)
        self._gauge = PrometheusGauge(name, question, self.label_names, unit=unit, registry=REGISTRY)

    def set(self, value: float, /, **labels: str) -> None:
        """Show a value."""
        values = self.admitted(labels)
        (self._gauge.labels(*values) if values else self._gauge).set(value)

    def watch(self, ask: Callable[[], float], /, **labels: str) -> None:
        """Ask for the value whenever the metrics are read."""
        values = self.admitted(labels)
        (self._gauge.labels(*values) if values else self._gauge).set_function(ask)

    def collect(self) -> Iterable[Metric]:
        """Return the family."""
        return self._gauge.collect()


class Histogram(Instrument):
    """Counts how long, or how much, in steps. Each observation leaves the trace that it belongs to as an exemplar."""

    kind = "histogram"

    def __init__(
        self,
        name: str,
        question: str,
        *,
        shown_by: Sequence[str],
        buckets: Sequence[float],
        labels: Sequence[Label] = (),
        unit: Unit = "",
    ) -> None:
        super().__init__(name, question, shown_by=shown_by, labels=labels, unit=unit)
        self.buckets = tuple(buckets)
        self._histogram = PrometheusHistogram(
            name, question, self.label_names, unit=unit, buckets=self.buckets, registry=REGISTRY
        )

    def observe(self, value: float, /, **labels: str) -> None:
        """Count one observation. What is below zero, from clocks that differ, counts as zero."""
        values = self.admitted(labels)
        trace = current_traceparent()
        exemplar = {"trace_id": trace_id(trace)} if trace is not None else None
        (self._histogram.labels(*values) if values else self._histogram).observe(max(0.0, value), exemplar)

    def collect(self) -> Iterable[Metric]:
        """Return the family."""
        return self._histogram.collect()


class Shown(Instrument):
    """Figures that are shown as one set, and replaced or taken away at once: a set of labels that is over leaves no
    figure behind.
    """

    def __init__(
        self, name: str, question: str, *, shown_by: Sequence[str], labels: Sequence[Label] = (), unit: Unit = ""
    ) -> None:
        super().__init__(name, question, shown_by=shown_by, labels=labels, unit=unit)
        self._values: Values = {}
        self._still: Callable[[], bool] = _always
        REGISTRY.register(self)

    def show(self, values: Values, still: Callable[[], bool] | None = None) -> None:
        """Show these figures, and none of before, for as long as `still` says so whenever somebody looks (None: until
        others come). No figures: nothing is shown.
        """
        self._still = still or _always
        self._values = {self.admitted(dict(zip(self.label_names, key, strict=True))): values[key] for key in values}

    def describe(self) -> Iterable[Metric]:
        """Return the family without figures."""
        yield self._family()

    def collect(self) -> Iterable[Metric]:
        """Return the family with its figures."""
        family = self._family()
        for key, value in self._values.items() if self._still() else ():
            family.add_sample(self.name, dict(zip(self.label_names, key, strict=True)), value)
        yield family

    def _family(self) -> Metric:
        raise NotImplementedError


class Census(Shown):
    """A figure about all of Tandem, counted by one process at a time."""

    kind = "gauge"

    def _family(self) -> Metric:
        return GaugeMetricFamily(self.name, self.question, labels=self.label_names, unit=self.unit)


class Info(Shown):
    """Facts as labels, with the value 1: to join other metrics with."""

    kind = "info"

    def _family(self) -> Metric:
        return InfoMetricFamily(self.family, self.question, labels=self.label_names)
