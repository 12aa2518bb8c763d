"""Names of the mapper's own metrics, in one typed place."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import Counter, Histogram

Why = Literal["held", "failed"]
"""Another transaction held its link; or it failed, or could not be told from one that failed, in a batch."""

BATCH_INPUTS: Final = Histogram(
    "tandem_mapper_batch_inputs",
    "Inputs that shared one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)
ALONE: Final = Counter(
    "tandem_mapper_alone_total", "Inputs that were taken out of a batch, to be handled alone, by reason.", ["why"]
)
REHEARSED: Final = Counter(
    "tandem_rehearsals_total", "Items of dry runs that were played, by what would become of them.", ["outlook"]
)
