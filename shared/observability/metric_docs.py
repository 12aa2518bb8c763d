"""The catalogue as a page for people: `python -m shared.observability.metric_docs` writes docs/metrics.md.

Generated from the declarations, so that it cannot say anything else; a test proves that what is checked in is current.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.observability.bounds import Label
from shared.observability.catalogue import CATALOGUE, CHAPTERS
from shared.observability.catalogue.census import CENSUS
from shared.observability.catalogue.flow import LAG_GOAL_S, LAG_LIMIT_S
from shared.observability.labels import EVERYWHERE
from shared.observability.metrics import Histogram, Instrument

PAGE: Final = Path("docs/metrics.md")

_HEAD: Final = f"""# Metrics

Generated from `shared/observability/catalogue` by `python -m shared.observability.metric_docs`; do not edit.

Every service serves `/metrics` on its HTTP port. A scraper that asks for OpenMetrics (Prometheus does) gets it, with
exemplars: histograms name the trace (`trace_id`) of one observation per bucket, which is the `trace` of the log lines
of that change. Start Prometheus with `--enable-feature=exemplar-storage` to keep them.

**The objective.** 95 % of all changes are written on the other side within {LAG_GOAL_S:.0f} s after they were accepted,
99 % within {LAG_LIMIT_S:.0f} s; both are edges of `tandem_sync_lag_seconds`, so that each is one division:

```
sum(rate(tandem_sync_lag_seconds_bucket{{le="{LAG_GOAL_S}"}}[30d])) / sum(rate(tandem_sync_lag_seconds_count[30d]))
```

The lag of a change runs from the moment at which its webhook was answered, or at which the feed or the sweep showed it,
until the vendor acknowledged the write. What waits for a person is not measured: a conflict, a refused value, an item
of a manual direction, a create that waits for its parent. It is counted in `tandem_items_stuck`.

**Labels are bounded.** Each is a closed list, or the ids of what admins configure; a value outside of it is counted as
`other`. No label ever holds an item, a link or a person.

**Counted once.** The metrics of the second chapter are about the whole. One reconciler at a time counts them, every
few seconds, and shows them; when it dies another takes over within seconds. No figure is there twice, so no query
needs `max` over replicas.

**Ages are points in time.** `…_timestamp_seconds` is Unix time: the age is `time() - …`, and goes on growing while
nobody counts. Where there is nothing to tell of there is no series; `… or on() vector(0)` makes a 0 of that.
"""


def page() -> str:
    """Return the page."""
    return "\n".join((_HEAD, *_tables(), "## Labels", "", *_labels(), ""))


def _tables() -> Iterator[str]:
    for chapter, metrics in CHAPTERS.items():
        yield f"## {chapter}"
        yield ""
        yield "| metric | kind | labels | shown by | the question that it answers |"
        yield "|---|---|---|---|---|"
        yield from map(_row, metrics)
        yield ""


def _row(metric: Instrument) -> str:
    kind = f"{metric.kind}, {metric.unit}" if metric.unit else metric.kind
    edges = ""
    if isinstance(metric, Histogram):
        edges = f" Edges: {', '.join(f'{edge:g}' for edge in metric.buckets)}."
    labels = ", ".join(f"`{name}`" for name in metric.label_names)
    shown_by = "all" if metric.shown_by == EVERYWHERE else ", ".join(metric.shown_by)
    one = " (one of them)" if metric in CENSUS and len(metric.shown_by) == 1 else ""
    return f"| `{metric.name}` | {kind} | {labels} | {shown_by}{one} | {metric.question}{edges} |"


def _labels() -> Iterator[str]:
    yield "| label | of | meaning | values |"
    yield "|---|---|---|---|"
    users: dict[tuple[str, str, str], list[str]] = {}
    for metric in CATALOGUE:
        for label in metric.labels:
            users.setdefault(_told(label), []).append(f"`{metric.name}`")
    for (name, meaning, values), metrics in sorted(users.items()):
        of = ", ".join(metrics) if len(metrics) <= 3 else f"{len(metrics)} metrics"
        yield f"| `{name}` | {of} | {meaning} | {values} |"


def _told(label: Label) -> tuple[str, str, str]:
    return label.name, label.meaning, label.bound.words


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
