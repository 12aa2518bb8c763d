"""Every metric of Tandem, by what it is about. What is not in `CATALOGUE` does not exist: a test proves it.

Names by Prometheus' conventions: base units, `_total` for counters, `_timestamp_seconds` for points in time, `_info`
for facts. Rules, dashboards and runbooks are checked against this list; `docs/metrics.md` is made from it.
"""

from __future__ import annotations

from typing import Final

from shared.observability.catalogue.census import CENSUS
from shared.observability.catalogue.flow import FLOW
from shared.observability.catalogue.process import PROCESS
from shared.observability.catalogue.vendors import VENDORS
from shared.observability.metrics import Instrument

CHAPTERS: Final[dict[str, tuple[Instrument, ...]]] = {
    "A change on its way": FLOW,
    "The whole, counted once": CENSUS,
    "The vendors, their limits, and the reconciler's duties": VENDORS,
    "Every service": PROCESS,
}

CATALOGUE: Final[tuple[Instrument, ...]] = tuple(metric for chapter in CHAPTERS.values() for metric in chapter)
