"""`python -m tests.simulation`: run many seeds, or replay one with its whole history.

--seeds 300            so many fates, from --first on
--seed 17              one fate, with the readable history; the same seed always plays the same
--bug F11              plant a bug first (see tests/simulation/bugs.py): now something must be found
--find                 for each planted bug, the first seed that finds it
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from tests.simulation.bugs import BUGS, planted
from tests.simulation.finds import Find, remember
from tests.simulation.world import Report, simulate

_TOLD = 20
"""How many failing seeds are told with their history."""


def _one(job: tuple[int, str | None]) -> Report:
    seed, bug = job
    with planted(bug):
        report = simulate(seed)
    if bug is not None and report.violations and simulate(seed).violations:
        report.violations.clear()  # not the planted bug's doing
    if not report.violations:
        report.history.clear()
    return report


def _reports(seeds: range, bug: str | None, jobs: int) -> Iterator[Report]:
    work = [(seed, bug) for seed in seeds]
    if jobs == 1:
        yield from map(_one, work)
        return
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=50) as pool:
        yield from pool.imap_unordered(_one, work, chunksize=4)


def first_find(bug: str, seeds: range, jobs: int) -> Report | None:
    """Return the report of the first of these seeds that finds a planted bug, None if none does."""
    work = [(seed, bug) for seed in seeds]
    if jobs == 1:
        return next((report for report in map(_one, work) if report.violations), None)
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return next((report for report in pool.imap(_one, work) if report.violations), None)


def _tell(report: Report) -> None:
    print(f"seed {report.seed}: {len(report.violations)} violation(s)")
    for line in report.history:
        print(f"  {line}")
    for line in report.violations:
        print(f"  !! {line}")
    print(f"  again: python -m tests.simulation --seed {report.seed}")


def _find_all(bugs: list[str], seeds: range, jobs: int, *, write: bool) -> int:
    missed = []
    for bug in bugs:
        began = time.monotonic()
        found = first_find(bug, seeds, jobs)
        took = time.monotonic() - began
        if found is None:
            missed.append(bug)
            print(f"{bug:10} NOT FOUND in {len(seeds)} seeds ({took:.0f} s): {BUGS[bug].what}", flush=True)
            continue
        print(f"{bug:10} seed {found.seed:5} ({took:.0f} s) {found.violations[0]}", flush=True)
        if write:
            remember(Find(bug, found.seed, found.violations[0]))
    return 1 if missed else 0


def main() -> int:
    """Return 0 if nothing was found (or, with --find, everything planted was)."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--bug", choices=sorted(BUGS))
    parser.add_argument("--write", action="store_true", help="with --find: write down what was found")
    parser.add_argument("--only", nargs="*", choices=sorted(BUGS), help="with --find: only these bugs")
    parser.add_argument("--find", action="store_true")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    arguments = parser.parse_args()
    if arguments.seed is not None:
        with planted(arguments.bug):
            report = simulate(arguments.seed)
        _tell(report)
        return 1 if report.violations else 0
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    if arguments.find:
        return _find_all(arguments.only or sorted(BUGS), seeds, arguments.jobs, write=arguments.write)
    began = time.monotonic()
    bad, virtual_s, calls, edits, count = 0, 0.0, 0, 0, 0
    for report in _reports(seeds, arguments.bug, arguments.jobs):
        count += 1
        virtual_s += report.virtual_s
        calls += report.calls
        edits += report.edits
        if report.violations:
            bad += 1
            if bad <= _TOLD:
                _tell(report)
    took = time.monotonic() - began
    print(
        f"{count} seeds, {edits} edits, {calls} vendor calls, {virtual_s / 3600:.1f} virtual hours in {took:.1f} s: "
        f"{bad} with violations"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
