"""What the writers count. Labels: `target` jira or craft; `result` how an attempt ended."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import Counter, Histogram

from shared.domain.ids import Side

AttemptResult = Literal[
    "applied",
    "already",
    "moved",
    "rejected",
    "deferred",
    "unclear",
    "waiting",
    "dropped",
    "lost",
    "turned_away",
    "failed",
]
"""The five results of an operation, and how attempts end that report nothing: `unclear` (the next one reads first),
`waiting` (create: nothing to see yet), `dropped` (nothing to claim), `lost` (lease taken over), `turned_away` (lane
full), `failed`."""

WRITES: Final = Counter("tandem_writes_total", "Attempts at operations, by what came of them.", ["target", "result"])
WRITE_SECONDS: Final = Histogram(
    "tandem_write_seconds",
    "From claim to outcome of one attempt.",
    ["target"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 90),
)
WRITE_RETRIES: Final = Counter(
    "tandem_write_retries_total", "Requests repeated within an attempt after a failure without effect.", ["target"]
)


def count_attempt(target: Side, result: AttemptResult, *, seconds: float | None = None, retries: int = 0) -> None:
    """Count one attempt at its end; `seconds` only of those that had claimed."""
    WRITES.labels(target, result).inc()
    if seconds is not None:
        WRITE_SECONDS.labels(target).observe(max(0.0, seconds))
    if retries:
        WRITE_RETRIES.labels(target).inc(retries)
