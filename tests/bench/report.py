"""The results as a page for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime

from tests.bench.figures import percentile
from tests.bench.mapper import BACKLOG_EDITS, LINKS, PACED_PER_S, MapperFigures


def report(
    one: MapperFigures, batched: MapperFigures, lags: Mapping[str, Sequence[float]], at: datetime, load: float
) -> str:
    """Return the page. `at` and `load`: when it began, and how busy the machine was by then."""
    cores = len(os.sched_getaffinity(0))
    rows = [
        ("inputs per second, from a backlog", "{:.0f}", one.inputs_per_s, batched.inputs_per_s),
        (
            "inputs per transaction, in that backlog",
            "{:.1f}",
            one.inputs_per_transaction,
            batched.inputs_per_transaction,
        ),
        (f"p50 at {PACED_PER_S} inputs/s, ms", "{:.1f}", one.p50_ms, batched.p50_ms),
        (f"p99 at {PACED_PER_S} inputs/s, ms", "{:.1f}", one.p99_ms, batched.p99_ms),
        ("memory of the process afterwards, MB", "{:.0f}", one.memory_mb, batched.memory_mb),
    ]
    mapper = "\n".join(
        f"| {what} | {form.format(left)} | {form.format(right)} | {right / left:.2f} |"
        for what, form, left, right in rows
    )
    edits = "\n".join(_line(direction, values) for direction, values in lags.items())
    return f"""# What one machine measured

Written by `make bench`: figures for comparing one change with another on the same machine, no promises and no tests.
All processes (Kafka, Postgres, services, stand-ins, the bench itself) share the cores, so a deployment where each has
its own does better.

{at:%Y-%m-%d}, {cores} cores, Python {platform.python_version()}; load average {load:.1f} when it began (idle: 0).

## Mapper
One process on real Kafka and Postgres; changes of the titles of {LINKS:,} linked issues, twelve mapped pairs each.
Backlog: {BACKLOG_EDITS} changes of each wait when it starts; the middle of it is timed. Then one change of each
at a steady {PACED_PER_S} per second: from the publishing of the change until its status is published. One by one is
`TANDEM_BATCH_INPUTS=1` ([ADR 0015](adr/0015-inputs-share-a-transaction.md)). Both in turns, the best of each figure.

| | one by one | batched | ratio |
|---|---:|---:|---:|
{mapper}

## A single edit, end to end
The whole system with the stand-ins, an edit of one title at a time, both vendors with webhooks: seconds until the other
side shows it.

| direction | edits | p50 | p90 | longest |
|---|---:|---:|---:|---:|
{edits}
"""


def _line(direction: str, values: Sequence[float]) -> str:
    figures = (percentile(values, 50), percentile(values, 90), max(values))
    return f"| {direction} | {len(values)} | {' | '.join(f'{figure:.2f}' for figure in figures)} |"
