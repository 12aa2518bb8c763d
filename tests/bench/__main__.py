"""`python -m tests.bench`: measure on this machine, print a table, write docs/bench.md (another file: --to)."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import structlog
from rich.console import Console

from deploy.local.processes import LocalStackError
from deploy.local.progress import ConsoleProgress, Progress
from deploy.local.signals import run_until_signal
from deploy.local.stack import local_stack
from tests.bench.lag import measure_lags
from tests.bench.mapper import MapperFigures, better, measure_mapper
from tests.bench.report import report

RESULTS = Path(__file__).parents[2] / "docs" / "bench.md"
ROUNDS = 2
ONE_BY_ONE = {"TANDEM_BATCH_INPUTS": "1", "TANDEM_BATCHES_AT_ONCE": "5"}
"""Every input has a transaction of its own, as many at a time as the store's connections allow."""


async def _mapper(folder: Path, progress: Progress) -> tuple[MapperFigures, MapperFigures]:
    """Measure both ways in turns, so that both meet the same machine; return the better round of each."""
    found: dict[str, MapperFigures] = {}
    async with local_stack(folder, progress, lasting=True) as stack:
        for number in range(1, ROUNDS + 1):
            for name, settings in (("one", ONE_BY_ONE), ("batched", {})):
                progress.stage(f"Mapper, {name}, round {number} of {ROUNDS}")
                figures = await measure_mapper(stack, folder, f"{name}{number}", settings)
                found[name] = better(found[name], figures) if name in found else figures
    return found["one"], found["batched"]


async def _main(to: Path) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    at, load = datetime.now(UTC), os.getloadavg()[0]  # the date of the results
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder, ConsoleProgress() as progress:
            one, batched = await _mapper(Path(folder) / "mapper", progress)
            lags = await measure_lags(Path(folder) / "system", progress)
            progress.stage("Done")
    except LocalStackError as error:
        Console(stderr=True).print(str(error), markup=False)
        return 1
    text = report(one, batched, lags, at, load)
    to.write_text(text)
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--to", type=Path, default=RESULTS)
    sys.exit(run_until_signal(_main(parser.parse_args().to)))
